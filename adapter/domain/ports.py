"""What the use cases need of the world."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol

import msgspec

from adapter.domain.job import Failure, Operation, StoredVideo, VideoJob
from adapter.domain.media import Image, MediaFormat, RemoteVideo
from adapter.domain.orders import ImageOrder, Source
from adapter.domain.records import GivenFile, Remains, Search
from adapter.domain.repeats import Asking, Entry, Known, StoredAnswer
from adapter.domain.replies import Reply
from adapter.domain.texts import TextLimits, Turn


class Clock(Protocol):
    """Time, as an argument."""

    def now(self) -> float:
        """Return Unix seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after that time."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Return True as soon as the event is set, False after that time."""
        ...


class Secret(Protocol):
    """A credential that its owner may change while we run."""

    async def read(self) -> str:
        """Return it."""
        ...

    async def renew(self) -> str:
        """Return it after it was refused: read or made again."""
        ...


class Room(Protocol):
    """What a piece of work has taken of the memory for large work."""

    async def wait_for_more(self, weight: int) -> None:
        """Take so many bytes more; wait for them if need be.

        Raises:
            ServerBusy: they did not become free in time.
        """
        ...

    def keep(self) -> AbstractContextManager[None]:
        """Hold all of it for as long as the context is open: it is given back when the last holder lets go."""
        ...

    def take_now(self, weight: int) -> None:
        """Take so many bytes more, at once.

        Raises:
            ServerBusy: there are not as many free.
        """
        ...


class Budget(Protocol):
    """The memory for large work."""

    def room(self, weight: int) -> AbstractAsyncContextManager[Room]:
        """Take so many bytes for as long as the context is open; wait for them if need be.

        Raises:
            ServerBusy: they did not become free in time.
        """
        ...


class ImageProvider(Protocol):
    """A maker of pictures."""

    async def make_images(self, order: ImageOrder, inputs: Sequence[Image]) -> Sequence[Image]:
        """Return exactly `order.n` pictures, or raise. `inputs` are the pictures of `order.sources`.

        Raises:
            ContentRefused: the provider declined the content.
            UpstreamFault: anything else that kept it from making all of them.
        """
        ...


class TextMaker(Protocol):
    """A writer of a few words."""

    async def make_text(self, model: str, turns: Sequence[Turn], limits: TextLimits) -> str:
        """Return a text, which is not empty.

        Raises:
            ContentRefused: the provider declined the content.
            UpstreamFault: anything else that kept it from writing, its time included.
        """
        ...


class ImageMaker(Protocol):
    """A maker of pictures with all that is done before and after."""

    async def make_images(self, order: ImageOrder) -> Sequence[Image]:
        """Return exactly `order.n` pictures in the order's format and size, or raise.

        Raises:
            InvalidRequest: a picture to work from cannot be had or used.
            ContentRefused: the provider declined the content.
            UpstreamFault: anything else that kept it from making all of them.
        """
        ...


class PictureFetcher(Protocol):
    """The way to addresses that clients give us."""

    async def fetch(self, url: str, *, limit: int) -> bytes:
        """Return the file at an address, of up to `limit` bytes, whole and as it was sent.

        Raises:
            InvalidRequest: with the code `failed_to_download_image`: it is not fetched, cannot be, or is too long.
        """
        ...


class InputImages(Protocol):
    """Brings the pictures that an order works from."""

    async def gather(self, sources: Sequence[Source], formats: Sequence[MediaFormat]) -> Sequence[Image]:
        """Return pictures in their order, each in one of the formats.

        Raises:
            InvalidRequest: one of them is no picture, is too large, or cannot be had.
        """
        ...


class CuttingRoom(Protocol):
    """Makes pictures of stored videos."""

    async def thumbnail(self, media: StoredVideo) -> bytes | None:
        """Return a small WebP of a video's poster, else of its first frame; None if its files are gone.

        Raises:
            UpstreamBroken: it cannot be decoded.
            ServerBusy: there is no room to decode it in.
        """
        ...

    async def spritesheet(self, media: StoredVideo) -> bytes | None:
        """Return a JPEG of frames from all over a video, in a grid; None if its file is gone.

        Raises:
            UpstreamBroken, ServerBusy: as `thumbnail`.
        """
        ...


class Workshop(msgspec.Struct, frozen=True):
    """What media are made with."""

    #: By the name of the provider.
    image_makers: Mapping[str, ImageMaker]
    inputs: InputImages


class Working(msgspec.Struct, frozen=True):
    """A job is still waiting or being made."""


class Finished(msgspec.Struct, frozen=True):
    """A job's video can be fetched."""

    video: RemoteVideo


class Refused(msgspec.Struct, frozen=True):
    """The provider gave a job up."""

    failure: Failure


class Empty(msgspec.Struct, frozen=True):
    """A job is called finished, and there is no video to fetch."""


Report = Working | Finished | Empty | Refused


class Download(Protocol):
    """A file on its way."""

    def is_whole(self, size: int) -> bool:
        """Say, once it has ended, whether so many bytes are all of it."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the file piece by piece."""
        ...

    async def read(self, limit: int) -> bytes:
        """Return the whole file.

        Raises:
            UpstreamFault: it is longer than `limit` bytes, or cut.
        """
        ...


class VideoProvider(Protocol):
    """A maker of videos: takes a job, tells how it goes, hands over the file."""

    def choose_account(self) -> str:
        """Name the account that shall carry the next job.

        Raises:
            UpstreamCredential: there is none.
        """
        ...

    async def credits(self, account: str) -> int | None:
        """Return what an account may still spend, or None if it does not say so within a few seconds."""
        ...

    async def upload(self, pictures: Sequence[Image], *, account: str) -> Sequence[str]:
        """Give an account pictures to work from and return what it calls them. Costs nothing and may be repeated.

        Raises:
            AdapterError: they are not taken, or nobody answers.
        """
        ...

    async def submit(self, job: VideoJob, pictures: Sequence[str]) -> Operation:
        """Send the job once with its account, on a fresh connection, without any retry; `pictures` as uploaded.

        Raises:
            UpstreamUnreachable: provably nothing was sent.
            UpstreamForgot: a picture is not known any more; nothing was executed.
            UpstreamSilent, UpstreamBroken: it may have been executed.
            AdapterError: any other: refused, nothing was executed.
        """
        ...

    async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
        """Tell how many jobs of one account stand, by operation name, in as few calls as the provider allows.

        An operation that the provider left out of its answer, or of which it said something unknown, is missing.
        """
        ...

    def download(self, url: str) -> AbstractAsyncContextManager[Download]:
        """Open a file that the provider made.

        Raises:
            UpstreamFault: it cannot be opened; a poll may give a fresh link.
        """
        ...


class Claim(msgspec.Struct, frozen=True):
    """The right to move one job for a while. A write with a token that is no longer the job's does nothing."""

    job: VideoJob
    token: str
    #: Whether its owner deleted it or the operator called it off.
    unwanted: bool = False


class Write(msgspec.Struct, frozen=True):
    """The next state of a claimed job; it is due again at `due_at` unless it is over."""

    claim: Claim
    job: VideoJob
    due_at: float
    #: Whether the writer goes on with the job. If not, the claim ends with the write, and renewing it does nothing.
    keeps_claim: bool = False


class JobStore(Protocol):
    """The memory of work. What it has confirmed survives the death of the process.

    Each method raises StorageFailed if the store does not take or give anything at the moment.
    """

    async def admit(self, job: VideoJob, *, now: float, window: float | None, asking: Asking | None = None) -> VideoJob:
        """Remember a new job, due at once; or return the one that already serves the same wish.

        That is one of the same owner and fingerprint that is live, or that was completed within `window` seconds and
        whose video nobody has been given yet; and neither deleted nor called off. Without a window none does. With
        `asking` it is first of all the job of an earlier attempt, as by `recall`.

        Raises:
            InvalidRequest: as `recall`.
        """
        ...

    async def recall(self, asking: Asking, *, now: float) -> VideoJob | None:
        """Return the job of an earlier attempt of a request: of the same key, or the one that it is a retry of.

        None where there is none, where it failed in a way that invites a retry, and for a first attempt without a key.

        Raises:
            InvalidRequest: with the code `idempotency_key_reused`: the key stood for something else.
            NotFound: the video of this key was deleted.
        """
        ...

    async def get(self, job_id: str) -> VideoJob | None:
        """Return a job as last saved, a deleted one too."""
        ...

    async def get_many(self, job_ids: Collection[str]) -> Sequence[VideoJob]:
        """Return jobs as last saved, in no order; those that are unknown are missing. For up to a few hundred."""
        ...

    async def find(self, job_id: str, owner: str) -> VideoJob | None:
        """Return a job of this owner as last saved, unless it was deleted."""
        ...

    async def list(self, owner: str, *, after: VideoJob | None, limit: int, newest_first: bool) -> Sequence[VideoJob]:
        """Return the next jobs of an owner that were not deleted, by the time of their acceptance."""
        ...

    async def delete(self, job_id: str, owner: str, *, now: float) -> bool:
        """Hide a job of this owner for ever and return whether there was one.

        One that is over becomes due, so that its files go; one that is live is unwanted from its next claim on.
        """
        ...

    async def cancel(self, job_id: str, *, now: float) -> bool:
        """Call a live job off: it is unwanted from its next claim on. Return whether there was one."""
        ...

    async def recent(self, limit: int) -> Sequence[VideoJob]:
        """Return the newest jobs, newest first."""
        ...

    async def claim(self, *, now: float, lease: float, limit: int, held: Collection[str] = ()) -> Sequence[Claim]:
        """Take the right to move the jobs that are due, oldest first, for `lease` seconds.

        Those that the caller holds already, by id, are left alone even if their lease has run out meanwhile.
        """
        ...

    async def renew(self, claims: Iterable[Claim], *, due_at: float) -> None:
        """Keep claims that take longer."""
        ...

    async def save(self, writes: Sequence[Write]) -> Sequence[VideoJob]:
        """Write claimed jobs in one transaction; return those whose claim still held and which were written.

        One that is over is due no more, unless it was deleted: then it is due at once, for its files.
        """
        ...

    async def replace(self, seen: VideoJob, moved: VideoJob, *, now: float) -> bool:
        """Write a live job whoever holds it, if it is still what was seen, and return whether it was.

        The holder's claim is void from then on, and the job is due.
        """
        ...

    async def neighbours(self, job: VideoJob, *, since: float, refunds_since: float) -> Collection[str]:
        """Return the ids of the other jobs of its account that may have changed the account's credits, in one query.

        They are under way, or ended after `since`, or failed after `refunds_since`.
        """
        ...

    async def forget(self, claim: Claim) -> None:
        """Note that the files of a deleted job are gone: it is due no more."""
        ...

    async def mark_delivered(self, job_id: str, *, now: float) -> None:
        """Note that the finished video was handed to a client."""
        ...

    async def needed(
        self, stems: Collection[str], *, fresh_since: float, waiting_since: float, given_since: float
    ) -> Collection[str]:
        """Return those of some stems whose files have to stay, in one query.

        Their job is live; or was completed after `fresh_since`; or after `waiting_since`, and nobody has been given its
        video yet; or before `given_since`, and the video was first given to somebody after it.
        """
        ...

    async def measured_seconds(self, model: str) -> float | None:
        """Return how long the last videos of a model took from submission to the end, or None if there were none."""
        ...


class RequestStore(Protocol):
    """The memory of requests for pictures, which other processes have to know of. Raises StorageFailed as `JobStore`.

    An entry is its holder's as long as its lease runs, by the database's clock.
    """

    async def begin(self, entry: Entry, *, now: float, lease: float) -> Known | None:
        """Remember that a request is under way and return None; or return what is known of its earlier attempt."""
        ...

    async def register(self, entry: Entry, *, now: float, lease: float) -> None:
        """Remember that a request is under way, in the place of any earlier one of its scope."""
        ...

    async def renew(self, marks: Collection[str], *, now: float, lease: float) -> None:
        """Keep entries that are still under way."""
        ...

    async def finish(self, entry: Entry, answer: StoredAnswer | None) -> bool:
        """Remember how a request was answered, None where that is not kept; return whether it was still ours."""
        ...

    async def forget(self, entry: Entry) -> None:
        """Forget a request of which nothing came."""
        ...

    async def prune(self, *, now: float) -> Sequence[StoredAnswer]:
        """Forget what is too old, and return the answers of it. An entry stays as long as its job lives."""
        ...


class Subscription(Protocol):
    """One reader's view of one job."""

    async def next(self, within: float) -> VideoJob | None:
        """Return the newest state as soon as there is one, or None after that many seconds of silence.

        Raises:
            Draining: the process is shutting down.
        """
        ...


class JobFeed(Protocol):
    """Tells readers early that a job moved. The store is the truth; losing a message loses nothing."""

    def publish(self, job: VideoJob) -> None:
        """Tell everybody who watches this job."""
        ...

    def subscribe(self, job_id: str) -> AbstractContextManager[Subscription]:
        """Watch a job."""
        ...

    def check_open(self) -> None:
        """Return if there are still readers to come.

        Raises:
            Draining: the process is shutting down.
        """
        ...


class KeyStore(Protocol):
    """The memory of keys that the operator handed out."""

    async def owner(self, key: str) -> str | None:
        """Return who a key belongs to; None if it is not one of ours, or was revoked."""
        ...


class Access(Protocol):
    """The door."""

    async def owner(self, authorization: str | None) -> str:
        """Return who a request with this `Authorization` header belongs to.

        Raises:
            WrongKey: no key, or none of ours.
        """
        ...


class KeyNames(Protocol):
    """What keys are called in the configuration."""

    async def name_of(self, owner: str) -> str | None:
        """Return the name of an owner's key; None for one that the configuration does not name."""
        ...


class MediaFile(msgspec.Struct, frozen=True):
    """What is known of a stored file."""

    size: int
    etag: str


class ListedFile(msgspec.Struct, frozen=True):
    """A stored file as a list has it."""

    name: str
    size: int
    #: When it was stored, in Unix seconds of the store's own clock.
    modified_at: float


class MediaStore(Protocol):
    """The memory of bytes. A name that exists is a whole file.

    Each method raises StorageFailed if the store does not take or give anything at the moment.
    """

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Store a file. If `chunks` raises, nothing of it becomes visible."""
        ...

    async def find(self, name: str) -> MediaFile | None:
        """Return what is known of a file."""
        ...

    def read(self, name: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to but not including `end`."""
        ...

    def list(self) -> AsyncIterator[Sequence[ListedFile]]:
        """Yield every whole file once, page by page, in no order. Deleting meanwhile is allowed."""
        ...

    async def delete(self, names: Collection[str]) -> None:
        """Forget files. One that is gone already is no fault."""
        ...


class Keeper(Protocol):
    """A memory whose entries have files, and last as long as they say themselves.

    Each method raises StorageFailed if the store does not take or give anything at the moment.
    """

    async def keeps(self, stems: Collection[str]) -> Collection[str]:
        """Return those of some stems that an entry has, one that was deleted or has expired included."""
        ...

    async def remains(self, *, before: float, limit: int) -> Sequence[Remains]:
        """Return entries that were deleted or have expired before that time."""
        ...

    async def forget(self, ids: Collection[str]) -> None:
        """Remove entries whose files are gone."""
        ...


class Shelf(Protocol):
    """Pictures that their owner can name by an id."""

    async def locate(self, picture_id: str, owner: str, *, now: float) -> str | None:
        """Return the name in the media store of a picture of this owner.

        Raises:
            StorageFailed: the store does not give anything at the moment.
        """
        ...


class FileStore(Keeper, Shelf, Protocol):
    """The memory of the files that clients gave us. Nobody is shown what was deleted or has expired."""

    async def add(self, file: GivenFile) -> None:
        """Remember a file whose bytes are stored."""
        ...

    async def find(self, file_id: str, owner: str, *, now: float) -> GivenFile | None:
        """Return a file of this owner."""
        ...

    async def place(self, file_id: str, owner: str) -> GivenFile | None:
        """Return a file of this owner as the end of a page: whoever deletes what is listed has to come on."""
        ...

    async def list(self, search: Search, *, now: float) -> Sequence[GivenFile]:
        """Return a page of files."""
        ...

    async def delete(self, file_id: str, owner: str, *, now: float) -> GivenFile | None:
        """Hide a file of this owner for ever and return it, so that its bytes go."""
        ...


class ReplyStore(Keeper, Shelf, Protocol):
    """The memory of answers. Nobody is shown what was deleted or has expired."""

    async def add(self, reply: Reply) -> bool:
        """Remember a new reply; return False if there is one of that key."""
        ...

    async def save(self, reply: Reply) -> bool:
        """Write the next state of a reply that is live and not deleted; return whether it was."""
        ...

    async def find(self, key: str, owner: str, *, now: float) -> Reply | None:
        """Return a reply of this owner as it looks now."""
        ...

    async def delete(self, key: str, owner: str, *, now: float) -> Reply | None:
        """Hide a reply of this owner for ever and return it, so that its picture goes."""
        ...


class Memory(msgspec.Struct, frozen=True):
    """What outlives a request."""

    jobs: JobStore
    feed: JobFeed
    media: MediaStore
