"""What tests of the poller do again and again."""

import hashlib
from collections.abc import AsyncIterator

import msgspec

from adapter.domain.job import VideoJob
from adapter.domain.media import RemoteVideo
from adapter.domain.orders import StoredInput, VideoInput
from adapter.domain.ports import Finished, Memory, VideoProvider
from adapter.jobs.poller import Poller
from adapter.jobs.step_context import StepContext
from adapter.jobs.steps import VideoSteps
from tests.fakes import CLIP, FakeClock, FakeVideoProvider, png, video_job, video_order
from tests.jobs.conftest import PACE

VIDEO, POSTER = "https://storage/video", "https://storage/poster"


def poller_of(memory: Memory, clock: FakeClock, **providers: VideoProvider) -> Poller:
    """Return a poller, as another process would have it."""
    for provider in providers.values():
        if isinstance(provider, FakeVideoProvider):
            provider.at(clock)
    steps = VideoSteps(StepContext(providers=providers, memory=memory, clock=clock, schedule=PACE))
    return Poller(memory.jobs, steps, clock=clock, schedule=PACE)


async def admit(memory: Memory, clock: FakeClock, count: int = 1) -> list[str]:
    """Remember some jobs and return their ids."""
    jobs = [video_job(number, at=clock.now()) for number in range(1, count + 1)]
    return [(await memory.jobs.admit(job, now=clock.now())).id for job in jobs]


async def admit_from_pictures(memory: Memory, clock: FakeClock, *files: bytes) -> str:
    """Remember a job that is made from pictures, which are kept, and return its id."""
    kept = [await keep(memory, f"input_{number}.png", file) for number, file in enumerate(files)]
    order = msgspec.structs.replace(video_order(), input=VideoInput.FRAMES, pictures=tuple(kept))
    job = video_job(order=order, at=clock.now())
    return (await memory.jobs.admit(job, now=clock.now())).id


async def keep(memory: Memory, name: str, file: bytes) -> StoredInput:
    """Store a file that a video is made from."""
    await memory.media.put(name, _once(file))
    return StoredInput(name, hashlib.sha256(file).hexdigest())


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def tick(poller: Poller, clock: FakeClock, times: int = 1) -> None:
    """Let rounds of the poller pass, a beat apart, each until everything it started is done."""
    for _ in range(times):
        await poller.tick()
        await poller.settle()
        await clock.advance(PACE.poll_seconds)


async def find(memory: Memory, job_id: str) -> VideoJob:
    """Return a job as remembered."""
    job = await memory.jobs.get(job_id)
    assert job is not None
    return job


def finish(provider: FakeVideoProvider, *numbers: int) -> None:
    """Let the provider finish jobs."""
    provider.files |= {VIDEO: CLIP, POSTER: png()}
    provider.reports |= {f"op-{number}": Finished(RemoteVideo(VIDEO, POSTER)) for number in numbers}
