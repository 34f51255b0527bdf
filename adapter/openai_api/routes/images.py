"""`POST /v1/images/generations`, `/v1/images/edits` and `/v1/images/variations`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from functools import partial

import msgspec
from litestar import post
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import ASGIApp

from adapter.domain.delivery import Delivery
from adapter.domain.media import Image, size_of
from adapter.domain.orders import ImageOrder
from adapter.errors import AdapterError
from adapter.generation.execution import ImageBatch, ResultHandle
from adapter.openai_api import sse
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.delivery import asked_delivery, choose_delivery
from adapter.openai_api.read.edits import as_edit, as_variation, edit_order, variation_order
from adapter.openai_api.read.images import generation_order, read_generation
from adapter.openai_api.read.media import read_media_form, read_media_json
from adapter.openai_api.routes.identity import media_call, replay_headers
from adapter.openai_api.routes.reservation import offload, read_json_or_form
from adapter.openai_api.routes.services import STREAM_HEADERS, OwnedRequest, Pieces, Services
from adapter.openai_api.wire.images import ImagesRequest
from adapter.openai_api.write.errors import error_event
from adapter.openai_api.write.images import Heading, Made, image_completed, images_response, in_pieces


class ParsedImages(msgspec.Struct, frozen=True):
    """A request for pictures, and the order that it means."""

    body: ImagesRequest
    order: ImageOrder


@post("/images/generations", status_code=200)
async def create_images(request: OwnedRequest, services: Services) -> ASGIApp:
    """Make pictures from a text, and from pictures if some come along."""
    context = services.context_for(request.auth)
    content, parsed = await read_json_or_form(
        request,
        services,
        lambda body: _generation(read_generation(body), context),
        lambda parts: _generation(read_media_form(parts, ImagesRequest), context),
    )
    return await _answer(request, services, parsed, content, "image_generation.completed")


def _generation(sent: ImagesRequest, context: ReadContext) -> ParsedImages:
    return ParsedImages(sent, generation_order(sent.media, context))


@post("/images/edits", status_code=200)
async def edit_images(request: OwnedRequest, services: Services) -> ASGIApp:
    """Make pictures from a text and pictures."""
    context = services.context_for(request.auth)
    content, parsed = await _read(
        request,
        services,
        lambda sent: ParsedImages(as_edit(sent), edit_order(as_edit(sent).media, context)),
    )
    return await _answer(request, services, parsed, content, "image_edit.completed")


@post("/images/variations", status_code=200)
async def vary_images(request: OwnedRequest, services: Services) -> ASGIApp:
    """Make pictures from a picture."""
    context = services.context_for(request.auth)
    content, parsed = await _read(
        request,
        services,
        lambda sent: ParsedImages(as_variation(sent), variation_order(as_variation(sent).media, context)),
    )
    return await _answer(request, services, parsed, content, "image_edit.completed")


async def _read(
    request: OwnedRequest, services: Services, read: Callable[[ImagesRequest], ParsedImages]
) -> tuple[str, ParsedImages]:
    """Return the digest of a request, and its order. Both in one go, because a large request is read in a thread."""
    return await read_json_or_form(
        request,
        services,
        lambda body: read(read_media_json(body, ImagesRequest)),
        lambda parts: read(read_media_form(parts, ImagesRequest)),
    )


async def _answer(request: OwnedRequest, services: Services, parsed: ParsedImages, content: str, made: Made) -> ASGIApp:
    body = parsed.body
    delivery = _delivery(request, services, body)
    linked = delivery is not Delivery.BASE64
    call = media_call(request, services, content)
    handle = await services.image_orders.start(parsed.order, call, linked=linked)
    if body.stream:
        await handle.opened()
        return await _streamed(handle, made, _heading(handle, body))
    batch = await handle.batch()
    heading = _heading(handle, body)
    links = [services.media_links.link(name) for name in batch.names] if linked else []
    if delivery is Delivery.LINK:
        whole = msgspec.json.encode(images_response(batch.images, links, heading))
        return Pieces([whole], replay_headers(handle))
    return Pieces(in_pieces(batch.images, heading, links), replay_headers(handle))


def _heading(handle: ResultHandle, body: ImagesRequest) -> Heading:
    return Heading(created=int(handle.began_at), safety_identifier=body.safety_identifier)


def _delivery(request: OwnedRequest, services: Services, body: ImagesRequest) -> Delivery:
    """Choose how the pictures are handed over: as the request says, its key, the configuration, or the model's name."""
    options, asked, principal = services.image_options, asked_delivery(body), request.auth
    by_key = principal.allowance.response_format or options.delivery_by_key.get(principal.key or "")
    return choose_delivery([asked, by_key, options.delivery], body.media.model, request.headers.get("user-agent", ""))


async def _streamed(handle: ResultHandle, made: Made, heading: Heading) -> ASGIApp:
    """Answer with a stream, begun when there is something to send: what fails before that has an HTTP status."""
    states = handle.watch()
    first = await anext(states)
    events = _events(first, states, made, heading)
    headers = {**STREAM_HEADERS, **replay_headers(handle)}
    return ASGIStreamingResponse(iterator=events, media_type="text/event-stream", headers=headers)


def _completed(image: Image, made: Made, heading: Heading) -> bytes:
    return sse.frame(image_completed(image, made, heading), event=made)


async def _events(
    first: ImageBatch | None,
    states: AsyncGenerator[ImageBatch | None, None],
    made: Made,
    heading: Heading,
) -> AsyncIterator[bytes]:
    seen = first
    try:
        while seen is None:
            yield sse.comment("still working")
            seen = await anext(states)
        for image in seen.images:
            yield await offload(size_of([image]), partial(_completed, image, made, heading))
            await asyncio.sleep(0)  # the framework can end only what waits, when the client has hung up
    except AdapterError as fault:
        yield sse.frame(error_event(fault), event="error")
    finally:
        await states.aclose()
