"""The memory budget for large work."""

from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol


class Reservation(Protocol):
    """The memory that a piece of work has reserved."""

    async def wait_for_more(self, size: int) -> None:
        """Reserve so many bytes more; wait for them if need be.

        Raises:
            ServerBusy: they did not become free in time.
        """
        ...

    def keep(self) -> AbstractContextManager[None]:
        """Keep all of it while the context is open. It is given back when the last holder lets go."""
        ...

    def take_now(self, size: int) -> None:
        """Reserve so many bytes more, at once.

        Raises:
            ServerBusy: there are not as many free.
        """
        ...


class Budget(Protocol):
    """The memory budget for large work."""

    def reserve(self, size: int) -> AbstractAsyncContextManager[Reservation]:
        """Reserve so many bytes while the context is open; wait for them if need be.

        Raises:
            ServerBusy: they did not become free in time.
        """
        ...
