"""The memory budget for large work."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol

import msgspec


class Portion(Protocol):
    """A part of a reservation that is given back before the rest."""

    def keep(self, size: int) -> None:
        """Keep so many bytes of it with the rest. More than all of it is all of it."""
        ...


class Reservation(Protocol):
    """The memory that a piece of work has reserved."""

    async def wait_for_more(self, size: int, *, room: int = 0) -> None:
        """Reserve so many bytes more, once at least `room` bytes are free. A body reserves step by step what it needs.

        Raises:
            ServerBusy: they did not become free in time, or others have a right to what the work holds.
        """
        ...

    def part(self, size: int) -> AbstractAsyncContextManager["Portion"]:
        """Reserve so many bytes more while the context is open.

        Raises:
            ServerBusy: as `wait_for_more`.
        """
        ...

    async def add_paid(self, size: int) -> None:
        """Reserve so many bytes more for an answer that is paid for. It waits for them, but not for ever."""
        ...

    def keep(self) -> AbstractContextManager[None]:
        """Keep all of it while the context is open. It is given back when the last holder lets go."""
        ...

    def hold(self) -> None:
        """Begin to keep all of it, as `keep`: for what ends elsewhere. Each holder lets go once."""
        ...

    def let_go(self) -> None:
        """End to keep it."""
        ...

    def call_at_end(self, callback: Callable[[], None]) -> None:
        """Call a function when the memory has been given back."""
        ...

    def interruptible(self, interrupt: Callable[[], None]) -> AbstractContextManager[None]:
        """Call a function if others have a right to what the work holds, while the context is open."""
        ...

    def check(self) -> None:
        """Return if the work was not interrupted.

        Raises:
            ServerBusy: it was.
        """
        ...


class Budget(Protocol):
    """The memory budget for large work."""

    def empty(self, owner: str = "") -> Reservation:
        """Return a reservation that has no memory yet. Its first holder is the caller."""
        ...

    def reserve(self, size: int, owner: str = "") -> AbstractAsyncContextManager[Reservation]:
        """Reserve so many bytes for an owner while the context is open; wait for them if need be.

        Raises:
            ServerBusy: they did not become free in time.
        """
        ...


class Work(msgspec.Struct, frozen=True):
    """The work that something is done for."""

    owner: str
    #: Its memory; None where nothing large is expected.
    reservation: Reservation | None = None
    #: Whether it still has a purpose: asked between two steps, also by threads.
    is_wanted: Callable[[], bool] = lambda: True
