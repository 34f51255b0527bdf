"""The access check of every route below `/v1`."""

from ipaddress import ip_address

from litestar import Request
from litestar.datastructures import State

from adapter.domain.allowance import UNLIMITED
from adapter.openai_api.read.keys import read_keys
from adapter.openai_api.routes.rate_headers import announce
from adapter.openai_api.routes.services import Services

#: Where proxies write the address of their client.
FORWARDED_FOR = "x-forwarded-for"


async def require_key(request: Request[object, object, State]) -> None:
    """Let a request in, or raise `WrongKey` or `RateLimited`; the handler finds the principal in `request.auth`.

    It is no guard: Litestar copies the whole route handler for each call of one.
    """
    services: Services = request.app.state.services
    client, headers = request.scope.get("client"), request.headers
    address = None if client is None else client[0]
    is_forwarded = FORWARDED_FOR in headers and not services.trusts_proxies
    if address is not None and is_forwarded and is_private(address):
        address = None  # that of a proxy, which all of its clients have
    principal = request.scope["auth"] = await services.access.principal(read_keys(headers), address)
    if principal.allowance is not UNLIMITED:
        await announce(services.quotas, principal)


def is_private(address: str) -> bool:
    """Return whether an address is one that a proxy of the operator may have."""
    try:
        return ip_address(address).is_private
    except ValueError:
        return False
