"""Files that clients upload once and name again in later requests. Pictures are what this server can use."""

import secrets
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

import msgspec
import structlog

from adapter.domain.ids import Id, no_such_file
from adapter.domain.orders import FileIdSource, ImageOrder, Source, StoredSource, VideoDraft
from adapter.domain.paging import Page
from adapter.domain.pieces import write_whole
from adapter.domain.ports import Clock, FileStore, ImageLocator, MediaStore
from adapter.domain.records import Upload, UploadedFile
from adapter.domain.stored_files import file_name
from adapter.errors import InvalidRequest, NotFound, StorageFailed
from adapter.generation.files import check_whole

log = structlog.get_logger()

_Order = TypeVar("_Order", bound=ImageOrder | VideoDraft)


class Uploads:
    """Takes them, shows them to their owner, and lets orders work from them."""

    def __init__(
        self, files: FileStore, media: MediaStore, clock: Clock, locators: Sequence[ImageLocator] = ()
    ) -> None:
        """Take where the files are, and other shelves that have pictures with an id."""
        self._files = files
        self._locators = (files, *locators)
        self._media = media
        self._clock = clock

    async def take(self, given: Upload, owner: str) -> UploadedFile:
        """Keep a picture; it can be used as soon as this returns."""
        now = self._clock.now()
        file = UploadedFile(
            id=Id.FILE.new(),
            owner=owner,
            filename=given.filename,
            purpose=given.purpose,
            size=len(given.data),
            name=file_name(secrets.token_hex(16), given.format, "upload"),
            created_at=now,
            expires_at=None if given.lifetime is None else now + given.lifetime,
        )
        await write_whole(self._media, file.name, given.data)
        await self._files.add(file)
        return file

    async def find(self, file_id: str, owner: str) -> UploadedFile:
        """Return a file to its owner.

        Raises:
            NotFound: this owner has none of that id.
        """
        file = await self._files.find(file_id, owner, now=self._clock.now())
        if file is None:
            raise _not_found(file_id)
        return file

    async def list(
        self, owner: str, page: Page[str], purpose: str | None = None
    ) -> tuple[Sequence[UploadedFile], bool]:
        """Return a page of this owner's files, and whether there are more behind it.

        Raises:
            InvalidRequest: the page begins after a file that this owner never had.
        """
        # A deleted file still has its place: a client that deletes while it turns pages finds the next page.
        last = None if page.after is None else await self._files.place(page.after, owner)
        if page.after is not None and last is None:
            raise InvalidRequest(f"There is no file '{page.after}' to go on after.", param="after")
        found = await self._files.list(owner, page.behind(last).and_one, purpose=purpose, now=self._clock.now())
        return found[: page.limit], len(found) > page.limit > 0

    async def delete(self, file_id: str, owner: str) -> None:
        """Forget a file for ever, its bytes at once if the media store lets us, else with the sweeper's next round.

        Raises:
            NotFound: this owner has none of that id.
        """
        file = await self._files.delete(file_id, owner, now=self._clock.now())
        if file is None:
            raise _not_found(file_id)
        try:
            await self._media.delete([file.name])
        except StorageFailed as fault:
            log.warning("files.bytes_left", file_id=file_id, code=fault.code)

    async def open(self, file: UploadedFile) -> AsyncIterator[bytes]:
        """Return what yields a file's bytes.

        Raises:
            NotFound: the bytes are gone.
            FileDamaged: the file is shorter than it was.
        """
        found = await self._media.find(file.name)
        if found is None:
            raise _not_found(file.id)
        return self._media.read(check_whole(found, file.size).name, 0, file.size)

    async def resolved(self, order: _Order, owner: str) -> _Order:
        """Return an order with its pictures by id found, among those of this owner only.

        Raises:
            InvalidRequest: there is no such file.
        """
        if not any(isinstance(source, FileIdSource) for source in order.sources):
            return order
        sources = tuple([await self._kept(source, owner) for source in order.sources])
        return msgspec.structs.replace(order, sources=sources)

    async def _kept(self, source: Source, owner: str) -> Source:
        if not isinstance(source, FileIdSource):
            return source
        for locator in self._locators:
            name = await locator.locate(source.file_id, owner, now=self._clock.now())
            if name is not None:
                return StoredSource(name, source.param, source.advice)
        raise no_such_file(source.file_id, source.param, source.advice)


def _not_found(file_id: str) -> NotFound:
    return NotFound(f"There is no file '{file_id}' here.", param="id")
