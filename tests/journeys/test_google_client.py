"""Pictures through Google's own client: what was written for Gemini works here with another base URL."""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from google import genai
from google.genai import errors, types

from tests.journeys.server import HTTP, KEY, Server
from tests.pictures import opened

FLASH = "gemini-2.5-flash-image"
V1, V1BETA = "v1", "v1beta"


def google(server: Server, *, key: str = KEY, version: str = V1BETA) -> genai.Client:
    """Return the official client, pointed at the server."""
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=server.url, api_version=version))


@pytest.fixture(params=[V1, V1BETA])
def client(server: Server, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    """The official client with each of the versions that it has used."""
    with google(server, version=request.param) as client:
        yield client


def config(ratio: str | None = None, size: str | None = None, **more: object) -> types.GenerateContentConfig:
    """Return a configuration for pictures alone, unless told otherwise."""
    said = {
        "response_modalities": ["IMAGE"],
        "image_config": types.ImageConfig(aspect_ratio=ratio, image_size=size),
        **more,
    }
    return types.GenerateContentConfig.model_validate(said)


def asked(server: Server, path: str, body: object = None, *, key: str | None = KEY) -> httpx.Response:
    """Send a request without the client, to see bytes and headers."""
    headers = {} if key is None else {"x-goog-api-key": key}
    if body is None:
        return HTTP.get(f"{server.url}/v1beta/{path}", headers=headers)
    return HTTP.post(f"{server.url}/v1beta/{path}", json=body, headers=headers)


def fox(words: str) -> Mapping[str, object]:
    """Return the smallest request there is."""
    return {"contents": [{"parts": [{"text": words}]}]}


def picture_in(answer: types.GenerateContentResponse) -> bytes:
    """Return the bytes of an answer's only picture."""
    assert answer.candidates
    content = answer.candidates[0].content
    assert content
    [data] = [part.inline_data.data for part in content.parts or [] if part.inline_data and part.inline_data.data]
    return data


@pytest.mark.parametrize(
    ("model", "ratio", "size", "pixels"),
    [
        (FLASH, "9:16", None, (768, 1344)),
        ("gemini-3-pro-image", "16:9", "2K", (2752, 1536)),
        ("nano-banana-2", "1:1", "512", (512, 512)),
        ("flow-gem-pix", "9:16", None, (768, 1344)),
    ],
)
def test_a_picture_has_the_frame_that_was_asked_for(
    client: genai.Client, model: str, ratio: str, size: str | None, pixels: tuple[int, int]
) -> None:
    """Of each provider, by each kind of name."""
    answer = client.models.generate_content(model=model, contents="a red fox", config=config(ratio, size))

    assert opened(picture_in(answer)).size == pixels
    assert answer.response_id


def test_a_picture_of_gemini_has_its_tokens(client: genai.Client) -> None:
    """As Google counted them."""
    usage = client.models.generate_content(model=FLASH, contents="a red fox").usage_metadata

    assert usage
    assert usage.prompt_token_count
    assert usage.total_token_count == usage.prompt_token_count + (usage.candidates_token_count or 0)


def test_pictures_are_worked_from(client: genai.Client, server: Server) -> None:
    """Three of them beside the words; the sandbox refuses what is no picture."""
    fox = picture_in(client.models.generate_content(model=FLASH, contents="a red fox"))
    given = [types.Part.from_bytes(data=fox, mime_type="image/png") for _ in range(3)]
    words = types.Part.from_text(text="one of these")

    answer = client.models.generate_content(model=FLASH, contents=types.Content(role="user", parts=[*given, words]))

    assert opened(picture_in(answer)).format == "PNG"


def test_a_chat_goes_on_with_the_picture_of_its_last_answer(client: genai.Client) -> None:
    """The client sends its whole history: the picture above is edited. A second picture has another seed."""
    chat = client.chats.create(model=FLASH)
    chat.send_message("a red fox")

    answer = chat.send_message("make it blue")

    assert opened(picture_in(answer)).format == "PNG"
    usage = answer.usage_metadata
    assert usage
    assert [each.modality for each in usage.prompt_tokens_details or []] == [
        types.MediaModality.TEXT,
        types.MediaModality.IMAGE,
    ]


SIGNING = "gemini-3.1-flash-image"


def test_a_chat_sends_signed_pictures_back_to_google(client: genai.Client) -> None:
    """All of them, each in its turn.

    The sandbox refuses a picture of its own without its signature or with other bytes, and counts 258 tokens for each
    picture that it sees.
    """
    chat = client.chats.create(model=SIGNING)
    drawn = [chat.send_message(words) for words in ("a red fox", "make it blue", "now at night")]

    for answer in drawn:
        assert answer.candidates
        assert answer.candidates[0].content
        [signature] = [
            part.thought_signature for part in answer.candidates[0].content.parts or [] if part.inline_data is not None
        ]
        assert signature
    assert [pictures_seen(answer) for answer in drawn] == [0, 1, 2]


def test_a_signed_picture_may_go_to_another_model(client: genai.Client) -> None:
    """That one works from it, as from every picture."""
    chat = client.chats.create(model=SIGNING)
    chat.send_message("a red fox")
    other = client.chats.create(model="flow-gem-pix", history=[*chat.get_history()])

    assert opened(picture_in(other.send_message("make it blue"))).format == "PNG"


def pictures_seen(answer: types.GenerateContentResponse) -> int:
    """Return how many pictures the prompt of an answer had."""
    details = (answer.usage_metadata and answer.usage_metadata.prompt_tokens_details) or []
    return sum(each.token_count or 0 for each in details if each.modality is types.MediaModality.IMAGE) // 258


def test_a_stream_has_the_picture_in_one_event(client: genai.Client) -> None:
    """Heartbeats before it do not reach the program."""
    [answer] = client.models.generate_content_stream(model="flow-gem-pix", contents="a red fox")

    assert opened(picture_in(answer)).format == "PNG"


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
async def test_an_asynchronous_stream_has_the_same(server: Server) -> None:
    """Its client reads lines in another way."""
    async with google(server).aio as client:
        stream = await client.models.generate_content_stream(model=FLASH, contents="a red fox")
        [answer] = [each async for each in stream]

    assert opened(picture_in(answer)).format == "PNG"


def test_the_list_has_the_models_that_make_pictures(client: genai.Client) -> None:
    """In pages; videos are made elsewhere."""
    listed = [model.name for model in client.models.list(config={"page_size": 2})]

    assert f"models/{FLASH}" in listed
    assert "models/flow-gem-pix" in listed
    assert "models/veo-3.1-fast" not in listed
    assert len(set(listed)) == len(listed) > 4


def test_a_model_is_described(client: genai.Client) -> None:
    """By any of its names."""
    model = client.models.get(model="nano-banana")

    assert (model.name, model.supported_actions) == ("models/nano-banana", ["generateContent"])


def test_a_wrong_key_is_refused_in_googles_words(server: Server) -> None:
    """A 400, as Google has it."""
    with google(server, key="AIza-wrong") as client, pytest.raises(errors.ClientError) as refused:
        client.models.generate_content(model=FLASH, contents="a fox")

    assert (refused.value.code, refused.value.status) == (400, "INVALID_ARGUMENT")
    assert refused.value.message == "API key not valid. Please pass a valid API key."
    assert refused.value.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"


@pytest.mark.parametrize(
    ("model", "said", "code", "status", "field"),
    [
        ("gemini-9", config(), 404, "NOT_FOUND", "model"),
        (FLASH, config("7:3"), 400, "INVALID_ARGUMENT", "generation_config.image_config.aspect_ratio"),
        (FLASH, config(candidate_count=2), 400, "INVALID_ARGUMENT", "generation_config.candidate_count"),
        (FLASH, config(response_modalities=["TEXT"]), 400, "INVALID_ARGUMENT", "generation_config.response_modalities"),
        ("veo-3.1-fast", config(), 400, "INVALID_ARGUMENT", "model"),
    ],
)
def test_what_cannot_be_made_is_refused_by_the_name_of_its_field(
    client: genai.Client, model: str, said: types.GenerateContentConfig, code: int, status: str, field: str
) -> None:
    """In the form that Google's clients read."""
    with pytest.raises(errors.ClientError) as refused:
        client.models.generate_content(model=model, contents="a fox", config=said)

    [violation] = refused.value.details["error"]["details"][0]["fieldViolations"]
    assert (refused.value.code, refused.value.status, violation["field"]) == (code, status, field)


def test_a_refusal_is_an_answer_without_a_picture(server: Server) -> None:
    """As at Google. The client shows the reason, and the answer has Google's words too."""
    with google(server) as client:
        answer = client.models.generate_content(model=FLASH, contents="a fox [image_safety]")

    assert answer.candidates
    [candidate] = answer.candidates
    assert candidate.finish_reason is types.FinishReason.IMAGE_SAFETY
    assert candidate.content
    assert candidate.content.parts == []
    [told] = asked(server, f"models/{FLASH}:generateContent", fox("[image_safety] told")).json()["candidates"]
    assert "violate" in told["finishMessage"]


def test_the_list_of_models_has_the_form_of_its_key(http: httpx.Client, server: Server) -> None:
    """`/v1/models` is OpenAI's path as well."""
    of_openai = http.get(f"{server.url}/v1/models", headers={"authorization": f"Bearer {KEY}"}).json()
    of_google = HTTP.get(f"{server.url}/v1/models", headers={"x-goog-api-key": KEY}).json()

    assert of_openai["object"] == "list"
    assert {model["name"] for model in of_google["models"]} <= {f"models/{each['id']}" for each in of_openai["data"]}


@pytest.mark.parametrize("prefix", ["/v1beta", "/v1", "", "/v1/v1beta"])
def test_a_method_is_served_under_every_prefix(server: Server, prompt: str, prefix: str) -> None:
    """Clients append a version or not; Open WebUI's key is the header of Google's."""
    url = f"{server.url}{prefix}/models/{FLASH}:generateContent"
    answer = HTTP.post(url, json=fox(prompt), headers={"x-goog-api-key": KEY})

    assert answer.status_code == 200
    assert answer.json()["candidates"][0]["content"]["parts"][0]["inlineData"]["mimeType"] == "image/png"


def test_a_stream_without_its_word_is_an_array(server: Server, prompt: str) -> None:
    """As Google sends it; with the word it is a stream of events."""
    path = f"models/{FLASH}:streamGenerateContent"
    [whole] = asked(server, path, fox(prompt)).json()
    events = asked(server, f"{path}?alt=sse", fox(f"{prompt} again"))

    assert whole["candidates"][0]["finishReason"] == "STOP"
    assert events.headers["content-type"].startswith("text/event-stream")
    assert events.text.strip().startswith("data: {")
    assert events.content.endswith(b"}\r\n\r\n")
    assert b"[DONE]" not in events.content


def test_predict_makes_several_pictures(server: Server, prompt: str) -> None:
    """By the name of a model that Google has switched off, as Open WebUI sends it."""
    body = {
        "instances": {"prompt": prompt},
        "parameters": {"sampleCount": 2, "outputOptions": {"mimeType": "image/png"}},
    }
    made = asked(server, "models/imagen-3.0-generate-002:predict", body).json()["predictions"]

    assert [opened(b64decode(each["bytesBase64Encoded"])).format for each in made] == ["PNG", "PNG"]
    assert made[0] != made[1]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "files"),
        ("POST", f"models/{FLASH}:countTokens"),
        ("POST", f"models/{FLASH}"),
        ("DELETE", f"models/{FLASH}"),
        ("PUT", "models"),
    ],
)
def test_what_is_not_offered_is_not_found_in_googles_form(server: Server, method: str, path: str) -> None:
    """Also what the framework would refuse in OpenAI's."""
    answer = HTTP.request(method, f"{server.url}/v1beta/{path}", headers={"x-goog-api-key": KEY})

    assert answer.status_code == 404
    assert answer.json()["error"]["status"] == "NOT_FOUND"


def test_a_repeated_request_gets_the_same_answer_under_each_address(server: Server, prompt: str) -> None:
    """With a key of its own; a stream is another form of the same answer."""
    headers = {"x-goog-api-key": KEY, "idempotency-key": prompt}
    first, again, streamed = (
        HTTP.post(f"{server.url}{path}", json=fox(prompt), headers=headers)
        for path in (
            f"/v1beta/models/{FLASH}:generateContent",
            f"/v1/models/{FLASH}:generateContent",
            f"/models/{FLASH}:streamGenerateContent",
        )
    )

    assert first.json() == again.json() == streamed.json()[0]
    assert again.headers["idempotent-replayed"] == streamed.headers["idempotent-replayed"] == "true"
    assert server.executed(prompt) == 1


def test_a_key_in_the_address_is_refused_and_not_written_down(server: Server) -> None:
    """Unless the operator allows it. The log has no query at all."""
    refused = asked(server, f"models?key={KEY}-in-address", key=None)
    missing = asked(server, "models", key=None)

    assert (refused.status_code, missing.status_code) == (403, 403)
    assert refused.json()["error"]["status"] == "PERMISSION_DENIED"
    assert "in the address is not taken" in refused.json()["error"]["message"]
    assert "in the address" not in missing.json()["error"]["message"]
    assert f"{KEY}-in-address" not in server.log


def test_a_key_in_the_address_counts_where_the_operator_allows_it(tmp_path: Path) -> None:
    """By a setting; the key is not written down then either."""
    running = Server(tmp_path, environ={"ADAPTER__ACCESS__KEY_IN_QUERY": "true"})
    running.start()
    try:
        listed = HTTP.get(f"{running.url}/v1/models?key={KEY}&pageSize=1")
        wrong = HTTP.get(f"{running.url}/v1/models?key={KEY}-wrong")
    finally:
        running.stop()

    assert [*listed.json()] == ["models", "nextPageToken"]
    assert wrong.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    assert "/v1/models" in running.log
    assert f"{KEY}-wrong" not in running.log
    assert "?key=" not in running.log


def test_a_failure_inside_a_stream_reaches_the_program(server: Server, prompt: str) -> None:
    """After a heartbeat there is no status any more."""
    prompt = f"{prompt} [no_image]"  # which is tried once more
    server.fault(on="gemini.generate", do="delay", seconds=0.3, prompt=prompt)
    server.fault(on="gemini.generate", do="garbage", prompt=prompt)
    with google(server) as client, pytest.raises(errors.ServerError) as failed:
        [*client.models.generate_content_stream(model=FLASH, contents=prompt)]

    assert (failed.value.code, failed.value.status) == (500, "INTERNAL")
    assert "cannot be read" in (failed.value.message or "")


def test_a_model_that_draws_nothing_gives_an_answer_without_a_picture(server: Server, prompt: str) -> None:
    """As at Google. An error would make some clients pay once more."""
    with google(server) as client:
        answer = client.models.generate_content(model=FLASH, contents=f"{prompt} [no_image]")

    assert answer.candidates
    assert answer.candidates[0].finish_reason is types.FinishReason.NO_IMAGE


def test_a_refusal_inside_a_stream_is_an_event(server: Server, prompt: str) -> None:
    """With the reason, as in a whole answer."""
    prompt = f"{prompt} [image_safety]"
    server.fault(on="gemini.generate", do="delay", seconds=0.3, prompt=prompt)
    with google(server) as client:
        [answer] = client.models.generate_content_stream(model=FLASH, contents=prompt)

    assert answer.candidates
    assert answer.candidates[0].finish_reason is types.FinishReason.IMAGE_SAFETY
