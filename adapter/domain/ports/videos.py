"""Makers of videos."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from adapter.domain.job import BalanceReading, Failure, Operation, VideoJob
from adapter.domain.media import Image, RemoteFile, RemoteVideo
from adapter.domain.usage import VideoTokens


class Working(msgspec.Struct, frozen=True):
    """A job is still waiting or being made."""


class Finished(msgspec.Struct, frozen=True):
    """A job's video can be fetched, or came with the report."""

    video: RemoteVideo
    #: The file itself, where the provider answers with it.
    data: bytes | None = None
    #: What the video cost, where the provider tells.
    tokens: VideoTokens | None = None


class Refused(msgspec.Struct, frozen=True):
    """The provider gave a job up."""

    failure: Failure


class Empty(msgspec.Struct, frozen=True):
    """A job is called finished, and there is no video to fetch."""


Report = Working | Finished | Empty | Refused


class AskAgain(msgspec.Struct, frozen=True):
    """What became of a submission is not known yet: the provider is to be asked again after so many seconds."""

    reading: BalanceReading
    seconds: float


class Executed(msgspec.Struct, frozen=True):
    """The submission was executed, and this is its operation: the job goes on as if it had been answered."""

    reading: BalanceReading
    operation: Operation


class NotExecuted(msgspec.Struct, frozen=True):
    """Provably the submission was not executed: it may be sent again. `words` name the proof."""

    reading: BalanceReading
    words: str


class Unproven(msgspec.Struct, frozen=True):
    """Nothing proves that it was not executed: it is not sent again. `words` say what is known."""

    reading: BalanceReading
    words: str


Settlement = AskAgain | Executed | NotExecuted | Unproven


class Neighbours(Protocol):
    """A question about the other jobs of a job's account."""

    async def __call__(self, *, refund_seconds: float) -> Collection[str]:
        """Return the ids of those that may have changed the account's balance since the submission began.

        A job that failed up to `refund_seconds` before that counts too: its price may have been refunded since.
        """
        ...


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


class VideoFile(Protocol):
    """A stored video that is given to a provider."""

    #: In bytes.
    size: int
    #: Of its bytes, in hex.
    sha256: str

    async def read(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` up to but not including `end`.

        Raises:
            StorageFailed: the media store does not give them at the moment.
        """
        ...


class VideoProvider(Protocol):
    """A maker of videos: takes a job, tells how it goes, hands over the file."""

    def choose_account(self, job: VideoJob) -> str:
        """Name the account that shall carry a job.

        Raises:
            UpstreamCredential: there is none.
        """
        ...

    async def credits(self, account: str) -> int | None:
        """Return what an account may still spend, or None if it does not say so within a few seconds."""
        ...

    async def settle(self, job: VideoJob, neighbours: Neighbours, seconds: float) -> Settlement:
        """Look for a proof of what became of a submission that got no answer, with the account that sent it.

        `seconds` is the distance between two questions that the operator wants. The first question comes so long after
        the submission, or at once if no credits were read before it. The next comes when `AskAgain` says, until a video
        would be late. The job remembers each reading; a provider without credits gives `BalanceReading(None, now)`.
        A provider that has no way to prove anything answers `Unproven`.
        """
        ...

    async def upload(self, pictures: Sequence[Image], *, account: str) -> Sequence[str]:
        """Give an account pictures to work from and return what it calls them. Costs nothing and may be repeated.

        Raises:
            AdapterError: they are refused, or there is no answer.
        """
        ...

    async def upload_video(self, video: VideoFile, *, account: str) -> str:
        """Give an account a video to work on and return what it calls it (as `upload`).

        Raises:
            AdapterError: it is refused, or there is no answer.
        """
        ...

    async def submit(self, job: VideoJob, uploads: Sequence[str]) -> Operation:
        """Send the job once with its account, on a fresh connection, without any retry.

        `uploads` are the names of what was uploaded: the pictures in their order, then the video.

        Raises:
            UpstreamUnreachable: provably nothing was sent.
            UpstreamForgot: one of them is not known any more; nothing was executed.
            UpstreamSilent, UpstreamBroken: it may have been executed.
            AdapterError: any other: refused, nothing was executed.
        """
        ...

    async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
        """Tell how many jobs of one account stand, by operation name, in as few calls as the provider allows.

        An operation that the provider left out of its answer, or reported in an unknown way, is missing.
        """
        ...

    def download(self, file: RemoteFile, *, account: str) -> AbstractAsyncContextManager[Download]:
        """Open a file that the provider made for an account.

        Raises:
            NoMedia: the provider has it and does not hand it over.
            UpstreamFault: it cannot be opened; a poll may give a fresh link.
        """
        ...
