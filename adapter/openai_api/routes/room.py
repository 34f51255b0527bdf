"""Room in memory, held from the first large byte of a request to the last one of its answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adapter.domain import weight
from adapter.domain.ports import Room
from adapter.openai_api.routes.desk import Desk, OwnedRequest

#: A body up to this size is not worth counting.
SMALL_BODY_BYTES = 256 * 1024
#: So many bytes are read or written at once in a few milliseconds.
QUICK_BYTES = 4 * 1024 * 1024
#: In steps of so many bytes room is taken for a body whose length is not told.
STEP_BYTES = 4 * 1024 * 1024

#: Where a request keeps its room.
_STACK, _ROOM = "adapter.stack", "adapter.room"

_T = TypeVar("_T")


class HoldingRoom:
    """Wraps the application: a handler's room is given back when the answer has gone out, and not when it is ready."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        async with AsyncExitStack() as stack:
            scope.setdefault("state", {})[_STACK] = stack
            await self._app(scope, receive, _waiting_for_the_reader(send))


def _waiting_for_the_reader(send: Send) -> Send:
    """Let the end of an answer come by itself.

    The server waits for a slow reader before it takes the next message, and not after it took one: an answer of one
    piece would give its room back while all of it is still in the server's hands.
    """

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.body" and message["body"] and not message["more_body"]:
            await send({**message, "more_body": True})
            message = {**message, "body": b""}
        await send(message)

    return sending


async def take_room(request: OwnedRequest, desk: Desk, needed: int) -> Room:
    """Take room, or more of it, until the request is over.

    Raises:
        ServerBusy: none became free in time.
    """
    kept = request.scope["state"]
    room: Room | None = kept.get(_ROOM)
    if room is None:
        stack: AsyncExitStack = kept[_STACK]
        room = kept[_ROOM] = await stack.enter_async_context(desk.budget.room(needed))
    else:
        await room.widen(needed)
    return room


async def arriving(request: OwnedRequest, desk: Desk) -> AsyncIterator[bytes]:
    """Yield a body as it comes. Room for a large one is taken before, or on the way where its length is not told.

    Raises:
        ServerBusy: there is none.
        RequestTooLarge: it is longer than this route takes.
    """
    told = request.headers.get("content-length", "")
    length = int(told) if told.isdecimal() else None
    if length is not None and length <= SMALL_BODY_BYTES:
        async for chunk in request.stream():
            yield chunk
        return
    room = await take_room(request, desk, weight.of_body(STEP_BYTES if length is None else length))
    seen, paid = 0, STEP_BYTES
    async for chunk in request.stream():
        seen += len(chunk)
        if length is None and seen > paid:
            room.grow(weight.of_body(STEP_BYTES))
            paid += STEP_BYTES
        yield chunk


async def read_body(request: OwnedRequest, desk: Desk, read: Callable[[bytes], _T]) -> _T:
    """Return what `read` makes of a whole body (as `arriving`)."""
    chunks = [chunk async for chunk in arriving(request, desk)]
    return await apart(sum(map(len, chunks)), lambda: read(b"".join(chunks)))


async def apart(size: int, work: Callable[[], _T]) -> _T:
    """Do what takes long for so many bytes in a thread: the event loop has others to serve."""
    return work() if size <= QUICK_BYTES else await asyncio.to_thread(work)
