"""Every stream says something `heartbeat_seconds` after its last byte, whatever happens: proxies cut silence."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import pairwise

import pytest

from adapter.domain.image_job import ImageJob
from adapter.domain.job import Intended, Missed, Operation, Submitted, VideoJob, advance
from adapter.domain.media import Image
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Memory, Work
from adapter.errors import StorageFailed
from adapter.generation.execution import ResultHandle
from adapter.generation.image_files import ImageFiles
from adapter.generation.liveness import Liveness
from adapter.generation.responses import Background, Responses
from adapter.generation.videos import Videos
from adapter.openai_api.routes.chat import picture_stream, video_stream
from adapter.openai_api.routes.images import _events
from adapter.openai_api.routes.response_streams import follow_picture, stream_picture, stream_video
from adapter.openai_api.routes.services import Services
from adapter.openai_api.routes.videos import video_events
from adapter.openai_api.write.chat import ChatHeading
from adapter.openai_api.write.images import Heading
from adapter.openai_api.write.response_events import Numbering
from tests.fakes import FakeClock, made_image, stored, video_job
from tests.generation.conftest import LEASE, PATIENCE, Inputs, Studio, identity
from tests.support import context

HEARTBEAT = int(PATIENCE.heartbeat)
ANSWER = ChatHeading(id="chatcmpl-1", created=1000, model="m")
SUBMITTED = advance(advance(video_job(), Intended("main")), Submitted(Operation("op", "mark"), 1000.0))


class Late:
    """A maker whose pictures do not come before they may."""

    def __init__(self) -> None:
        self.may_come = asyncio.Event()

    async def make_images(self, _order: ImageOrder, _work: Work) -> Sequence[Image]:
        await self.may_come.wait()
        return [made_image()]


class Away:
    """A memory of jobs that is away."""

    async def get(self, job_id: str) -> ImageJob:
        raise StorageFailed(f"away with {job_id}")


class Stage:
    """A job that does not move on, and a picture that does not come."""

    def __init__(self, memory: Memory, studio: Studio, clock: FakeClock) -> None:
        self.job: VideoJob = SUBMITTED
        self.clock = clock
        self.feed = memory.feed
        self._studio = studio
        self._maker = Late()
        self._pictures = studio.pictures(self._maker)
        responses = Responses(None, ImageFiles(memory.media), clock)  # type: ignore[arg-type] # it is not asked
        liveness = Liveness(studio.requests, clock, LEASE)
        away: Memory[ImageJob] = Memory(Away(), memory.feed, memory.media)  # type: ignore[arg-type] # nothing else is
        facts = {
            "videos": Videos(Inputs(), memory, clock, PATIENCE, liveness, wake=lambda: None),
            "background": Background(responses, away, clock, PATIENCE, liveness, wake=lambda: None),
            "responses": responses,
            "clock": clock,
            "context": context(),
            "heartbeat_seconds": PATIENCE.heartbeat,
        }
        self.services = Services(**(dict.fromkeys(Services.__struct_fields__) | facts))  # type: ignore[arg-type]

    async def handle(self) -> ResultHandle:
        """Have a picture made."""
        return await self._studio.open(self._pictures, identity())

    async def end(self) -> None:
        """Let the picture come: nothing is left under way."""
        self._maker.may_come.set()
        await self._pictures.finish()


Begin = Callable[[Stage], Awaitable[AsyncIterator[bytes]]]


async def events(stage: Stage) -> AsyncIterator[bytes]:
    """Watch a video."""
    return video_events(stage.services, stage.services.videos.watch_history(stage.job, after=0))


async def chat_with_video(stage: Stage) -> AsyncIterator[bytes]:
    """Wait for a video in a chat."""
    return video_stream(stage.services, stage.job, ANSWER)


async def response_with_video(stage: Stage) -> AsyncIterator[bytes]:
    """Wait for a video in a response."""
    return stream_video(stage.services, stored(), stage.job, Numbering())


async def chat_with_picture(stage: Stage) -> AsyncIterator[bytes]:
    """Wait for a picture in a chat."""
    return picture_stream(stage.services, await stage.handle(), ANSWER, enclosed=False)


async def pictures(stage: Stage) -> AsyncIterator[bytes]:
    """Wait for a picture of the images' route."""
    return _events(None, (await stage.handle()).watch(), "image_generation.completed", Heading(created=1000))


async def response_with_picture(stage: Stage) -> AsyncIterator[bytes]:
    """Wait for a picture in a response."""
    return stream_picture(stage.services, stored(), None, (await stage.handle()).watch(), is_stored=True)


async def response_in_background(stage: Stage) -> AsyncIterator[bytes]:
    """Follow a picture that is drawn by another process, while the memory is away."""
    return follow_picture(stage.services, stored(background=True), Numbering())


@pytest.mark.parametrize(
    "begin",
    [
        events,
        chat_with_video,
        response_with_video,
        chat_with_picture,
        pictures,
        response_with_picture,
        response_in_background,
    ],
)
async def test_no_stream_is_silent_for_longer_than_a_heartbeat(
    memory: Memory, studio: Studio, clock: FakeClock, begin: Begin
) -> None:
    """With a beat each second that changes nothing; that beat restarted the time of the silence."""
    stage = Stage(memory, studio, clock)
    stream = await begin(stage)
    said: list[float] = []

    async def read() -> None:
        async for piece in stream:
            assert piece
            said.append(clock.now())

    reading = asyncio.create_task(read())
    for _ in range(4 * HEARTBEAT):
        await clock.advance(0.0)
        stage.feed.publish(advance(stage.job, Missed()))
        await clock.advance(1.0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await stage.end()

    assert said[0] == 1000.0
    assert [after - before for before, after in pairwise(sorted(set(said)))] == [HEARTBEAT] * 4
