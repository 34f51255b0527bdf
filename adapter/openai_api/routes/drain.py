"""Closes kept-alive connections while the process shuts down."""

from litestar.types import ASGIApp, Message, Receive, Scope, Send


class DrainMiddleware:
    """Wraps the application: after a stop signal each answer has `connection: close`.

    uvicorn does so too, but a tenth of a second later. A load balancer that sends a request into a connection that is
    being closed cannot know whether the request was executed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._is_leaving = False

    def drain(self) -> None:
        """Add the header from now on."""
        self._is_leaving = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def sending(message: Message) -> None:
            if self._is_leaving and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, sending)
