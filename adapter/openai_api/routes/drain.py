"""The last answers on connections that would be used again."""

from litestar.types import ASGIApp, Message, Receive, Scope, Send


class DrainMiddleware:
    """Wraps the application: when the process was told to stop, each answer says that its connection ends with it.

    uvicorn says so by itself, but begins a tenth of a second later; a load balancer that sends its next request into a
    connection that is just being closed cannot know whether it was carried out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._is_leaving = False

    def drain(self) -> None:
        """Begin to say it."""
        self._is_leaving = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def sending(message: Message) -> None:
            if self._is_leaving and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        await self._app(scope, receive, sending)
