"""The memory for large work."""

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol


class Reservation(Protocol):
    """What a piece of work has taken of the memory for large work."""

    async def wait_for_more(self, size: int) -> None:
        """Take so many bytes more; wait for them if need be.

        Raises:
            ServerBusy: they did not become free in time.
        """
        ...

    def keep(self) -> AbstractContextManager[None]:
        """Hold all of it for as long as the context is open: it is given back when the last holder lets go."""
        ...

    def take_now(self, size: int) -> None:
        """Take so many bytes more, at once.

        Raises:
            ServerBusy: there are not as many free.
        """
        ...


class Budget(Protocol):
    """The memory for large work."""

    def reserve(self, size: int) -> AbstractAsyncContextManager[Reservation]:
        """Take so many bytes for as long as the context is open; wait for them if need be.

        Raises:
            ServerBusy: they did not become free in time.
        """
        ...
