"""This process as other processes know it: its name, and that it is alive."""

import secrets
from collections.abc import Callable

import structlog

from adapter.domain.executions import LivingProcess
from adapter.domain.ports import Clock, RequestStore
from adapter.errors import StorageFailed

log = structlog.get_logger()

#: Renewals in the time of one lease.
BEATS_PER_LEASE = 5


class Liveness:
    """Renews the lease of this process in the database, while another process may ask whether it is alive.

    One lease stands for all that the process has: the pictures that it makes and the connections that wait for jobs.
    """

    def __init__(self, store: RequestStore, clock: Clock, lease: float) -> None:
        """Take the lease in seconds: for so long after its last renewal the process is believed to be alive."""
        self._store = store
        self._clock = clock
        self._holds: list[Callable[[], bool]] = []
        #: The name of this process, and its lease.
        self.process = LivingProcess(process=secrets.token_hex(16), lease=lease)

    @property
    def beat_seconds(self) -> float:
        """Seconds between two renewals."""
        return self.process.lease / BEATS_PER_LEASE

    def keep_while(self, holds: Callable[[], bool]) -> None:
        """Renew the lease as long as this says that there is something which other processes know."""
        self._holds.append(holds)

    async def run(self) -> None:
        """Renew the lease at every beat, until cancelled."""
        while True:
            await self._clock.sleep(self.beat_seconds)
            await self.tend()

    async def tend(self) -> None:
        """Do it once, if there is a reason."""
        if not any(holds() for holds in self._holds):
            return
        try:
            await self._store.keep_alive(self.process, now=self._clock.now())
        except StorageFailed as fault:
            log.warning("process.not_kept_alive", code=fault.code)
