"""The engine: one poller for each kind of job. A further kind is a further set of steps."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapter.domain.image_job import ImageJob
from adapter.domain.job import VideoJob
from adapter.domain.ports import Clock
from adapter.jobs.image_steps import ImageContext, ImageSteps
from adapter.jobs.poller import Poller
from adapter.jobs.step_context import StepContext
from adapter.jobs.steps import VideoSteps
from adapter.tasks import Tasks


class Engine:
    """Moves jobs of all kinds until it is stopped."""

    def __init__(self, videos: StepContext, images: ImageContext, clock: Clock) -> None:
        self._image_steps = ImageSteps(images)
        self.videos: Poller[VideoJob] = Poller(
            videos.memory.jobs, VideoSteps(videos), clock=clock, schedule=videos.schedule, tracer=videos.tracer
        )
        self.images: Poller[ImageJob] = Poller(
            images.memory.jobs, self._image_steps, clock=clock, schedule=images.schedule, tracer=images.tracer
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Move jobs beside the body. What may be paid for is waited for at the end."""
        tasks = Tasks("engine")
        tasks.start(self.videos.run())
        tasks.start(self.images.run())
        try:
            yield
        finally:
            self.stop()
            await tasks.finish()

    def stop(self) -> None:
        """Claim nothing more, and give the pictures under way a last while."""
        self._image_steps.drain()
        self.videos.stop()
        self.images.stop()
