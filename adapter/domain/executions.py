"""Requests that come again: which earlier execution answers one, and what is remembered of that execution.

`docs/retries.md` has the table that `pick` decides by.
"""

import hashlib
from collections.abc import Collection, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Protocol, TypeVar

import msgspec

from adapter.domain.allowance import UNLIMITED, Allowance
from adapter.domain.job import Failure
from adapter.domain.stored_files import StoredImage

#: How long a request without a key is remembered for its retries, and one with a key, in seconds (`reliability.md`
#: section 2.5).
RETRY_SECONDS = 900.0
KEY_SECONDS = 86_400.0


#: Names that are remembered: a request asks several times for its own.
KNOWN_NAMES = 256


class RetryInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says about being one of several attempts."""

    #: SHA-256 of the `Idempotency-Key`, in hex; the key itself is kept nowhere.
    key: str | None = None
    #: Which retry of its client it is; 0 is the first attempt, or one of a client that does not count.
    count: int = 0


class RequestIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for what, where, and for which time."""

    owner: str
    #: The same for every prefix under which a route answers.
    route: str
    #: A digest of what the client said, behind the version of the rule that it was made by (`read/content.py`).
    content: str
    repeat: RetryInfo = RetryInfo()
    #: The id of the key that it came with. It is no part of the identity: two keys of an owner are one owner.
    key: str | None = None
    #: What that key may do; no part of the identity either.
    allowance: Allowance = UNLIMITED

    @property
    def scope(self) -> str:
        """The name under which its repetitions find it: that of its key if it has one, else that of its content."""
        key = self.repeat.key
        return self.by_content if key is None else _named(self.owner, self.route, "key", key)

    @property
    def by_content(self) -> str:
        """The name that its content alone gives it."""
        return _named(self.owner, self.route, "content", self.content)

    @property
    def has_key(self) -> bool:
        """Whether its client named it."""
        return self.repeat.key is not None

    @property
    def is_repetition(self) -> bool:
        """Whether it may stand for an earlier request that is over."""
        return self.has_key or self.repeat.count > 0

    @property
    def keep_seconds(self) -> float:
        """How long it is remembered."""
        return KEY_SECONDS if self.has_key else RETRY_SECONDS


@lru_cache(maxsize=KNOWN_NAMES)
def _named(owner: str, route: str, kind: str, name: str) -> str:
    return hashlib.sha256(msgspec.json.encode((owner, route, kind, name))).hexdigest()


def is_same_content(one: str, other: str) -> bool:
    """Return whether two contents are the same, as far as that can be known.

    A content begins with the version of the rule that it was made by. Contents of two versions cannot be compared: then
    the name under which they were found (a key) decides alone.
    """
    return one == other or one.partition(":")[0] != other.partition(":")[0]


class Earlier(Protocol):
    """An earlier execution of the same content, or of the same key."""

    @property
    def attempts(self) -> int:
        """The highest retry count of the requests that it answers."""
        ...

    @property
    def is_waited_for(self) -> bool:
        """Whether a connection waits for its answer."""
        ...

    @property
    def is_answered(self) -> bool:
        """Whether a client was given its answer."""
        ...

    @property
    def is_failed(self) -> bool:
        """Whether it ended without a result."""
        ...

    @property
    def is_refused(self) -> bool:
        """Whether it ended before anything was executed, for a reason that passes: its retry is a new execution."""
        ...


_E = TypeVar("_E", bound=Earlier)


def pick(earlier: Sequence[_E], repeat: RetryInfo) -> _E | None:
    """Return the execution that a request joins. `earlier` are those of its name, the oldest first. None: a new one.

    A key has one execution. A first attempt joins only what its client has left: no connection waits for it, and no
    client was given its answer. A counted retry joins one that has not been retried so often yet, if there is one: of
    two equal requests that both failed each finds its own. A refused one stands for one retry: else that would get the
    answer of an equal request that is still under way, and two clients would get one picture.
    """
    left = [one for one in earlier if not (one.is_waited_for or one.is_answered)]
    if repeat.key is not None:
        return earlier[-1] if earlier else None
    if repeat.count == 0:
        return next((one for one in reversed(left) if not one.is_failed), None)
    executed = [one for one in earlier if not one.is_refused]
    # What is left goes first: it may be paid for, and a refused one is not.
    for choice in ([one for one in left if not one.is_refused], [one for one in earlier if one.is_refused], executed):
        if behind := [one for one in choice if one.attempts < repeat.count]:
            return behind[-1]
    return executed[-1] if executed else None


class ExecutionStatus(StrEnum):
    """How a remembered request stands."""

    RUNNING = "running"
    #: Its holder died in the middle of it, so what came of it is unknown.
    LOST = "lost"
    #: It was answered, and the answer is remembered …
    ANSWERED = "answered"
    #: … or is not.
    HANDED = "handed"


class ExecutionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of a request, as it is remembered from its start."""

    scope: str
    content: str
    #: The name of this very execution, 32 hex digits: only its holder writes its end.
    execution_id: str
    #: Unix seconds; it is remembered so long from its start.
    began_at: float
    keep_seconds: float
    repeat: RetryInfo = RetryInfo()
    #: The owner, for the order of writers. It is not stored.
    owner: str = ""


class StoredImageBatch(msgspec.Struct, frozen=True):
    """The pictures that a request was answered with."""

    images: tuple[StoredImage, ...]
    #: Whether the client has their links; else the files are there for repetitions only.
    linked: bool


class StoredFault(msgspec.Struct, frozen=True, tag=True):
    """What a request was answered with instead."""

    failure: Failure


StoredAnswer = StoredImageBatch | StoredFault


class PriorExecution(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of an earlier execution."""

    content: str
    execution_id: str
    began_at: float
    status: ExecutionStatus
    attempts: int = 0
    #: Whether a client was given the answer.
    is_answered: bool = False
    answer: StoredAnswer | None = None

    @property
    def is_waited_for(self) -> bool:
        """Whether a connection may wait for it: its process alone knows, and is believed to be alive."""
        return self.status is ExecutionStatus.RUNNING

    @property
    def is_failed(self) -> bool:
        """Whether it ended without a result."""
        return self.status is ExecutionStatus.LOST or isinstance(self.answer, StoredFault)

    @property
    def is_refused(self) -> bool:
        """Whether nothing was executed: such a one is forgotten and not remembered."""
        return False


class LivingProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A process that says that it is alive."""

    #: The name of the process.
    process: str
    #: How long it is believed to be alive from now on, in seconds.
    lease: float


class ConnectedProcess(LivingProcess, frozen=True, kw_only=True):
    """A process that has the connection of a request for a job."""

    #: Other processes that were seen to be alive just now.
    alive: Collection[str] = ()
    #: How long a finished video that no client was given can be joined by a first attempt, in seconds.
    window: float = 0.0
