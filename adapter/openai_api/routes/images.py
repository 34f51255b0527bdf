"""`POST /v1/images/generations`, `/v1/images/edits` and `/v1/images/variations`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from functools import partial

import msgspec
from litestar import post
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import ASGIApp

from adapter.domain import weight
from adapter.domain.media import Image, size_of
from adapter.domain.orders import ImageOrder, Source
from adapter.errors import AdapterError
from adapter.openai_api import sse
from adapter.openai_api.read.body import read_json
from adapter.openai_api.read.edits import as_edit, as_variation, edit_order, read_edits_form, refs, variation_order
from adapter.openai_api.read.form import FormReader
from adapter.openai_api.read.images import Delivery, delivery, image_order, refuse_pictures
from adapter.openai_api.routes.desk import STREAM_HEADERS, Desk, OwnedRequest, Pieces
from adapter.openai_api.routes.room import apart, arriving, read_body, take_room
from adapter.openai_api.wire.images import EditsRequest, GenerationsRequest, ImagesRequest
from adapter.openai_api.write.errors import error_event
from adapter.openai_api.write.images import Heading, Made, image_completed, images_response, in_pieces
from adapter.openai_api.write.links import media_link

#: A request that brings no pictures along is words only.
WORDS_BYTES = 2 * 1024 * 1024


@post("/images/generations", status_code=200, request_max_body_size=WORDS_BYTES)
async def create_images(request: OwnedRequest, desk: Desk) -> ASGIApp:
    """Make pictures from a text."""
    body = read_json(await request.body(), GenerationsRequest)
    refuse_pictures(body)
    return await _answer(request, desk, body, image_order(body, desk.terms), "image_generation.completed")


@post("/images/edits", status_code=200)
async def edit_images(request: OwnedRequest, desk: Desk) -> ASGIApp:
    """Make pictures from a text and pictures."""
    sent, sources = await _read_edits(request, desk)
    body = as_edit(sent)
    return await _answer(request, desk, body, edit_order(body, sources, desk.terms), "image_edit.completed")


@post("/images/variations", status_code=200)
async def vary_images(request: OwnedRequest, desk: Desk) -> ASGIApp:
    """Make pictures from a picture."""
    sent, sources = await _read_edits(request, desk)
    body = as_variation(sent)
    return await _answer(request, desk, body, variation_order(body, sources, desk.terms), "image_edit.completed")


async def _read_edits(request: OwnedRequest, desk: Desk) -> tuple[EditsRequest, tuple[Source, ...]]:
    content_type = request.headers.get("content-type", "")
    if not content_type or content_type.partition(";")[0].strip().lower() == "application/json":
        return await read_body(request, desk, lambda body: _read_edits_json(body, desk.public_url))
    form = FormReader(content_type, most_file_bytes=desk.longest_file)
    async for chunk in arriving(request, desk):
        form.feed(chunk)
    parts = form.finish()
    return await apart(sum(len(part.data) for part in parts), lambda: read_edits_form(parts, desk.public_url))


def _read_edits_json(body: bytes, public_url: str) -> tuple[EditsRequest, tuple[Source, ...]]:
    edit = read_json(body, EditsRequest)
    return edit, refs(edit, public_url)


async def _answer(request: OwnedRequest, desk: Desk, body: ImagesRequest, order: ImageOrder, made: Made) -> ASGIApp:
    form = delivery(body)
    heading = Heading(created=int(desk.clock.now()), safety_identifier=body.safety_identifier)
    order = await desk.uploads.resolved(order, request.auth)
    await take_room(request, desk, weight.of_order(order))
    if body.stream:
        return await _streamed(desk, order, made, heading)
    images = await desk.pictures.make_images(order)
    if form is Delivery.BASE64:
        return Pieces(in_pieces(images, heading))
    return Pieces([msgspec.json.encode(images_response(images, await _links(desk, images), heading))])


async def _links(desk: Desk, images: Sequence[Image]) -> list[str]:
    return [media_link(desk.public_url, name) for name in await desk.pictures.keep_images(images)]


async def _streamed(desk: Desk, order: ImageOrder, made: Made, heading: Heading) -> ASGIApp:
    """Answer with a stream, begun when there is something to send: what fails before that has an HTTP status."""
    states = desk.pictures.watch_images(order)
    first = await anext(states)
    events = _events(first, states, made, heading)
    return ASGIStreamingResponse(iterator=events, media_type="text/event-stream", headers=STREAM_HEADERS)


def _completed(image: Image, made: Made, heading: Heading) -> bytes:
    return sse.frame(image_completed(image, made, heading), event=made)


async def _events(
    first: Sequence[Image] | None,
    states: AsyncGenerator[Sequence[Image] | None, None],
    made: Made,
    heading: Heading,
) -> AsyncIterator[bytes]:
    seen = first
    try:
        while seen is None:
            yield sse.comment("still working")
            seen = await anext(states)
        for image in seen:
            yield await apart(size_of([image]), partial(_completed, image, made, heading))
            await asyncio.sleep(0)  # the framework can end only what waits, when the client has hung up
    except AdapterError as fault:
        yield sse.frame(error_event(fault), event="error")
    finally:
        await states.aclose()
