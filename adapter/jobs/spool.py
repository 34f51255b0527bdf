"""The spool: a file of this process with the newest answers, for the moment before the database has them.

The name that Google gave a paid video is known nowhere else until it is committed. So it is written through to a local
file first. What a process left there when it died is read by the next one that starts on the same folder.

A file is locked for as long as its process lives, so a lock that can be had means that the owner is dead. The folder
has to be a local one, where locks and `fsync` mean what they say. Nothing that goes wrong here is ever raised while
the server runs: the database is the first memory.
"""

import asyncio
import fcntl
import os
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

from adapter.domain.job import Operation
from adapter.errors import UNREADABLE_JSON, WrongConfiguration

log = structlog.get_logger()

SUFFIX = ".answers"
#: Of a file that has not got its name yet, and how old one is whose process is dead, in seconds.
NEW_SUFFIX = ".new"
UNNAMED_SECONDS = 3600.0
#: How long a disk is waited for before an answer is committed without this.
PATIENCE_SECONDS = 5.0

_T = TypeVar("_T")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider said to one submission of a job; `intended_at` tells it from other submissions."""

    job_id: str
    account: str
    intended_at: float
    operation: Operation
    at: float


class AbandonedSpool(msgspec.Struct, frozen=True):
    """The file of a dead process, locked by us, with what stands in it."""

    path: Path
    descriptor: int
    answers: Sequence[Answer]


_decoder = msgspec.json.Decoder(Answer)


class Spool:
    """A folder of such files, one per process; None keeps nothing."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        #: A thread of its own: in the common ones pictures are converted. One, so that lines do not mix.
        self._thread = ThreadPoolExecutor(1, "spool")
        self._own: tuple[Path, int] | None = None
        #: What the database does not have yet, and which of these the file does not have yet.
        self._open: set[Answer] = set()
        self._gathered: deque[Answer] = deque()

    async def note(self, answer: Answer) -> None:
        """Keep an answer; when this returns, a power cut does not take it away, or the log says why it may.

        Answers that gather while the disk takes others are written together.
        """
        if (folder := self._folder) is not None:
            self._open.add(answer)
            self._gathered.append(answer)
            await self._apart(lambda: self._append_gathered(folder), None)

    async def forget(self, answer: Answer) -> None:
        """Note that the database has it. The file is emptied once it holds nothing that is open.

        A line that stays too long does no harm.
        """
        self._open.discard(answer)
        if self._folder is not None and not self._open:
            await self._apart(self._empty, None)

    async def leftovers(self) -> Sequence[AbandonedSpool]:
        """Return what dead processes left, and hold it until `drop` or `release`."""
        return await self._apart(self._find, [])

    async def drop(self, leftovers: Sequence[AbandonedSpool]) -> None:
        """Remove files whose answers are all known elsewhere."""

        def remove() -> None:
            for leftover in leftovers:
                leftover.path.unlink(missing_ok=True)

        await self._apart(remove, None)
        await self.release(leftovers)

    async def release(self, leftovers: Sequence[AbandonedSpool]) -> None:
        """Leave files to the next process that looks."""

        def let_go() -> None:
            for leftover in leftovers:
                os.close(leftover.descriptor)

        await self._apart(let_go, None)

    async def close(self) -> None:
        """Let go of our own file; one in which nothing is left is removed."""
        await self._apart(self._close, None)
        self._thread.shutdown(wait=False)

    async def _apart(self, work: Callable[[], _T], otherwise: _T) -> _T:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except OSError as error:  # TimeoutError is one
            log.error("spool.failed", folder=str(self._folder), error=error.strerror or type(error).__name__)  # noqa: TRY400 - the text is enough
            return otherwise

    def _append_gathered(self, folder: Path) -> None:
        lines = []
        while self._gathered:
            # A line break on either side: what a full disk or a power cut left of another line spoils only that one.
            lines += [b"\n", msgspec.json.encode(self._gathered.popleft()), b"\n"]
        if not lines:  # the visit before has written it
            return
        _, descriptor = self._own = self._own or _make(folder)
        written = b"".join(lines)
        if os.write(descriptor, written) < len(written):
            raise OSError(0, "the disk is full")
        os.fsync(descriptor)

    def _empty(self) -> None:
        # An answer may have come meanwhile: it is open before its line is written.
        if self._own is not None and not self._open:
            os.ftruncate(self._own[1], 0)

    def _find(self) -> list[AbandonedSpool]:
        if self._folder is None or not self._folder.is_dir():
            return []
        _sweep(self._folder)
        own = self._own[0] if self._own else None
        return [found for path in sorted(self._folder.glob(f"*{SUFFIX}")) if path != own and (found := _take(path))]

    def _close(self) -> None:
        if self._own is None:
            return
        path, descriptor = self._own
        if not self._open:
            path.unlink(missing_ok=True)
        os.close(descriptor)
        self._own = None


def try_out(folder: Path) -> None:
    """Make a file in a folder as a server does, and remove it.

    Raises:
        WrongConfiguration: it cannot be made, written or locked.
    """
    try:
        path, descriptor = _make(folder)
        path.unlink()  # while it is locked, or another process would take it for a dead process's
        os.close(descriptor)
    except OSError as error:
        raise WrongConfiguration(f"jobs.spool: {folder} cannot be used: {error.strerror}.") from error


def _make(folder: Path) -> tuple[Path, int]:
    """Make our file. It gets its name once it is locked, or another process would take it for a dead process's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = secrets.token_hex(8)
    new, path = folder / f".{name}{NEW_SUFFIX}", folder / f"{name}{SUFFIX}"
    descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    new.rename(path)
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return path, descriptor


def _sweep(folder: Path) -> None:
    """Remove files that a process made and did not live to name. Nothing is in them."""
    for path in folder.glob(f".*{NEW_SUFFIX}"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > UNNAMED_SECONDS:
                path.unlink()


def _take(path: Path) -> AbandonedSpool | None:
    """Lock the file of a dead process and read it; None if its owner lives, or another process was faster."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if os.fstat(descriptor).st_nlink == 0:
        os.close(descriptor)
        return None
    lines = [line for line in path.read_bytes().splitlines() if line]
    return AbandonedSpool(path, descriptor, [answer for line in lines if (answer := _read(line, path))])


def _read(line: bytes, path: Path) -> Answer | None:
    try:
        return _decoder.decode(line)
    except UNREADABLE_JSON as error:
        log.warning("spool.damaged_line", path=str(path), error=str(error))
        return None
