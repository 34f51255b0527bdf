"""The headers of every answer. Kept-alive connections are closed while the process shuts down."""

from collections.abc import Sequence

#: A header, in the form of ASGI.
Pair = tuple[bytes, bytes]


class AnswerHeaders:
    """Headers that each answer gets; after a stop signal `connection: close` is one of them.

    uvicorn adds that too, but a tenth of a second later. A load balancer that sends a request into a connection that is
    being closed cannot know whether the request was executed.
    """

    def __init__(self, always: Sequence[Pair] = ()) -> None:
        self._always = tuple(always)
        #: What is added now.
        self.pairs = self._always

    def drain(self) -> None:
        """Have connections closed from now on."""
        self.pairs = (*self._always, (b"connection", b"close"))
