"""What image tools of front-ends and libraries send, and what they need (`frontends.md`, `openai.md` section 9)."""

import httpx
import pytest

from tests.fakes import png
from tests.journeys.server import KEY, Server
from tests.pictures import opened

HEADERS = {"authorization": f"Bearer {KEY}"}

#: Who sends it, the body, and the key of the answer that it reads.
GENERATIONS = [
    (
        "Open WebUI",
        {
            "model": "gemini-3.1-flash-image",
            "prompt": "a fox",
            "n": 1,
            "size": "512x512",
            "response_format": "b64_json",
        },
        "b64_json",
    ),
    ("Open WebUI, gpt-image", {"model": "gpt-image-1", "prompt": "a fox", "n": 1, "size": "1024x1024"}, "b64_json"),
    (
        "LibreChat, image_gen_oai",
        {
            "model": "gpt-image-1",
            "prompt": "a fox",
            "n": 1,
            "background": "auto",
            "output_format": "png",
            "quality": "auto",
            "size": "auto",
        },
        "b64_json",
    ),
    (
        "LibreChat, image_gen_oai as WebP",
        {
            "model": "gpt-image-1",
            "prompt": "a fox",
            "n": 1,
            "background": "auto",
            "output_format": "webp",
            "output_compression": 80,
            "quality": "high",
            "size": "1536x1024",
        },
        "b64_json",
    ),
    (
        "LibreChat, dalle",
        {"model": "dall-e-3", "prompt": "a fox", "quality": "hd", "style": "natural", "size": "1024x1792", "n": 1},
        "url",
    ),
    (
        "NextChat",
        {
            "model": "dall-e-3",
            "prompt": "a fox",
            "response_format": "b64_json",
            "n": 1,
            "size": "1024x1024",
            "quality": "standard",
            "style": "vivid",
        },
        "b64_json",
    ),
    ("LobeChat", {"model": "gpt-image-1.5", "n": 1, "prompt": "a fox", "size": "1024x1536"}, "b64_json"),
    ("LangChain", {"model": "dall-e-2", "prompt": "a fox", "n": 1, "size": "1024x1024"}, "url"),
    (
        "LangChain for JavaScript",
        {
            "model": "dall-e-3",
            "prompt": "a fox",
            "n": 1,
            "size": "1024x1024",
            "quality": "standard",
            "style": "vivid",
            "response_format": "url",
        },
        "url",
    ),
    (
        "big-AGI",
        {
            "model": "gpt-image-1-mini",
            "prompt": "a fox",
            "n": 2,
            "size": "1536x1024",
            "quality": "high",
            "moderation": "low",
            "output_format": "png",
            "user": "big-AGI",
        },
        "b64_json",
    ),
    (
        "AI SDK, providerOptions",
        {"model": "gemini-2.5-flash-image", "prompt": "a fox", "n": 2, "aspect_ratio": "16:9", "seed": 7},
        "b64_json",
    ),
    (
        "Google's own OpenAI layer",
        {
            "model": "gemini-2.5-flash-image",
            "prompt": "a fox",
            "n": 1,
            "response_format": "b64_json",
            "safety_settings": [],
        },
        "b64_json",
    ),
]
EDITS: list[tuple[str, dict[str, str], list[str]]] = [
    (
        "Open WebUI, one",
        {"model": "gpt-image-1", "prompt": "blue", "n": "1", "size": "512x512", "response_format": "b64_json"},
        ["image"],
    ),
    ("Open WebUI, many", {"model": "gemini-3.1-flash-image", "prompt": "blue", "background": "auto"}, ["image[]"] * 2),
    ("LibreChat", {"model": "gpt-image-1", "prompt": "blue", "quality": "auto", "size": "auto"}, ["image[]"]),
    ("LobeChat", {"model": "gpt-image-1", "prompt": "blue", "input_fidelity": "high", "n": "1"}, ["image"]),
    ("curl", {"prompt": "blue"}, ["image", "image"]),
]


@pytest.mark.parametrize(("who", "body", "key"), GENERATIONS, ids=[who for who, *_ in GENERATIONS])
def test_a_front_end_gets_the_picture_where_it_looks_for_it(
    http: httpx.Client, server: Server, who: str, body: dict[str, object], key: str
) -> None:
    """Under that key and no other, in the format that was asked for."""
    reply = http.post(f"{server.url}/v1/images/generations", json=body, headers=HEADERS)

    assert reply.status_code == 200, f"{who}: {reply.text}"
    data = reply.json()["data"]
    assert [list(item) for item in data] == [[key]] * int(str(body["n"]))
    for item in data:
        file = item["b64_json"] if key == "b64_json" else http.get(item["url"]).content
        assert opened(file).format == str(body.get("output_format", "png")).upper()


@pytest.mark.parametrize(("who", "fields", "names"), EDITS, ids=[who for who, *_ in EDITS])
def test_a_front_end_edits(
    http: httpx.Client, server: Server, who: str, fields: dict[str, str], names: list[str]
) -> None:
    """However it calls the files of its form."""
    files = [(name, (f"{at}.png", png(40 + at, 40), "image/png")) for at, name in enumerate(names)]
    reply = http.post(f"{server.url}/v1/images/edits", data=fields, files=files, headers=HEADERS)

    assert reply.status_code == 200, f"{who}: {reply.text}"
    [item] = reply.json()["data"]
    assert opened(item["b64_json"]).format == "PNG"
    assert reply.json()["usage"]["input_tokens_details"]["image_tokens"] == 258 * len(names)
