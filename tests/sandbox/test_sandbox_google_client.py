"""Google's own client accepts what the sandbox answers, and the sandbox understands what it sends."""

from collections.abc import Iterator

import httpx
import pytest
from google import genai
from google.genai import errors, types

from adapter.sandbox.server import RunningSandbox
from tests.sandbox.helpers import Json, opened
from tests.support import WITHOUT_TLS

FLASH = "gemini-2.5-flash-image"
PRO = "gemini-3-pro-image"


def google(sandbox: RunningSandbox, key: str = "AIza-sandbox", version: str | None = "v1beta") -> genai.Client:
    """Return the official client, pointed at the sandbox."""
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=sandbox.base_url, api_version=version))


@pytest.fixture
def client(loopback: RunningSandbox) -> Iterator[genai.Client]:
    """The official client on v1beta."""
    with google(loopback) as client:
        yield client


@pytest.fixture
def faults(loopback: RunningSandbox) -> Iterator[httpx.Client]:
    """A line to the sandbox's control API; the scripts are gone afterwards."""
    with httpx.Client(verify=WITHOUT_TLS, base_url=loopback.base_url) as control:
        yield control
        control.delete("/sandbox/faults")


def shaped(ratio: str | None = None, size: str | None = None, **more: Json) -> types.GenerateContentConfig:
    """Return a configuration for pictures alone, unless told otherwise."""
    more = {"response_modalities": ["IMAGE"], **more}
    return types.GenerateContentConfig(image_config=types.ImageConfig(aspect_ratio=ratio, image_size=size), **more)


def parts_of(answer: types.GenerateContentResponse) -> list[types.Part]:
    """Return the parts of the one candidate."""
    assert answer.candidates
    assert answer.candidates[0].content
    return answer.candidates[0].content.parts or []


def picture_in(part: types.Part) -> bytes:
    """Return the bytes of a picture part."""
    assert part.inline_data
    assert part.inline_data.data
    return part.inline_data.data


@pytest.mark.parametrize(
    ("model", "ratio", "size", "pixels"),
    [
        (FLASH, "9:16", None, (768, 1344)),
        (PRO, "16:9", "2K", (2752, 1536)),
        ("gemini-3.1-flash-image", "8:1", "512", (1536, 192)),
        ("gemini-3.1-flash-image-preview", "1:4", "1K", (512, 2048)),
        ("gemini-3.1-flash-lite-image", "21:9", "1K", (1584, 672)),
    ],
)
def test_a_picture_has_the_documented_pixels(
    client: genai.Client, model: str, ratio: str, size: str | None, pixels: tuple[int, int]
) -> None:
    """The decoded PNG is exactly as large as Google's table says."""
    answer = client.models.generate_content(model=model, contents="A pig", config=shaped(ratio, size, seed=7))

    [part] = parts_of(answer)
    assert opened(picture_in(part)).size == pixels
    assert opened(picture_in(part)).format == "PNG"
    assert part.thought_signature


def test_the_default_version_is_served(loopback: RunningSandbox) -> None:
    """The client's own default, v1, works as v1beta does."""
    with google(loopback, version=None) as client:
        answer = client.models.generate_content(model=FLASH, contents="A pig", config=shaped("1:1"))

    assert answer.model_version == FLASH
    assert answer.response_id


def test_same_prompt_and_seed_give_the_same_picture(client: genai.Client) -> None:
    """The picture is a function of prompt and seed; another seed or prompt gives another picture."""

    def draw(prompt: str, seed: int) -> bytes:
        answer = client.models.generate_content(model=FLASH, contents=prompt, config=shaped("1:1", seed=seed))
        return picture_in(parts_of(answer)[0])

    assert draw("一个美女", 1) == draw("一个美女", 1)
    assert len({draw("一个美女", 1), draw("一个美女", 2), draw("一只猫", 1)}) == 3


def test_usage_is_itemised(client: genai.Client) -> None:
    """Tokens follow the documented numbers: 1120 for a picture of pro, and the total adds up."""
    answer = client.models.generate_content(model=PRO, contents="A pig with wings", config=shaped("1:1"))

    usage = answer.usage_metadata
    assert usage
    assert usage.candidates_tokens_details
    assert usage.candidates_tokens_details[0].token_count == 1120
    assert usage.thoughts_token_count == 208
    parts = (usage.prompt_token_count, usage.candidates_token_count, usage.thoughts_token_count)
    assert usage.total_token_count == sum(count or 0 for count in parts)


def test_text_comes_before_the_picture_by_default(client: genai.Client) -> None:
    """Without modalities the answer is a sentence, then a picture."""
    answer = client.models.generate_content(model=FLASH, contents="A pig")

    text, image = parts_of(answer)
    assert text.text
    assert opened(picture_in(image)).size == (1024, 1024)


def test_a_chat_edits_its_own_picture(client: genai.Client) -> None:
    """In the second turn the client sends the picture back in URL-safe base64, with its signature."""
    chat = client.chats.create(model=PRO, config=shaped())
    chat.send_message("A pig")

    answer = chat.send_message("Give it wings")

    assert answer.usage_metadata
    assert opened(picture_in(parts_of(answer)[-1])).format == "PNG"


def test_thoughts_come_with_drafts(client: genai.Client) -> None:
    """With include_thoughts a thinking model shows drafts without signatures before the final picture."""
    thinking = types.ThinkingConfig(include_thoughts=True)
    answer = client.models.generate_content(model=PRO, contents="A pig", config=shaped(thinking_config=thinking))

    pictures = [part for part in parts_of(answer) if part.inline_data]
    assert [bool(part.thought) for part in pictures] == [True, True, False]
    assert [bool(part.thought_signature) for part in pictures] == [False, False, True]


def test_a_stream_ends_with_finish_and_usage(client: genai.Client) -> None:
    """The picture is one whole part in one event; the last event has the finish reason and the usage."""
    events = list(client.models.generate_content_stream(model=FLASH, contents="A pig"))

    pictures = [part for event in events for part in parts_of(event) if part.inline_data]
    assert len(pictures) == 1
    assert events[-1].candidates
    assert events[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert events[-1].usage_metadata


def test_a_blocked_prompt_has_no_candidates(client: genai.Client) -> None:
    """`[blocked]` is refused as HTTP 200 with a block reason."""
    answer = client.models.generate_content(model=FLASH, contents="[blocked] a pig")

    assert not answer.candidates
    assert answer.prompt_feedback
    assert answer.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT


@pytest.mark.parametrize("word", ["IMAGE_SAFETY", "NO_IMAGE"])
def test_an_unsafe_picture_is_withheld(client: genai.Client, word: str) -> None:
    """`[image_safety]` and `[no_image]` give a candidate without content."""
    answer = client.models.generate_content(model=FLASH, contents=f"[{word.lower()}] a pig")

    assert answer.candidates
    assert answer.candidates[0].finish_reason == types.FinishReason[word]
    assert answer.candidates[0].content is None


def test_two_candidates_are_refused(client: genai.Client) -> None:
    """A candidateCount above 1 is 400 in Google's words."""
    with pytest.raises(errors.ClientError, match="Multiple candidates is not enabled") as caught:
        client.models.generate_content(model=FLASH, contents="A pig", config=shaped(candidate_count=2))

    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")


def test_a_wrong_key_is_refused(loopback: RunningSandbox) -> None:
    """A wrong key is 400 with the reason API_KEY_INVALID, not 401."""
    with google(loopback, key="AIza-wrong") as client, pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model=FLASH, contents="A pig")

    assert caught.value.code == 400
    assert "API_KEY_INVALID" in str(caught.value.details)


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [(429, errors.ClientError, "RESOURCE_EXHAUSTED"), (503, errors.ServerError, "UNAVAILABLE")],
)
def test_scripted_errors_are_googles(
    client: genai.Client, faults: httpx.Client, status: int, kind: type[errors.APIError], word: str
) -> None:
    """A fault makes the client raise what it raises for Google."""
    faults.post("/sandbox/faults", json=[{"on": "gemini.generate", "do": "error", "status": status}])

    with pytest.raises(kind) as caught:
        client.models.generate_content(model=FLASH, contents="A pig")

    assert (caught.value.code, caught.value.status) == (status, word)


def test_a_stream_that_fails_is_a_plain_error(client: genai.Client, faults: httpx.Client) -> None:
    """A refused stream has an ordinary JSON body, which the client reads as for any call."""
    faults.post("/sandbox/faults", json=[{"on": "gemini.generate", "do": "error", "status": 503}])

    with pytest.raises(errors.ServerError, match="UNAVAILABLE"):
        list(client.models.generate_content_stream(model=FLASH, contents="A pig"))


def test_models_are_listed(client: genai.Client) -> None:
    """The list and the single model are readable."""
    names = [model.name for model in client.models.list()]

    assert "models/gemini-3.1-flash-image" in names
    assert client.models.get(model=FLASH).input_token_limit == 32_768
