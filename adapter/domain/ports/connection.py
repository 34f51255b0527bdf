"""The connection that a request came by."""

from typing import Protocol

from adapter.domain.ports.budget import Reservation


class EndCallback(Protocol):
    """Takes how a request ended: whether its client was there to take the whole answer."""

    def __call__(self, *, delivered: bool) -> None:
        """Take it. It may be told more than once; the first time counts."""
        ...


class Connection(Protocol):
    """The connection of one request. It lasts until the answer has gone out, or until the client hangs up."""

    async def reserve(self, size: int) -> Reservation:
        """Take so many bytes of the memory for large work until the connection ends, beside what it has.

        Raises:
            ServerBusy: they did not become free in time.
        """
        ...

    async def check_connected(self) -> None:
        """Return if the client is still there. The body has to have been read.

        Raises:
            ClientLeft: it hung up, for example while its request waited for memory.
        """
        ...

    async def call_at_end(self, callback: EndCallback) -> None:
        """Call a function as soon as the connection ends, and say how it ended. The body has to have been read."""
        ...
