"""Text models: chats are passed to Google's own route, so that one base URL serves a front-end whole.

The answers are Google's and differ from OpenAI's in small ways, so the watch over schemas does not look at them.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from google import genai
from google.genai import errors, types

from tests.journeys.server import HTTP, KEY, Connect, Server, wait_until
from tests.support import ROOT

MODEL = "gemini-3.8-flash"
WORDS = "Emulated words"
#: The name of a key that one test uses.
COUNTED = "counted"
ROWS = """
[[text]]
name = "gemini-3.8-flash"
provider = "gemini"
upstream = "gemini-3.8-flash"
released = 2026-09-01
aliases = ["my-words"]

[[text]]
name = "small"
provider = "gemini"
upstream = "gemini-3.5-flash-lite"
released = 2026-06-01
takes = ["text"]

[[text.prices]]
since = 2026-01-01
source = "a test"
million_tokens = { input = 1000, output = 2000 }
"""
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose catalogue has two text models."""
    folder = tmp_path_factory.mktemp("texts")
    catalogue = folder / "with_texts.toml"
    catalogue.write_text((ROOT / "config" / "models.toml").read_text() + ROWS)
    running = Server(
        folder,
        environ={"ADAPTER__MODELS": str(catalogue)},
        chat='side_call_model = "small"',
    )
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def client(texts: Server) -> Iterator[openai.OpenAI]:
    """The official client."""
    with openai.OpenAI(base_url=f"{texts.url}/v1", api_key=KEY, max_retries=0) as client:
        yield client


def said(words: str) -> list[Any]:
    """Return a conversation of one message."""
    return [{"role": "user", "content": words}]


def posted(texts: Server, body: object, path: str = "/v1/chat/completions") -> httpx.Response:
    """Send a request without the client, to see bytes."""
    return HTTP.post(f"{texts.url}{path}", json=body, headers={"authorization": f"Bearer {KEY}"})


@pytest.mark.parametrize("model", [MODEL, "my-words", "small"])
def test_a_chat_is_answered_by_the_text_model(client: openai.OpenAI, model: str, prompt: str) -> None:
    """By each of its names; the answer has the provider's own."""
    answer = client.chat.completions.create(model=model, messages=said(prompt), temperature=0.5)

    assert answer.choices[0].message.content == WORDS
    assert answer.model == ("gemini-3.5-flash-lite" if model == "small" else MODEL)
    assert answer.usage
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_stream_has_its_words_and_its_usage(client: openai.OpenAI, prompt: str) -> None:
    """In the chunks that Google made."""
    chunks = [
        *client.chat.completions.create(
            model=MODEL, messages=said(prompt), stream=True, stream_options={"include_usage": True}
        )
    ]

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == WORDS
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].usage


def test_a_tool_is_called_and_its_result_comes_back(client: openai.OpenAI, prompt: str) -> None:
    """With the signature that Google wants to have back: the adapter keeps nothing of it from the program."""
    asked: Any = said(f"{prompt} [tool]")
    tools: Any = [WEATHER]
    called = client.chat.completions.create(model=MODEL, messages=asked, tools=tools).choices[0].message
    assert called.tool_calls
    asked += [
        called.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": "Rain."},
    ]

    assert client.chat.completions.create(model=MODEL, messages=asked, tools=tools).choices[0].message.content == WORDS
    del asked[1]["tool_calls"][0]["extra_content"]
    with pytest.raises(openai.BadRequestError, match="missing a `thought_signature`"):
        client.chat.completions.create(model=MODEL, messages=asked, tools=tools)


@pytest.mark.parametrize("stream", [False, True])
def test_googles_refusal_has_openais_form(texts: Server, client: openai.OpenAI, prompt: str, *, stream: bool) -> None:
    """Google sends a list of one error, in its own form."""
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(
            model=MODEL, messages=said(prompt), stream=stream, extra_body={"enable_thinking": True}
        )
    texts.fault(on="gemini.chat", do="error", status=429, retry_seconds=7, prompt=prompt)
    with pytest.raises(openai.RateLimitError) as limited:
        client.chat.completions.create(model=MODEL, messages=said(prompt), stream=stream)

    assert 'Unknown name "enable_thinking"' in refused.value.message
    assert refused.value.type == "invalid_request_error"
    assert (limited.value.code, limited.value.response.headers["retry-after"]) == ("rate_limit_exceeded", "7")


def test_a_stream_that_breaks_ends_with_an_error(texts: Server, client: openai.OpenAI, prompt: str) -> None:
    """The program learns that the text is not whole."""
    texts.fault(on="gemini.chat", do="truncate", prompt=prompt)
    with pytest.raises((openai.APIError, json.JSONDecodeError)):
        [*client.chat.completions.create(model=MODEL, messages=said(prompt), stream=True)]


def test_a_slow_model_does_not_leave_a_stream_silent(texts: Server, prompt: str) -> None:
    """Comments come before the first chunk, and none inside of an event."""
    texts.fault(on="gemini.chat", do="delay", seconds=0.4, prompt=prompt)
    answer = posted(texts, {"model": MODEL, "messages": said(prompt), "stream": True})

    before, _, after = answer.text.partition("data: ")
    assert set(before.splitlines()) == {": still working"}
    assert after.endswith("data: [DONE]\n\n")


def test_a_client_that_hangs_up_ends_the_request(texts: Server, prompt: str) -> None:
    """At Google as well: the text is not waited for, and the server goes on."""
    texts.fault(on="gemini.chat", do="hang", prompt=prompt)
    with pytest.raises(httpx.ReadTimeout):
        HTTP.post(
            f"{texts.url}/v1/chat/completions",
            json={"model": MODEL, "messages": said(prompt)},
            headers={"authorization": f"Bearer {KEY}"},
            timeout=0.5,
        )

    assert posted(texts, {"model": MODEL, "messages": said(prompt)}).status_code == 200


def test_a_wrong_key_is_refused(texts: Server) -> None:
    """Here, and before anything is passed on."""
    with (
        openai.OpenAI(base_url=f"{texts.url}/v1", api_key="sk-wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.chat.completions.create(model=MODEL, messages=said("a fox"))


def test_the_list_has_the_text_models(client: openai.OpenAI, texts: Server) -> None:
    """With what they take and make, which front-ends read."""
    listed = posted_list(texts)

    assert client.models.retrieve(MODEL).owned_by == "gemini"
    assert listed["small"]["architecture"] == {"input_modalities": ["text"], "output_modalities": ["text"]}
    assert listed["gemini-3.1-flash-image"]["architecture"]["output_modalities"] == ["image"]


def posted_list(texts: Server) -> dict[str, Any]:
    """Return the list of the models by their names."""
    data = HTTP.get(f"{texts.url}/v1/models", headers={"authorization": f"Bearer {KEY}"}).json()["data"]
    return {model["id"]: model for model in data}


def test_an_unknown_model_is_told_the_text_models(client: openai.OpenAI) -> None:
    """Beside the others."""
    with pytest.raises(openai.NotFoundError, match=r"Available: .*gemini-3\.8-flash"):
        client.chat.completions.create(model="no-such-model", messages=said("a fox"))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("images/generations", {"prompt": "a fox"}),
        ("videos", {"prompt": "a fox"}),
        ("responses", {"input": "a fox"}),
    ],
)
def test_other_routes_say_what_a_text_model_is_for(texts: Server, path: str, said: dict[str, str]) -> None:
    """Pictures, videos and responses are not made by it."""
    error = posted(texts, {"model": MODEL, **said}, f"/v1/{path}").json()["error"]

    assert "POST /v1/chat/completions" in error["message"]
    assert (error["type"], error["param"]) == ("invalid_request_error", "model")


def test_an_agents_text_model_draws_with_the_tool(client: openai.OpenAI, prompt: str) -> None:
    """As the chat models of OpenAI do here."""
    answer = client.responses.create(model=MODEL, input=prompt, tools=[{"type": "image_generation"}])

    assert [item.type for item in answer.output] == ["image_generation_call", "message"]


def test_pictures_are_made_beside_it(client: openai.OpenAI, prompt: str) -> None:
    """In chats with their own models."""
    answer = client.chat.completions.create(model="gemini-3.1-flash-image", messages=said(prompt))

    assert (answer.choices[0].message.content or "").startswith("![")


def test_a_text_model_writes_titles_for_itself_and_for_others(texts: Server, prompt: str) -> None:
    """For its own chats as for any message; for others by the setting, under the name of its row."""
    title = f"Generate a concise, 5-word-or-less title.\n\nConversation:\nUser: {prompt}\nAI: "
    own = posted(texts, {"model": MODEL, "messages": said(title)})
    asked = "Provide a concise, 5-word-or-less title for the conversation. Only return the title itself."
    other = posted(
        texts, {"model": "veo-3.1-fast", "messages": said(f"{asked}\n\nConversation:\nUser: {prompt}\nAI: ")}
    )

    assert "x-side-call" not in own.headers
    assert other.headers["x-side-call"] == "title"
    assert other.json()["choices"][0]["message"]["content"] == WORDS


@pytest.fixture(params=["v1", "v1beta"])
def google(texts: Server, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    """Google's own client."""
    options = types.HttpOptions(base_url=texts.url, api_version=request.param)
    with genai.Client(api_key=KEY, http_options=options) as client:
        yield client


def test_googles_client_gets_a_text(google: genai.Client) -> None:
    """Whole and as a stream, in Google's own form."""
    answer = google.models.generate_content(model="my-words", contents="Say something.")
    streamed = [*google.models.generate_content_stream(model=MODEL, contents="Say something.")]

    assert answer.text == WORDS
    assert answer.usage_metadata
    assert "".join(each.text or "" for each in streamed) == WORDS


def test_googles_client_sees_googles_refusal(google: genai.Client, texts: Server, prompt: str) -> None:
    """In Google's form."""
    texts.fault(on="gemini.generate", do="error", status=503, prompt=prompt)
    with pytest.raises(errors.ServerError) as failed:
        google.models.generate_content(model=MODEL, contents=prompt)

    assert (failed.value.code, failed.value.status) == (503, "UNAVAILABLE")


def test_googles_client_finds_the_text_models(google: genai.Client) -> None:
    """With their methods."""
    listed = {model.name: model for model in google.models.list()}

    assert listed[f"models/{MODEL}"].supported_actions == ["generateContent", "streamGenerateContent"]
    assert google.models.get(model="my-words").name == "models/my-words"


def test_a_stream_without_its_word_is_an_array_that_is_passed_on(texts: Server) -> None:
    """As Google sends it."""
    body = {"contents": [{"parts": [{"text": "Say something."}]}]}
    events = HTTP.post(
        f"{texts.url}/v1beta/models/{MODEL}:streamGenerateContent", json=body, headers={"x-goog-api-key": KEY}
    ).json()

    assert events[0]["candidates"][0]["content"]["parts"][0]["text"] == WORDS


def test_without_a_row_there_is_no_text_model(server: Server, connect: Connect) -> None:
    """The shipped catalogue has none."""
    with connect(server) as client, pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model=MODEL, messages=said("a fox"))


def test_tokens_are_counted_and_priced(texts: Server, client: openai.OpenAI, prompt: str) -> None:
    """Of the chat's route, whole and as a stream, and of Google's; where a stream has no usage, the cost is unknown.

    The key is one of its own: what other tests used is written late.
    """
    said_words: Any = said(prompt)
    key = texts.ran("keys", "create", COUNTED).stdout.strip()
    client = client.with_options(api_key=key)
    whole = client.chat.completions.create(model="small", messages=said_words)
    stream = client.chat.completions.create(
        model="small", messages=said_words, stream=True, stream_options={"include_usage": True}
    )
    assert [*stream]
    assert [*client.chat.completions.create(model="small", messages=said_words, stream=True)]
    with genai.Client(api_key=key, http_options=types.HttpOptions(base_url=texts.url)) as google:
        assert google.models.generate_content(model="small", contents=prompt).text == WORDS
        assert [*google.models.generate_content_stream(model="small", contents=prompt)]
    assert whole.usage
    given, written = whole.usage.prompt_tokens, whole.usage.completion_tokens

    wait_until(lambda: counted(texts)[0] == 5, "five texts were not counted")
    assert [round(each, 9) for each in counted(texts)] == [
        5,
        4 * given,
        4 * written,
        round(4 * (given * 1000 + written * 2000) / 1_000_000, 9),
        1,
    ]


def counted(texts: Server) -> list[float]:
    """Return the texts, their tokens, their dollars and those of unknown cost of the key `COUNTED`."""
    told = json.loads(texts.command("usage", "--by", "key,model,kind", "--json"))
    rows = [row for row in told["rows"] if (row["key"], row["model"], row["kind"]) == (COUNTED, "small", "text")]
    names = ("requests", "input_tokens", "output_tokens", "dollars", "unpriced")
    return [sum(float(row[name]) for row in rows) for name in names]


def test_a_budget_counts_texts_and_refuses_them_when_it_is_used_up(texts: Server, client: openai.OpenAI) -> None:
    """The first one may pass it. What no budget could count is refused before: no price, a stream without usage."""
    key = texts.command("keys", "create", "thrifty", "--budget", "0.005USD/day").strip()
    with client.with_options(api_key=key) as thrifty:
        with pytest.raises(openai.PermissionDeniedError, match="cost"):
            thrifty.chat.completions.create(model=MODEL, messages=said("free"))
        with pytest.raises(openai.PermissionDeniedError, match="include_usage"):
            thrifty.chat.completions.create(model="small", messages=said("uncounted"), stream=True)
        answer = thrifty.chat.completions.create(model="small", messages=said("a budget"))
        with pytest.raises(openai.RateLimitError, match=r"0\.005 USD in a day") as refused:
            thrifty.chat.completions.create(model="small", messages=said("no budget"))
    [limit] = json.loads(texts.command("keys", "show", "thrifty", "--json"))["limits"]

    usage = answer.usage
    assert usage is not None
    assert float(limit["taken"]) == pytest.approx((usage.prompt_tokens * 1000 + usage.completion_tokens * 2000) / 1e6)
    assert float(limit["taken"]) > float(limit["limit"])
    assert refused.value.code == "insufficient_quota"
    assert refused.value.response.headers["x-should-retry"] == "false"
