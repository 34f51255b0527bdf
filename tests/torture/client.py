"""Clients that want their video or picture: each asks until it has an answer, and writes down what it was told."""

import asyncio
import time
from collections.abc import Callable

import httpx

from tests.support import WITHOUT_TLS
from tests.torture.calls import Ask, Line, ask_chat
from tests.torture.calls_rest import ask_background, ask_image, ask_video, look_again
from tests.torture.calls_stored import ask_file, ask_picture_chat, ask_response
from tests.torture.wishes import Told, Wish

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.05
ASKS: dict[str, Ask] = {
    "chat": ask_chat,
    "json": ask_video,
    "form": ask_video,
    "edit": ask_video,
    "image": ask_image,
    "background": ask_background,
    "response": ask_response,
    "picture chat": ask_picture_chat,
    "file": ask_file,
}


class Clients:
    """All clients of a trial."""

    def __init__(self, url: Callable[[], str]) -> None:
        """Take what gives the address of a server; each time perhaps another one's."""
        self._http = httpx.AsyncClient(
            verify=WITHOUT_TLS, timeout=PATIENCE_SECONDS, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self._line = Line(self._http, url)
        self._tasks: set[asyncio.Task[None]] = set()
        self.wishes: list[Wish] = []

    def send(self, wish: Wish) -> None:
        """Send a client on its way."""
        self.wishes.append(wish)
        self._tasks.add(asyncio.create_task(self._insist(wish)))

    @property
    def are_served(self) -> bool:
        """Whether every client has its answer, or broke by a mistake of its own."""
        return all(task.done() for task in self._tasks)

    @property
    def progress(self) -> int:
        """How much all of them were told."""
        return sum(len(wish.told) + len(wish.events) for wish in self.wishes)

    async def look_again(self) -> None:
        """Have everybody who has an answer ask for it once more."""
        await asyncio.gather(*(look_again(self._line, wish) for wish in self.wishes if wish.is_over))

    async def close(self) -> None:
        """Send everybody home.

        Raises:
            Exception: a client broke by a mistake of its own.
        """
        for task in self._tasks:
            task.cancel()
        for each in await asyncio.gather(*self._tasks, return_exceptions=True):
            if each is not None and not isinstance(each, asyncio.CancelledError):
                raise each
        await self._http.aclose()

    async def _insist(self, wish: Wish) -> None:
        while not wish.is_over:
            try:
                await ASKS[wish.kind.route](self._line, wish)
            except httpx.ConnectError:
                pass  # nobody is there at the moment
            except httpx.TransportError:
                last = wish.told[-1] if wish.told else Told(at=0.0, what="asked")
                detail = last.what if last.what == "opened" else None
                wish.told.append(Told(at=time.time(), what="unknown", job_id=last.job_id, detail=detail))
            await asyncio.sleep(PAUSE_SECONDS)
