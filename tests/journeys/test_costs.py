"""What answers say of their cost, through the official client, which is as strict as it can be."""

import openai

MODEL = "gemini-nano-banana-2.1"


def cost(usage: object) -> object:
    """Return the cost in dollars; None if there is none."""
    return getattr(usage, "cost", None)


def test_pictures_tell_their_cost(client: openai.OpenAI, prompt: str) -> None:
    """All of them together; 2K has no known price."""
    two = client.images.generate(model=MODEL, prompt=prompt, n=2)
    large = client.images.generate(model=MODEL, prompt=f"large {prompt}", extra_body={"resolution": "2K"})

    assert (cost(two.usage), cost(large.usage)) == (0.0672, None)


def test_a_picture_in_a_stream_tells_its_cost(client: openai.OpenAI, prompt: str) -> None:
    """In its event."""
    with client.images.generate(model=MODEL, prompt=prompt, stream=True) as stream:
        [event] = [event for event in stream if event.type == "image_generation.completed"]

    assert cost(event.usage) == 0.0336


def test_a_chat_tells_its_cost(client: openai.OpenAI, prompt: str) -> None:
    """Whole, and at the end of a stream that is asked for its usage; of a video in credits."""
    whole = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": prompt}])
    with client.chat.completions.create(
        model="veo-3.1-fast",
        messages=[{"role": "user", "content": prompt}],
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        *_, last = stream

    assert cost(whole.usage) == 0.0336
    assert (getattr(last.usage, "credits", None), cost(last.usage)) == (20, None)


def test_a_response_tells_its_cost_also_later(client: openai.OpenAI, prompt: str) -> None:
    """It is stored with the picture."""
    made = client.responses.create(model=MODEL, input=prompt, tools=[{"type": "image_generation"}])

    assert cost(made.usage) == 0.0336
    assert cost(client.responses.retrieve(made.id).usage) == 0.0336


def test_a_picture_in_the_background_tells_its_cost(client: openai.OpenAI, prompt: str) -> None:
    """Once it is made."""
    made = client.responses.create(model=MODEL, input=prompt, tools=[{"type": "image_generation"}], background=True)
    while made.status in {"queued", "in_progress"}:
        made = client.responses.retrieve(made.id)

    assert (made.status, cost(made.usage)) == ("completed", 0.0336)


def test_models_tell_their_prices(client: openai.OpenAI) -> None:
    """Of today."""
    prices = {model.id: (model.model_extra or {}).get("prices") for model in client.models.list()}

    assert prices[MODEL] == [
        {"per": "picture", "of": "1K", "amount": 0.0336, "currency": "USD"},
        {"per": "search", "amount": 0.014, "currency": "USD"},
    ]
    assert prices["flow-gem-pix"] is None
