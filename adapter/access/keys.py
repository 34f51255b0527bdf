"""Keys that the operator hands out. Only their digests are kept; a key itself is shown once."""

import hashlib
import secrets
from collections.abc import Sequence

import msgspec
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from adapter.database.engine import Database, reading, writing
from adapter.database.tables import KEYS
from adapter.errors import InvalidRequest, NotFound

#: Longest name of a key: `key:NAME` is the owner of jobs, and has a column of 64 characters.
LONGEST_NAME = 60
#: Tells a person, and a scanner of repositories, what the thing is.
PREFIX = "sk-adapter-"
#: Stands before the name of a key where it is the owner of something.
MADE = "key:"


class KeyRecord(msgspec.Struct, frozen=True):
    """What is remembered of a key. Times are Unix seconds."""

    name: str
    created_at: float
    revoked_at: float | None


class SqlKeyStore:
    """Keys in the database (the port `KeyStore`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, name: str, *, now: float) -> str:
        """Make a key of 256 random bits and return it: the only time that it can be seen.

        Raises:
            InvalidRequest: there is, or was, a key of that name; or the name is too long.
        """
        if len(name) > LONGEST_NAME:
            raise InvalidRequest(f"The name of a key has up to {LONGEST_NAME} characters.")
        key = PREFIX + secrets.token_urlsafe(32)
        try:
            async with writing(self._database) as connection:
                await connection.execute(KEYS.insert().values(name=name, digest=digest(key), created_at=now))
        except IntegrityError as error:
            raise InvalidRequest(f"There is already a key named '{name}'.") from error
        return key

    async def owner(self, key: str) -> str | None:
        """Return who a key belongs to (the port of that name).

        It is found by its digest: what an attacker could learn from the time of the search is of no use without
        another key of the same digest.
        """
        found = select(KEYS.c.name).where(KEYS.c.digest == digest(key), KEYS.c.revoked_at.is_(None))
        async with reading(self._database) as connection:
            name = (await connection.execute(found)).scalar_one_or_none()
        return None if name is None else f"{MADE}{name}"

    async def all(self) -> Sequence[KeyRecord]:
        """Return every key there ever was, oldest first."""
        columns = select(KEYS.c.name, KEYS.c.created_at, KEYS.c.revoked_at).order_by(KEYS.c.created_at)
        async with reading(self._database) as connection:
            return [KeyRecord(*row) for row in await connection.execute(columns)]

    async def revoke(self, name: str, *, now: float) -> None:
        """Let a key open nothing any more, from the next request on.

        Raises:
            NotFound: no key of that name, or it was revoked before.
        """
        revoking = update(KEYS).where(KEYS.c.name == name, KEYS.c.revoked_at.is_(None)).values(revoked_at=now)
        async with writing(self._database) as connection:
            if (await connection.execute(revoking)).rowcount == 0:
                raise NotFound(f"There is no key named '{name}' that could be revoked.")


def digest(key: str) -> str:
    """Return what is kept of a key. 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()
