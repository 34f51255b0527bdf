"""`/v1/organization/accounts`: the operator's accounts and keys at Google. OpenAI has no such route."""

from typing import Literal

import msgspec


class AccountObject(msgspec.Struct, frozen=True, kw_only=True):
    """An account or a key, as all servers with this database know it. Times are Unix seconds."""

    provider: str
    name: str
    #: Whether the operator gives it new work.
    enabled: bool
    health: Literal["ok", "limited", "resting", "failing", "disabled", "unknown"]
    #: What it may still spend, and when Google said so; null: not told, which is not 0.
    credits: int | None
    credits_at: float | None
    #: In Google's word.
    tier: str | None
    #: Calls under way.
    calls: int
    #: Until when it gets no new work, and for which models; an empty list with a time: for all.
    rests_until: float | None
    rests_for: tuple[str, ...]
    #: The last refusal by Google.
    error_code: str | None
    error: str | None
    error_at: float | None
    #: How many servers told of it.
    processes: int
    object: Literal["organization.account"] = "organization.account"


class AccountList(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, in the order of the configuration."""

    data: tuple[AccountObject, ...]
    object: Literal["list"] = "list"
