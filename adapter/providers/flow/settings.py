"""The section `[providers.flow]`."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal, Self

import msgspec
from msgspec import Meta

from adapter.domain.credentials import ConfiguredCredential
from adapter.providers.credential_settings import CredentialSettings, own_secrets, own_ways
from adapter.providers.description import (
    AnswerSeconds,
    HttpUrl,
    UploadSeconds,
    VideoProviderSettings,
    Way,
)
from adapter.providers.limits import HttpLimits

#: The setting.
TABLE: Final = "accounts"
#: What `config/adapter.toml` has in the place of a project.
EXAMPLE_PROJECT: Final = "YOUR-PROJECT-ID"


class FlowAccount(CredentialSettings, frozen=True, kw_only=True):
    """One account of the operator."""

    token: str
    project_id: Annotated[str, Meta(min_length=1)]
    tier: Literal["PAYGATE_TIER_NOT_PAID", "PAYGATE_TIER_ONE", "PAYGATE_TIER_TWO"] = "PAYGATE_TIER_ONE"
    #: In which form videos are asked for: the documents' one, or the newer one. An answer in either is understood.
    dialect: Literal["seed", "media"] = "seed"


class FlowSettings(VideoProviderSettings, frozen=True, kw_only=True):
    """Google Flow's aisandbox API."""

    base_url: HttpUrl = "https://aisandbox-pa.googleapis.com"
    accounts: Annotated[tuple[FlowAccount, ...], Meta(min_length=1)]
    #: Times of requests (`HttpLimits`).
    answer_seconds: AnswerSeconds = 300.0
    #: Reading the credits, the token and the connection included. It stands before every submission.
    credits_seconds: Annotated[float, Meta(ge=1, le=60)] = 3.0
    upload_seconds: UploadSeconds = 120.0

    def __post_init__(self) -> None:
        names = [account.name for account in self.accounts]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two accounts have the name '{name}'; a job finds its account by this name")

    def limits(self) -> HttpLimits:
        """Return what requests may take."""
        return msgspec.structs.replace(super().limits(), answer=self.answer_seconds, upload=self.upload_seconds)

    def secrets(self) -> Iterable[tuple[str, str]]:
        """Return the reference of each account's token, and of the user of its proxy."""
        yield from ((token_key(number), account.token) for number, account in enumerate(self.accounts))
        yield from own_secrets(TABLE, self.accounts)

    def own_ways(self) -> Iterable[Way]:
        """Return the proxies of single accounts."""
        return own_ways(TABLE, self.accounts)

    def directed_to(self, base_url: str) -> Self:
        """Return the same settings with another address, and without any proxy."""
        accounts = tuple(account.directly() for account in self.accounts)
        return msgspec.structs.replace(super().directed_to(base_url), accounts=accounts)

    def credentials(self) -> Iterable[ConfiguredCredential]:
        """Return the accounts."""
        return [account.configured for account in self.accounts]

    def doubts(self) -> Iterable[tuple[str, str]]:
        """Return the accounts whose project is still the one of the example."""
        return [
            (f"accounts[{number}].project_id", "it is still the one of the example. It stands in Flow's address bar.")
            for number, account in enumerate(self.accounts)
            if account.project_id == EXAMPLE_PROJECT
        ]


def token_key(number: int) -> str:
    """Return the key of an account's token inside the section."""
    return f"{TABLE}[{number}].token"
