"""The operator's Flow accounts: which one carries a job, and its token."""

from collections.abc import Sequence

import msgspec

from adapter.domain.ports import Secret
from adapter.providers.flow.video_wire import SEED
from adapter.providers.rotation import Rotation


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


class Accounts(Rotation[Account]):
    """All of them, taken in turn."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        enabled = [account for account in accounts if account.enabled]
        super().__init__("Flow account", {account.name: account for account in accounts}, enabled)
