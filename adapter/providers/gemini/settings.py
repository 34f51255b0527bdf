"""The section `[providers.gemini]`."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta

from adapter.domain.credentials import ConfiguredCredential
from adapter.providers.credential_settings import own_secrets, own_ways
from adapter.providers.description import AnswerSeconds, HttpUrl, ProviderSettings, QuestionSeconds, UploadSeconds, Way
from adapter.providers.keys import TABLE, KeyList, NamedKey, check_names, keys_key, named_keys
from adapter.providers.limits import HttpLimits


class GeminiSettings(ProviderSettings, frozen=True, kw_only=True):
    """The Gemini API, or a relay that speaks it."""

    base_url: HttpUrl = "https://generativelanguage.googleapis.com"
    api_version: Annotated[str, Meta(pattern=r"^v1[a-z0-9]*$", description="a version, such as v1 or v1beta")] = (
        "v1beta"
    )
    auth: Literal["header", "query", "bearer"] = "header"
    keys: KeyList
    #: Pictures of a request that have more bytes of base64 than this go to the Files API.
    inline_bytes: Annotated[int, Meta(ge=0, le=2**30)] = 20_000_000
    #: Times of requests (`HttpLimits`).
    answer_seconds: AnswerSeconds = 600.0
    question_seconds: QuestionSeconds = 45.0
    upload_seconds: UploadSeconds = 120.0
    #: Calls under way at once.
    concurrency: Annotated[int, Meta(ge=1, le=1024)] = 64

    def __post_init__(self) -> None:
        check_names(self.named_keys)

    @property
    def named_keys(self) -> tuple[NamedKey, ...]:
        """The keys with their names."""
        return named_keys(self.keys)

    def limits(self) -> HttpLimits:
        """Return what requests may take."""
        return msgspec.structs.replace(
            super().limits(), answer=self.answer_seconds, question=self.question_seconds, upload=self.upload_seconds
        )

    def secrets(self) -> Iterable[tuple[str, str]]:
        """Return the reference of each key, and of the user of its proxy."""
        yield from ((keys_key(number), key.key) for number, key in enumerate(self.named_keys))
        yield from own_secrets(TABLE, self.named_keys)

    def own_ways(self) -> Iterable[Way]:
        """Return the proxies of single keys."""
        return own_ways(TABLE, self.named_keys)

    def directed_to(self, base_url: str) -> Self:
        """Return the same settings with another address, and without any proxy."""
        keys = tuple(key.directly() if isinstance(key, NamedKey) else key for key in self.keys)
        return msgspec.structs.replace(super().directed_to(base_url), keys=keys)

    def credentials(self) -> Iterable[ConfiguredCredential]:
        """Return the keys."""
        return [key.configured for key in self.named_keys]
