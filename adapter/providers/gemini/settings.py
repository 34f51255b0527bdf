"""The section `[providers.gemini]`."""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from adapter.providers.description import HttpUrl, ProviderSettings

#: References that can be shown: they say where a key is, and nothing of it.
SHOWN = ("env:", "file:")


class GeminiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key with a name of the operator's."""

    name: Annotated[str, Meta(min_length=1)]
    key: str


class GeminiSettings(ProviderSettings, frozen=True, kw_only=True):
    """The Gemini API, or a relay that speaks it."""

    base_url: HttpUrl = "https://generativelanguage.googleapis.com"
    api_version: Annotated[str, Meta(pattern=r"^v1[a-z0-9]*$")] = "v1beta"
    auth: Literal["header", "query", "bearer"] = "header"
    #: References, or tables with a name and a reference.
    keys: Annotated[tuple[str | GeminiKey, ...], Meta(min_length=1)]
    #: Calls under way at once.
    concurrency: Annotated[int, Meta(ge=1, le=1024)] = 64

    def __post_init__(self) -> None:
        seen: dict[str, str] = {}
        for key in self.named_keys:
            if seen.setdefault(key.name, key.key) != key.key:
                raise ValueError(f"two keys have the name '{key.name}'")

    @property
    def named_keys(self) -> tuple[GeminiKey, ...]:
        """The keys, each with a name that stays the same when the list is sorted in another way."""
        return tuple(key if isinstance(key, GeminiKey) else GeminiKey(name=name_of(key), key=key) for key in self.keys)

    def secrets(self) -> Iterable[tuple[str, str]]:
        """Return the reference of each key."""
        return [(keys_key(number), key.key) for number, key in enumerate(self.named_keys)]


def keys_key(number: int) -> str:
    """Return the key of a key inside the section."""
    return f"keys[{number}]"


def name_of(reference: str) -> str:
    """Return the name of a key that has none: its reference, or a digest where the reference may hold the key."""
    if reference.startswith(SHOWN):
        return reference
    return f"key-{hashlib.sha256(reference.encode()).hexdigest()[:8]}"
