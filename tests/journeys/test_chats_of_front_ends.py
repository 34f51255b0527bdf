"""What chat programs really send, and that each gets the picture it asked for (`frontends.md` section 2).

Recorded shapes: everything around the last user message is different, and none of it may matter.
"""

import base64
import json
import re

import httpx
import pytest

from tests.fakes import png
from tests.journeys.server import KEY, Server
from tests.pictures import opened

#: An attached picture.
DOT = f"data:image/png;base64,{base64.b64encode(png(64, 64)).decode()}"
#: Stands for the prompt in a body.
PROMPT = "{prompt}"
MODEL = "flow-gem-pix"
TOOL = {
    "type": "function",
    "function": {"name": "search_web", "description": "…", "parameters": {"type": "object", "properties": {}}},
}
STAINLESS = {
    "accept": "application/json",
    "x-stainless-lang": "js",
    "x-stainless-package-version": "5.12.0",
    "x-stainless-os": "Linux",
    "x-stainless-arch": "x64",
    "x-stainless-runtime": "node",
    "x-stainless-runtime-version": "v20.20.2",
    "x-stainless-retry-count": "0",
}
EARLIER = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "Hello! What shall I draw?"}]

#: Who sends it, where to, its headers, and the body.
CHATS: list[tuple[str, str, dict[str, str], dict[str, object]]] = [
    (
        "Open WebUI",
        "/v1/chat/completions",
        {"user-agent": "Python/3.11 aiohttp/3.12.15"},
        {"stream": True, "messages": [{"role": "user", "content": PROMPT}], "tools": [TOOL] * 30},
    ),
    (
        "Open WebUI, with a system prompt, usage and parameters",
        "/v1/chat/completions",
        {"user-agent": "Python/3.11 aiohttp/3.12.15", "x-openwebui-user-name": "ada"},
        {
            "stream": True,
            "stream_options": {"include_usage": True},
            "messages": [{"role": "system", "content": "Be brief."}, *EARLIER, {"role": "user", "content": PROMPT}],
            "temperature": 0.8,
            "top_p": 0.9,
            "max_tokens": 512,
            "frequency_penalty": 0,
            "stop": ["\n\n"],
            "logit_bias": {},
        },
    ),
    (
        "LibreChat",
        "/v1/chat/completions",
        {"user-agent": "langchainjs-openai/1.0.0", **STAINLESS},
        {"user": "6650f0", "stream": True, "messages": [*EARLIER, {"role": "user", "content": PROMPT}]},
    ),
    (
        "LibreChat, parts",
        "/v1/chat/completions",
        {"user-agent": "langchainjs-openai/1.0.0", **STAINLESS},
        {
            "user": "6650f0",
            "stream": True,
            "messages": [{"role": "user", "content": [{"type": "text", "text": PROMPT}]}],
        },
    ),
    (
        "SillyTavern",
        "/v1/chat/completions",
        {"user-agent": "node-fetch", "connection": "close"},
        {
            "messages": [
                {"role": "system", "content": "Write the next reply of the narrator."},
                {"role": "system", "content": "[Start a new Chat]"},
                {"role": "assistant", "content": "Welcome."},
                {"role": "user", "content": PROMPT},
                {"role": "system", "content": "[Stay in character. --no asterisks]"},
            ],
            "temperature": 1,
            "max_tokens": 300,
            "stream": True,
            "presence_penalty": 0,
            "frequency_penalty": 0,
            "top_p": 1,
        },
    ),
    (
        "NextChat",
        "/v1/chat/completions",
        {"user-agent": "Next.js Middleware"},
        {
            "messages": [{"role": "system", "content": "\nYou are ChatGPT."}, {"role": "user", "content": PROMPT}],
            "stream": True,
            "temperature": 0.5,
            "presence_penalty": 0,
            "frequency_penalty": 0,
            "top_p": 1,
        },
    ),
    (
        "LobeChat",
        "/v1/chat/completions",
        {"user-agent": "OpenAI/JS 4.104.0", **STAINLESS, "accept": "*/*"},
        {
            "messages": [*EARLIER, {"role": "user", "content": PROMPT}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 1,
            "top_p": 1,
            "presence_penalty": 0,
        },
    ),
    (
        "Cherry Studio",
        "/v1/chat/completions",
        {"user-agent": "ai-sdk/openai-compatible/1.0.0", "http-referer": "https://cherry-ai.com"},
        {
            "messages": [{"role": "user", "content": [{"type": "text", "text": PROMPT}]}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": None,
        },
    ),
    (
        "Chatbox",
        "/v1/chat/completions",
        {"user-agent": "Mozilla/5.0 Chrome/140.0 Electron/38.0", "origin": "http://localhost:1212"},
        {
            "messages": [
                {"role": "system", "content": "You are a helpful assistant."},
                {"role": "user", "content": PROMPT},
            ],
            "temperature": 0.7,
            "stream": True,
            "stream_options": {"include_usage": True},
        },
    ),
    (
        "big-AGI, whose host ends in /v1",
        "/v1/v1/chat/completions",
        {"user-agent": "node"},
        {
            "messages": [{"role": "system", "content": "…"}, {"role": "user", "content": PROMPT}],
            "max_completion_tokens": 4096,
            "temperature": 0.5,
            "stream": True,
            "stream_options": {"include_usage": True},
        },
    ),
    (
        "a program without /v1",
        "/chat/completions",
        {"user-agent": "curl/8.5.0"},
        {"stream": True, "messages": [{"role": "user", "content": PROMPT}]},
    ),
    (
        "LangChain",
        "/v1/chat/completions",
        {"user-agent": "OpenAI/Python 2.7.2"},
        {
            "messages": [
                {"role": "developer", "content": "Be brief."},
                {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {}}]},
                {"role": "tool", "tool_call_id": "1", "content": "sunny"},
                {"role": "user", "content": PROMPT, "name": "ada"},
            ],
            "stream": True,
            "n": 1,
            "seed": None,
            "response_format": {"type": "text"},
            "tool_choice": "auto",
            "parallel_tool_calls": True,
            "reasoning_effort": "low",
            "metadata": {"a": "b"},
            "store": False,
        },
    ),
]


def sent(body: dict[str, object], prompt: str) -> bytes:
    """Return a body with a prompt in it."""
    return json.dumps({"model": MODEL, **body}).replace(PROMPT, prompt).encode()


@pytest.mark.parametrize(("who", "path", "headers", "body"), CHATS, ids=[who for who, *_ in CHATS])
def test_a_chat_program_gets_what_its_user_typed(
    http: httpx.Client,
    server: Server,
    prompt: str,
    who: str,
    path: str,
    headers: dict[str, str],
    body: dict[str, object],
) -> None:
    """Exactly the last user message, without its flags; in chunks as the strictest of them want them."""
    reply = http.post(
        f"{server.url}{path}",
        content=sent(body, f"{prompt} —ar 9:16"),
        headers={"content-type": "application/json", "authorization": f"Bearer {KEY}", **headers},
    )
    assert reply.status_code == 200, f"{who}: {reply.text}"
    assert reply.headers["content-type"].startswith("text/event-stream")
    lines = [line for line in reply.text.split("\n") if not line.startswith(":")]
    *blocks, done, end = "\n".join(lines).split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    chunks = [json.loads(block.removeprefix("data: ")) for block in blocks]
    usage = [chunk for chunk in chunks if not chunk["choices"]]
    told = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]

    assert {len(chunk["choices"]) for chunk in chunks if chunk not in usage} == {1}
    assert bool(usage) == ("stream_options" in body)
    assert told[0] == {"role": "assistant", "content": ""}
    [link] = re.findall(r"!\[image\]\((\S+\.png)\)", "".join(delta.get("content", "") for delta in told))
    picture = opened(http.get(link).content)
    assert picture.height > picture.width
    assert server.executed(prompt) == 1


@pytest.mark.parametrize("part", ["text first", "picture first"])
def test_an_attached_picture_may_stand_before_or_behind_the_words(
    http: httpx.Client, server: Server, prompt: str, part: str
) -> None:
    """As the programs differ in it; the flags stand behind the words in either case."""
    picture = {"type": "image_url", "image_url": {"url": DOT, "detail": "auto"}}
    words = {"type": "text", "text": f"{prompt} --ref 1 --ar 1:1"}
    content = [words, picture] if part == "text first" else [picture, words]
    reply = http.post(
        f"{server.url}/v1/chat/completions",
        json={"model": MODEL, "messages": [{"role": "user", "content": content}]},
        headers={"authorization": f"Bearer {KEY}"},
    )

    assert reply.status_code == 200, reply.text
    assert server.executed(prompt) == 1
