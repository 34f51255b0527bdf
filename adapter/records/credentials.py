"""How the operator's credentials stand in each process, and which ones he disabled."""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec
import structlog
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from adapter.database.engine import Database
from adapter.database.prepared import Prepared
from adapter.database.tables import CREDENTIAL_STATES, DISABLED_CREDENTIALS
from adapter.domain.credentials import CredentialName, CredentialState

log = structlog.get_logger()

#: Seconds after which a process that told nothing is believed to be dead. `generation/credential_watch.py` tells more
#: often.
STALE_SECONDS: Final = 60.0

_disabled = Prepared(select(DISABLED_CREDENTIALS.c.provider, DISABLED_CREDENTIALS.c.name))
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(tuple[CredentialState, ...])


class SqlCredentialStore:
    """Credentials in the database (the port `CredentialStore`). No secret is in it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def disabled(self) -> Collection[CredentialName]:
        """Return the credentials that the operator disabled (the port of that name)."""
        rows = await self._database.look_up(lambda connection: _disabled.rows(connection, {}))
        return {CredentialName(provider, name) for provider, name in rows}

    async def disable(self, name: CredentialName, *, now: float) -> bool:
        """Give a credential no new work from now on, and return whether it had any before."""
        row = DISABLED_CREDENTIALS.insert().values(provider=name.provider, name=name.name, disabled_at=now)
        try:
            await self._database.write(lambda connection: connection.execute(row))
        except IntegrityError:
            return False
        return True

    async def enable(self, name: CredentialName) -> bool:
        """Give a credential new work again, and return whether it was disabled."""
        rows = DISABLED_CREDENTIALS
        row = delete(rows).where(rows.c.provider == name.provider, rows.c.name == name.name)
        return await self._database.write(lambda connection: connection.execute(row).rowcount) > 0

    async def publish(self, process: str, states: Sequence[CredentialState], *, now: float) -> None:
        """Replace what a process told before (the port of that name)."""
        rows, there = CREDENTIAL_STATES, now + self._database.clock_offset
        told = {"written_at": there, "document": _encoder.encode(states)}
        replace = update(rows).where(rows.c.process == process).values(told)
        add = rows.insert().values(process=process, **told)
        forget = delete(rows).where(rows.c.written_at < there - STALE_SECONDS)

        def write(connection: Connection) -> None:
            if connection.execute(replace).rowcount == 0:
                connection.execute(add)
            connection.execute(forget)

        await self._database.write(write)

    async def withdraw(self, process: str) -> None:
        """Forget what a process told (the port of that name)."""
        row = delete(CREDENTIAL_STATES).where(CREDENTIAL_STATES.c.process == process)
        await self._database.write(lambda connection: connection.execute(row))

    async def states(self, *, now: float) -> Sequence[CredentialState]:
        """Return what all living processes tell."""
        since = now + self._database.clock_offset - STALE_SECONDS
        documents = select(CREDENTIAL_STATES.c.document).where(CREDENTIAL_STATES.c.written_at >= since)
        found = await self._database.read(lambda connection: connection.execute(documents).scalars().all())
        return [state for document in found for state in _read(document)]


def _read(document: bytes) -> Sequence[CredentialState]:
    """Return what a process wrote; one of another version may write what cannot be read."""
    try:
        return _decoder.decode(document)
    except msgspec.DecodeError as error:
        log.warning("credentials.unreadable", error=str(error))
        return ()
