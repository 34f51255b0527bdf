"""The section `[providers.flow]`."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal, Self

import msgspec
from msgspec import Meta

from adapter.domain.credentials import ConfiguredCredential
from adapter.providers.description import (
    AnswerSeconds,
    DownloadSeconds,
    HttpUrl,
    ProviderSettings,
    ProxyText,
    QuestionSeconds,
    SilenceSeconds,
    SubmitSeconds,
    UploadSeconds,
    Way,
)
from adapter.providers.limits import HttpLimits

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
    #: The proxy for this account; None: that of the section. An empty text: none.
    proxy: ProxyText | None = None
    #: A reference to `user:password` for it.
    proxy_auth: str = ""


class FlowSettings(ProviderSettings, frozen=True, kw_only=True):
    """Google Flow's aisandbox API."""

    base_url: HttpUrl = "https://aisandbox-pa.googleapis.com"
    accounts: Annotated[tuple[FlowAccount, ...], Meta(min_length=1)]
    #: Times of requests (`HttpLimits`).
    answer_seconds: AnswerSeconds = 300.0
    submit_seconds: SubmitSeconds = 75.0
    question_seconds: QuestionSeconds = 45.0
    #: Reading the credits, the token and the connection included. It stands before every submission.
    credits_seconds: Annotated[float, Meta(ge=1, le=60)] = 3.0
    upload_seconds: UploadSeconds = 120.0
    download_seconds: DownloadSeconds = 900.0
    silence_seconds: SilenceSeconds = 60.0

    def __post_init__(self) -> None:
        names = [account.name for account in self.accounts]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two accounts have the name '{name}'; a job finds its account by this name")

    def limits(self) -> HttpLimits:
        """Return what requests may take."""
        return msgspec.structs.replace(
            super().limits(),
            answer=self.answer_seconds,
            submit=self.submit_seconds,
            question=self.question_seconds,
            upload=self.upload_seconds,
            download=self.download_seconds,
            silence=self.silence_seconds,
        )

    def secrets(self) -> Iterable[tuple[str, str]]:
        """Return the reference of each account's token, and of the user of its proxy."""
        for number, account in enumerate(self.accounts):
            yield token_key(number), account.token
            if account.proxy_auth:
                yield proxy_auth_key(number), account.proxy_auth

    def ways(self) -> Iterable[Way]:
        """Return the proxy of the section, and those of accounts."""
        yield from super().ways()
        for number, account in enumerate(self.accounts):
            yield Way(("accounts", number), account.proxy or "", account.proxy_auth)

    def directed_to(self, base_url: str) -> Self:
        """Return the same settings with another address, and without any proxy."""
        found = super().directed_to(base_url)
        accounts = [msgspec.structs.replace(account, proxy=None, proxy_auth="") for account in self.accounts]
        return msgspec.structs.replace(found, accounts=tuple(accounts))

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


def proxy_auth_key(number: int) -> str:
    """Return the key of an account's `proxy_auth` inside the section."""
    return f"accounts[{number}].proxy_auth"


def token_key(number: int) -> str:
    """Return the key of an account's token inside the section."""
    return f"accounts[{number}].token"
