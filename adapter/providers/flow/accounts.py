"""The operator's Flow accounts: which one carries a job, and what it shows at the door."""

import itertools
from collections.abc import Sequence

import msgspec

from adapter.domain.ports import Secret
from adapter.errors import UpstreamCredential
from adapter.providers.flow.video_wire import SEED


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


class Accounts:
    """All of them, taken in turn. A job stays with the account that submitted it."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._by_name = {account.name: account for account in accounts}
        self._turn = itertools.cycle([account for account in accounts if account.enabled])

    def choose(self) -> Account:
        """Return the account whose turn it is.

        Raises:
            UpstreamCredential: none takes new work.
        """
        chosen = next(self._turn, None)
        if chosen is None:
            raise UpstreamCredential("No Flow account takes new work at the moment.")
        return chosen

    def find(self, name: str) -> Account:
        """Return an account by name.

        Raises:
            UpstreamCredential: it is no longer configured.
        """
        if name not in self._by_name:
            raise UpstreamCredential(f"The Flow account '{name}' is no longer configured.")
        return self._by_name[name]
