"""What is asked often stays fast while the tables grow: each such question has an index that answers it."""

from collections.abc import Iterator, Sequence

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

#: Rows that are read, and given their stem, at once.
BATCH = 1000

_JOBS = sa.table(
    "jobs", sa.column("id", sa.String), sa.column("document", sa.LargeBinary), sa.column("stem", sa.String)
)


class _Stemmed(msgspec.Struct):
    stem: str


def upgrade() -> None:
    """Make them. The files of a job are found by its stem, which was in its document alone."""
    op.add_column("jobs", sa.Column("stem", sa.String(32)))
    _fill()
    op.create_index("jobs_stems", "jobs", ["stem"])
    op.drop_index("jobs_measured", "jobs")
    there = sa.text("took_seconds IS NOT NULL")
    op.create_index("jobs_measured", "jobs", ["model", "finished_at"], postgresql_where=there, sqlite_where=there)
    op.create_index("jobs_states", "jobs", ["state", "finished_at"])


def _fill() -> None:
    connection = op.get_bind()
    filling = sa.update(_JOBS).where(_JOBS.c.id == sa.bindparam("job")).values(stem=sa.bindparam("found"))
    for rows in _documents(connection):
        if found := [{"job": job_id, "found": stem} for job_id, document in rows if (stem := _stem(document))]:
            connection.execute(filling, found)


def _documents(connection: sa.Connection) -> Iterator[Sequence[tuple[str, bytes]]]:
    last = ""
    page = sa.select(_JOBS.c.id, _JOBS.c.document).order_by(_JOBS.c.id).limit(BATCH)
    while rows := connection.execute(page.where(_JOBS.c.id > last)).all():
        yield [(row.id, row.document) for row in rows]
        last = rows[-1].id


def _stem(document: bytes) -> str | None:
    """Return the stem of a job; one that cannot be read keeps none, and is read again whenever it matters."""
    try:
        return msgspec.json.decode(document, type=_Stemmed).stem
    except msgspec.DecodeError:
        return None


def downgrade() -> None:
    """Undo it."""
    op.drop_index("jobs_states", "jobs")
    op.drop_index("jobs_measured", "jobs")
    op.create_index("jobs_measured", "jobs", ["model", "finished_at"])
    op.drop_index("jobs_stems", "jobs")
    op.drop_column("jobs", "stem")
