"""How one credential stands with Google: whether it takes work, rests after a refusal, or is being tried.

Pure: the time comes in as Unix seconds. `credential_pool.py` chooses by it.
"""

from typing import Final

import msgspec

from adapter.errors import (
    AccountRefused,
    AdapterError,
    ClientFault,
    NoMedia,
    SecretUnreadable,
    UpstreamBusy,
    UpstreamCredential,
    UpstreamLocation,
    UpstreamQuota,
    UpstreamUnreachable,
)

#: Refusals of the credential itself, whatever was asked for.
OF_CREDENTIAL: Final = (UpstreamCredential, SecretUnreadable)
#: What the way to Google does, before execution. It concerns a credential that has a way of its own.
OF_WAY: Final = (UpstreamUnreachable, UpstreamLocation)
#: Refusals that come before execution and say nothing of other credentials. The last three may concern one model only.
PASSED_ON: Final = (*OF_CREDENTIAL, AccountRefused, UpstreamBusy, UpstreamQuota)

#: How many calls a credential gets before its first answer: a new one, and one that was refused.
FIRST_CALLS: Final = 2
CALLS_AFTER_REFUSAL: Final = 1
#: Google refuses before it works. A call that was not refused for so many seconds is being worked on.
PROOF_SECONDS: Final = 3.0

#: Seconds of the first rest, and by how much each following one is longer.
BUSY_REST: Final = (5.0, 2.0)
QUOTA_REST: Final = (60.0, 4.0)
REFUSED_REST: Final = (30.0, 4.0)
LONGEST_BUSY_REST: Final = 60.0
#: Also of what Google asks for: a quota may be raised, and a credential mended, before that.
LONGEST_REST: Final = 3600.0


class Standing(msgspec.Struct, frozen=True):
    """How a credential stands, for one model or for all of them. Times are Unix seconds."""

    #: Calls that have not ended.
    under_way: int = 0
    #: Whether the last call that told something was not refused.
    is_proven: bool = False
    #: Calls that began since that is not known, and when the first of them did.
    tries: int = 0
    tried_at: float = 0.0
    #: Rests in a row.
    rests: int = 0
    #: The last rest: from when until when no new work is taken, and why.
    rests_from: float = 0.0
    rests_until: float = 0.0
    fault: AdapterError | None = None

    def is_resting(self, now: float) -> bool:
        """Return whether it takes no new work."""
        return now < self.rests_until

    def has_place(self, now: float) -> bool:
        """Return whether it takes a further call: few, as long as it may be refused."""
        if self.is_resting(now):
            return False
        most = CALLS_AFTER_REFUSAL if self.rests else FIRST_CALLS
        return self.is_proven or self.tries < most or now - self.tried_at >= PROOF_SECONDS

    def begin(self, now: float) -> "Standing":
        """Count a call that begins."""
        tried_at = self.tried_at if self.tries else now
        return msgspec.structs.replace(self, under_way=self.under_way + 1, tries=self.tries + 1, tried_at=tried_at)

    def end(self) -> "Standing":
        """Count a call that ends."""
        return msgspec.structs.replace(self, under_way=self.under_way - 1)

    def accept(self, began: float) -> "Standing":
        """Note that a call was not refused. One that began before the last rest says nothing about it."""
        if self.rests and began < self.rests_from:
            return self
        return Standing(under_way=self.under_way, is_proven=True)

    def refuse(self, fault: AdapterError, now: float) -> "Standing":
        """Note a refusal. Refusals of calls that were under way together are one."""
        if self.is_resting(now):
            return self
        return Standing(
            under_way=self.under_way,
            rests=self.rests + 1,
            rests_from=now,
            rests_until=now + _rest(fault, self.rests),
            fault=_kept(fault),
        )


def proves(fault: AdapterError) -> bool:
    """Return whether an error shows that Google took the credential: it looked at the request."""
    return isinstance(fault, ClientFault | NoMedia)


def is_passed_on(fault: AdapterError) -> bool:
    """Return whether a request that ended so may be sent with another credential: nothing was executed."""
    return isinstance(fault, PASSED_ON) and not fault.spent


def _rest(fault: AdapterError, before: int) -> float:
    """Return how long a credential rests, in seconds, after so many rests in a row."""
    match fault:
        case UpstreamBusy(retry_after=float() as asked) if asked > 0:
            return min(asked, LONGEST_REST)
        case UpstreamBusy() | UpstreamUnreachable():
            (first, factor), longest = BUSY_REST, LONGEST_BUSY_REST
        case UpstreamQuota():
            # Google does not tell the reset: its RetryInfo is some seconds for a quota of a day, too.
            (first, factor), longest = QUOTA_REST, LONGEST_REST
        case _:
            (first, factor), longest = REFUSED_REST, LONGEST_REST
    return min(first * factor ** min(before, 10), longest)


def _kept(fault: AdapterError) -> AdapterError:
    """Return an error without its traceback, whose frames hold a request."""
    kept = fault.copy()
    kept.__traceback__ = kept.__cause__ = kept.__context__ = None
    return kept
