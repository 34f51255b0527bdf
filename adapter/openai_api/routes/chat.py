"""`POST /v1/chat/completions` with a video, a picture or a text model."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Generic, TypeVar

import msgspec
import structlog
from litestar import MediaType, Response, post
from litestar.response import Stream

from adapter.domain.ids import Id
from adapter.domain.job import VideoJob
from adapter.domain.markup import Markup
from adapter.domain.media import size_of
from adapter.domain.orders import ImageOrder, VideoDraft
from adapter.domain.side_calls import SideCall
from adapter.domain.texts import TextRequest
from adapter.errors import AdapterError
from adapter.generation.execution import ImageBatch, ResultHandle
from adapter.openai_api import sse
from adapter.openai_api.read.chat import chat_image_order, chat_video_draft, wants_pictures
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.markup import asked_markup, choose_markup, split_model
from adapter.openai_api.read.media import read_media_json
from adapter.openai_api.read.side_calls import side_call, turns_of
from adapter.openai_api.read.stream_errors import tells_failures_in_words
from adapter.openai_api.read.texts import text_request
from adapter.openai_api.routes.failures import answer_fault
from adapter.openai_api.routes.identity import REPLAYED, media_call, replay_headers
from adapter.openai_api.routes.passing import PassedText, StreamForm
from adapter.openai_api.routes.progress import ProgressReporter, pauses
from adapter.openai_api.routes.reservation import offload, read_body
from adapter.openai_api.routes.services import STREAM_HEADERS, VIDEO_ID, OwnedRequest, Services, json_response
from adapter.openai_api.wire.chat import ChatRequest, ChatUsage
from adapter.openai_api.write import chat as write
from adapter.openai_api.write.errors import error_body
from adapter.openai_api.write.side_calls import side_answer
from adapter.tasks import beside

log = structlog.get_logger()

#: Says that nothing was made, and what the request was taken for.
SIDE_CALL = "x-side-call"


_Order = TypeVar("_Order")


def failed_text(fault: AdapterError) -> bytes:
    """Return the end of a text's stream that failed: an error that both SDKs raise."""
    return sse.frame(error_body(fault)) + sse.DONE


#: A blank line inside a cut event ends it.
STREAM_FORM = StreamForm(
    content_type="text/event-stream",
    heartbeat=sse.comment("still working"),
    cut=b"\n\n",
    failed=failed_text,
    refused=answer_fault,
)


class ParsedChat(msgspec.Struct, Generic[_Order], frozen=True):
    """A request for pictures or a video in a chat, and the order that it means."""

    body: ChatRequest
    order: _Order
    #: The digest of what the client said.
    content: str


@post("/chat/completions", status_code=200)
async def complete_chat(request: OwnedRequest, services: Services) -> Stream | Response[bytes]:
    """Make what the last message asks for, or pass the request to a text model."""
    content, found = await read_body(request, services, lambda body: _read(body, services.context_for(request.auth)))
    if isinstance(found, TextRequest):
        return PassedText(services.passed_texts, found.of(request.auth), STREAM_FORM)
    body, order = found
    if isinstance(order, SideCall):
        return await _answer_aside(body, order, services)
    if isinstance(order, ImageOrder):
        return await _complete_with_pictures(request, ParsedChat(body, order, content), services)
    return await _complete_with_video(request, ParsedChat(body, order, content), services)


def _read(body: bytes, context: ReadContext) -> TextRequest | tuple[ChatRequest, SideCall | ImageOrder | VideoDraft]:
    if text := text_request(body, context.catalogue):
        return text
    chat = read_media_json(body, ChatRequest)
    if found := side_call(chat, context):
        return chat, found
    return chat, chat_image_order(chat, context) if wants_pictures(chat, context) else chat_video_draft(chat, context)


def _heading(body: ChatRequest, execution_id: str, began_at: float) -> write.ChatHeading:
    """Return what stays the same in all pieces of an answer, and in all answers to attempts of one request."""
    return write.ChatHeading(
        id=Id.CHAT.of(execution_id), created=int(began_at), model=body.media.model or "", usage=body.usage_wanted
    )


def _failure_in_words(request: OwnedRequest, services: Services) -> bool:
    return tells_failures_in_words(services.chat_options.stream_errors, request.headers.get("user-agent", ""))


def _event_stream(events: AsyncIterator[bytes], headers: Mapping[str, str]) -> Stream:
    return Stream(events, media_type="text/event-stream", headers={**STREAM_HEADERS, **headers})


async def _answer_aside(body: ChatRequest, call: SideCall, services: Services) -> Stream | Response[bytes]:
    """Answer a side call: here and at once, or with the words of a text model where the operator wants that."""
    catalogue = services.context.catalogue
    card = catalogue.find(split_model(body.media.model or "", catalogue)[0]).card
    model = catalogue.text_upstream(card.side_calls or services.chat_options.side_call_model)
    written = await services.texts.write(model, turns_of(body) if model else (), call.members)
    text = side_answer(call, card.kind) if written is None else written
    log.info(
        "side_call.answered", kind=call.kind, model=body.media.model, written_by=None if written is None else model
    )
    answer, headers = _heading(body, secrets.token_hex(16), services.clock.now()), {SIDE_CALL: call.kind.value}
    if body.stream:
        return _event_stream(text_stream(answer, text), headers)
    response = json_response(write.completion(answer, write.ChatContent(content=text)))
    response.headers.update(headers)
    return response


async def text_stream(answer: write.ChatHeading, text: str) -> AsyncIterator[bytes]:
    """Yield an answer that is a text."""
    for chunk in (write.role_chunk(answer), write.content_chunk(answer, text), *write.last_chunks(answer, ChatUsage())):
        yield sse.frame(chunk)
    yield sse.DONE


def _markup(request: OwnedRequest, services: Services, body: ChatRequest) -> Markup:
    """Choose how a video is shown: as the request says, its model's name, its key, or the configuration."""
    asked = asked_markup(body, services.context.catalogue)
    chat_options = services.chat_options
    by_key = request.auth.allowance.markup or chat_options.markup_by_key.get(request.auth.key or "")
    return choose_markup([asked, by_key, chat_options.markup], request.headers.get("user-agent", ""))


async def _complete_with_video(request: OwnedRequest, parsed: ParsedChat[VideoDraft], services: Services) -> Stream:
    """Answer with a video. The job is remembered before the first byte goes out, and if all goes well taken too."""
    body, call = parsed.body, media_call(request, services, parsed.content)
    markup = _markup(request, services, body)
    waiting = await services.video_orders.start(parsed.order, call, is_shown=True)
    # What is refused in the first moment has an HTTP status. Then a stream begins anyway: front-ends and proxies wait
    # for the headers of an answer for a minute (`frontends.md` section 2.4), people for less.
    job = await waiting.job(services.opening_seconds if body.stream else None)
    heading = _heading(body, job.id.removeprefix(Id.VIDEO), job.created_at)
    answer = msgspec.structs.replace(heading, markup=markup, failure_in_words=_failure_in_words(request, services))
    headers = {VIDEO_ID: job.id, **(REPLAYED if waiting.is_replay and job.is_over else {})}
    if body.stream:
        return _event_stream(video_stream(services, job, answer), headers)
    content = write.video_content(await services.videos.finish_video(job), services.media_links, markup)
    told = write.ChatContent(content=content, usage=write.video_usage(job))
    whole = msgspec.json.encode(write.completion(answer, told))
    headers["content-length"] = str(len(whole))
    return Stream(handed_over(services, job, whole), media_type=MediaType.JSON, headers=headers)


async def handed_over(services: Services, job: VideoJob, answer: bytes) -> AsyncIterator[bytes]:
    """Send a whole answer and note its delivery.

    A stream even though it is one piece: the framework ends a stream whose client has hung up, and the client's next
    request then gets the video that is already paid for.
    """
    await asyncio.sleep(0)  # the framework can end only what waits, so it gets its turn before anything is noted
    yield answer
    services.videos.note_delivery(job.id)


async def video_stream(services: Services, job: VideoJob, answer: write.ChatHeading) -> AsyncIterator[bytes]:
    """Yield the progress of a video, then the video. A failure from here on is an event of the stream."""
    yield sse.frame(write.role_chunk(answer))
    reporter = ProgressReporter(answer, services.clock)
    try:
        async with aclosing(services.videos.watch_video(job)) as states:
            async for seen in states:
                job = seen or job
                yield reporter.line(write.progress_line(job, services.clock.now()), is_news=seen is not None)
        yield sse.frame(write.content_chunk(answer, write.video_content(job, services.media_links, answer.markup)))
        services.videos.note_delivery(job.id)
    except AdapterError as fault:
        for frame in _failed(answer, fault):
            yield frame
    else:
        for chunk in write.last_chunks(answer, write.video_usage(job)):
            yield sse.frame(chunk)
    yield sse.DONE


async def _complete_with_pictures(
    request: OwnedRequest, parsed: ParsedChat[ImageOrder], services: Services
) -> Stream | Response[bytes]:
    """Answer with pictures: links in the text, or the pictures beside it where the request asks for that."""
    body = parsed.body
    enclosed = services.chat_options.enclose_pictures or "image" in (body.modalities or ())
    call = media_call(request, services, parsed.content)
    handle = await services.image_orders.open(parsed.order, call, linked=not enclosed)
    answer = _heading(body, handle.execution_id, handle.began_at)
    if body.stream:
        answer = msgspec.structs.replace(answer, failure_in_words=_failure_in_words(request, services))
        return _event_stream(picture_stream(services, handle, answer, enclosed=enclosed), replay_headers(handle))
    batch = await handle.batch()
    told = await _told(services, batch, enclosed=enclosed)
    return await offload(
        size_of(batch.images), lambda: json_response(write.completion(answer, told), replay_headers(handle))
    )


async def picture_stream(
    services: Services, handle: ResultHandle, answer: write.ChatHeading, *, enclosed: bool
) -> AsyncIterator[bytes]:
    """Yield progress, then the pictures. A failure is an event of the stream."""
    started = services.clock.now()
    reporter = ProgressReporter(answer, services.clock)
    yield sse.frame(write.role_chunk(answer))
    yield reporter.line(write.picture_line(0))
    try:
        async with aclosing(handle.watch()) as states:
            async for made in states:
                if made is None:
                    yield reporter.line(write.picture_line(services.clock.now() - started), is_news=False)
        batch = await handle.batch()
        async with beside(_told(services, batch, enclosed=enclosed)) as preparing:
            async for pause in pauses(services, preparing):
                yield pause
        told = preparing.result()
        yield await offload(size_of(batch.images), lambda: sse.frame(write.whole_chunk(answer, told)))
        for chunk in write.last_chunks(answer, told.usage):
            yield sse.frame(chunk)
    except AdapterError as fault:
        for frame in _failed(answer, fault):
            yield frame
    yield sse.DONE


async def _told(services: Services, batch: ImageBatch, *, enclosed: bool) -> write.ChatContent:
    """Show pictures by their links, or beside the text."""
    if not enclosed:
        return write.linked(batch.images, [services.media_links.link(name) for name in batch.names])
    return await offload(size_of(batch.images), lambda: write.enclosed(batch.images))


def _failed(answer: write.ChatHeading, fault: AdapterError) -> list[bytes]:
    """Return an error that both SDKs raise, after a text for people (`frontends.md` R7, `openai.md` section 3)."""
    words = [sse.frame(write.content_chunk(answer, fault.message))] if answer.failure_in_words else []
    return [*words, sse.frame(error_body(fault))]
