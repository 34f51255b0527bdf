"""The way to a provider, from the settings: proxy, certificates, headers, time and log level."""

import logging
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.request import getproxies_environment, proxy_bypass_environment

from adapter.domain.ports import Secret
from adapter.errors import WrongConfiguration
from adapter.providers.description import REFERENCES, ProviderSettings, SecretOpener
from adapter.providers.proxy import Proxy, read_proxy, read_proxy_with_user
from adapter.providers.session import HttpLimits, HttpNetwork, RelayHeaders, Route, Routes, direct

LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class _Open:
    """A value that is no secret, or one of the environment (the port `Secret`)."""

    def __init__(self, value: str) -> None:
        self._value = value

    async def read(self) -> str:
        """Return it."""
        return self._value

    async def renew(self) -> str:
        """Return it: it cannot be renewed."""
        return self._value


class OneProxy:
    """The same proxy for every host (the port `Routes`)."""

    def __init__(self, proxy: Proxy, user: Secret | None) -> None:
        self._route = Route(proxy, user)

    def __call__(self, host: str, *, is_tls: bool) -> Route:  # noqa: ARG002 - the same for all
        """Return the way to a host."""
        return self._route


class EnvironmentRoutes:
    """The proxies of the environment (the port `Routes`): HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, and NO_PROXY."""

    def __init__(self, proxies: Mapping[str, str]) -> None:
        """Take the variables as `urllib` reads them: `https`, `http`, `all` and `no` (their names without `_PROXY`).

        Raises:
            WrongConfiguration: one names no proxy.
        """
        self._proxies = dict(proxies)
        self._routes = {name: _read(name, text) for name, text in proxies.items() if name in {"http", "https", "all"}}

    def __call__(self, host: str, *, is_tls: bool) -> Route | None:
        """Return the way to a host; None: without a proxy."""
        if proxy_bypass_environment(host, self._proxies):
            return None
        return self._routes.get("https" if is_tls else "http") or self._routes.get("all")


def _read(name: str, text: str) -> Route:
    try:
        # `proxy.example:3128` is common in these variables.
        proxy, user = read_proxy_with_user(text if "://" in text else f"http://{text}")
    except ValueError as error:
        raise WrongConfiguration(f"the environment variable {name.upper()}_PROXY: {error}.") from error
    return Route(proxy, _Open(user) if user else None)


def limits_of(settings: ProviderSettings) -> HttpLimits:
    """Return what requests to a provider may take."""
    return HttpLimits(connect=settings.connect_seconds)


def network_of(name: str, settings: ProviderSettings, open_secret: SecretOpener) -> HttpNetwork:
    """Return the way to the provider `name`.

    Raises:
        WrongConfiguration: a reference or the file of certificates cannot be used, or a variable names no proxy.
    """
    return HttpNetwork(
        trust=_trust(name, settings.ca_file),
        route=_routes(settings, open_secret),
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


def _routes(settings: ProviderSettings, open_secret: SecretOpener) -> Routes:
    if not settings.proxy:
        return direct
    if settings.proxy == "env":
        return EnvironmentRoutes(getproxies_environment())
    user = open_secret(settings.proxy_auth, key="proxy_auth") if settings.proxy_auth else None
    return OneProxy(read_proxy(settings.proxy), user)


def _headers(settings: ProviderSettings, open_secret: SecretOpener) -> RelayHeaders | None:
    if not settings.headers:
        return None
    return RelayHeaders(
        settings.base_url,
        {
            name: open_secret(value, key=f"headers.{name}") if value.startswith(REFERENCES) else _Open(value)
            for name, value in settings.headers.items()
        },
    )
