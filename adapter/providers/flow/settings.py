"""The section `[providers.flow]`."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from adapter.domain.credentials import ConfiguredCredential
from adapter.providers.description import HttpUrl, ProviderSettings

#: What `config/adapter.toml` has in the place of a project.
EXAMPLE_PROJECT: Final = "YOUR-PROJECT-ID"


class FlowAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account of the operator."""

    name: Annotated[str, Meta(min_length=1)]
    token: str
    project_id: Annotated[str, Meta(min_length=1)]
    tier: Literal["PAYGATE_TIER_NOT_PAID", "PAYGATE_TIER_ONE", "PAYGATE_TIER_TWO"] = "PAYGATE_TIER_ONE"
    #: In which form videos are asked for: the documents' one, or the newer one. An answer in either is understood.
    dialect: Literal["seed", "media"] = "seed"
    #: Whether it takes new work. The jobs that it has are looked after in any case.
    enabled: bool = True
    #: Calls for pictures under way at once.
    concurrency: Annotated[int, Meta(ge=1, le=1024)] = 64


class FlowSettings(ProviderSettings, frozen=True, kw_only=True):
    """Google Flow's aisandbox API."""

    base_url: HttpUrl = "https://aisandbox-pa.googleapis.com"
    accounts: Annotated[tuple[FlowAccount, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        names = [account.name for account in self.accounts]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two accounts have the name '{name}'; a job finds its account by this name")

    def secrets(self) -> Iterable[tuple[str, str]]:
        """Return the reference of each account's token."""
        return [(token_key(number), account.token) for number, account in enumerate(self.accounts)]

    def credentials(self) -> Iterable[ConfiguredCredential]:
        """Return the accounts."""
        return [ConfiguredCredential(account.name, account.enabled) for account in self.accounts]

    def doubts(self) -> Iterable[tuple[str, str]]:
        """Return the accounts whose project is still the one of the example."""
        return [
            (f"accounts[{number}].project_id", "it is still the one of the example. It stands in Flow's address bar.")
            for number, account in enumerate(self.accounts)
            if account.project_id == EXAMPLE_PROJECT
        ]


def token_key(number: int) -> str:
    """Return the key of an account's token inside the section."""
    return f"accounts[{number}].token"
