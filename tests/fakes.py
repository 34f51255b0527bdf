"""Stand-ins for the outside world. They satisfy the ports in `adapter.domain.ports`."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Self

import msgspec
from PIL import Image as Pillow

from adapter.domain.job import BalanceReading, Intended, Operation, Progressed, Rendered, Submitted, VideoJob, advance
from adapter.domain.media import Image as MadeImage
from adapter.domain.media import Ratio, RemoteFile, RemoteVideo, image_from_bytes
from adapter.domain.orders import ImageOrder, VideoOrder
from adapter.domain.ports import Clock, Neighbours, Report, Settlement, VideoFile, Work
from adapter.domain.records import UploadedFile
from adapter.domain.stored_response import StoredResponse
from adapter.errors import AdapterError, UpstreamBroken
from adapter.providers.flow.settle import settle

#: The smallest thing that is an MP4 by its boxes: `ftyp`, 24 bytes, `moov`, 16 bytes, and `mdat`, 2048 bytes and its
#: head.
CLIP = (
    b"\x00\x00\x00\x18ftypisom"
    + bytes(12)
    + b"\x00\x00\x00\x10moovindex..."
    + b"\x00\x00\x08\x08mdat"
    + bytes(range(256)) * 8
)


def png(width: int = 16, height: int = 9) -> bytes:
    """Return a real PNG of that size."""
    file = BytesIO()
    Pillow.new("RGB", (width, height), "teal").save(file, "PNG")
    return file.getvalue()


def jpeg(width: int = 16, height: int = 9) -> bytes:
    """Return a real JPEG of that size."""
    file = BytesIO()
    Pillow.new("RGB", (width, height), "teal").save(file, "JPEG")
    return file.getvalue()


def made_image(width: int = 16, height: int = 9) -> MadeImage:
    """Return a picture as a provider would hand it over."""
    image = image_from_bytes(png(width, height))
    assert image is not None
    return image


def video_order(prompt: str = "waves", *, seed: int | None = None) -> VideoOrder:
    """Return an order for a landscape video of the fake provider."""
    return VideoOrder(
        model="veo-3.1-fast",
        provider="fake",
        upstream="veo_3_1_t2v_fast",
        prompt=prompt,
        ratio=Ratio.LANDSCAPE,
        seconds=8,
        seed=seed,
        typical_seconds=100.0,
    )


def video_job(number: int = 1, *, order: VideoOrder | None = None, at: float = 1000.0) -> VideoJob:
    """Return an accepted job."""
    return VideoJob(
        id=f"video_{number:032x}",
        owner="ada",
        order=order or video_order(f"waves {number}"),
        created_at=at,
        mark=f"scene-{number}",
        seed=number,
        stem=f"{number:032x}",
        expected_seconds=100.0,
    )


def given_file(number: int = 1, *, at: float = 1000.0, **changes: object) -> UploadedFile:
    """Return a file that Ada uploaded."""
    file = UploadedFile(
        id=f"file-{number:032x}",
        owner="ada",
        filename="fox.png",
        purpose="vision",
        size=10,
        name=f"{number:032x}.png",
        created_at=at,
    )
    return msgspec.structs.replace(file, **changes)


def stored(number: int = 1, **changes: object) -> StoredResponse:
    """Return an answer to Ada that is being made."""
    plain = StoredResponse(
        key=f"{number:032x}",
        owner="ada",
        stem=f"{number + 4096:032x}",
        created_at=1000.0,
        expires_at=9000.0,
        model="gpt-5.2",
        prompt="a fox",
        said=msgspec.Raw(b"{}"),
        items=msgspec.Raw(b"[]"),
    )
    return msgspec.structs.replace(plain, **changes)


def rendered_job(number: int = 1) -> VideoJob:
    """Return a job whose video is finished and still lies at the provider."""
    job = video_job(number)
    taken = advance(advance(job, Intended("first")), Submitted(Operation(f"op-{number}", job.mark), 1000.0))
    return advance(advance(taken, Progressed(40)), Rendered(RemoteVideo("https://far/clip")))


class FakeClock:
    """Time that passes only when told to."""

    def __init__(self, at: float = 1000.0) -> None:
        self._now = at
        self._waiting: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    @property
    def alarms(self) -> list[float]:
        """When somebody wants to be woken."""
        return [until for until, _ in self._waiting]

    async def sleep(self, seconds: float) -> None:
        await self.wait(asyncio.Event(), seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        alarm = asyncio.get_running_loop().create_future()
        self._waiting.append((self._now + seconds, alarm))
        ringing = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({ringing, alarm}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ringing.cancel()
        return event.is_set()

    async def advance(self, seconds: float) -> None:
        """Let time pass, and let everything that was waiting for it run."""
        self._now += seconds
        due = [alarm for until, alarm in self._waiting if until <= self._now]
        self._waiting = [(until, alarm) for until, alarm in self._waiting if until > self._now]
        for alarm in due:
            if not alarm.done():
                alarm.set_result(None)
        await let_others_run()


async def let_others_run() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


class FakeDownload:
    """A file on its way."""

    def __init__(self, data: bytes, length: int | None, piece: int) -> None:
        self._data = data
        self._length = length
        self._piece = piece

    def is_whole(self, size: int) -> bool:
        return size == self._length

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._data), self._piece):
            yield self._data[start : start + self._piece]

    async def read(self, limit: int) -> bytes:
        if len(self._data) > limit or not self.is_whole(len(self._data)):
            raise UpstreamBroken("cut")
        return self._data


class FakeVideoProvider:
    """A maker of videos whose every answer is written down beforehand; `executed` is its ledger of charges."""

    def __init__(self) -> None:
        self.executed: list[str] = []
        self.uploads: list[tuple[str, list[bytes]]] = []
        #: The pictures of each submission, as uploaded.
        self.given: list[list[str]] = []
        self.refuse_upload: AdapterError | None = None
        self.polls: list[tuple[str, list[str]]] = []
        self.refuse_submit: AdapterError | None = None
        self.fail_poll: AdapterError | None = None
        self.reports: dict[str, Report] = {}
        self.downloads: list[tuple[str, RemoteFile]] = []
        self.fail_download: AdapterError | None = None
        #: By their links, or by their names where they have none.
        self.files: dict[str, bytes] = {}
        #: What is announced, where it is not the truth.
        self.lengths: dict[str, int | None] = {}
        #: Bytes that arrive at once.
        self.piece = 700
        self.accounts = ["first"]
        #: What the account says it has, and how often it was asked.
        self.credits_left: int | None = None
        self.credits_asked: list[str] = []
        self.clock: Clock = FakeClock()

    def at(self, clock: Clock) -> Self:
        """Take the clock by which its accounts are read."""
        self.clock = clock
        return self

    def choose_account(self, job: VideoJob) -> str:  # noqa: ARG002 - the port's signature
        self.accounts.append(self.accounts.pop(0))
        return self.accounts[-1]

    async def credits(self, account: str) -> int | None:
        self.credits_asked.append(account)
        return self.credits_left

    async def settle(self, job: VideoJob, neighbours: Neighbours, seconds: float) -> Settlement:
        """By the credits, as Flow does."""
        return await settle(
            job, BalanceReading(await self.credits(job.account or ""), self.clock.now()), neighbours, seconds
        )

    async def upload(self, pictures: Sequence[MadeImage], *, account: str) -> Sequence[str]:
        if self.refuse_upload is not None:
            raise self.refuse_upload
        self.uploads.append((account, [image.decode() for image in pictures]))
        return [f"{account}-upload-{number}" for number, _ in enumerate(pictures)]

    async def upload_video(self, video: VideoFile, *, account: str) -> str:
        if self.refuse_upload is not None:
            raise self.refuse_upload
        self.uploads.append((account, [await video.read(0, video.size)]))
        return f"{account}-video"

    async def submit(self, job: VideoJob, uploads: Sequence[str]) -> Operation:
        self.given.append(list(uploads))
        if self.refuse_submit is not None:
            raise self.refuse_submit
        self.executed.append(job.id)
        return Operation(f"op-{job.seed}", job.mark)

    async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
        self.polls.append((account, sorted(operation.name for operation in operations)))
        if self.fail_poll is not None:
            raise self.fail_poll
        return self.reports

    @asynccontextmanager
    async def download(self, file: RemoteFile, *, account: str) -> AsyncIterator[FakeDownload]:
        self.downloads.append((account, file))
        if self.fail_download is not None:
            raise self.fail_download
        if (file.url or file.name) not in self.files:
            raise UpstreamBroken("gone")
        yield self.download_of(file.url or file.name)

    def download_of(self, place: str) -> FakeDownload:
        data = self.files[place]
        return FakeDownload(data, self.lengths.get(place, len(data)), self.piece)


class FakeImageMaker:
    """A maker of pictures."""

    async def make_images(self, order: ImageOrder, work: Work) -> Sequence[MadeImage]:
        assert work.owner
        return [made_image() for _ in range(order.n)]
