"""The proxies of the environment, as other programs read them."""

from collections.abc import Mapping
from urllib.request import getproxies_environment

from adapter.errors import WrongConfiguration
from adapter.providers.no_proxy import NoProxy
from adapter.providers.proxy import read_proxy_with_user
from adapter.providers.session import OpenSecret, Route, Routes


class EnvironmentRoutes:
    """The proxies of the environment (the port `Routes`): HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, and NO_PROXY."""

    def __init__(self, proxies: Mapping[str, str]) -> None:
        """Take the variables as `urllib` reads them: `https`, `http`, `all` and `no` (their names without `_PROXY`).

        Raises:
            WrongConfiguration: one names no proxy.
        """
        self._exceptions = NoProxy(proxies.get("no", ""))
        self._routes = {name: _read(name, text) for name, text in proxies.items() if name in {"http", "https", "all"}}

    def __call__(self, host: str, port: int, *, is_tls: bool) -> Route | None:
        """Return the way to a host; None: without a proxy."""
        if self._exceptions.has(host, port):
            return None
        return self._routes.get("https" if is_tls else "http") or self._routes.get("all")


def _read(name: str, text: str) -> Route:
    try:
        # `proxy.example:3128` is common in these variables.
        proxy, user = read_proxy_with_user(text if "://" in text else f"http://{text}")
    except ValueError as error:
        raise WrongConfiguration(f"the environment variable {name.upper()}_PROXY: {error}.") from error
    return Route(proxy, OpenSecret(user) if user else None)


def environment_routes() -> Routes:
    """Return the proxies of this process's environment.

    Raises:
        WrongConfiguration: a variable names no proxy.
    """
    return EnvironmentRoutes(getproxies_environment())
