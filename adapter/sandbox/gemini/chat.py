"""Google's own route in OpenAI's form: `/v1beta/openai/chat/completions` (`gemini.md` section 3.1).

It differs from OpenAI's: errors are a list of one, unknown fields are refused, calls of tools come whole and without an
index, and carry a signature that has to come back. Magic words in the last message:

- `[tool]`: the model calls the first tool of the request
"""

import math
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
from litestar import post
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Send

from adapter.sandbox.fault_injection import served
from adapter.sandbox.faults import Endpoint, ResponseMutation
from adapter.sandbox.gemini.texts import MODELS, WORDS
from adapter.sandbox.google_errors import ErrorBody, ErrorInfo, GoogleError
from adapter.sandbox.memory.records import Execution
from adapter.sandbox.reading import read
from adapter.sandbox.state import Incoming, SandboxState, entered, json_body

SIGNATURE: Final = "c2FuZGJveC1zaWduYXR1cmU="
TOOL_WORD: Final = "[tool]"
_Object = dict[str, object]


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that the route knows."""

    model: str
    messages: list[_Object]
    stream: bool = False
    stream_options: _Object | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    tools: list[_Object] = []
    tool_choice: str | _Object | None = None
    response_format: _Object | None = None
    reasoning_effort: str | None = None
    extra_body: _Object | None = None
    user: str | None = None

    @property
    def prompt(self) -> str:
        """The words of the last message."""
        return _words(self.messages[-1]) if self.messages else ""


class ChatStream(ASGIResponse):
    """Events, each sent by itself."""

    _should_set_content_length = False

    async def send_body(self, send: Send, receive: Receive) -> None:  # noqa: ARG002 - litestar's signature
        """Send the events one by one."""
        for event in self.body.split(b"\n\n")[:-1]:
            await send({"type": "http.response.body", "body": event + b"\n\n", "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@post(["/v1/openai/chat/completions", "/v1beta/openai/chat/completions"], status_code=200)
async def complete_chat(request: Incoming) -> ASGIResponse:
    """Answer a chat."""
    sandbox = entered(request, "gemini.chat")
    return await answered(request, sandbox, "gemini.chat", _check_key, _known_model)


async def answered(
    request: Incoming,
    sandbox: SandboxState,
    endpoint: Endpoint,
    check: Callable[[Incoming, SandboxState], None],
    known: Callable[[str], str],
) -> ASGIResponse:
    """Answer a chat at one of the addresses: `check` looks at the credential, `known` finds the model of a name."""
    try:
        check(request, sandbox)
        body = read(await json_body(request), ChatRequest)
        model = known(body.model)
        _check_signatures(body.messages)

        async def work(_mutation: ResponseMutation | None) -> ASGIResponse:
            _record(sandbox, body.prompt, model)
            return _streamed(body, body.model) if body.stream else _json(_whole(body, body.model))

        return await served(request, sandbox, (endpoint, body.prompt), work)
    except GoogleError as error:
        return ASGIResponse(
            body=msgspec.json.encode([ErrorBody(error.status)]),
            status_code=error.status.code,
            media_type="application/json; charset=UTF-8",
        )


def _check_key(request: Incoming, sandbox: SandboxState) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise GoogleError(400, "Missing or invalid Authorization header.")
    if key not in sandbox.rules.api_keys:
        info = ErrorInfo("API_KEY_INVALID", "googleapis.com", {"service": "generativelanguage.googleapis.com"})
        raise GoogleError(400, "API key not valid. Please pass a valid API key.", info)


def _known_model(name: str) -> str:
    plain = name.removeprefix("models/")
    if plain not in MODELS:
        raise GoogleError(
            404,
            f"models/{plain} is not found for API version v1main, or is not supported for generateContent. "
            "Call ListModels to see the list of available models and their supported methods.",
        )
    return plain


def _check_signatures(messages: Sequence[_Object]) -> None:
    """Refuse a call of a tool that came back without its signature."""
    if not messages:
        raise GoogleError(400, "* GenerateContentRequest.contents: contents is not specified\n")
    for message in messages:
        for call in _list(message.get("tool_calls")):
            google = _inner(_inner(call, "extra_content"), "google")
            if google.get("thought_signature") != SIGNATURE:
                name = _inner(call, "function").get("name")
                raise GoogleError(400, f"Function call `{name}` is missing a `thought_signature`.")


def _words(message: _Object) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in _list(content))


def _list(value: object) -> list[_Object]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _inner(value: _Object, name: str) -> _Object:
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def _calls(body: ChatRequest) -> list[_Object]:
    if TOOL_WORD not in body.prompt or not body.tools:
        return []
    function = {"name": _inner(body.tools[0], "function").get("name"), "arguments": '{"place":"Paris"}'}
    signed = {"google": {"thought_signature": SIGNATURE}}
    return [{"extra_content": signed, "function": function, "id": uuid.uuid4().hex[:8], "type": "function"}]


def _answered(body: ChatRequest) -> tuple[_Object, str]:
    """Return the message of an answer, and why it ends."""
    if calls := _calls(body):
        return {"role": "assistant", "tool_calls": calls}, "tool_calls"
    is_json = (body.response_format or {}).get("type") in {"json_object", "json_schema"}
    return {"content": '{"text":"Emulated"}' if is_json else WORDS, "role": "assistant"}, "stop"


def _usage(body: ChatRequest) -> _Object:
    asked = math.ceil(sum(len(_words(message)) for message in body.messages) / 4)
    said = math.ceil(len(WORDS) / 4)
    return {"completion_tokens": said, "prompt_tokens": asked, "total_tokens": asked + said}


def _head(model: str, kind: str) -> _Object:
    return {"created": 1_795_132_800, "id": uuid.uuid4().hex[:22], "model": model, "object": kind}


def _whole(body: ChatRequest, model: str) -> _Object:
    message, reason = _answered(body)
    choice = {"finish_reason": reason, "index": 0, "message": message}
    return {"choices": [choice], **_head(model, "chat.completion"), "usage": _usage(body)}


def _streamed(body: ChatRequest, model: str) -> ASGIResponse:
    events = b"".join(b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in _chunks(body, model))
    return ChatStream(body=events + b"data: [DONE]\n\n", media_type="text/event-stream")


def _chunks(body: ChatRequest, model: str) -> Iterator[_Object]:
    """Yield a chunk for each word or call. The last one says why it ends, and has the usage if it was asked for."""
    message, reason = _answered(body)
    words = str(message.get("content") or "").split(" ")
    deltas: list[Mapping[str, object]] = [
        {"content": word if at == 0 else f" {word}", "role": "assistant"} for at, word in enumerate(words)
    ]
    if "tool_calls" in message:
        deltas = [message]
    head = _head(model, "chat.completion.chunk")
    for delta in deltas:
        yield {"choices": [{"delta": delta, "index": 0}], **head}
    ending = {"choices": [{"delta": {"role": "assistant"}, "finish_reason": reason, "index": 0}], **head}
    yield {**ending, "usage": _usage(body)} if (body.stream_options or {}).get("include_usage") else ending


def _record(sandbox: SandboxState, prompt: str, model: str) -> None:
    sandbox.ledger.record(
        Execution(
            id=uuid.uuid4().hex,
            kind="text",
            account="",
            scene_id="",
            operation="",
            prompt=prompt,
            model=model,
            at=sandbox.clock(),
        )
    )


def _json(message: _Object) -> ASGIResponse:
    return ASGIResponse(body=msgspec.json.encode(message), media_type="application/json; charset=UTF-8")


ROUTES = [complete_chat]
