"""The operator's keys of Google's Gemini API: how they are configured, and which one is used."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta

from adapter.domain.ports import Clock, Metrics, Secret
from adapter.providers.credential_pool import CredentialPool
from adapter.providers.credential_settings import MOST_CALLS, CredentialSettings
from adapter.providers.description import ProviderContext
from adapter.providers.http import Http

#: The setting.
TABLE: Final = "keys"
#: References that can be shown: they say where a key is, and nothing of it.
SHOWN = ("env:", "file:")


class NamedKey(CredentialSettings, frozen=True, kw_only=True):
    """A key of the configuration, with a name of the operator's."""

    key: str


#: The setting `keys`: references, or tables with a name and a reference.
KeyList: TypeAlias = Annotated[tuple[str | NamedKey, ...], Meta(min_length=1)]


def named_keys(keys: Sequence[str | NamedKey]) -> tuple[NamedKey, ...]:
    """Return keys, each with a name that stays the same when the list is sorted in another way."""
    return tuple(key if isinstance(key, NamedKey) else NamedKey(name=name_of(key), key=key) for key in keys)


def check_names(keys: Sequence[NamedKey]) -> None:
    """Look at the names of keys.

    Raises:
        ValueError: two different keys have one name, or one key has two ways.
    """
    seen: dict[str, tuple[str, str | None, str]] = {}
    for key in keys:
        told = (key.key, key.proxy, key.proxy_auth)
        if seen.setdefault(key.name, told) != told:
            raise ValueError(f"two keys have the name '{key.name}'")


def keys_key(number: int) -> str:
    """Return the key of a key inside the section."""
    return f"{TABLE}[{number}]"


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
    #: The client with its own proxy; None: the provider's.
    http: Http | None = None

    def client(self, usual: Http) -> Http:
        """Return the client for all that is done with it; `usual` is the provider's."""
        return self.http or usual


def open_keys(keys: Sequence[NamedKey], context: ProviderContext) -> list[Key]:
    """Return keys as they are used.

    Raises:
        WrongConfiguration: a key that is referred to is not there, or what is set for its proxy cannot be used.
    """
    return [
        Key(
            key.name,
            context.open_secret(key.key, key=keys_key(number)),
            key.concurrency,
            key.enabled,
            key.client(TABLE, number, context),
        )
        for number, key in enumerate(keys)
    ]


class Keys(CredentialPool[Key]):
    """All of them."""

    def __init__(
        self, keys: Sequence[Key], clock: Clock, metrics: Metrics | None = None, *, provider: str = "gemini"
    ) -> None:
        """Take the keys; `provider` is a word for the log."""
        differ = any(key.http for key in keys)
        super().__init__("Gemini key", provider, keys, clock, metrics, ways_differ=differ)
