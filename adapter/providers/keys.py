"""The operator's keys of Google's Gemini API: how they are configured, and which one is used."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from adapter.domain.ports import Clock, Metrics, Secret
from adapter.providers.credential_pool import CredentialPool

#: References that can be shown: they say where a key is, and nothing of it.
SHOWN = ("env:", "file:")


#: Calls under way with one key.
MOST_CALLS: Final = 64


class NamedKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key of the configuration, with a name of the operator's."""

    name: Annotated[str, Meta(min_length=1)]
    key: str
    #: Calls under way with it at once.
    concurrency: Annotated[int, Meta(ge=1, le=1024)] = MOST_CALLS
    #: Whether it takes new work. The jobs that it has are looked after in any case.
    enabled: bool = True


#: The setting `keys`: references, or tables with a name and a reference.
KeyList = Annotated[tuple[str | NamedKey, ...], Meta(min_length=1)]


def named_keys(keys: Sequence[str | NamedKey]) -> tuple[NamedKey, ...]:
    """Return keys, each with a name that stays the same when the list is sorted in another way."""
    return tuple(key if isinstance(key, NamedKey) else NamedKey(name=name_of(key), key=key) for key in keys)


def check_names(keys: Sequence[NamedKey]) -> None:
    """Look at the names of keys.

    Raises:
        ValueError: two different keys have one name.
    """
    seen: dict[str, str] = {}
    for key in keys:
        if seen.setdefault(key.name, key.key) != key.key:
            raise ValueError(f"two keys have the name '{key.name}'")


def keys_key(number: int) -> str:
    """Return the key of a key inside the section."""
    return f"keys[{number}]"


def name_of(reference: str) -> str:
    """Return the name of a key that has none: its reference, or a digest where the reference may hold the key."""
    if reference.startswith(SHOWN):
        return reference
    return f"key-{hashlib.sha256(reference.encode()).hexdigest()[:8]}"


class Key(msgspec.Struct, frozen=True):
    """One key, with the name that a job remembers."""

    name: str
    secret: Secret
    #: Calls under way with it at once.
    concurrency: int = MOST_CALLS
    #: Whether it takes new work.
    enabled: bool = True


class Keys(CredentialPool[Key]):
    """All of them."""

    def __init__(
        self, keys: Sequence[Key], clock: Clock, metrics: Metrics | None = None, *, provider: str = "gemini"
    ) -> None:
        """Take the keys; `provider` is a word for the log."""
        super().__init__("Gemini key", provider, keys, clock, metrics)
