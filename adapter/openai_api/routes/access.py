"""The access check of every route below `/v1`."""

from ipaddress import ip_address

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from adapter.openai_api.read.keys import read_keys
from adapter.openai_api.routes.services import Services

#: Where proxies write the address of their client.
FORWARDED_FOR = "x-forwarded-for"


async def require_key(connection: ASGIConnection[BaseRouteHandler, object, object, State], _: BaseRouteHandler) -> None:
    """Let a request in, or raise `WrongKey` or `RateLimited`; the handler finds the principal in `request.auth`."""
    services: Services = connection.app.state.services
    address = None if connection.client is None else connection.client.host
    is_forwarded = FORWARDED_FOR in connection.headers and not services.trusts_proxies
    if address is not None and is_forwarded and is_private(address):
        address = None  # that of a proxy, which all of its clients have
    connection.scope["auth"] = await services.access.principal(read_keys(connection.headers), address)


def is_private(address: str) -> bool:
    """Return whether an address is one that a proxy of the operator may have."""
    try:
        return ip_address(address).is_private
    except ValueError:
        return False
