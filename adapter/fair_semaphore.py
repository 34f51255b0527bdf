"""A semaphore that is fair between owners: who waits with many pieces of work does not hold up who waits with one."""

from asyncio import CancelledError, Event
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairSemaphore:
    """Admits so many pieces of work at once. A free place goes to the owner with the fewest; then, in turn.

    An owner that is alone may have all places.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._admitted: Counter[str] = Counter()
        #: Those that wait, by owner. The owner that was admitted last stands at the end.
        self._waiting: dict[str, deque[Event]] = {}

    @asynccontextmanager
    async def admit(self, owner: str) -> AsyncIterator[None]:
        """Wait for a place, and keep it while the context is open."""
        await self._enter(owner)
        try:
            yield
        finally:
            self._leave(owner)

    async def _enter(self, owner: str) -> None:
        if self._free and not self._waiting:
            self._take(owner)
            return
        admitted = Event()
        self._waiting.setdefault(owner, deque()).append(admitted)
        try:
            await admitted.wait()
        except CancelledError:
            if admitted.is_set():
                self._leave(owner)
            else:
                self._forget(owner, admitted)
            raise

    def _take(self, owner: str) -> None:
        self._free -= 1
        self._admitted[owner] += 1

    def _leave(self, owner: str) -> None:
        self._free += 1
        self._admitted[owner] -= 1
        if not self._admitted[owner]:
            del self._admitted[owner]
        if self._waiting:
            following = min(self._waiting, key=lambda one: self._admitted[one])
            admitted = self._waiting[following][0]
            self._forget(following, admitted)
            if following in self._waiting:
                self._waiting[following] = self._waiting.pop(following)
            self._take(following)
            admitted.set()

    def _forget(self, owner: str, admitted: Event) -> None:
        self._waiting[owner].remove(admitted)
        if not self._waiting[owner]:
            del self._waiting[owner]
