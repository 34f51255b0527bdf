"""Tells other processes how the credentials stand here, and learns which ones the operator disabled."""

import secrets
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from adapter.domain.credentials import CredentialState
from adapter.domain.ports import Clock, Credentials, CredentialStore
from adapter.errors import StorageFailed

log = structlog.get_logger()

#: Seconds between two looks into the database. A change of the operator is heard of so late at the most.
LOOK_SECONDS: Final = 2.0
#: Seconds after which an unchanged state is written again. The store forgets a process after three times as many.
TELL_SECONDS: Final = 20.0


class CredentialWatch:
    """Keeps the credentials of this process and the database alike."""

    def __init__(self, store: CredentialStore, credentials: Callable[[], Sequence[Credentials]], clock: Clock) -> None:
        """Take the store, what returns the credentials that are in use now, and the clock."""
        self._store = store
        self._credentials = credentials
        self._clock = clock
        self._process = secrets.token_hex(16)
        self._told: Sequence[CredentialState] = ()
        self._tell_at = 0.0
        self._failed = False

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Look once. While the database fails, the credentials stay as they are."""
        try:
            disabled = await self._store.disabled()
            for each in self._credentials():
                each.disable(disabled)
            await self._tell()
        except StorageFailed as fault:
            if not self._failed:  # once, and not every two seconds
                log.warning("credentials.not_compared", code=fault.code)
            self._failed = True
        else:
            self._failed = False

    async def close(self) -> None:
        """Take back what this process told."""
        try:
            await self._store.withdraw(self._process)
        except StorageFailed as fault:
            log.warning("credentials.not_withdrawn", code=fault.code)

    async def _tell(self) -> None:
        states, now = [state for each in self._credentials() for state in each.states()], self._clock.now()
        if states == self._told and now < self._tell_at:
            return
        await self._store.publish(self._process, states, now=now)
        self._told, self._tell_at = states, now + TELL_SECONDS
