"""Providers whose calls are measured: by provider, kind of call, credential and outcome."""

from asyncio import CancelledError
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager

from adapter.domain.job import Operation, VideoJob
from adapter.domain.media import Image, RemoteFile
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import (
    Clock,
    Download,
    ImageProvider,
    Neighbours,
    Report,
    Settlement,
    TextMaker,
    TextProvider,
    VideoFile,
    VideoProvider,
)
from adapter.domain.telemetry import Telemetry
from adapter.domain.texts import TextLimits, TextReply, TextRequest, Turn
from adapter.errors import AdapterError

#: Outcomes beside the codes of errors.
OK, CANCELLED = "ok", "cancelled"


class Calls:
    """Measures the calls of one provider."""

    def __init__(self, provider: str, telemetry: Telemetry, clock: Clock) -> None:
        self.provider = provider
        self.metrics = telemetry.metrics
        self._tracer = telemetry.tracer
        self._clock = clock

    @contextmanager
    def measured(self, call: str, credential: str = "") -> Iterator[None]:
        """Measure the body, which is a span too."""
        began, outcome = self._clock.now(), "crashed"
        told = {"adapter.provider": self.provider, "adapter.call": call, "adapter.credential": credential}
        span = self._tracer.begin(f"{self.provider} {call}", "client", told)
        try:
            with span.active():
                yield
            outcome = OK
        except CancelledError:
            outcome = CANCELLED
            raise
        except AdapterError as fault:
            outcome = fault.code or fault.type
            raise
        finally:
            labels = {"provider": self.provider, "call": call, "credential": credential, "outcome": outcome}
            self.metrics.observe("upstream_seconds", max(0.0, self._clock.now() - began), labels)
            span.end({} if outcome == OK else {"error.type": outcome}, is_failed=outcome not in (OK, CANCELLED))


class MeasuredImages:
    """A maker of pictures (the port `ImageProvider`)."""

    def __init__(self, inner: ImageProvider, calls: Calls) -> None:
        self._inner = inner
        self._calls = calls

    async def make_images(self, order: ImageOrder, inputs: Sequence[Image]) -> Sequence[Image]:
        """Make pictures (the port of that name)."""
        with self._calls.measured("images"):
            return await self._inner.make_images(order, inputs)


class MeasuredTexts:
    """A writer of a few words (the port `TextMaker`)."""

    def __init__(self, inner: TextMaker, calls: Calls) -> None:
        self._inner = inner
        self._calls = calls

    async def make_text(self, model: str, turns: Sequence[Turn], limits: TextLimits) -> str:
        """Write a text (the port of that name)."""
        with self._calls.measured("side_call"):
            return await self._inner.make_text(model, turns, limits)


class MeasuredPassing:
    """Passes requests for texts on (the port `TextProvider`)."""

    def __init__(self, inner: TextProvider, calls: Calls) -> None:
        self._inner = inner
        self._calls = calls

    @asynccontextmanager
    async def open_text(self, request: TextRequest) -> AsyncIterator[TextReply]:
        """Send a request on (the port of that name). The time is that of the whole answer."""
        with self._calls.measured("text"):
            async with self._inner.open_text(request) as reply:
                yield reply


class MeasuredVideos:
    """A maker of videos (the port `VideoProvider`)."""

    def __init__(self, inner: VideoProvider, calls: Calls) -> None:
        self._inner = inner
        self._calls = calls

    def choose_account(self, job: VideoJob) -> str:
        """Name an account (the port of that name)."""
        return self._inner.choose_account(job)

    async def credits(self, account: str) -> int | None:
        """Ask for credits (the port of that name)."""
        with self._calls.measured("credits", account):
            return await self._inner.credits(account)

    async def settle(self, job: VideoJob, neighbours: Neighbours, seconds: float) -> Settlement:
        """Look for a proof (the port of that name)."""
        with self._calls.measured("settle", job.account or ""):
            return await self._inner.settle(job, neighbours, seconds)

    async def upload(self, pictures: Sequence[Image], *, account: str) -> Sequence[str]:
        """Upload pictures (the port of that name)."""
        with self._calls.measured("upload", account):
            return await self._inner.upload(pictures, account=account)

    async def upload_video(self, video: VideoFile, *, account: str) -> str:
        """Upload a video (the port of that name)."""
        with self._calls.measured("upload_video", account):
            return await self._inner.upload_video(video, account=account)

    async def submit(self, job: VideoJob, uploads: Sequence[str]) -> Operation:
        """Submit a job (the port of that name)."""
        with self._calls.measured("submit", job.account or ""):
            return await self._inner.submit(job, uploads)

    async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
        """Ask about jobs (the port of that name)."""
        self._calls.metrics.observe("poll_batch_jobs", len(operations), {"provider": self._calls.provider})
        with self._calls.measured("poll", account):
            return await self._inner.poll(operations, account=account)

    @asynccontextmanager
    async def download(self, file: RemoteFile, *, account: str) -> AsyncIterator[Download]:
        """Open a file (the port of that name). The time is that of the whole file."""
        with self._calls.measured("download", account):
            async with self._inner.download(file, account=account) as opened:
                yield opened
