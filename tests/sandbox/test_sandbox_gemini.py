"""The Gemini desk takes the seed's bodies and refuses what Google refuses."""

import base64
from datetime import date

import msgspec
import pytest
from litestar.testing import AsyncTestClient

from adapter.sandbox.app import create_sandbox
from tests.sandbox.helpers import KEY, RULES, Client, Clock, Json, faulty, ledger, opened, picture, seed

FLASH = "/v1beta/models/gemini-2.5-flash-image:generateContent"
PRO = "/v1beta/models/gemini-3-pro-image:generateContent"
FLASH_3 = "/v1beta/models/gemini-3.1-flash-image:generateContent"
BANANA = "/v1beta/models/gemini-nano-banana-2.1:generateContent"
LITE = "/v1beta/models/gemini-3.1-flash-lite-image:generateContent"


def identity(*parts: Json, **config: Json) -> Json:
    """Return a body with one turn."""
    return {"contents": [{"role": "user", "parts": list(parts) or [{"text": "a pig"}]}], "generationConfig": config}


def inline(mime: str = "image/png", data: str | None = None) -> Json:
    """Return a picture part."""
    return {"inlineData": {"mimeType": mime, "data": picture() if data is None else data}}


async def refused(client: Client, path: str, body: Json) -> str:
    """Return the message of a 400."""
    answer = await client.post(path, headers=KEY, json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    return str(answer.json()["error"]["message"])


@pytest.mark.parametrize("name", ["default", "text", "edit", "pictures"])
async def test_the_seeds_bodies_are_taken(client: Client, name: str) -> None:
    """Every example of seed 003 gives a picture, with the key in the query as the seed has it."""
    body = seed(f"gemini.{name}.request")
    for part in body["contents"][0]["parts"]:
        if "inline_data" in part:
            part["inline_data"]["data"] = picture("JPEG")

    answer = await client.post(FLASH, params={"key": "AIza-sandbox"}, json=body)

    [part] = answer.json()["candidates"][0]["content"]["parts"]
    assert opened(part["inlineData"]["data"]).size == ((1024, 1024) if name == "default" else (768, 1344))


async def test_snake_case_is_taken_at_every_level(client: Client) -> None:
    """Names may be in proto form, as Google's own curl samples have them."""
    body = {
        "contents": [{"parts": [{"text": "a pig"}, {"inline_data": {"mime_type": "image/png", "data": picture()}}]}],
        "generation_config": {"response_modalities": ["Image"], "image_config": {"aspect_ratio": "16:9"}},
        "tools": [{"google_search": {}}],
    }

    answer = await client.post(FLASH_3, headers=KEY, json=body)

    [part] = answer.json()["candidates"][0]["content"]["parts"]
    assert opened(part["inlineData"]["data"]).size == (1376, 768)


async def test_unknown_names_are_all_named(client: Client) -> None:
    """Google lists each unknown name with its place, in the message and in the field violations."""
    body = identity(aspectRatio="16:9") | {"n": 2}

    answer = await client.post(FLASH, headers=KEY, json=body)

    error = answer.json()["error"]
    assert error["message"].splitlines() == [
        "Invalid JSON payload received. Unknown name \"aspectRatio\" at 'generation_config': Cannot find field.",
        'Invalid JSON payload received. Unknown name "n": Cannot find field.',
    ]
    assert [one["field"] for one in error["details"][0]["fieldViolations"]] == ["generation_config", ""]


@pytest.mark.parametrize(
    ("path", "config", "words"),
    [
        (FLASH, {"imageConfig": {"aspectRatio": "1:4"}}, "aspect_ratio"),
        (FLASH, {"imageConfig": {"aspectRatio": "5:9"}}, "aspect_ratio"),
        (FLASH, {"imageConfig": {"imageSize": "2K"}}, "image_size"),
        (PRO, {"imageConfig": {"imageSize": "1k"}}, "image_size"),
        (PRO, {"imageConfig": {"imageSize": "512"}}, "image_size"),
        (PRO, {"imageConfig": {"aspectRatio": "8:1"}}, "aspect_ratio"),
        (FLASH_3, {"imageConfig": {"imageSize": "0.5K"}}, "image_size"),
        (LITE, {"imageConfig": {"imageSize": "2K"}}, "image_size"),
        (FLASH, {"responseModalities": ["VIDEO"]}, "response_modalities"),
        (FLASH, {"candidateCount": 2}, "Multiple candidates"),
        (FLASH, {"candidateCount": "two"}, "generation_config.candidate_count"),
        (FLASH, {"thinkingConfig": {"thinkingLevel": "HIGH"}}, "Thinking is not enabled"),
        (FLASH_3, {"thinkingConfig": {"thinkingLevel": "MEDIUM"}}, "Thinking level MEDIUM is not supported"),
        (BANANA, {"thinkingConfig": {"thinkingLevel": "LOW"}}, "Thinking level LOW is not supported"),
        (BANANA, {"thinkingConfig": {"thinkingLevel": "DEEP"}}, "thinking_level"),
    ],
)
async def test_wrong_settings_are_refused(client: Client, path: str, config: Json, words: str) -> None:
    """Each model takes its own ratios and sizes and nothing else."""
    assert words in await refused(client, path, identity(**config))


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (inline("image/jpeg"), "Unhandled generated data mime type: image/jpeg"),
        (inline("image/jpg"), "Unsupported MIME type"),
        (inline("image/gif"), "Unsupported MIME type"),
        (inline(data="@@@"), "Base64 decoding failed"),
        (inline(data=base64.b64encode(b"not a picture").decode()), "Unable to process input image"),
        (inline(data=base64.b64encode(b"\x89PNG\r\n\x1a\nrest").decode()), "Unable to process input image"),
        ({"text": "a pig", "thoughtSignature": "@@@"}, "thought_signature"),
        ({}, "required oneof field 'data'"),
    ],
)
async def test_wrong_parts_are_refused(client: Client, part: Json, words: str) -> None:
    """Pictures must be what they say they are."""
    assert words in await refused(client, PRO, identity({"text": "edit"}, part))


@pytest.mark.parametrize(("path", "most"), [(FLASH, 3), (PRO, 14)])
async def test_pictures_are_counted(client: Client, path: str, most: int) -> None:
    """A prompt may hold 3 pictures on the 2.5 model and 14 on the others."""
    few = await client.post(path, headers=KEY, json=identity({"text": "mix"}, *[inline()] * most))

    assert few.status_code == 200
    assert f"at most {most}" in await refused(client, path, identity({"text": "mix"}, *[inline()] * (most + 1)))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"contents": []}, "contents is not specified"),
        ({"contents": [{"role": "user", "parts": []}]}, "contents.parts must not be empty"),
        ({"contents": [{"role": "assistant", "parts": [{"text": "a"}]}]}, "valid role: user, model"),
        ([], "Invalid JSON payload received"),
    ],
)
async def test_empty_requests_are_refused(client: Client, body: Json, words: str) -> None:
    """A request needs a turn, and a turn needs parts."""
    assert words in await refused(client, FLASH, body)


async def test_a_missing_key_is_forbidden(client: Client) -> None:
    """Without a key the answer is 403, as for any unregistered caller."""
    answer = await client.post(FLASH, json=identity())

    assert answer.status_code == 403
    assert "unregistered callers" in answer.json()["error"]["message"]


async def test_an_unknown_model_is_not_found(client: Client) -> None:
    """The message names the model and the version."""
    answer = await client.post("/v1/models/dall-e-3:generateContent", headers=KEY, json=identity())

    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith("models/dall-e-3 is not found for API version v1,")


async def test_an_unknown_file_is_forbidden(client: Client) -> None:
    """The sandbox has no Files API: every fileUri is one that may not exist."""
    part = {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}}

    answer = await client.post(PRO, headers=KEY, json=identity(part))

    assert answer.status_code == 403
    assert "File abc" in answer.json()["error"]["message"]


async def test_an_unknown_path_is_googles_page(client: Client) -> None:
    """A path that Google does not serve gives its HTML page."""
    answer = await client.get("/v1beta/nothing")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


async def test_an_edit_keeps_the_shape_of_its_input(client: Client) -> None:
    """Without a ratio the answer takes the nearest one to the last picture's."""
    answer = await client.post(PRO, headers=KEY, json=identity({"text": "edit"}, inline()))

    image = answer.json()["candidates"][0]["content"]["parts"][-1]["inlineData"]
    assert opened(image["data"]).size == (768, 1376)


async def test_a_refusal_tells_why_and_costs_no_picture(client: Client) -> None:
    """IMAGE_SAFETY says so in finishMessage, and the ledger has no execution."""
    answer = await client.post(FLASH, headers=KEY, json=identity({"text": "[image_safety]"}))

    assert "Prohibited Use policy" in answer.json()["candidates"][0]["finishMessage"]
    assert (await ledger(client))["executions"] == []


async def test_text_alone_draws_nothing(client: Client) -> None:
    """With TEXT as the only modality there is a sentence and no execution of a picture."""
    answer = await client.post(FLASH, headers=KEY, json=identity(responseModalities=["TEXT"]))

    [part] = answer.json()["candidates"][0]["content"]["parts"]
    assert part["text"]
    assert (await ledger(client))["executions"] == []


async def test_a_stream_without_sse_is_an_array(client: Client) -> None:
    """Without alt=sse the chunks come as one JSON array."""
    answer = await client.post(FLASH.replace("generate", "streamGenerate"), headers=KEY, json=identity())

    assert [bool(chunk["candidates"][0].get("finishReason")) for chunk in answer.json()] == [False, False, True]


async def test_mime_and_drafts_can_lie(client: Client) -> None:
    """The faults wrong_mime and drafts reproduce what real answers did."""
    await faulty(client, *({"on": "gemini.generate", "do": do} for do in ("wrong_mime", "drafts")))

    lying, drafting = [(await client.post(PRO, headers=KEY, json=identity())).json() for _ in range(2)]

    blob = lying["candidates"][0]["content"]["parts"][-1]["inlineData"]
    assert blob["mimeType"] == "image/jpeg"
    assert opened(blob["data"]).format == "PNG"
    parts = drafting["candidates"][0]["content"]["parts"]
    assert [part.get("thought", False) for part in parts if "inlineData" in part] == [True, True, False]


@pytest.mark.parametrize(
    ("mime", "prompt", "said"),
    [
        ("", "Name it.", "Emulated words"),
        ("application/json", 'Answer as {"title": "…"}', '{"title":"Emulated words"}'),
        ("application/json", 'Answer as { "tags": ["…"] }', '{"tags":["Emulated words"]}'),
    ],
)
async def test_a_text_model_writes(client: Client, mime: str, prompt: str, said: str) -> None:
    """In the form that was asked for; it is entered in the books as a text."""
    config = {"maxOutputTokens": 100} | ({"responseMimeType": mime} if mime else {})
    body = {"contents": [{"parts": [{"text": prompt}]}], "generationConfig": config}
    path = "/v1beta/models/gemini-2.5-flash:generateContent"

    answer = await client.post(path, headers=KEY, json=body)

    [candidate] = answer.json()["candidates"]
    assert candidate["content"]["parts"] == [{"text": said}]
    [execution] = (await ledger(client))["executions"]
    assert (execution["kind"], execution["model"], execution["prompt"]) == ("text", "gemini-2.5-flash", prompt)


async def test_a_text_model_is_listed_and_wants_contents(client: Client) -> None:
    """As an image model is."""
    assert (await client.get("/v1beta/models/gemini-2.5-flash", headers=KEY)).json()["thinking"] is True
    assert await refused(client, "/v1beta/models/gemini-2.5-flash:generateContent", {"contents": []})


@pytest.mark.parametrize(("level", "thoughts"), [("MINIMAL", None), ("minimal", None), ("HIGH", 208), ("", None)])
async def test_a_level_of_thinking_costs_its_tokens(client: Client, level: str, thoughts: int | None) -> None:
    """In any case; what is not thought is not counted."""
    thinking = {"thinkingConfig": {"thinkingLevel": level}} if level else {}

    usage = (await client.post(FLASH_3, headers=KEY, json=identity(**thinking))).json()["usageMetadata"]

    assert usage.get("thoughtsTokenCount") == thoughts


@pytest.mark.parametrize("tool", [{"googleSearch": {}}, {"google_search": {"search_types": {"webSearch": {}}}}])
async def test_a_search_finds_pages(client: Client, tool: Json) -> None:
    """Beside the picture."""
    answer = await client.post(BANANA, headers=KEY, json=identity() | {"tools": [tool]})

    [candidate] = answer.json()["candidates"]
    found = candidate["groundingMetadata"]
    assert found["webSearchQueries"] == ["a pig"]
    assert [chunk["web"]["title"] for chunk in found["groundingChunks"]] == ["example.org", "example.com"]
    assert "a pig" in found["searchEntryPoint"]["renderedContent"]


@pytest.mark.parametrize("path", [FLASH, LITE])
async def test_a_model_that_does_not_search_says_so(client: Client, path: str) -> None:
    """Before anything is drawn."""
    assert "not supported" in await refused(client, path, identity() | {"tools": [{"googleSearch": {}}]})
    assert (await ledger(client))["executions"] == []


async def test_a_model_that_is_switched_off_is_not_found() -> None:
    """From its day on, in the words for a model that there never was."""
    clock = Clock()
    ends = msgspec.structs.replace(RULES, retirements={"gemini-2.5-flash-image": date(2026, 11, 21)})
    async with AsyncTestClient(create_sandbox(ends, clock=clock)) as client:
        before = await client.post(FLASH, headers=KEY, json=identity())
        clock.now += 86_400
        after = await client.post(FLASH, headers=KEY, json=identity())
        shown = await client.get("/v1beta/models/gemini-2.5-flash-image", headers=KEY)
        listed = (await client.get("/v1beta/models", headers=KEY)).json()["models"]

    assert [before.status_code, after.status_code, shown.status_code] == [200, 404, 404]
    assert after.json()["error"]["message"].startswith("models/gemini-2.5-flash-image is not found for API version v1")
    assert "models/gemini-2.5-flash-image" not in [model["name"] for model in listed]
