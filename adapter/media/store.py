"""The media store: a folder, a bucket or memory. The last two are a library's, obstore, and so are the lists."""

import asyncio
import errno
import re
import secrets
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore

from adapter.domain.media import MediaFormat
from adapter.domain.stored_files import StoredFile, file_name
from adapter.errors import FileDamaged, StorageFailed, StorageReason, WrongConfiguration
from adapter.media.folder import Folder
from adapter.media.s3 import Bucket, S3Access, s3_code

if TYPE_CHECKING:  # the library has it in its stubs only
    from obstore import ObjectMeta

log = structlog.get_logger()

#: What our names look like. Anything else is not looked for, so no name leads out of the store.
NAME = re.compile(r"[0-9A-Za-z_-]{1,64}\.[0-9a-z]{1,8}")

#: A file is read in steps of this size, so most videos are one: the library's own stream takes four times the CPU
#: (`dependencies.md` section 5). A reader that reads nothing holds one step.
STEP_BYTES = 4 * 1024 * 1024
#: Bytes that may wait for all readers. The less is left of these, the smaller are new steps, down to the smallest.
UNREAD_BYTES = 64 * 1024 * 1024
SMALL_STEP_BYTES = 64 * 1024
#: Pieces of a new file are joined to this size: the library's threads ask the event loop for each.
JOINED_BYTES = 1024 * 1024
#: Reads of a bucket at once.
BUCKET_READS = 512

#: What is sent to a bucket at once. A file up to this size is one request instead of three.
PIECE_BYTES = 5 * 1024 * 1024
#: Pieces of one file on their way at once; each is held in memory.
PIECES = 3

#: The size of a probe's file is more than the free end of a block.
PROBE_BYTES = 64 * 1024

#: How the library quotes an error of the system.
SYSTEM_ERROR = re.compile(r"\(os error ([0-9]{1,5})\)")
#: EFBIG: a limit of the process (`ulimit -f`).
REASONS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), StorageReason.FULL),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), StorageReason.READ_ONLY),
}

#: Files that are listed at once: a page of S3's own.
PAGE = 1000


class ObjectMediaStore:
    """Files in an object store (the port `MediaStore`).

    A put becomes visible whole or not at all: a folder writes beside and renames, and the library completes a multipart
    upload, or aborts it when the source fails. One that the end of the process cut off leaves a `NAME#N` in the folder,
    which a later start sweeps up, or an unfinished upload in the bucket, which is a lifecycle rule's to remove.
    """

    def __init__(self, objects: ObjectStore, place: Folder | Bucket | None = None) -> None:
        self._objects = objects
        self._place = place
        #: Bytes that were read and not yet taken.
        self._unread = 0
        self._reads = asyncio.Semaphore(BUCKET_READS)

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Store a file (the port of that name). When this returns, a power cut does not take it away any more."""
        with _mapped_errors("put"):
            if isinstance(self._place, Folder):
                await self._place.put(name, chunks)
            elif isinstance(self._place, Bucket):
                await self._upload(name, _in_steps(chunks))
            else:
                await self._objects.put_async(name, _in_steps(chunks))

    async def _upload(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        head = bytearray()
        async for chunk in chunks:
            head += chunk
            if len(head) > PIECE_BYTES:
                break
        known = MediaFormat.of_name(name)
        await self._objects.put_async(
            name,
            _joined(head, chunks) if len(head) > PIECE_BYTES else head,
            attributes={"Content-Type": known.mime if known else "application/octet-stream"},
            chunk_size=PIECE_BYTES,
            max_concurrency=PIECES,
        )

    async def find(self, name: str) -> StoredFile | None:
        """Return a file (the port of that name)."""
        if NAME.fullmatch(name) is None:
            return None
        with _mapped_errors("find"):
            if isinstance(self._place, Folder):
                return await self._place.find(name)
            try:
                async with self._reads:
                    meta = await self._objects.head_async(name)
            except FileNotFoundError:
                return None
        return _stored_file(meta)

    async def read(self, name: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield a range (the port of that name)."""
        position = start
        while position < end:
            step = max(SMALL_STEP_BYTES, STEP_BYTES * (UNREAD_BYTES - self._unread) // UNREAD_BYTES)
            stop = min(end, position + step)
            self._unread += stop - position
            try:
                yield await self._read(name, position, stop, end)
            finally:
                self._unread -= stop - position
            position = stop

    async def _read(self, name: str, start: int, stop: int, end: int) -> bytes:
        with _mapped_errors("read"):
            piece = await self._range(name, start, stop)
        if len(piece) < stop - start:
            # Its text has no name of the file, which opens the file's link.
            log.error("media.too_short", stored_bytes=start + len(piece), asked_bytes=end)
            raise FileDamaged("The stored file is damaged.")
        return piece

    async def _range(self, name: str, start: int, stop: int) -> bytes:
        if isinstance(self._place, Folder):
            return await self._place.read(name, start, stop)
        async with self._reads:
            # A copy: the library's own buffers cost more to keep, because each is made of fresh pages.
            return bytes(await self._objects.get_range_async(name, start=start, end=stop))

    async def list(self) -> AsyncIterator[Sequence[StoredFile]]:
        """Yield every file (the port of that name). What does not look like a name of ours is left out."""
        pages = aiter(self._objects.list(chunk_size=PAGE))
        while True:
            with _mapped_errors("list"):
                page = await anext(pages, None)
            if page is None:
                return
            yield [_stored_file(meta) for meta in page if NAME.fullmatch(meta["path"])]

    async def delete(self, names: Collection[str]) -> None:
        """Forget files (the port of that name)."""
        with _mapped_errors("delete"):
            try:
                await self._objects.delete_async([*names])
            except FileNotFoundError:  # a folder stops at the first one that is gone
                for name in names:
                    with suppress(FileNotFoundError):
                        await self._objects.delete_async(name)

    async def probe(self) -> None:
        """Store a small file and delete it, for `/ready`. Several processes may do so at once.

        Raises:
            StorageFailed: the store does not take it.
        """
        # One that the end of a process leaves behind is deleted like every file that should have a row and has none.
        name = file_name(secrets.token_hex(16), MediaFormat.PNG, "probe")
        await self.put(name, _once(bytes(PROBE_BYTES)))
        await self.delete([name])

    async def try_out(self) -> None:
        """Put, find, list and delete a file of no meaning.

        Raises:
            WrongConfiguration: one of them is refused; the message says which setting is wrong.
        """
        name = f"adapter-check-{secrets.token_hex(8)}.txt"
        try:
            await self._objects.put_async(name, b"It may be deleted.")
            await self._objects.head_async(name)
            await anext(aiter(self._objects.list(chunk_size=1)), None)
            await self._objects.delete_async(name)
        except (OSError, BaseError) as error:
            raise WrongConfiguration(self._explain(error)) from error

    def _explain(self, error: Exception) -> str:
        if isinstance(self._place, Bucket):
            return self._place.explain(error)
        place = self._place.path if self._place else "memory"
        return f"storage.media: files cannot be written to {place}."


def _stored_file(meta: "ObjectMeta") -> StoredFile:
    return StoredFile(
        name=meta["path"],
        size=meta["size"],
        etag=meta["e_tag"] or "",
        modified_at=meta["last_modified"].timestamp(),
    )


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _in_steps(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the same bytes in fewer pieces."""
    step: list[bytes] = []
    size = 0
    async for chunk in chunks:
        step.append(chunk)
        size += len(chunk)
        if size >= JOINED_BYTES:
            yield b"".join(step)
            step.clear()
            size = 0
    if step:
        yield b"".join(step)


async def _joined(head: bytearray, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield bytes(head)
    async for chunk in rest:
        yield chunk


@contextmanager
def _mapped_errors(doing: str) -> Iterator[None]:
    try:
        yield
    except (OSError, BaseError) as error:
        # Its text has the name of the file, which opens the file's link.
        reason = _reason_of(error)
        log.error("media.failed", doing=doing, error=type(error).__name__, code=s3_code(error), reason=reason)  # noqa: TRY400
        raise StorageFailed(
            "The server cannot reach its files at the moment. Ask again shortly.", reason=reason
        ) from error


def _reason_of(error: OSError | BaseError) -> StorageReason:
    number = error.errno if isinstance(error, OSError) else None
    if number is None and (found := SYSTEM_ERROR.search(str(error))):
        number = int(found[1])
    return REASONS.get(number or 0, StorageReason.UNAVAILABLE)


def open_media(url: str, access: S3Access | None = None) -> ObjectMediaStore:
    """Open `file://folder` (made if it is missing), `s3://bucket/folder` or `memory://`.

    Raises:
        WrongConfiguration: any other kind of address.
    """
    kind, _, place = url.partition("://")
    match kind:
        case "file" if place:
            folder = Folder(Path(place).expanduser().resolve())
            try:
                folder.make()
            except OSError as error:
                raise WrongConfiguration(f"storage.media: {folder.path} cannot be made: {error.strerror}.") from error
            folder.sweep()
            return ObjectMediaStore(LocalStore(folder.path), folder)
        case "s3":
            bucket = Bucket.of(place, access or S3Access())
            return ObjectMediaStore(bucket.open(), bucket)
        case "memory":
            return ObjectMediaStore(MemoryStore())
        case _:
            raise WrongConfiguration(f"storage.media is '{url}'; it has to be file://FOLDER or s3://BUCKET/FOLDER.")
