"""All open connections: what each one waits for, until when, and which one is closed for another.

A connection is in one phase at a time, and each phase has one length. So the connections of a phase, in the order in
which they entered it, are in the order of their deadlines. A look at the deadlines costs nothing while none is over,
and the slowest connection is found without a search.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from enum import Enum
from itertools import islice
from typing import Protocol

import msgspec
import structlog

log = structlog.get_logger()

#: Seconds that a refused client gets to read its answer and to close. Until then, what it sends is thrown away: a
#: connection that is closed with unread bytes resets, and the client may lose the answer (RFC 9112, section 9.6).
LEAVING_SECONDS = 2.0
#: Seconds over which the rate of a body is measured.
RATE_SECONDS = 20.0
#: Seconds between two looks at a connection that is served: whether its answer waits for the reader. Until the first
#: look it is not closed for another, so this is how long readers that read nothing can take all places.
LOOK_SECONDS = 2.0
#: Connections that one sweep closes at most. One takes about 30 µs, and other work waits meanwhile.
SWEPT = 100
#: Seconds between two log lines.
LOG_SECONDS = 1.0
#: Bytes of an answer that the kernel takes before the client has room for them (`TCP_NOTSENT_LOWAT` of tcp(7)): for
#: the first connections so many that a picture goes out in one write, for the others as few as keep a line busy.
MOST_UNSENT_BYTES = 2 * 1024 * 1024
LEAST_UNSENT_BYTES = 128 * 1024
#: Bodies that are compared when the slowest one is closed.
COMPARED = 256


class ConnectionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of connections. Times are seconds."""

    header_bytes: int = 64 * 1024
    header_count: int = 200
    header_seconds: float = 10.0
    idle_seconds: float = 75.0
    #: 0: any rate.
    body_bytes_per_second: int = 1024
    body_seconds: float = 900.0
    reader_seconds: float = 30.0
    connections: int = 16_384
    #: 0: any number.
    connections_per_address: int = 0
    #: Bytes that the kernel may hold of the first connections' answers, if none of them is read.
    unsent_bytes: int = 128 * 1024 * 1024


class ConnectionPhase(Enum):
    """What a connection waits for. The order is the one in which connections are closed for new ones."""

    #: By identity: that of `Enum` is a function in Python, and each request asks for it a dozen times.
    __hash__ = object.__hash__

    #: It was refused, and is to close.
    LEAVING = "leaving"
    #: A whole header. A new connection begins with it.
    HEAD = "head"
    #: The next request.
    IDLE = "idle"
    #: The rest of a body.
    BODY = "body"
    #: The reader of an answer.
    STALLED = "stalled"
    #: The application.
    SERVING = "serving"


class TrackedConnection(Protocol):
    """One connection, as the table knows it."""

    def expire(self) -> None:
        """Do what follows when the time of the phase is over: close, or enter a phase again."""
        ...

    def evict(self) -> None:
        """Close at once, because another connection needs the place."""
        ...

    def body_rate(self) -> float:
        """Return how fast the body comes, in bytes per second."""
        ...


class ConnectionTable:
    """The connections of a process."""

    def __init__(self, limits: ConnectionLimits | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the limits, and a clock that never jumps."""
        self.limits = limits or ConnectionLimits()
        self.clock = clock
        self._seconds = {
            ConnectionPhase.LEAVING: LEAVING_SECONDS,
            ConnectionPhase.HEAD: self.limits.header_seconds,
            ConnectionPhase.IDLE: self.limits.idle_seconds,
            ConnectionPhase.BODY: RATE_SECONDS,
            ConnectionPhase.STALLED: self.limits.reader_seconds,
            ConnectionPhase.SERVING: LOOK_SECONDS,
        }
        self._deadlines: dict[ConnectionPhase, dict[TrackedConnection, float]] = {each: {} for each in ConnectionPhase}
        self._phases: dict[TrackedConnection, ConnectionPhase] = {}
        self._addresses: Counter[str] = Counter()
        self._closed: Counter[str] = Counter()
        self._logged_at = clock()

    def __len__(self) -> int:
        """Return how many connections are open."""
        return len(self._phases)

    def phase(self, connection: TrackedConnection) -> ConnectionPhase | None:
        """Return the phase of a connection; None if it is gone."""
        return self._phases.get(connection)

    def unsent_bytes(self) -> int:
        """Return how many bytes of its answers the kernel may take from a new connection before they are sent."""
        has_room = (len(self) + 1) * MOST_UNSENT_BYTES <= self.limits.unsent_bytes
        return MOST_UNSENT_BYTES if has_room else LEAST_UNSENT_BYTES

    def open_by_phase(self) -> dict[str, int]:
        """Return how many connections each phase has, for the log."""
        return dict(Counter(phase.name.lower() for phase in self._phases.values()))

    def enter(self, connection: TrackedConnection, phase: ConnectionPhase) -> None:
        """Begin a phase, or the same one anew."""
        if (earlier := self._phases.get(connection)) is not None:
            del self._deadlines[earlier][connection]
        self._phases[connection] = phase
        self._deadlines[phase][connection] = self.clock() + self._seconds[phase]

    def leave(self, connection: TrackedConnection) -> None:
        """Forget a connection. Doing it again changes nothing."""
        if (phase := self._phases.pop(connection, None)) is not None:
            del self._deadlines[phase][connection]

    def make_room(self) -> bool:
        """Close the slowest connection if there are as many as allowed, and say whether one more has a place.

        A connection that is served, and whose reader reads, is never closed.
        """
        if len(self) < self.limits.connections:
            return True
        if (slowest := self._slowest()) is None:
            return False
        self.leave(slowest)
        self.count("evicted")
        slowest.evict()
        return True

    def _slowest(self) -> TrackedConnection | None:
        for phase in (ConnectionPhase.LEAVING, ConnectionPhase.HEAD, ConnectionPhase.IDLE):
            if self._deadlines[phase]:
                return next(iter(self._deadlines[phase]))
        if bodies := self._deadlines[ConnectionPhase.BODY]:
            return min(islice(bodies, COMPARED), key=lambda each: each.body_rate())
        return next(iter(self._deadlines[ConnectionPhase.STALLED]), None)

    def count_address(self, address: str) -> bool:
        """Count a new connection of an address, and say whether it may have one more."""
        self._addresses[address] += 1
        return not 0 < self.limits.connections_per_address < self._addresses[address]

    def forget_address(self, address: str) -> None:
        """Count a connection of an address no more."""
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]

    def count(self, reason: str) -> None:
        """Count a connection that is closed by us; the log gets one line a second."""
        self._closed[reason] += 1

    def quiet_seconds(self) -> float:
        """Return for how long no time of the connections that are open now is over; less than 0: one is."""
        first = (next(iter(deadlines.values()), math.inf) for deadlines in self._deadlines.values())
        return min(first) - self.clock()

    def sweep(self) -> None:
        """Expire what is over."""
        now = self.clock()
        for connection in [*islice(self._expired(now), SWEPT)]:
            connection.expire()
        if self._closed and now >= self._logged_at + LOG_SECONDS:
            log.info("connections.closed", open=len(self), **self._closed)
            self._closed.clear()
            self._logged_at = now

    def _expired(self, now: float) -> Iterator[TrackedConnection]:
        for deadlines in self._deadlines.values():
            for connection, deadline in deadlines.items():
                if deadline > now:
                    break
                yield connection
