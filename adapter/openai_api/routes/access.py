"""The access check of every route below `/v1`."""

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from adapter.openai_api.read.keys import read_keys
from adapter.openai_api.routes.services import Services


async def require_key(connection: ASGIConnection[BaseRouteHandler, object, object, State], _: BaseRouteHandler) -> None:
    """Let a request in, or raise `WrongKey`; the handler finds the principal in `request.auth`."""
    services: Services = connection.app.state.services
    connection.scope["auth"] = await services.access.principal(read_keys(connection.headers))
