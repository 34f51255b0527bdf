"""Responses as streams: while they are made, and again afterwards."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from functools import partial

from adapter.domain.job import Failure, VideoJob
from adapter.domain.media import Image, size_of
from adapter.domain.replies import Reply, ReplyStatus
from adapter.errors import AdapterError
from adapter.generation.execution import ImageBatch
from adapter.openai_api import sse
from adapter.openai_api.routes.desk import Desk
from adapter.openai_api.routes.room import apart
from adapter.openai_api.routes.telling import pauses
from adapter.openai_api.wire.responses import Event, ImageCall
from adapter.openai_api.write import response_events as tell
from adapter.openai_api.write.response_events import Numbering

SILENCE = "still working"


async def stream_picture(
    desk: Desk,
    reply: Reply,
    first: ImageBatch | None,
    states: AsyncGenerator[ImageBatch | None, None],
    *,
    is_stored: bool,
) -> AsyncIterator[bytes]:
    """Tell of a picture while it is drawn."""
    numbering, seen = Numbering(), first
    for frame in _frames(numbering, [*tell.opening(reply), *tell.picture_begun(reply)]):
        yield frame
    try:
        while seen is None:
            yield sse.comment(SILENCE)
            seen = await anext(states)
    except AdapterError as fault:
        failed = reply.failed(Failure.of(fault), desk.clock.now())
        if is_stored:
            await desk.replies.remember_end(failed)
        for frame in _frames(numbering, tell.ending(failed)):
            yield frame
        return
    finally:
        await states.aclose()
    image = seen.images[0]
    done = reply.completed(image, desk.clock.now())
    if is_stored:
        storing = asyncio.ensure_future(desk.replies.remember_end(done, image))
        async for pause in pauses(desk, storing):
            yield pause
        storing.result()
    async for frame in _pictures(numbering, done, image):
        yield frame


async def follow_picture(desk: Desk, reply: Reply, numbering: Numbering) -> AsyncIterator[bytes]:
    """Tell of a picture that is drawn in the background, or was drawn before. Hanging up ends nothing."""
    for frame in _frames(numbering, [*tell.opening(reply), *tell.picture_begun(reply)]):
        yield frame
    try:
        async with aclosing(desk.background.watch(reply.key, reply.owner)) as states:
            async for seen in states:
                reply = seen
                if not reply.is_over:
                    yield sse.comment(SILENCE)
        bringing = asyncio.ensure_future(desk.replies.picture(reply))
        async for pause in pauses(desk, bringing):
            yield pause
        image = bringing.result()
        if image is not None:
            async for frame in _pictures(numbering, reply, image):
                yield frame
        else:
            for frame in _frames(numbering, tell.ending(reply)):
                yield frame
    except AdapterError as fault:
        yield sse.frame(numbering.error(fault), event="error")


async def stream_video(desk: Desk, reply: Reply, job: VideoJob, numbering: Numbering) -> AsyncIterator[bytes]:
    """Tell how a video comes along, from its beginning, then hand it over. Hanging up ends nothing."""
    if reply.status is ReplyStatus.CANCELLED:
        for frame in _frames(numbering, [*tell.opening(reply), *tell.ending(reply)]):
            yield frame
        return
    for frame in _frames(numbering, [*tell.opening(reply), *tell.video_begun(reply)]):
        yield frame
    told = 0
    try:
        async with aclosing(desk.videos.watch_video(job)) as states:
            async for seen in states:
                job = seen or job
                news, told = job.history[told:], len(job.history)
                for frame in _frames(numbering, tell.video_moved(reply, news)) or [sse.comment(SILENCE)]:
                    yield frame
        for frame in _frames(numbering, tell.video_end(reply, job, desk.public_url)):
            yield frame
        if job.failure is None:
            desk.videos.note_delivery(job.id)
    except AdapterError as fault:
        yield sse.frame(numbering.error(fault), event="error")


async def stream_text(reply: Reply, numbering: Numbering) -> AsyncIterator[bytes]:
    """Tell of a message alone."""
    for frame in _frames(numbering, [*tell.opening(reply), *tell.text_only(reply)]):
        yield frame


async def _pictures(numbering: Numbering, reply: Reply, image: Image) -> AsyncIterator[bytes]:
    for event in numbering.number(tell.picture_done(reply, image)):
        carried = size_of([image]) if event.response or isinstance(event.item, ImageCall) else 0
        yield await apart(carried, partial(sse.frame, event, event=event.type))
        await asyncio.sleep(0)  # the framework can end only what waits, when the client has hung up


def _frames(numbering: Numbering, events: Iterable[Event]) -> list[bytes]:
    return [sse.frame(event, event=event.type) for event in numbering.number(events)]
