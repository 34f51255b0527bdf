"""The Gemini API: generateContent, streamGenerateContent, models, on /v1 and /v1beta.

Magic words in a prompt make the model refuse, as HTTP 200 (`gemini.md` section 1.4):

- `[blocked]`: promptFeedback.blockReason PROHIBITED_CONTENT, no candidates
- `[image_safety]`: a candidate without content, finishReason IMAGE_SAFETY and a finishMessage
- `[no_image]`: the same with NO_IMAGE
"""

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Literal

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Send

from adapter.sandbox.fault_injection import served
from adapter.sandbox.faults import ResponseMutation
from adapter.sandbox.gemini import texts
from adapter.sandbox.gemini.answer import Asked, answer, chunks, refusal
from adapter.sandbox.gemini.checks import asked, known_model, prompt_of, unknown_model
from adapter.sandbox.gemini.files import files_of
from adapter.sandbox.gemini.models import MODELS, ImageModel, picture_size
from adapter.sandbox.gemini.wire import GenerateContentRequest, GenerateContentResponse, ModelInfo, ModelList
from adapter.sandbox.google_errors import GoogleError
from adapter.sandbox.memory.records import Execution
from adapter.sandbox.reading import read
from adapter.sandbox.renderer.drawing import PictureOrder
from adapter.sandbox.state import Incoming, SandboxState, entered, json_body, key_checked, sandbox_of

#: The methods of a model.
METHODS = ["generateContent", "streamGenerateContent"]


class EventStream(ASGIResponse):
    """`alt=sse`: an event per chunk, each sent by itself; no [DONE] (`gemini.md` section 8.4 point 6)."""

    _should_set_content_length = False

    async def send_body(self, send: Send, receive: Receive) -> None:  # noqa: ARG002 - litestar's signature
        """Send the events one by one."""
        for event in self.body.split(b"\r\n\r\n")[:-1]:
            await send({"type": "http.response.body", "body": event + b"\r\n\r\n", "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


@get(["/v1/models", "/v1beta/models"])
async def list_models(request: Incoming) -> ASGIResponse:
    """List every model of the sandbox on one page."""
    sandbox = sandbox_of(request)
    key_checked(request, sandbox.rules)
    listed = [*map(_info, MODELS.values()), *map(texts.listed, texts.MODELS)]
    return json(ModelList(models=[one for one in listed if not _is_retired(sandbox, one.name[len("models/") :])]))


@get(["/v1/models/{name:str}", "/v1beta/models/{name:str}"])
async def show_model(request: Incoming, name: FromPath[str]) -> ASGIResponse:
    """Describe one model."""
    key_checked(request, sandbox_of(request).rules)
    _check_retirement(request, name, "generateContent")
    if name in texts.MODELS:
        return json(texts.listed(name))
    return json(_info(known_model(name, _version(request), "generateContent")))


@post(["/v1/models/{target:str}", "/v1beta/models/{target:str}"], status_code=200)
async def call_model(request: Incoming, target: FromPath[str]) -> ASGIResponse:
    """Serve `{model}:generateContent` and `{model}:streamGenerateContent`."""
    sandbox = entered(request, "gemini.generate")
    key_checked(request, sandbox.rules)
    name, _, method = target.partition(":")
    if method not in METHODS:
        raise GoogleError(404)
    _check_retirement(request, name, method)
    if name in texts.MODELS:
        return await _call_text_model(request, sandbox, name, method)
    model = known_model(name, _version(request), method)
    body = read(await json_body(request), GenerateContentRequest)

    async def work(mutation: ResponseMutation | None) -> ASGIResponse:
        files = await files_of(request, sandbox, body)
        whole = await generated(sandbox, await asyncio.to_thread(asked, model, body, files), mutation)
        return streamed(request, whole) if method == "streamGenerateContent" else json(whole)

    return await served(request, sandbox, ("gemini.generate", prompt_of(body)), work)


async def _call_text_model(request: Incoming, sandbox: SandboxState, name: str, method: str) -> ASGIResponse:
    body = read(await json_body(request), GenerateContentRequest)
    prompt = prompt_of(body)

    async def work(_twist: ResponseMutation | None) -> ASGIResponse:
        whole = text_whole(sandbox, name, body)
        return streamed(request, whole) if method == "streamGenerateContent" else json(whole)

    return await served(request, sandbox, ("gemini.generate", prompt), work)


def text_whole(sandbox: SandboxState, name: str, body: GenerateContentRequest) -> GenerateContentResponse:
    """Return the answer of a text model, and record it."""
    prompt = prompt_of(body)
    answered = texts.written(name, body, prompt)
    _record(sandbox, "text", prompt, name)
    return answered


def _record(sandbox: SandboxState, kind: Literal["image", "text"], prompt: str, model: str) -> None:
    sandbox.ledger.record(
        Execution(
            id=uuid.uuid4().hex,
            kind=kind,
            account="",
            scene_id="",
            operation="",
            prompt=prompt,
            model=model,
            at=sandbox.clock(),
        )
    )


async def generated(sandbox: SandboxState, order: Asked, mutation: ResponseMutation | None) -> GenerateContentResponse:
    """Return the answer of a model that makes pictures; a picture is recorded when it is drawn."""
    if refused := refusal(order):
        return refused
    if mutation == "drafts":
        order = msgspec.structs.replace(order, drafts=True)
    if not order.image:
        return answer(order, b"")
    await asyncio.sleep(sandbox.rules.image_seconds)
    png = await sandbox.gallery.png(_picture_order(order))
    _record(sandbox, "image", order.prompt, order.model.name)
    return answer(order, png, mime="image/jpeg" if mutation == "wrong_mime" else "image/png")


def _picture_order(order: Asked) -> PictureOrder:
    width, height = picture_size(order.model, order.ratio, order.image_size)
    return PictureOrder(
        prompt=order.prompt,
        seed=order.seed,
        width=width,
        height=height,
        caption=f"sandbox  {order.model.name}  {order.ratio}  {width}x{height}  seed {order.seed}",
        inputs=order.pictures,
    )


def streamed(request: Incoming, whole: GenerateContentResponse) -> ASGIResponse:
    """Send server-sent events with `alt=sse`, else one JSON array, as Google's gateway does."""
    parts = chunks(whole)
    if request.query_params.get("alt") != "sse":
        return ASGIResponse(body=msgspec.json.encode(parts), media_type="application/json; charset=UTF-8")
    events = b"".join(b"data: " + msgspec.json.encode(part) + b"\r\n\r\n" for part in parts)
    return EventStream(body=events, media_type="text/event-stream")


def _info(model: ImageModel) -> ModelInfo:
    return ModelInfo(
        name=f"models/{model.name}",
        version=model.name.split("-")[1],
        display_name=model.name.replace("-", " ").title(),
        description="Image generation, emulated by the adapter's sandbox.",
        input_token_limit=32_768 if model.is_2_5 else 65_536,
        output_token_limit=32_768,
        supported_generation_methods=METHODS,
        thinking=model.thinks,
    )


def _is_retired(sandbox: SandboxState, name: str) -> bool:
    off = sandbox.rules.retirements.get(name)
    return off is not None and datetime.fromtimestamp(sandbox.clock(), UTC).date() >= off


def _check_retirement(request: Incoming, name: str, method: str) -> None:
    """Refuse a model that is switched off, as one that there never was."""
    if _is_retired(sandbox_of(request), name):
        raise unknown_model(name, _version(request), method)


def _version(request: Incoming) -> str:
    return request.url.path.split("/")[1]


def json(message: msgspec.Struct) -> ASGIResponse:
    """Return an answer as Google sends it."""
    return ASGIResponse(body=msgspec.json.encode(message), media_type="application/json; charset=UTF-8")


ROUTES = [list_models, show_model, call_model]
