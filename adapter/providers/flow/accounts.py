"""The operator's Flow accounts: which one carries a job, and its token."""

from collections.abc import Sequence

import msgspec

from adapter.domain.ports import Clock, Metrics, Secret
from adapter.providers.credential_pool import CredentialPool
from adapter.providers.flow.video_wire import SEED
from adapter.providers.http import Http


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account, as configured."""

    name: str
    token: Secret
    project_id: str
    tier: str
    #: In which form it is asked for videos (`video_wire.py`).
    dialect: str = SEED
    #: Whether it takes new work; the jobs that it has are asked about in any case.
    enabled: bool = True
    #: Calls for pictures under way at once.
    concurrency: int = 64
    #: The client with its own proxy; None: the provider's.
    http: Http | None = None


class Accounts(CredentialPool[Account]):
    """All of them."""

    def __init__(self, accounts: Sequence[Account], clock: Clock, metrics: Metrics | None = None) -> None:
        differ = any(account.http for account in accounts)
        super().__init__("Flow account", "flow", accounts, clock, metrics, throttles_all=True, ways_differ=differ)
