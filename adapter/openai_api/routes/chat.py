"""`POST /v1/chat/completions` with a video or a picture model."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

import msgspec
from litestar import MediaType, Response, post
from litestar.response import Stream

from adapter.domain import weight
from adapter.domain.job import VideoJob
from adapter.domain.media import Image, size_of
from adapter.domain.orders import ImageOrder, VideoWish
from adapter.errors import AdapterError
from adapter.openai_api import sse
from adapter.openai_api.read.body import read_json
from adapter.openai_api.read.chat import picture_order, video_wish, wants_pictures
from adapter.openai_api.read.terms import Terms
from adapter.openai_api.routes.desk import STREAM_HEADERS, Desk, OwnedRequest, json_response
from adapter.openai_api.routes.room import apart, read_body, take_room
from adapter.openai_api.wire.chat import ChatRequest, Usage
from adapter.openai_api.write import chat as write
from adapter.openai_api.write.errors import error_body
from adapter.openai_api.write.links import media_link

#: Names the job behind an answer, for the operator's `adapter jobs show`.
VIDEO_ID = "x-video-id"


@post("/chat/completions", status_code=200)
async def complete_chat(request: OwnedRequest, desk: Desk) -> Stream | Response[bytes]:
    """Make what the last message asks for."""
    body, order = await read_body(request, desk, lambda body: _read(body, desk.terms))
    order = await desk.uploads.resolved(order, request.auth)
    if isinstance(order, ImageOrder):
        await take_room(request, desk, weight.of_order(order))
        return await _complete_with_pictures(body, order, desk)
    if order.sources:
        await take_room(request, desk, weight.of_sources(order.sources))
    return await _answer_with_video(body, desk, await desk.videos.start_video(order, request.auth))


def _read(body: bytes, terms: Terms) -> tuple[ChatRequest, ImageOrder | VideoWish]:
    chat = read_json(body, ChatRequest)
    return chat, picture_order(chat, terms) if wants_pictures(chat, terms) else video_wish(chat, terms)


def _heading(body: ChatRequest, desk: Desk) -> write.Answer:
    return write.Answer(
        id=f"chatcmpl-{secrets.token_hex(16)}",
        created=int(desk.clock.now()),
        model=body.model or "",
        usage=bool(body.stream_options and body.stream_options.include_usage),
    )


def _event_stream(events: AsyncIterator[bytes], headers: dict[str, str]) -> Stream:
    return Stream(events, media_type="text/event-stream", headers={**STREAM_HEADERS, **headers})


async def _answer_with_video(body: ChatRequest, desk: Desk, job: VideoJob) -> Stream:
    """Answer with a video; the provider has taken the job before the first byte goes out."""
    answer = _heading(body, desk)
    if body.stream:
        return _event_stream(video_stream(desk, job, answer), {VIDEO_ID: job.id})
    content = write.video_content(await desk.videos.finish_video(job), desk.public_url)
    whole = msgspec.json.encode(write.completion(answer, write.Told(content=content)))
    headers = {VIDEO_ID: job.id, "content-length": str(len(whole))}
    return Stream(handed_over(desk, job, whole), media_type=MediaType.JSON, headers=headers)


async def handed_over(desk: Desk, job: VideoJob, answer: bytes) -> AsyncIterator[bytes]:
    """Send a whole answer and note that it was taken.

    A stream even though it is one piece: the framework ends a stream whose client has hung up, and the client's next
    request then gets the video that is already paid for.
    """
    await asyncio.sleep(0)  # the framework can end only what waits, so it gets its turn before anything is noted
    yield answer
    desk.videos.note_delivery(job.id)


async def video_stream(desk: Desk, job: VideoJob, answer: write.Answer) -> AsyncIterator[bytes]:
    """Tell how a video comes along, then hand it over. What fails from here on is said inside the stream."""
    yield sse.frame(write.role_chunk(answer))
    told = ""
    try:
        async with aclosing(desk.videos.watch_video(job.id)) as states:
            async for seen in states:
                job = seen or job
                line = write.progress_line(job, desk.clock.now())
                if seen is None or line == told:
                    yield sse.comment("still working")
                else:
                    yield sse.frame(write.progress_chunk(answer, line))
                    told = line
        yield sse.frame(write.content_chunk(answer, write.video_content(job, desk.public_url)))
        desk.videos.note_delivery(job.id)
    except AdapterError as fault:
        for frame in _failed(answer, fault):
            yield frame
    else:
        for chunk in write.last_chunks(answer, Usage()):
            yield sse.frame(chunk)
    yield sse.DONE


async def _complete_with_pictures(body: ChatRequest, order: ImageOrder, desk: Desk) -> Stream | Response[bytes]:
    """Answer with pictures: links in the text, or the pictures beside it where the request asks for that."""
    answer = _heading(body, desk)
    enclosed = desk.enclose_pictures or "image" in (body.modalities or ())
    if body.stream:
        return _event_stream(picture_stream(desk, order, answer, enclosed=enclosed), {})
    images = await desk.pictures.make_images(order)
    told = await _told(desk, images, enclosed=enclosed)
    return await apart(size_of(images), lambda: json_response(write.completion(answer, told)))


async def picture_stream(
    desk: Desk, order: ImageOrder, answer: write.Answer, *, enclosed: bool
) -> AsyncIterator[bytes]:
    """Say that pictures are being made, then show them. What fails is said inside the stream."""
    started = desk.clock.now()
    yield sse.frame(write.role_chunk(answer))
    yield sse.frame(write.progress_chunk(answer, write.picture_line(0)))
    made: Sequence[Image] = ()
    try:
        async with aclosing(desk.pictures.watch_images(order)) as states:
            async for seen in states:
                if seen is None:
                    line = write.picture_line(desk.clock.now() - started)
                    yield sse.frame(write.progress_chunk(answer, line))
                made = seen or made
        told = await _told(desk, made, enclosed=enclosed)
        yield await apart(size_of(made), lambda: sse.frame(write.told_chunk(answer, told)))
        for chunk in write.last_chunks(answer, told.usage):
            yield sse.frame(chunk)
    except AdapterError as fault:
        for frame in _failed(answer, fault):
            yield frame
    yield sse.DONE


async def _told(desk: Desk, images: Sequence[Image], *, enclosed: bool) -> write.Told:
    if enclosed:
        return await apart(size_of(images), lambda: write.enclosed(images))
    links = [media_link(desk.public_url, name) for name in await desk.pictures.keep_images(images)]
    return write.linked(images, links)


def _failed(answer: write.Answer, fault: AdapterError) -> list[bytes]:
    """Return what a person can read, then an error that both SDKs raise (`frontends.md` R7, `openai.md` section 3)."""
    return [sse.frame(write.content_chunk(answer, fault.message)), sse.frame(error_body(fault))]
