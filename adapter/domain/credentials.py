"""How the operator's credentials stand, as one process knows it, and what several processes know together. Pure."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec


class Health(StrEnum):
    """How a credential stands, in one word."""

    #: The operator gives it no new work.
    DISABLED = "disabled"
    #: It takes no new work before a time, because Google refused it.
    RESTING = "resting"
    #: It rests for some models, and works for others.
    LIMITED = "limited"
    #: Google refused its last call, and it is asked all the same: its rest is over, or there is no other credential.
    FAILING = "failing"
    OK = "ok"
    #: There was no call yet.
    UNKNOWN = "unknown"


class CredentialName(msgspec.Struct, frozen=True, order=True):
    """What a credential is called."""

    #: The name of its provider in the configuration.
    provider: str
    name: str


class ConfiguredCredential(msgspec.Struct, frozen=True):
    """A credential of the configuration."""

    name: str
    #: Whether the configuration gives it new work.
    enabled: bool = True


class Rest(msgspec.Struct, frozen=True):
    """A time in which a credential takes no new work."""

    #: In Unix seconds.
    until: float
    #: The model that it is for; empty: all models.
    model: str = ""


class CredentialRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal of a credential by Google."""

    #: In Unix seconds.
    at: float
    code: str
    #: For the operator, without secrets.
    message: str


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What an account may still spend."""

    credits: int
    #: When Google said so, in Unix seconds.
    at: float


class CredentialState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a credential stands in one process. It is stored as JSON."""

    provider: str
    name: str
    #: Calls under way.
    calls: int = 0
    #: Whether Google took it when it was called last.
    is_proven: bool = False
    #: Whether Google refused it when it was called last.
    is_failing: bool = False
    rests: tuple[Rest, ...] = ()
    #: The last one, also if it works again.
    refusal: CredentialRefusal | None = None
    balance: Balance | None = None
    #: The account's tier in Google's word; empty: not told yet.
    tier: str = ""

    @property
    def full_name(self) -> CredentialName:
        """Its name with that of its provider."""
        return CredentialName(self.provider, self.name)


class CredentialSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How a credential stands in all processes. Times are Unix seconds."""

    provider: str
    name: str
    enabled: bool
    health: Health
    #: What it may still spend, and when Google said so; null: not told, which is not 0.
    credits: int | None
    credits_at: float | None
    tier: str | None
    #: Calls under way.
    calls: int
    #: Until when it takes no new work, and for which models; an empty list with a time: for all.
    rests_until: float | None
    rests_for: Sequence[str]
    #: The last refusal.
    error_code: str | None
    error: str | None
    error_at: float | None
    #: How many processes told of it.
    processes: int


def summary_of(
    name: CredentialName, states: Iterable[CredentialState], *, enabled: bool, now: float
) -> CredentialSummary:
    """Put together what processes know of a credential; `states` may have those of others as well."""
    found = [state for state in states if state.full_name == name]
    rests = [rest for state in found for rest in state.rests if rest.until > now]
    for_all = [rest for rest in rests if not rest.model]
    refusal = max((state.refusal for state in found if state.refusal), key=lambda each: each.at, default=None)
    balance = max((state.balance for state in found if state.balance), key=lambda each: each.at, default=None)
    return CredentialSummary(
        provider=name.provider,
        name=name.name,
        enabled=enabled,
        health=_health(found, rests) if enabled else Health.DISABLED,
        credits=balance.credits if balance else None,
        credits_at=balance.at if balance else None,
        tier=next((state.tier for state in found if state.tier), None),
        calls=sum(state.calls for state in found),
        rests_until=max((rest.until for rest in for_all or rests), default=None),
        rests_for=[] if for_all else sorted({rest.model for rest in rests}),
        error_code=refusal.code if refusal else None,
        error=refusal.message if refusal else None,
        error_at=refusal.at if refusal else None,
        processes=len(found),
    )


def _health(states: Sequence[CredentialState], rests: Sequence[Rest]) -> Health:
    if any(not rest.model for rest in rests):
        return Health.RESTING
    if any(state.is_failing for state in states):
        return Health.FAILING
    if rests:
        return Health.LIMITED
    return Health.OK if any(state.is_proven for state in states) else Health.UNKNOWN
