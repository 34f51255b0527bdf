"""How a server tells an application that the client of a request has hung up: an extension of ASGI.

ASGI itself only lets an application wait for that, which takes a task for each request.
"""

from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Final

#: The name in the `extensions` of a scope.
HANG_UP: Final = "adapter.hang_up"


class HangUp:
    """The end of one request's client, before its answer is complete."""

    __slots__ = ("_callback", "has_happened")

    def __init__(self) -> None:
        #: Whether the client has hung up.
        self.has_happened = False
        self._callback: Callable[[], None] | None = None

    def call(self, callback: Callable[[], None]) -> None:
        """Call a function in the present context when the client hangs up; at once if it did."""
        if self.has_happened:
            callback()
        else:
            self._callback = partial(copy_context().run, callback)

    def forget(self) -> None:
        """Call it no more. The server keeps this object until the connection's next request."""
        self._callback = None

    def happen(self) -> None:
        """Note that the client has hung up."""
        self.has_happened = True
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()
