"""Azure's paths, rewritten to OpenAI's."""

from collections.abc import Awaitable
from typing import cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from adapter.openai_api.read.deployments import read_address

#: Where a request keeps the model that its address names.
DEPLOYMENT = "adapter.deployment"


class AzurePaths:
    """Wraps the application. Behind it a request has one path, so its repetition is known under every address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass a request on."""
        address = read_address(scope["path"]) if scope["type"] == ScopeType.HTTP else None
        if address is not None:
            state = {**scope.get("state", {}), DEPLOYMENT: address.model}
            scope = cast("Scope", {**scope, "path": address.path, "state": state})
        return self._app(scope, receive, send)
