"""`POST /v1beta/models/{model}:generateContent`, `:streamGenerateContent` and `:predict`."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from functools import partial

import msgspec
import structlog
from litestar import post
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import ASGIApp

from adapter.domain.catalogue import TextCard
from adapter.domain.media import size_of
from adapter.domain.texts import TextMethod, TextRequest
from adapter.errors import AdapterError, ContentRefused, NoMedia, NotFound, forget_frames
from adapter.generation.execution import ImageBatch, ResultHandle
from adapter.generation.orders import MediaCall
from adapter.google_api.read.addresses import ModelMethod, canonical_route, model_method
from adapter.google_api.read.generate import ParsedGenerate, read_generate
from adapter.google_api.read.predict import read_predict
from adapter.google_api.routes.failures import answer_status
from adapter.google_api.write.errors import status_body
from adapter.google_api.write.generate import NativeHeading, filtered, generated, predicted, refused
from adapter.google_api.write.stream import HEARTBEAT, error_events, event, listed
from adapter.openai_api.routes.identity import media_call, replay_headers
from adapter.openai_api.routes.passing import Passing, StreamForm
from adapter.openai_api.routes.reservation import body_chunks, offload, read_body
from adapter.openai_api.routes.services import STREAM_HEADERS, OwnedRequest, Pieces, Services

_Pieces = Sequence[bytes | memoryview]


def _failed_events(fault: AdapterError) -> bytes:
    return b"".join(error_events(msgspec.json.encode(status_body(fault))))


def _failed_array(fault: AdapterError) -> bytes:
    return b"," + msgspec.json.encode(status_body(fault)) + b"]"


#: What text models do.
TEXT_METHODS = {method.value: method for method in (TextMethod.GENERATE, TextMethod.STREAM)}
#: The streams of text models.
EVENTS = StreamForm(
    content_type="text/event-stream",
    heartbeat=HEARTBEAT,
    cut=b"\r\n\r\n",
    failed=_failed_events,
    refused=answer_status,
)
ARRAY = StreamForm(
    content_type="application/json", heartbeat=None, cut=b"", failed=_failed_array, refused=answer_status
)

#: What Google answers with a 200 and a reason.
WITHOUT_PICTURE = (ContentRefused, NoMedia)


@post("/models/{name:path}", status_code=200)
async def call_model(request: OwnedRequest, services: Services, name: str) -> ASGIApp:
    """Do what the address says with a model.

    Raises:
        NotFound: there is no such method here.
    """
    called = model_method(name)
    texts = services.context_for(request.auth).catalogue
    if called.method in TEXT_METHODS and (card := texts.find_text(called.model)):
        return await _pass_on(request, services, called, card)
    match called.method:
        case "generateContent":
            return await _generate(request, services, called)
        case "streamGenerateContent":
            return await _stream(request, services, called)
        case "predict":
            return await _predict(request, services, called)
        case _:
            raise NotFound(
                f"There is no method '{called.method}' here. Methods of models: generateContent, "
                "streamGenerateContent, predict."
            )


async def _pass_on(request: OwnedRequest, services: Services, called: ModelMethod, card: TextCard) -> ASGIApp:
    """Have a text written. Nothing is read of the request."""
    method, name = TEXT_METHODS[called.method], called.model
    body = b"".join([chunk async for chunk in body_chunks(request, services)])
    is_stream, is_events = method is TextMethod.STREAM, request.query_params.get("alt") == "sse"
    text = TextRequest(
        provider=card.provider,
        model=card.upstream,
        method=method,
        body=body,
        is_stream=is_stream,
        is_events=is_stream and is_events,
        name=name,
        prices=card.prices,
    )
    return Passing(services.passed_texts, text.of(request.auth), EVENTS if is_events else ARRAY)


async def _generate(request: OwnedRequest, services: Services, called: ModelMethod) -> ASGIApp:
    parsed, call = await _read(request, services, called)
    try:
        handle = await services.image_orders.open(parsed.order, call, linked=False)
        batch = await handle.batch()
    except WITHOUT_PICTURE as fault:
        return Pieces(_refusal(fault, parsed.order.upstream), {})
    return Pieces(generated(batch.images[0], _heading(handle, parsed)), replay_headers(handle))


async def _stream(request: OwnedRequest, services: Services, called: ModelMethod) -> ASGIApp:
    """Answer with one event, begun when there is something to send: what fails before that has an HTTP status."""
    if request.query_params.get("alt") != "sse":
        return await _array(request, services, called)
    parsed, call = await _read(request, services, called)
    try:
        handle = await services.image_orders.open(parsed.order, call, linked=False)
        states = handle.watch()
        first = await anext(states)
    except WITHOUT_PICTURE as fault:
        return _event_stream(_once(event(_refusal(fault, parsed.order.upstream))), {})
    return _event_stream(_events(first, states, _heading(handle, parsed)), replay_headers(handle))


async def _array(request: OwnedRequest, services: Services, called: ModelMethod) -> ASGIApp:
    """Answer as Google does without `alt=sse`: the events as a JSON array."""
    parsed, call = await _read(request, services, called)
    try:
        handle = await services.image_orders.open(parsed.order, call, linked=False)
        batch = await handle.batch()
    except WITHOUT_PICTURE as fault:
        return Pieces(listed(_refusal(fault, parsed.order.upstream)), {})
    return Pieces(listed(generated(batch.images[0], _heading(handle, parsed))), replay_headers(handle))


async def _predict(request: OwnedRequest, services: Services, called: ModelMethod) -> ASGIApp:
    content, order = await read_body(
        request, services, lambda body: read_predict(body, called.model, services.context_for(request.auth))
    )
    call = media_call(request, services, content, canonical_route(called))
    try:
        handle = await services.image_orders.open(order, call, linked=False)
        batch = await handle.batch()
    except ContentRefused as fault:
        _note(fault)
        return Pieces([msgspec.json.encode(filtered(fault))], {})
    return Pieces(predicted(batch.images), replay_headers(handle))


async def _read(request: OwnedRequest, services: Services, called: ModelMethod) -> tuple[ParsedGenerate, MediaCall]:
    content, parsed = await read_body(
        request, services, lambda body: read_generate(body, called.model, services.context_for(request.auth))
    )
    return parsed, media_call(request, services, content, canonical_route(called))


def _heading(handle: ResultHandle, parsed: ParsedGenerate) -> NativeHeading:
    return NativeHeading(
        model_version=parsed.order.upstream, response_id=handle.execution_id, with_text=parsed.with_text
    )


def _refusal(fault: ContentRefused | NoMedia, model_version: str) -> _Pieces:
    _note(fault)
    return [msgspec.json.encode(refused(fault, model_version))]


def _note(fault: AdapterError) -> None:
    """Tell the log why there is no picture: the answer is a 200, as at Google."""
    structlog.contextvars.bind_contextvars(code=fault.code)
    forget_frames(fault)


def _event_stream(events: AsyncIterator[bytes], headers: Mapping[str, str]) -> ASGIApp:
    return ASGIStreamingResponse(iterator=events, media_type="text/event-stream", headers={**STREAM_HEADERS, **headers})


async def _once(frame: bytes) -> AsyncIterator[bytes]:
    yield frame


async def _events(
    first: ImageBatch | None, states: AsyncGenerator[ImageBatch | None, None], heading: NativeHeading
) -> AsyncIterator[bytes]:
    seen = first
    try:
        while seen is None:
            yield HEARTBEAT
            seen = await anext(states)
        yield await offload(size_of(seen.images), partial(_event_of, seen, heading))
    except WITHOUT_PICTURE as fault:
        yield event(_refusal(fault, heading.model_version))
    except AdapterError as fault:
        for frame in error_events(msgspec.json.encode(status_body(fault))):
            yield frame
    finally:
        await states.aclose()


def _event_of(batch: ImageBatch, heading: NativeHeading) -> bytes:
    return event(generated(batch.images[0], heading))
