"""`POST /v1/images/generations`, `/v1/images/edits` and `/v1/images/variations`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from functools import partial

import msgspec
from litestar import post
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import ASGIApp

from adapter.domain.media import Image, size_of
from adapter.domain.orders import ImageOrder, Source
from adapter.errors import AdapterError
from adapter.generation.undertaking import Album, Viewing
from adapter.openai_api import sse
from adapter.openai_api.read.body import read_json
from adapter.openai_api.read.edits import as_edit, as_variation, edit_order, read_edits_form, refs, variation_order
from adapter.openai_api.read.images import Delivery, delivery, image_order, refuse_pictures
from adapter.openai_api.routes.asking import open_viewing, replay_headers
from adapter.openai_api.routes.desk import STREAM_HEADERS, Desk, OwnedRequest, Pieces
from adapter.openai_api.routes.room import apart, of_deployment, read_json_or_form
from adapter.openai_api.wire.images import EditsRequest, GenerationsRequest, ImagesRequest
from adapter.openai_api.write.errors import error_event
from adapter.openai_api.write.images import Heading, Made, image_completed, images_response, in_pieces
from adapter.openai_api.write.links import media_link

#: A request that brings no pictures along is words only.
WORDS_BYTES = 2 * 1024 * 1024


@post("/images/generations", status_code=200, request_max_body_size=WORDS_BYTES)
async def create_images(request: OwnedRequest, desk: Desk) -> ASGIApp:
    """Make pictures from a text."""
    body = read_json(of_deployment(request, await request.body()), GenerationsRequest)
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
    return await read_json_or_form(
        request,
        desk,
        lambda body: _read_edits_json(body, desk.public_url),
        lambda parts: read_edits_form(parts, desk.public_url),
    )


def _read_edits_json(body: bytes, public_url: str) -> tuple[EditsRequest, tuple[Source, ...]]:
    edit = read_json(body, EditsRequest)
    return edit, refs(edit, public_url)


async def _answer(request: OwnedRequest, desk: Desk, body: ImagesRequest, order: ImageOrder, made: Made) -> ASGIApp:
    linked = delivery(body) is Delivery.LINK
    order = await desk.uploads.resolved(order, request.auth)
    form = (linked, bool(body.stream), body.safety_identifier)
    viewing = await open_viewing(request, desk, order, linked=linked, form=form)
    heading = Heading(created=int(viewing.began_at), safety_identifier=body.safety_identifier)
    if body.stream:
        return await _streamed(viewing, made, heading)
    album = await viewing.album()
    if not linked:
        return Pieces(in_pieces(album.images, heading), replay_headers(viewing))
    links = [media_link(desk.public_url, name) for name in album.names]
    whole = msgspec.json.encode(images_response(album.images, links, heading))
    return Pieces([whole], replay_headers(viewing))


async def _streamed(viewing: Viewing, made: Made, heading: Heading) -> ASGIApp:
    """Answer with a stream, begun when there is something to send: what fails before that has an HTTP status."""
    states = viewing.watch()
    first = await anext(states)
    events = _events(first, states, made, heading)
    headers = {**STREAM_HEADERS, **replay_headers(viewing)}
    return ASGIStreamingResponse(iterator=events, media_type="text/event-stream", headers=headers)


def _completed(image: Image, made: Made, heading: Heading) -> bytes:
    return sse.frame(image_completed(image, made, heading), event=made)


async def _events(
    first: Album | None,
    states: AsyncGenerator[Album | None, None],
    made: Made,
    heading: Heading,
) -> AsyncIterator[bytes]:
    seen = first
    try:
        while seen is None:
            yield sse.comment("still working")
            seen = await anext(states)
        for image in seen.images:
            yield await apart(size_of([image]), partial(_completed, image, made, heading))
            await asyncio.sleep(0)  # the framework can end only what waits, when the client has hung up
    except AdapterError as fault:
        yield sse.frame(error_event(fault), event="error")
    finally:
        await states.aclose()
