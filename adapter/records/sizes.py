"""The sizes that files had when they were stored."""

import msgspec
import structlog
from sqlalchemy import bindparam, select

from adapter.database.engine import Database
from adapter.database.tables import JOBS, RESPONSES
from adapter.domain.job import StoredVideo
from adapter.domain.stored_files import StoredImage, stem_of

log = structlog.get_logger()


class _Sized(msgspec.Struct):
    """The parts of a job's or a response's document that have files."""

    media: StoredVideo | None = None
    drawn: StoredImage | None = None
    stem: str = ""

    @property
    def names(self) -> list[str]:
        return [name for name in (self.media and self.media.video, self.drawn and self.drawn.name) if name]

    def size_of(self, name: str) -> int | None:
        if self.media is not None and self.media.video == name:
            return self.media.size
        if self.drawn is not None and self.drawn.name == name:
            return self.drawn.known_size
        return None


_decoder = msgspec.json.Decoder(_Sized)

SIZED = (
    select(JOBS.c.document)
    .where(JOBS.c.stem == bindparam("name"))
    .union_all(select(RESPONSES.c.document).where(RESPONSES.c.stem == bindparam("name")))
)


class SqlFileSizes:
    """The sizes of the files of jobs and responses (the port `FileSizes`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def size_of(self, name: str) -> int | None:
        """Return the size of a file as it was stored (the port of that name)."""
        asked = {"name": stem_of(name)}
        found = await self._database.read(lambda connection: connection.execute(SIZED, asked).scalars().all())
        sizes = [size for document in found if (size := _read(document).size_of(name)) is not None]
        return sizes[0] if sizes else None


def read_files(document: bytes) -> list[str]:
    """Return the names of the video and the picture in the document of a job or a response."""
    return _read(document).names


def stem_in(document: bytes) -> str:
    """Return the stem in the document of a job; a row that cannot be read has none."""
    return _read(document).stem


def _read(document: bytes) -> _Sized:
    """Return the files of a row; a row that cannot be read has none."""
    try:
        return _decoder.decode(document)
    except msgspec.DecodeError as error:
        log.error("files.size_unreadable", error=str(error))  # noqa: TRY400 - the text says where
        return _Sized()
