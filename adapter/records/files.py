"""The files that clients gave us. Rows become files here and nowhere else."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Row, and_, delete, or_, select, update

from adapter.database.engine import Database
from adapter.database.paging import in_order, is_behind
from adapter.database.tables import FILES
from adapter.domain.paging import Page
from adapter.domain.records import DeletedEntry, UploadedFile
from adapter.domain.stored_files import stem_of

COLUMNS = [FILES.c[name] for name in UploadedFile.__struct_fields__]


class SqlFileStore:
    """Files in a database (the port `FileStore`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, file: UploadedFile) -> None:
        """Remember a file (the port of that name)."""
        columns = {name: getattr(file, name) for name in UploadedFile.__struct_fields__}
        adding = FILES.insert().values(**columns, stem=stem_of(file.name))
        await self._database.write(lambda connection: connection.execute(adding))

    async def find(self, file_id: str, owner: str, *, now: float) -> UploadedFile | None:
        """Return a file to its owner (the port of that name)."""
        return await self._one(_is(file_id, owner), _is_there(now))

    async def locate(self, picture_id: str, owner: str, *, now: float) -> str | None:
        """Return the name of a file's bytes (the port of that name)."""
        file = await self.find(picture_id, owner, now=now)
        return None if file is None else file.name

    async def place(self, file_id: str, owner: str) -> UploadedFile | None:
        """Return the end of a page (the port of that name)."""
        return await self._one(_is(file_id, owner))

    async def _one(self, *conditions: ColumnElement[bool]) -> UploadedFile | None:
        found = select(*COLUMNS).where(*conditions)
        row = await self._database.read(lambda connection: connection.execute(found).one_or_none())
        return None if row is None else _file(row)

    async def list(
        self, owner: str, page: Page[UploadedFile], *, purpose: str | None = None, now: float
    ) -> Sequence[UploadedFile]:
        """Return a page (the port of that name)."""
        listed = select(*COLUMNS).where(FILES.c.owner == owner, _is_there(now)).limit(page.limit)
        if purpose is not None:
            listed = listed.where(FILES.c.purpose == purpose)
        if page.after is not None:
            last = page.after.created_at, page.after.id
            listed = listed.where(is_behind(FILES, last, newest_first=page.newest_first))
        listed = listed.order_by(*in_order(FILES, newest_first=page.newest_first))
        return [_file(row) for row in await self._database.read(lambda connection: connection.execute(listed).all())]

    async def delete(self, file_id: str, owner: str, *, now: float) -> UploadedFile | None:
        """Hide a file (the port of that name)."""
        hiding = update(FILES).where(_is(file_id, owner), _is_there(now)).values(deleted_at=now).returning(*COLUMNS)
        row = await self._database.write(lambda connection: connection.execute(hiding).one_or_none())
        return None if row is None else _file(row)

    async def keeps(self, stems: Collection[str]) -> Collection[str]:
        """Return the stems that are files' (the port of that name)."""
        kept = select(FILES.c.stem).where(FILES.c.stem.in_(stems))
        return set(await self._database.read(lambda connection: connection.execute(kept).scalars().all()))

    async def deleted_entries(self, *, before: float, limit: int) -> Sequence[DeletedEntry]:
        """Return what was deleted or has expired (the port of that name)."""
        is_gone = or_(FILES.c.deleted_at < before, FILES.c.expires_at < before)
        gone = select(FILES.c.id, FILES.c.name).where(is_gone).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(gone).all())
        return [DeletedEntry(file_id, (name,)) for file_id, name in rows]

    async def forget(self, ids: Collection[str]) -> None:
        """Remove rows (the port of that name)."""
        forgetting = delete(FILES).where(FILES.c.id.in_(ids))
        await self._database.write(lambda connection: connection.execute(forgetting))


def _is(file_id: str, owner: str) -> ColumnElement[bool]:
    return and_(FILES.c.id == file_id, FILES.c.owner == owner)


def _is_there(now: float) -> ColumnElement[bool]:
    return and_(FILES.c.deleted_at.is_(None), or_(FILES.c.expires_at.is_(None), FILES.c.expires_at > now))


def _file(row: Row[tuple[object, ...]]) -> UploadedFile:
    return UploadedFile(**row._asdict())
