"""Keys that the operator hands out. Only their digests are kept; a key itself is shown once."""

import hashlib
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Update, and_, or_, select, update
from sqlalchemy.exc import IntegrityError

from adapter.database.engine import Database
from adapter.database.tables import KEYS
from adapter.domain.allowance import UNLIMITED, Allowance
from adapter.domain.principal import Principal
from adapter.errors import InvalidRequest, NotFound

#: Longest name of a key: `key:NAME` is the owner of jobs, and has a column of 64 characters.
LONGEST_NAME = 60
#: Tells a person, and a scanner of repositories, what the thing is.
PREFIX = "sk-adapter-"
#: Stands before the name of an owner.
MADE = "key:"

RECORDS = select(KEYS.c.name, KEYS.c.created_at, KEYS.c.revoked_at, KEYS.c.owner, KEYS.c.allowance)

_decoder = msgspec.json.Decoder(Allowance)


class KeyRecord(msgspec.Struct, frozen=True):
    """What is remembered of a key. Times are Unix seconds."""

    name: str
    created_at: float
    revoked_at: float | None
    #: The owner of what it makes.
    owner: str
    allowance: Allowance = UNLIMITED


class SqlKeyStore:
    """Keys in the database (the port `KeyStore`)."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        """Take the database, and the clock by which a rotated key ends."""
        self._database = database
        self._clock = clock

    async def create(self, name: str, *, now: float, owner: str | None = None, allowance: Allowance = UNLIMITED) -> str:
        """Make a key of 256 random bits and return it: the only time that it can be seen.

        What it makes belongs to `owner`, or to its name. Several keys may have one owner; each has its own limits. The
        name of a revoked key is given again only with an owner: else a stranger of that name would see its videos.

        Raises:
            InvalidRequest: there is, or was, a key of that name; or the name or the owner is none.
        """
        for text in (name, name if owner is None else owner):
            _check_name(text)
        key = _new_key()
        values = {"digest": digest(key), "created_at": now, "owner": owner, "allowance": _stored(allowance)}

        def write(connection: Connection) -> None:
            if owner is None or connection.execute(_again(name, values)).rowcount == 0:
                connection.execute(KEYS.insert().values(name=name, **values))

        try:
            await self._database.write(write)
        except IntegrityError as error:
            raise await self._name_taken(name) from error
        return key

    async def _name_taken(self, name: str) -> InvalidRequest:
        if (await self.find(name)).revoked_at is None:
            return InvalidRequest(f"There is already a key named '{name}'. `keys rotate {name}` replaces it.")
        return InvalidRequest(
            f"There was a key named '{name}', which is revoked. Say whose the new one is: with `--owner {name}` it "
            "sees everything that belongs to that owner."
        )

    async def rotate(self, name: str, *, now: float, keep_seconds: float = 0.0) -> str:
        """Replace a key and return the new one. Everything stays with its owner.

        The old key is valid for `keep_seconds` more, so that its clients can change over. A second rotation ends it.

        Raises:
            NotFound: no key of that name, or it was revoked.
        """
        key = _new_key()
        rotating = (
            update(KEYS)
            .where(KEYS.c.name == name, KEYS.c.revoked_at.is_(None))
            .values(digest=digest(key), earlier_digest=KEYS.c.digest, earlier_until=now + keep_seconds)
        )
        if await self._database.write(lambda connection: connection.execute(rotating).rowcount) == 0:
            raise NotFound(f"There is no key named '{name}' that could be rotated.")
        return key

    async def principal(self, key: str) -> Principal | None:
        """Return who a key belongs to, and what it may do (the port of that name). It may have expired.

        It is found by its digest: what an attacker could learn from the time of the search is of no use without
        another key of the same digest.
        """
        shown = digest(key)
        is_earlier = and_(KEYS.c.earlier_digest == shown, KEYS.c.earlier_until > self._clock())
        is_shown = or_(KEYS.c.digest == shown, is_earlier)
        columns = select(KEYS.c.name, KEYS.c.owner, KEYS.c.allowance)
        found = columns.where(is_shown, KEYS.c.revoked_at.is_(None))
        row = await self._database.read(lambda connection: connection.execute(found).one_or_none())
        if row is None:
            return None
        owner = owner_named(row.owner or row.name)
        return Principal(owner=owner, key=row.name, allowance=_read(row.allowance))

    async def digests(self) -> Collection[str]:
        """Return the digests of keys that may be valid (the port of that name)."""
        found = select(KEYS.c.digest, KEYS.c.earlier_digest).where(KEYS.c.revoked_at.is_(None))
        rows = await self._database.read(lambda connection: connection.execute(found).all())
        return {shown for row in rows for shown in row if shown is not None}

    async def all(self) -> Sequence[KeyRecord]:
        """Return every key there ever was, oldest first."""
        found = RECORDS.order_by(KEYS.c.created_at)
        return [_record(row) for row in await self._database.read(lambda connection: connection.execute(found).all())]

    async def find(self, name: str) -> KeyRecord:
        """Return what is remembered of a key.

        Raises:
            NotFound: no key of that name.
        """
        found = RECORDS.where(KEYS.c.name == name)
        row = await self._database.read(lambda connection: connection.execute(found).one_or_none())
        if row is None:
            raise NotFound(f"There is no key named '{name}'.")
        return _record(row)

    async def allow(self, name: str, allowance: Allowance) -> None:
        """Change what a key may do, from its next request on.

        Raises:
            NotFound: no key of that name.
        """
        allowing = update(KEYS).where(KEYS.c.name == name).values(allowance=_stored(allowance))
        if await self._database.write(lambda connection: connection.execute(allowing).rowcount) == 0:
            raise NotFound(f"There is no key named '{name}'.")

    async def revoke(self, name: str, *, now: float) -> None:
        """Let a key open nothing any more, from the next request on.

        Raises:
            NotFound: no key of that name, or it was revoked before.
        """
        revoking = update(KEYS).where(KEYS.c.name == name, KEYS.c.revoked_at.is_(None)).values(revoked_at=now)
        if await self._database.write(lambda connection: connection.execute(revoking).rowcount) == 0:
            raise NotFound(f"There is no key named '{name}' that could be revoked.")


def _again(name: str, values: Mapping[str, object]) -> Update:
    """Return the statement that gives the name of a revoked key to a new one."""
    ended = {"revoked_at": None, "earlier_digest": None, "earlier_until": None}
    return update(KEYS).where(KEYS.c.name == name, KEYS.c.revoked_at.is_not(None)).values({**values, **ended})


def _check_name(name: str) -> None:
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise InvalidRequest(
            f"The name of a key or an owner has 1 to {LONGEST_NAME} characters, all visible, and no blank at an end."
        )


def _record(row: Row[Any, Any, Any, Any, Any]) -> KeyRecord:
    return KeyRecord(
        name=row.name,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        owner=row.owner or row.name,
        allowance=_read(row.allowance),
    )


def _stored(allowance: Allowance) -> bytes | None:
    return None if allowance == UNLIMITED else msgspec.json.encode(allowance)


def _read(stored: bytes | None) -> Allowance:
    return UNLIMITED if stored is None else _decoder.decode(stored)


def owner_named(name: str) -> str:
    """Return the owner of a name: no name is the digest of a key."""
    return f"{MADE}{name}"


def _new_key() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def digest(key: str) -> str:
    """Return what is kept of a key. 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()
