"""One of several credentials in the configuration of a provider: an account of Flow, or a key of the Gemini API."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Final, Self

import msgspec
from msgspec import Meta

from adapter.domain.credentials import ConfiguredCredential
from adapter.providers.description import ProviderContext, ProxyText, Way
from adapter.providers.http import Http

#: Calls under way with one credential.
MOST_CALLS: Final = 64


class CredentialSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each of them has."""

    #: The operator's name for it. Jobs remember it.
    name: Annotated[str, Meta(min_length=1)]
    #: Calls under way with it at once, without those of jobs.
    concurrency: Annotated[int, Meta(ge=1, le=1024)] = MOST_CALLS
    #: Whether it takes new work. The jobs that it has are looked after in any case.
    enabled: bool = True
    #: The proxy for all that is done with it; None: that of the section. An empty text: none.
    proxy: ProxyText | None = None
    #: A reference to `user:password` for it.
    proxy_auth: str = ""

    @property
    def configured(self) -> ConfiguredCredential:
        """The part that `adapter accounts` shows."""
        return ConfiguredCredential(self.name, self.enabled)

    def own_way(self, table: str, number: int) -> Way | None:
        """Return its proxy; None: it has none of its own. `table` and `number` say where it stands in the section."""
        if self.proxy is None and not self.proxy_auth:
            return None
        return Way((table, number), self.proxy or "", self.proxy_auth)

    def client(self, table: str, number: int, context: ProviderContext) -> Http | None:
        """Return the client with its own proxy; None: it has none of its own.

        Raises:
            WrongConfiguration: what is set for the proxy cannot be used.
        """
        way = self.own_way(table, number)
        return None if way is None else context.open_client(way)

    def directly(self) -> Self:
        """Return the same credential, used by the way of the section."""
        return msgspec.structs.replace(self, proxy=None, proxy_auth="")


def own_ways(table: str, credentials: Iterable[CredentialSettings]) -> Iterator[Way]:
    """Yield the proxies of credentials."""
    ways = (credential.own_way(table, number) for number, credential in enumerate(credentials))
    return (way for way in ways if way is not None)


def own_secrets(table: str, credentials: Sequence[CredentialSettings]) -> Iterator[tuple[str, str]]:
    """Yield the references to the users of these proxies, by their keys inside the section."""
    return ((way.auth_key, way.proxy_auth) for way in own_ways(table, credentials) if way.proxy_auth)
