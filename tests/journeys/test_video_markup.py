"""How a video is shown, by everybody who may say so, and a stream that does not wait for a slow provider."""

import json
import re
from collections.abc import Iterator

import httpx
import openai
import pytest

from tests.journeys.movie import read_movie
from tests.journeys.server import KEY, Connect, Server

MODEL = "veo-3.1-fast"
URL = r"(http://\S+/media/[0-9a-f]{32}\.mp4)"
SAVED = rf"\[Download video\]\({URL}\?download=1\)"
FORMS = {
    "markdown": re.compile(rf"\[!\[Video preview\]\(http[^\s)]+\.jpg\)\]\({URL}\)\n\n{SAVED}"),
    "html": re.compile(rf'<video src="{URL}" controls="controls" width="100%">\n(\S+)\n</video>\n\n{SAVED}'),
    "div": re.compile(rf'<div><video src="{URL}" controls="controls" width="100%"></video></div>\n\n{SAVED}'),
}
CHAT = """
video_markup = "auto"

[chat.markup_by_key]
"plain:sk-second" = "div"
open-webui = "html"
not-made-yet = "html"
"""
OPEN_WEBUI = "Python/3.11 aiohttp/3.12.15"


@pytest.fixture(scope="module")
def auto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose operator chose: by program, and for two keys."""
    running = Server(tmp_path_factory.mktemp("auto"), chat=CHAT)
    running.start()
    yield running
    assert running.stop() == 0


def form_of(content: str) -> str:
    """Return the form of an answer, all of whose addresses are the same."""
    [(form, found)] = [(name, match) for name, form in FORMS.items() if (match := form.fullmatch(content))]
    assert len(set(found.groups())) == 1
    return form


def shown(http: httpx.Client, server: Server, prompt: str, fields: dict[str, object], agent: str = "curl/8") -> str:
    """Return the form in which a program gets its video."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": prompt}], **fields}
    reply = http.post(
        f"{server.url}/v1/chat/completions",
        json=body,
        headers={"authorization": f"Bearer {KEY}", "user-agent": agent},
        timeout=60,
    )
    assert reply.status_code == 200, reply.text
    return form_of(reply.json()["choices"][0]["message"]["content"])


@pytest.mark.parametrize(
    ("fields", "form"),
    [
        ({}, "markdown"),
        ({"model": f"{MODEL}:html"}, "html"),
        ({"model": f"{MODEL}-portrait:div"}, "div"),
        ({"model": "sora-2:html"}, "html"),
        ({"video_markup": "html"}, "html"),
        ({"video_markup": "div", "model": f"{MODEL}:html"}, "div"),
        ({"video_markup": "auto"}, "markdown"),
        ({"video_markup": None}, "markdown"),
    ],
)
def test_the_model_or_the_request_chooses(
    http: httpx.Client, server: Server, prompt: str, fields: dict[str, object], form: str
) -> None:
    """Where the configuration leaves it at Markdown."""
    assert shown(http, server, prompt, fields) == form


def test_the_official_client_asks_for_a_player_that_plays(
    http: httpx.Client, client: openai.OpenAI, prompt: str
) -> None:
    """Streamed, by `extra_body`; the address leads to the clip."""
    chunks = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": f"{prompt} --ar 9:16"}],
        stream=True,
        extra_body={"video_markup": "html"},
    )
    content = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    match = FORMS["html"].fullmatch(content)

    assert match is not None, content
    assert read_movie(http.get(match[1]).content).size == (180, 320)


@pytest.mark.parametrize(
    ("agent", "fields", "form"),
    [
        (OPEN_WEBUI, {}, "html"),
        ("node-fetch", {}, "html"),
        ("langchainjs-openai/1.0.0", {}, "markdown"),
        (OPEN_WEBUI, {"model": f"{MODEL}:markdown"}, "markdown"),
        (OPEN_WEBUI, {"video_markup": "div"}, "div"),
    ],
)
def test_a_program_gets_what_it_plays_unless_it_asks_for_something_else(
    http: httpx.Client, auto: Server, prompt: str, agent: str, fields: dict[str, object], form: str
) -> None:
    """Told by its User-Agent, where the operator wants that."""
    assert shown(http, auto, prompt, fields, agent) == form


def test_a_key_chooses_for_everybody_who_has_it(auto: Server, connect: Connect, prompt: str) -> None:
    """One of the configuration, by its reference, and one that was made, by its name; the model's name is stronger."""
    made = auto.command("keys", "create", "open-webui").strip()
    other = auto.command("keys", "create", "nobody").strip()
    said = {}
    for key, model in (("sk-second", MODEL), (made, MODEL), (other, MODEL), (made, f"{MODEL}:div")):
        with connect(auto, api_key=key) as client:
            answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": prompt}])
        said[key, model] = form_of(answer.choices[0].message.content or "")

    assert list(said.values()) == ["div", "html", "markdown", "div"]


def test_a_key_that_there_is_not_is_a_warning_of_the_check(auto: Server) -> None:
    """It may still be made; a reference is checked at the start."""
    [warning] = [line for line in auto.command("check").splitlines() if "markup_by_key" in line]

    assert warning.startswith("warning: chat.markup_by_key names keys that there are not:")
    assert "not-made-yet" in warning
    assert "sk-second" not in warning


def test_a_markup_that_there_is_not_is_refused(client: openai.OpenAI, server: Server, prompt: str) -> None:
    """Before anything is paid for."""
    with pytest.raises(openai.BadRequestError, match="Allowed: markdown, html, div, auto") as caught:
        client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": prompt}], extra_body={"video_markup": "bbcode"}
        )

    assert caught.value.param == "video_markup"
    assert server.executed(prompt) == 0


def test_the_next_wish_after_a_player_is_only_its_own_words(client: openai.OpenAI, server: Server, prompt: str) -> None:
    """The markup of the answer above is in the history, and quoted by some programs."""
    first = client.chat.completions.create(model=f"{MODEL}:html", messages=[{"role": "user", "content": prompt}])
    shown_before = first.choices[0].message.content or ""
    again = client.chat.completions.create(
        model=f"{MODEL}:html",
        messages=[
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": shown_before},
            {"role": "user", "content": f"{shown_before}\n\n{prompt} at night --seed 7"},
        ],
    )

    assert form_of(again.choices[0].message.content or "") == "html"
    assert server.executed(f"{prompt} at night") == 1


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits for the provider's word for a moment only."""
    running = Server(tmp_path_factory.mktemp("hasty"), opening_seconds=0.05)
    running.start()
    yield running
    assert running.stop() == 0


def streamed(http: httpx.Client, server: Server, prompt: str, agent: str = "curl/8") -> httpx.Response:
    """Return a whole stream."""
    return http.post(
        f"{server.url}/v1/chat/completions",
        json={"model": MODEL, "stream": True, "messages": [{"role": "user", "content": prompt}]},
        headers={"authorization": f"Bearer {KEY}", "user-agent": agent},
        timeout=60,
    )


def deltas(reply: httpx.Response) -> list[dict[str, str]]:
    """Return what each chunk of a stream adds, of its one choice."""
    events = [line.removeprefix("data: ") for line in reply.text.splitlines() if line.startswith("data: {")]
    chunks = [json.loads(event) for event in events]
    assert all(len(chunk["choices"]) == 1 for chunk in chunks if "error" not in chunk)
    return [chunk["choices"][0]["delta"] for chunk in chunks if "error" not in chunk]


def test_a_stream_begins_while_the_provider_still_thinks(http: httpx.Client, hasty: Server, prompt: str) -> None:
    """Headers, role and a line of progress; front-ends give up on headers after a minute."""
    hasty.fault(on="flow.submit", do="delay", seconds=2.0, prompt=prompt)
    reply = streamed(http, hasty, prompt)
    told = deltas(reply)

    assert reply.headers["x-video-id"].startswith("video_")
    assert told[0] == {"role": "assistant", "content": ""}
    assert told[1] == {"reasoning_content": "Sending the prompt to the video model.\n"}
    assert "".join(delta.get("content", "") for delta in told).endswith(".mp4?download=1)")
    assert "\n: still working\n" in reply.text
    assert hasty.executed(prompt) == 1


@pytest.mark.parametrize(
    ("agent", "in_words"), [("Next.js Middleware", True), ("langchainjs-openai/1.0.0", False), (OPEN_WEBUI, False)]
)
def test_a_late_refusal_is_told_inside_the_stream(
    http: httpx.Client, hasty: Server, prompt: str, agent: str, *, in_words: bool
) -> None:
    """As an error that both SDKs raise, then the end; before it readable where a program shows no errors."""
    prompt = f"{prompt} [unsafe]"
    hasty.fault(on="flow.submit", do="delay", seconds=2.0, prompt=prompt)
    reply = streamed(http, hasty, prompt, agent)
    said = "".join(delta.get("content", "") for delta in deltas(reply))

    assert reply.status_code == 200
    assert ("PUBLIC_ERROR_UNSAFE_GENERATION" in said, bool(said)) == (in_words, in_words)
    error, done = reply.text.rstrip().split("\n\n")[-2:]
    told = json.loads(error.removeprefix("data: "))["error"]
    assert told["code"] == "moderation_blocked"
    assert "PUBLIC_ERROR_UNSAFE_GENERATION" in told["message"]
    assert done == "data: [DONE]"


def test_who_hangs_up_before_the_provider_answered_finds_the_video_again(
    http: httpx.Client, hasty: Server, prompt: str
) -> None:
    """It was sent, so it is paid for: once."""
    hasty.fault(on="flow.submit", do="delay", seconds=1.0, prompt=prompt)
    body = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": prompt}]}
    with http.stream(
        "POST", f"{hasty.url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {KEY}"}
    ) as reply:
        assert "assistant" in next(reply.iter_lines())
    told = deltas(streamed(http, hasty, prompt))

    assert "".join(delta.get("content", "") for delta in told).endswith(".mp4?download=1)")
    assert hasty.executed(prompt) == 1
