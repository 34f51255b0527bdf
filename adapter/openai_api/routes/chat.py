"""`POST /v1/chat/completions` with a video or a picture model."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Generic, TypeVar

import msgspec
import structlog
from litestar import MediaType, Response, post
from litestar.response import Stream

from adapter.domain import weight
from adapter.domain.job import VideoJob
from adapter.domain.markup import Markup
from adapter.domain.media import size_of
from adapter.domain.orders import ImageOrder, VideoWish
from adapter.domain.side_calls import SideCall
from adapter.errors import AdapterError
from adapter.generation.execution import ImageBatch, ResultHandle
from adapter.openai_api import sse
from adapter.openai_api.read.chat import picture_order, video_wish, wants_pictures
from adapter.openai_api.read.markup import asked_markup, choose_markup, split_model
from adapter.openai_api.read.media import read_media_json
from adapter.openai_api.read.side_calls import side_call, turns_of
from adapter.openai_api.read.stream_errors import tells_failures_in_words
from adapter.openai_api.read.terms import Terms
from adapter.openai_api.routes.desk import STREAM_HEADERS, VIDEO_ID, Desk, OwnedRequest, json_response
from adapter.openai_api.routes.identity import REPLAYED, join_video, open_pictures, replay_headers
from adapter.openai_api.routes.room import apart, read_body, take_room
from adapter.openai_api.routes.telling import Teller, pauses
from adapter.openai_api.wire.chat import ChatRequest, Usage
from adapter.openai_api.write import chat as write
from adapter.openai_api.write.errors import error_body
from adapter.openai_api.write.links import media_link
from adapter.openai_api.write.side_calls import side_answer

log = structlog.get_logger()

#: Says that nothing was made, and what the request was taken for.
SIDE_CALL = "x-side-call"


_Order = TypeVar("_Order")


class Asked(msgspec.Struct, Generic[_Order], frozen=True):
    """A request for pictures or a video in a chat."""

    body: ChatRequest
    order: _Order
    #: The digest of what the client said.
    content: str


@post("/chat/completions", status_code=200)
async def complete_chat(request: OwnedRequest, desk: Desk) -> Stream | Response[bytes]:
    """Make what the last message asks for."""
    content, (body, order) = await read_body(request, desk, lambda body: _read(body, desk.terms))
    if isinstance(order, SideCall):
        return await _answer_aside(body, order, desk)
    order = await desk.uploads.resolved(order, request.auth)
    if isinstance(order, ImageOrder):
        return await _complete_with_pictures(request, Asked(body, order, content), desk)
    return await _complete_with_video(request, Asked(body, order, content), desk)


def _read(body: bytes, terms: Terms) -> tuple[ChatRequest, SideCall | ImageOrder | VideoWish]:
    chat = read_media_json(body, ChatRequest)
    if found := side_call(chat, terms):
        return chat, found
    return chat, picture_order(chat, terms) if wants_pictures(chat, terms) else video_wish(chat, terms)


def _heading(body: ChatRequest, mark: str, began_at: float) -> write.Answer:
    """Return what stays the same in all pieces of an answer, and in all answers to attempts of one request."""
    return write.Answer(id=f"chatcmpl-{mark}", created=int(began_at), model=body.model or "", usage=body.usage_wanted)


def _failure_in_words(request: OwnedRequest, desk: Desk) -> bool:
    return tells_failures_in_words(desk.chats.stream_errors, request.headers.get("user-agent", ""))


def _event_stream(events: AsyncIterator[bytes], headers: Mapping[str, str]) -> Stream:
    return Stream(events, media_type="text/event-stream", headers={**STREAM_HEADERS, **headers})


async def _answer_aside(body: ChatRequest, call: SideCall, desk: Desk) -> Stream | Response[bytes]:
    """Answer a side call: here and at once, or with the words of a text model where the operator wants that."""
    catalogue = desk.terms.catalogue
    card = catalogue.find(split_model(body.model or "", catalogue)[0]).card
    model = card.side_calls or desk.chats.side_call_model
    written = await desk.texts.write(model, turns_of(body) if model else (), call.members)
    text = side_answer(call, card.kind) if written is None else written
    log.info("side_call.answered", kind=call.kind, model=body.model, written_by=None if written is None else model)
    answer, headers = _heading(body, secrets.token_hex(16), desk.clock.now()), {SIDE_CALL: call.kind.value}
    if body.stream:
        return _event_stream(text_stream(answer, text), headers)
    response = json_response(write.completion(answer, write.Told(content=text)))
    response.headers.update(headers)
    return response


async def text_stream(answer: write.Answer, text: str) -> AsyncIterator[bytes]:
    """Say a text."""
    for chunk in (write.role_chunk(answer), write.content_chunk(answer, text), *write.last_chunks(answer, Usage())):
        yield sse.frame(chunk)
    yield sse.DONE


async def _markup(request: OwnedRequest, desk: Desk, body: ChatRequest) -> Markup:
    """Choose how a video is shown: as the request says, its model's name, its key, or the configuration."""
    asked = asked_markup(body, desk.terms.catalogue)
    chats = desk.chats
    name = await desk.key_names.name_of(request.auth) if asked is None and chats.markup_by_key else None
    by_key = chats.markup_by_key.get(name) if name is not None else None
    return choose_markup([asked, by_key, chats.markup], request.headers.get("user-agent", ""))


async def _complete_with_video(request: OwnedRequest, asked: Asked[VideoWish], desk: Desk) -> Stream:
    """Answer with a video. The job is remembered before the first byte goes out, and if all goes well taken too."""
    body, wish = asked.body, asked.order
    markup = await _markup(request, desk, body)
    if wish.sources:
        await take_room(request, desk, weight.of_sources(wish.sources))
    waiting = await join_video(request, desk, wish, asked.content, is_shown=True)
    # What is refused in the first moment has an HTTP status. Then a stream begins anyway: front-ends and proxies wait
    # for the headers of an answer for a minute (`frontends.md` section 2.4), people for less.
    job = await waiting.job(desk.opening_seconds if body.stream else None)
    heading = _heading(body, job.id.removeprefix("video_"), job.created_at)
    answer = msgspec.structs.replace(heading, markup=markup, failure_in_words=_failure_in_words(request, desk))
    headers = {VIDEO_ID: job.id, **(REPLAYED if waiting.is_replay and job.is_over else {})}
    if body.stream:
        return _event_stream(video_stream(desk, job, answer), headers)
    content = write.video_content(await desk.videos.finish_video(job), desk.public_url, markup)
    whole = msgspec.json.encode(write.completion(answer, write.Told(content=content)))
    headers["content-length"] = str(len(whole))
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
    teller = Teller(answer, desk.clock)
    try:
        async with aclosing(desk.videos.watch_video(job)) as states:
            async for seen in states:
                job = seen or job
                yield teller.tell(write.progress_line(job, desk.clock.now()), is_news=seen is not None)
        yield sse.frame(write.content_chunk(answer, write.video_content(job, desk.public_url, answer.markup)))
        desk.videos.note_delivery(job.id)
    except AdapterError as fault:
        for frame in _failed(answer, fault):
            yield frame
    else:
        for chunk in write.last_chunks(answer, Usage()):
            yield sse.frame(chunk)
    yield sse.DONE


async def _complete_with_pictures(
    request: OwnedRequest, asked: Asked[ImageOrder], desk: Desk
) -> Stream | Response[bytes]:
    """Answer with pictures: links in the text, or the pictures beside it where the request asks for that."""
    body = asked.body
    enclosed = desk.chats.enclose_pictures or "image" in (body.modalities or ())
    handle = await open_pictures(request, desk, asked.order, asked.content, linked=not enclosed)
    answer = _heading(body, handle.mark, handle.began_at)
    if body.stream:
        answer = msgspec.structs.replace(answer, failure_in_words=_failure_in_words(request, desk))
        return _event_stream(picture_stream(desk, handle, answer, enclosed=enclosed), replay_headers(handle))
    batch = await handle.batch()
    told = await _told(desk, batch, enclosed=enclosed)
    return await apart(
        size_of(batch.images), lambda: json_response(write.completion(answer, told), replay_headers(handle))
    )


async def picture_stream(
    desk: Desk, handle: ResultHandle, answer: write.Answer, *, enclosed: bool
) -> AsyncIterator[bytes]:
    """Say that pictures are being made, then show them. What fails is said inside the stream."""
    started = desk.clock.now()
    teller = Teller(answer, desk.clock)
    yield sse.frame(write.role_chunk(answer))
    yield teller.tell(write.picture_line(0))
    try:
        async with aclosing(handle.watch()) as states:
            async for made in states:
                if made is None:
                    yield teller.tell(write.picture_line(desk.clock.now() - started), is_news=False)
        batch = await handle.batch()
        preparing = asyncio.ensure_future(_told(desk, batch, enclosed=enclosed))
        async for pause in pauses(desk, preparing):
            yield pause
        told = preparing.result()
        yield await apart(size_of(batch.images), lambda: sse.frame(write.told_chunk(answer, told)))
        for chunk in write.last_chunks(answer, told.usage):
            yield sse.frame(chunk)
    except AdapterError as fault:
        for frame in _failed(answer, fault):
            yield frame
    yield sse.DONE


async def _told(desk: Desk, batch: ImageBatch, *, enclosed: bool) -> write.Told:
    """Show pictures by their links, or beside the text."""
    if not enclosed:
        return write.linked(batch.images, [media_link(desk.public_url, name) for name in batch.names])
    return await apart(size_of(batch.images), lambda: write.enclosed(batch.images))


def _failed(answer: write.Answer, fault: AdapterError) -> list[bytes]:
    """Return an error that both SDKs raise, and what a person can read before it (`frontends.md` R7, `openai.md` 3)."""
    words = [sse.frame(write.content_chunk(answer, fault.message))] if answer.failure_in_words else []
    return [*words, sse.frame(error_body(fault))]
