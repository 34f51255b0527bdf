"""Levels of thinking and searches of the web, from a client's word to the sandbox and back."""

import re

import httpx
import openai
import pytest
from google import genai
from google.genai import errors, types
from openai.types.chat import ChatCompletionMessageParam
from openai.types.responses.response_output_text import AnnotationURLCitation, ResponseOutputText

from tests.journeys.server import KEY, Server

MODEL = "gemini-nano-banana-2.1"
HEADERS = {"authorization": f"Bearer {KEY}"}
#: What the sandbox counts as thoughts at the highest level, and what else it counts as words.
HIGH, WORDS = 208, 88
PAGES = ["example.org", "example.com"]


def google(server: Server) -> genai.Client:
    """Return Google's own client, pointed at the server."""
    return genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=server.url, api_version="v1beta"))


def posted(http: httpx.Client, server: Server, path: str, **fields: object) -> httpx.Response:
    """Send a request for a picture without a client's help."""
    return http.post(f"{server.url}/v1/{path}", json={"model": MODEL, **fields}, headers=HEADERS, timeout=30)


@pytest.mark.parametrize(
    ("asked", "thoughts"),
    [
        ({"thinking_level": "HIGH"}, HIGH),
        ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "minimal"}}}, 0),
        ({"complexity": "high"}, HIGH),
        ({"complexity": "low"}, 0),
        ({"reasoning_effort": "xhigh"}, HIGH),
        ({}, 0),
    ],
)
def test_the_images_api_chooses_how_long_to_think(client: openai.OpenAI, asked: object, thoughts: int) -> None:
    """Thoughts are tokens of text. Without a word nothing is sent, and the sandbox counts none."""
    made = client.images.generate(model=MODEL, prompt="a fox", extra_body=asked)

    assert made.usage
    assert made.usage.output_tokens_details
    assert made.usage.output_tokens_details.text_tokens == WORDS + thoughts


@pytest.mark.parametrize(("words", "fields"), [("a fox --think high", {}), ("a fox", {"reasoning_effort": "high"})])
def test_a_chat_chooses_how_long_to_think(client: openai.OpenAI, words: str, fields: object) -> None:
    """By a flag, or by OpenAI's own field."""
    messages = [{"role": "user", "content": words}]
    usage = [
        client.chat.completions.create(model=MODEL, messages=[message], extra_body=body).usage  # type: ignore[list-item]
        for message, body in ((messages[0], fields), ({"role": "user", "content": "a fox"}, {}))
    ]

    assert usage[0]
    assert usage[1]
    assert usage[0].completion_tokens - usage[1].completion_tokens == HIGH


def test_the_tool_of_a_response_is_stronger_than_its_reasoning(client: openai.OpenAI) -> None:
    """As at OpenAI: `complexity` overrides `reasoning.effort`."""
    made = [
        client.responses.create(
            model="gpt-5.2",
            input="a fox",
            reasoning={"effort": "high"},
            extra_body={"tools": [{"type": "image_generation", **tool}]},
        ).usage
        for tool in ({}, {"complexity": "low"})
    ]

    assert made[0]
    assert made[1]
    assert made[0].output_tokens - made[1].output_tokens == HIGH


def test_googles_client_chooses_a_level_that_the_model_has(server: Server) -> None:
    """Another one is a 400 that names the levels."""
    with google(server) as client:
        made = [
            client.models.generate_content(
                model=MODEL,
                contents="a fox",
                config=types.GenerateContentConfig(
                    response_modalities=["IMAGE"], thinking_config=types.ThinkingConfig(thinking_level=level)
                ),
            ).usage_metadata
            for level in (types.ThinkingLevel.MINIMAL, types.ThinkingLevel.HIGH)
        ]
        with pytest.raises(errors.ClientError, match="Allowed: minimal, medium, high") as caught:
            client.models.generate_content(
                model=MODEL,
                contents="a fox",
                config=types.GenerateContentConfig(
                    thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW)
                ),
            )

    assert caught.value.code == 400
    minimal, high = ((one and one.total_token_count) or 0 for one in made)
    assert high - minimal == HIGH


@pytest.mark.parametrize(
    "asked",
    [{"tools": [{"google_search": {}}]}, {"tools": [{"type": "web_search"}]}, {"web_search_options": {}}],
)
@pytest.mark.parametrize("form", ["b64_json", "url"])
def test_the_images_api_says_what_was_searched(
    http: httpx.Client, server: Server, asked: dict[str, object], form: str
) -> None:
    """Beside each picture."""
    answer = posted(http, server, "images/generations", prompt="a fox", n=2, response_format=form, **asked)

    assert answer.status_code == 200, answer.text
    found = [picture["grounding"] for picture in answer.json()["data"]]
    assert [(one["queries"], [page["title"] for page in one["sources"]]) for one in found] == [(["a fox"], PAGES)] * 2


def test_a_stream_of_the_images_api_says_it_as_well(http: httpx.Client, server: Server) -> None:
    """In the event of the picture."""
    answer = posted(http, server, "images/generations", prompt="a fox", stream=True, web_search_options={})

    assert '"grounding":{"queries":["a fox"],"sources":[{"url":"https://' in answer.text


def test_a_chat_lists_the_pages_below_its_picture(client: openai.OpenAI) -> None:
    """Whole and as a stream; the next turn still means the picture."""
    asked: list[ChatCompletionMessageParam] = [{"role": "user", "content": "a fox --search"}]
    whole = client.chat.completions.create(model=MODEL, messages=asked)
    chunks = client.chat.completions.create(model=MODEL, messages=asked, stream=True)
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    content = whole.choices[0].message.content or ""
    again = {"role": "assistant", "content": content}, {"role": "user", "content": "make it blue"}
    edited = client.chat.completions.create(model=MODEL, messages=[*asked, *again])  # type: ignore[list-item]

    for text in (content, streamed):
        picture, _, listed = text.partition("\n\nSources:\n")
        assert picture.startswith("![image](http")
        assert re.findall(r"- \[([a-z.]+)\]\(https://\S+\)", listed) == PAGES
    assert edited.usage
    assert edited.usage.prompt_tokens > 258


def test_a_response_cites_the_pages(client: openai.OpenAI) -> None:
    """Each citation stands where it says; the same when the response is looked up, and in a stream."""
    tools = [{"type": "web_search"}, {"type": "image_generation"}]
    made = client.responses.create(model="gpt-5.2", input="a fox", extra_body={"tools": tools})
    with client.responses.stream(model="gpt-5.2", input="a fox", extra_body={"tools": tools}) as stream:
        kinds = [event.type for event in stream]
        streamed = stream.get_final_response()

    for response in (made, client.responses.retrieve(made.id), streamed):
        [message] = [item for item in response.output if item.type == "message"]
        [text] = message.content
        assert isinstance(text, ResponseOutputText)
        cited = [one for one in text.annotations if isinstance(one, AnnotationURLCitation)]
        assert [one.title for one in cited] == PAGES
        assert [text.text[one.start_index : one.end_index] for one in cited] == [
            f"[{one.title}]({one.url})" for one in cited
        ]
    assert kinds.count("response.output_text.annotation.added") == 2


def test_a_response_in_the_background_keeps_its_pages(client: openai.OpenAI) -> None:
    """Its picture is made by a job."""
    body = {"tools": [{"type": "image_generation"}, {"type": "web_search"}]}
    made = client.responses.create(model="gpt-5.2", input="a fox", background=True, extra_body=body)
    with client.responses.retrieve(made.id, stream=True) as stream:
        list(stream)
    found = client.responses.retrieve(made.id)

    assert found.status == "completed"
    assert "Sources:" in found.output_text


@pytest.mark.parametrize("is_streamed", [False, True])
def test_googles_client_gets_the_search_as_google_tells_it(server: Server, *, is_streamed: bool) -> None:
    """With Google's own suggestions."""
    config = types.GenerateContentConfig(
        response_modalities=["IMAGE"], tools=[types.Tool(google_search=types.GoogleSearch())]
    )
    with google(server) as client:
        if is_streamed:
            [answer] = client.models.generate_content_stream(model=MODEL, contents="a fox", config=config)
        else:
            answer = client.models.generate_content(model=MODEL, contents="a fox", config=config)

    assert answer.candidates
    found = answer.candidates[0].grounding_metadata
    assert found
    assert found.web_search_queries == ["a fox"]
    assert [chunk.web.title for chunk in found.grounding_chunks or [] if chunk.web] == PAGES
    assert found.search_entry_point
    assert "a fox" in (found.search_entry_point.rendered_content or "")


@pytest.mark.parametrize(
    ("model", "asked", "param"),
    [
        ("flow-gem-pix", {"web_search_options": {}}, "web_search_options"),
        ("gemini-2.5-flash-image", {"tools": [{"type": "web_search"}]}, "tools[0].web_search"),
    ],
)
def test_a_model_that_does_not_search_is_not_asked(
    http: httpx.Client, server: Server, model: str, asked: dict[str, object], param: str
) -> None:
    """The error names the models that do. Nothing is paid for."""
    prompt = f"a search of {model}"
    answer = posted(http, server, "images/generations", **{"model": model, "prompt": prompt, **asked})

    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, param)
    assert "Models that do: gemini-nano-banana-2.1, gemini-3-pro-image, gemini-3.1-flash-image." in error["message"]
    assert server.executed(prompt) == 0


def test_the_list_says_when_a_model_ends(client: openai.OpenAI) -> None:
    """In OpenAI's own field."""
    dates = {model.id: model.shutdown_date for model in client.models.list()}

    assert dates["gemini-2.5-flash-image"] == "2027-03-15"
    assert {date for model, date in dates.items() if model != "gemini-2.5-flash-image"} == {None}
