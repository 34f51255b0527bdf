"""Responses as streams: while they are made, and again afterwards."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from functools import partial

from adapter.domain.job import Failure, VideoJob
from adapter.domain.media import Image, size_of
from adapter.domain.stored_response import ResponseStatus, StoredResponse
from adapter.errors import AdapterError
from adapter.generation.execution import ImageBatch
from adapter.openai_api import sse
from adapter.openai_api.routes.progress import pauses
from adapter.openai_api.routes.reservation import offload
from adapter.openai_api.routes.services import Services
from adapter.openai_api.wire.responses import Event, ImageCall
from adapter.openai_api.write import response_events
from adapter.openai_api.write.response_events import Numbering
from adapter.tasks import beside

SILENCE = "still working"


async def stream_picture(
    services: Services,
    stored: StoredResponse,
    first: ImageBatch | None,
    states: AsyncGenerator[ImageBatch | None, None],
    *,
    is_stored: bool,
) -> AsyncIterator[bytes]:
    """Tell of a picture while it is drawn."""
    numbering, seen = Numbering(), first
    for frame in _frames(numbering, [*response_events.opening(stored), *response_events.picture_begun(stored)]):
        yield frame
    try:
        while seen is None:
            yield sse.comment(SILENCE)
            seen = await anext(states)
    except AdapterError as fault:
        failed = stored.failed(Failure.of(fault), services.clock.now())
        if is_stored:
            await services.responses.remember_end(failed)
        for frame in _frames(numbering, response_events.ending(failed)):
            yield frame
        return
    finally:
        await states.aclose()
    image = seen.images[0]
    done = stored.completed(image, services.clock.now())
    if is_stored:
        async with beside(services.responses.remember_end(done, image)) as storing:
            async for pause in pauses(services, storing):
                yield pause
        storing.result()
    async for frame in _pictures(numbering, done, image):
        yield frame


async def follow_picture(services: Services, stored: StoredResponse, numbering: Numbering) -> AsyncIterator[bytes]:
    """Tell of a picture that is drawn in the background, or was drawn before. Hanging up ends nothing."""
    for frame in _frames(numbering, [*response_events.opening(stored), *response_events.picture_begun(stored)]):
        yield frame
    try:
        async with aclosing(services.background.watch(stored)) as states:
            async for seen in states:
                stored = seen
                if not stored.is_over:
                    yield sse.comment(SILENCE)
        async with beside(services.responses.picture(stored)) as bringing:
            async for pause in pauses(services, bringing):
                yield pause
        image = bringing.result()
        if image is not None:
            async for frame in _pictures(numbering, stored, image):
                yield frame
            if stored.background:
                services.background.note_delivery(stored)
        else:
            for frame in _frames(numbering, response_events.ending(stored)):
                yield frame
    except AdapterError as fault:
        yield sse.frame(numbering.error(fault), event="error")


async def stream_video(
    services: Services, stored: StoredResponse, job: VideoJob, numbering: Numbering
) -> AsyncIterator[bytes]:
    """Tell how a video comes along, from its beginning, then hand it over. Hanging up ends nothing."""
    if stored.status is ResponseStatus.CANCELLED:
        for frame in _frames(numbering, [*response_events.opening(stored), *response_events.ending(stored)]):
            yield frame
        return
    for frame in _frames(numbering, [*response_events.opening(stored), *response_events.video_begun(stored)]):
        yield frame
    told = 0
    try:
        async with aclosing(services.videos.watch_video(job)) as states:
            async for seen in states:
                job = seen or job
                news, told = job.history[told:], len(job.history)
                for frame in _frames(numbering, response_events.video_moved(stored, news)) or [sse.comment(SILENCE)]:
                    yield frame
        for frame in _frames(numbering, response_events.video_end(stored, job, services.media_links)):
            yield frame
        if job.failure is None:
            services.videos.note_delivery(job.id)
    except AdapterError as fault:
        yield sse.frame(numbering.error(fault), event="error")


async def stream_text(stored: StoredResponse, numbering: Numbering) -> AsyncIterator[bytes]:
    """Tell of a message alone."""
    for frame in _frames(numbering, [*response_events.opening(stored), *response_events.text_only(stored)]):
        yield frame


async def _pictures(numbering: Numbering, stored: StoredResponse, image: Image) -> AsyncIterator[bytes]:
    for event in numbering.number(response_events.picture_done(stored, image)):
        carried = size_of([image]) if event.response or isinstance(event.item, ImageCall) else 0
        yield await offload(carried, partial(sse.frame, event, event=event.type))
        await asyncio.sleep(0)  # the framework can end only what waits, when the client has hung up


def _frames(numbering: Numbering, events: Iterable[Event]) -> list[bytes]:
    return [sse.frame(event, event=event.type) for event in numbering.number(events)]
