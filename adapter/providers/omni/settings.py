"""The section `[providers.omni]`."""

from collections.abc import Iterable
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from adapter.domain.credentials import ConfiguredCredential
from adapter.providers.credential_settings import own_secrets, own_ways
from adapter.providers.description import (
    HttpUrl,
    UploadSeconds,
    VideoProviderSettings,
    Way,
)
from adapter.providers.keys import TABLE, KeyList, NamedKey, check_names, keys_key, named_keys
from adapter.providers.limits import HttpLimits


class OmniSettings(VideoProviderSettings, frozen=True, kw_only=True):
    """The Gemini API's Interactions, with keys of a paid project."""

    base_url: HttpUrl = "https://generativelanguage.googleapis.com"
    api_version: Annotated[str, Meta(pattern=r"^v1[a-z0-9]*$", description="a version, such as v1 or v1beta")] = (
        "v1beta"
    )
    #: Sent as `Api-Revision`, which fixes the form of answers; empty: not sent.
    revision: Annotated[
        str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?\Z", description="a day, such as 2026-05-20, or nothing")
    ] = "2026-05-20"
    keys: KeyList
    #: Whether a seed is sent. Google's page does not name it for these models (`omni.md` section 1).
    send_seed: bool = False
    #: Questions and uploads under way at once.
    concurrency: Annotated[int, Meta(ge=1, le=1024)] = 16
    #: Times of requests (`HttpLimits`).
    upload_seconds: UploadSeconds = 120.0
    #: How often in a row a question has to be refused with the same word, and for how many seconds, to end a job.
    refused_polls: Annotated[int, Meta(ge=2, le=1000)] = 10
    refused_seconds: Annotated[float, Meta(ge=0, le=86_400)] = 120.0

    def __post_init__(self) -> None:
        check_names(self.named_keys)

    @property
    def named_keys(self) -> tuple[NamedKey, ...]:
        """The keys with their names."""
        return named_keys(self.keys)

    def limits(self) -> HttpLimits:
        """Return what requests may take."""
        return msgspec.structs.replace(super().limits(), upload=self.upload_seconds)

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
