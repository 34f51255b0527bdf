"""The way to a provider, from the settings: proxy, certificates, headers, time and log level."""

import logging
import ssl
from collections.abc import Mapping
from typing import Final

from adapter.domain.ports import Secret
from adapter.errors import WrongConfiguration
from adapter.providers.description import REFERENCES, ProviderSettings, SecretOpener, Way
from adapter.providers.proxy import Proxy, read_proxy
from adapter.providers.session import HttpNetwork, OpenSecret, RelayHeaders, Route, Routes, direct

LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class OneProxy:
    """The same proxy for every host (the port `Routes`)."""

    def __init__(self, proxy: Proxy, user: Secret | None) -> None:
        self._route = Route(proxy, user)

    def __call__(self, host: str, port: int, *, is_tls: bool) -> Route:  # noqa: ARG002 - the same for all
        """Return the way to a host."""
        return self._route


def network_of(name: str, settings: ProviderSettings, open_secret: SecretOpener, way: Way) -> HttpNetwork:
    """Return the network by which the provider `name` is reached on one of the ways of its section.

    Raises:
        WrongConfiguration: a reference or the file of certificates cannot be used, or a variable names no proxy.
    """
    return HttpNetwork(
        trust=_trust(name, settings.ca_file),
        route=routes_of(way, open_secret),
        headers=_headers(settings, open_secret),
        log_level=LEVELS[settings.unreachable_level],
    )


def _trust(name: str, file: str) -> ssl.SSLContext | None:
    if not file:
        return None
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_verify_locations(cafile=file)
    except ssl.SSLError as error:
        raise WrongConfiguration(f"providers.{name}.ca_file: {file} has no certificates in the form PEM.") from error
    except OSError as error:
        raise WrongConfiguration(f"providers.{name}.ca_file: the file {file} cannot be read.") from error
    return context


def routes_of(way: Way, open_secret: SecretOpener) -> Routes:
    """Return which proxy leads to a host.

    Raises:
        WrongConfiguration: the reference cannot be used, or a variable of the environment names no proxy.
    """
    if not way.proxy:
        return direct
    if way.proxy == "env":
        # It loads urllib's client, which most servers do not need.
        from adapter.providers.environment_routes import environment_routes  # noqa: PLC0415

        return environment_routes()
    user = open_secret(way.proxy_auth, key=way.auth_key) if way.proxy_auth else None
    return OneProxy(read_proxy(way.proxy), user)


def _headers(settings: ProviderSettings, open_secret: SecretOpener) -> RelayHeaders | None:
    if not settings.headers:
        return None
    return RelayHeaders(
        settings.base_url,
        {
            name: open_secret(value, key=f"headers.{name}") if value.startswith(REFERENCES) else OpenSecret(value)
            for name, value in settings.headers.items()
        },
    )
