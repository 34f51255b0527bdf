"""Why a database failed, as one word for `/ready`."""

import errno
import sqlite3

from adapter.errors import StorageReason

#: By SQLite's primary result code (sqlite.org/rescode.html).
OF_SQLITE = {
    sqlite3.SQLITE_BUSY: StorageReason.LOCKED,
    sqlite3.SQLITE_LOCKED: StorageReason.LOCKED,
    sqlite3.SQLITE_FULL: StorageReason.FULL,
    sqlite3.SQLITE_READONLY: StorageReason.READ_ONLY,
}
#: By PostgreSQL's SQLSTATE (its manual, appendix A): `disk_full`, `read_only_sql_transaction`, and the answer of a
#: standby to a statement that needs a transaction id.
OF_POSTGRESQL = {
    "53100": StorageReason.FULL,
    "25006": StorageReason.READ_ONLY,
    "55000": StorageReason.READ_ONLY,
}
#: PostgreSQL's `character_not_in_repertoire`: a text has a NUL in it, which no text there may have.
UNFIT_TEXT = "22021"
#: An extended result code of SQLite has the primary one in its lowest byte.
PRIMARY = 0xFF


class FileReplaced(OSError):
    """The database's file was removed or replaced while it was open."""


def reason_of(error: BaseException) -> StorageReason:
    """Return the reason of an error of SQLAlchemy or of a driver."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, FileReplaced):
        return StorageReason.REPLACED
    if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
        return StorageReason.FULL
    if isinstance(cause, sqlite3.Error):
        return OF_SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & PRIMARY, StorageReason.UNAVAILABLE)
    return OF_POSTGRESQL.get(_sqlstate(cause), StorageReason.UNAVAILABLE)


def is_of_the_text(error: BaseException) -> bool:
    """Say whether the database is well, and a text was sent to it that it cannot have."""
    return _sqlstate(getattr(error, "orig", None) or error) == UNFIT_TEXT


def _sqlstate(cause: BaseException) -> str:
    return getattr(cause, "sqlstate", None) or ""
