"""Memory reservations: from the first large byte of a request to the last one of its answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TypeVar, cast

import structlog
from litestar.enums import ScopeType
from litestar.types import (
    ASGIApp,
    HTTPReceiveMessage,
    HTTPRequestEvent,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    Message,
    Receive,
    Scope,
    Send,
)

from adapter.domain import memory_estimate
from adapter.domain.ports import EndCallback, Reservation
from adapter.errors import ClientLeft, RequestStalled, RequestTooLarge
from adapter.hang_up import HANG_UP, HangUp
from adapter.openai_api.read.content import form_content, json_content
from adapter.openai_api.read.deployments import name_model, name_model_in_form
from adapter.openai_api.read.form import FormReader, Part
from adapter.openai_api.read.json_size import has_at_most
from adapter.openai_api.routes.azure import DEPLOYMENT
from adapter.openai_api.routes.services import OwnedRequest, Services
from adapter.tasks import beside

log = structlog.get_logger()

#: A body up to this size is not worth counting, and is read within a millisecond if it has at most so many values.
SMALL_BODY_BYTES = 256 * 1024
QUICK_VALUES = 500
#: So many bytes are written at once in a few milliseconds.
QUICK_BYTES = 4 * 1024 * 1024
#: Memory for a body is reserved in steps of so many bytes.
STEP_BYTES = 4 * 1024 * 1024

#: An answer goes out in steps of so many bytes, most pictures in one, and each has to be read within so many seconds
#: (280 kbit/s) …
ANSWER_STEP_BYTES = 4 * 1024 * 1024
SMALL_ANSWER_BYTES = 64 * 1024
READER_SECONDS = 120.0
#: … and a body that comes in may pause for so many.
SILENCE_SECONDS = 60.0

#: A request with none of these headers has no body.
BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding"})

TOO_LARGE = "The request body is too large."

#: Where a request keeps what it holds.
HELD = "adapter.held"

_T = TypeVar("_T")


class ReservationMiddleware:
    """Wraps the application: a handler's reservation is given back when the answer has gone out, not when it is ready.

    So is everything else that holds a body. The server keeps the scope of a connection's last request until the next
    one comes, and handlers and the framework put bodies and pictures into it: they get a copy, which is emptied here.
    """

    def __init__(self, app: ASGIApp, *, reader_seconds: float = READER_SECONDS) -> None:
        self._app = app
        self._reader_seconds = reader_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        held = Held(_hang_up(scope))
        kept = {**scope.get("state", {}), HELD: held}
        own = {**scope, "state": kept}
        reader = _Reader(scope, held, receive, send, seconds=self._reader_seconds)
        try:
            await self._app(cast("Scope", own), reader.receive, reader.take)
        finally:
            kept.clear()
            own.clear()
            await held.end()


class Held:
    """What a request holds until its answer has gone out: memory, and what is to be called then."""

    def __init__(self, hang_up: HangUp | None) -> None:
        """Take what a server says of a client that hangs up; None of another server than ours."""
        self.hang_up = hang_up
        self.reservation: Reservation | None = None
        #: What hears at the end whether the client has the answer. Only its first call counts.
        self.callback: EndCallback | None = None
        #: A task that waits for the client to hang up, where the server can only be waited for.
        self._waiting: AsyncExitStack | None = None

    def keep(self, reservation: Reservation) -> None:
        """Keep memory until the request ends."""
        reservation.hold()
        self.reservation = reservation

    async def call_at_end(self, callback: EndCallback, receive: Receive) -> None:
        """Call a function when the request ends, or as soon as its client hangs up."""
        self.callback = callback
        if self.hang_up is not None:
            self.hang_up.call(partial(callback, delivered=False))
            return
        self._waiting = AsyncExitStack()
        await self._waiting.enter_async_context(beside(_call_when_disconnected(receive, callback)))

    async def end(self) -> None:
        """End the request, however it went."""
        try:
            if self._waiting is not None:
                await self._waiting.aclose()
            if self.callback is not None:
                if self.hang_up is not None:
                    self.hang_up.forget()
                self.callback(delivered=False)
        finally:
            reservation, self.reservation, self.callback = self.reservation, None, None
            if reservation is not None:
                reservation.let_go()


class _Reader:
    """Sends an answer to its reader, and keeps the reservation until the reader has it.

    The server waits for a slow reader before it takes the next message, and not after it took one: an answer of one
    piece would give its memory back while all of it is still in the server's buffer. So answers go out in steps, and
    their end by itself. A reader that does not take a step in time counts as gone.
    """

    def __init__(self, scope: Scope, held: Held, receive: Receive, send: Send, *, seconds: float) -> None:
        self._held = held
        #: The head of an answer whose body follows at once.
        self._head: Message | None = None
        #: Whether the server may still have some of the request's body that was not asked for.
        self._is_unread = not BODY_HEADERS.isdisjoint(dict(scope["headers"]))
        self._receive = receive
        self._send = send
        self._seconds = seconds
        #: Bytes of the answer's body that the server was given.
        self._size = 0
        #: Whether there may be something in the server's hands that was not read yet.
        self._owes = False
        self._gone = False

    async def receive(self) -> HTTPReceiveMessage:
        """Return what comes from the client, and note whether that was all of the body."""
        message = cast("HTTPReceiveMessage", await self._receive())
        self._is_unread &= message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def take(self, message: Message) -> None:
        """Send a message. Before the last one the callback hears whether the client is still there."""
        if message["type"] == "http.response.start" and self._held.callback and _has_length(message):
            self._head = message
            return
        if message["type"] != "http.response.body" or message["more_body"]:
            await self._take(message)
            return
        if self._is_unread:
            # The server would keep what has come until the connection's next request. What comes later it throws away.
            _take_at_once(self._receive)
        if self._held.callback is None:
            await self._take(message)
            return
        if self._size + len(message["body"]) > SMALL_ANSWER_BYTES:
            await self._take({**message, "more_body": True})
            message = cast("Message", {**message, "body": b""})
            # Here the server waits until what is before it has been read. It takes a small answer without waiting.
            await self._take(cast("Message", {**message, "more_body": True}))
        # Before its end the server can still say who left. Litestar cancels a stream whose client has: what this frame
        # holds then, the exception holds. So the callback, which has the answer, is no variable here.
        delivered = not self._gone and not await _has_left(self._held.hang_up, self._receive)
        self._held.callback(delivered=delivered)
        await self._take(message)

    async def _take(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            await self._take_step(message)
            return
        for step in _steps(message) if len(message["body"]) > SMALL_ANSWER_BYTES else (message,):
            await self._take_step(step)
            size = len(step["body"])
            self._size += size
            self._owes |= size > SMALL_ANSWER_BYTES

    async def _take_step(self, message: Message) -> None:
        if self._gone:
            return
        if self._head is not None:
            head, self._head = self._head, None
            await self._send(head)
        if not self._owes or self._held.reservation is None:
            await self._send(message)
        else:
            await self._send_in_time(message)

    async def _send_in_time(self, step: Message) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._send(step)
        except TimeoutError:
            self._gone = True
            log.warning("request.reader_stalled", seconds=self._seconds)


def _has_length(message: HTTPResponseStartEvent) -> bool:
    return b"content-length" in dict(message["headers"])


def _hang_up(scope: Scope) -> HangUp | None:
    """Return what a server says of a client that hangs up; None of another server than ours."""
    return cast("HangUp | None", (scope.get("extensions") or {}).get(HANG_UP))


async def _has_left(hang_up: HangUp | None, receive: Receive) -> bool:
    """Say whether the client has hung up, as far as the server knows after a turn of the event loop."""
    await asyncio.sleep(0)
    if hang_up is not None:
        return hang_up.has_happened
    message = _take_at_once(receive)
    return message is not None and message["type"] == "http.disconnect"


def _take_at_once(receive: Receive) -> Message | None:
    """Return what the server has of a request; None if it has nothing. The loop gets no turn, so nothing new comes."""
    taking = receive().__await__()
    try:
        next(taking)
    except StopIteration as taken:
        return cast("Message", taken.value)
    taking.close()
    return None


async def check_connected(request: OwnedRequest) -> None:
    """Refuse to begin for a client that has hung up, for example while its request waited for memory.

    The body has to have been read: what the server says next is that the client is gone.

    Raises:
        ClientLeft: it did.
    """
    if await _has_left(_hang_up(request.scope), request.receive):
        raise ClientLeft("The client hung up before anything was begun.")


async def call_at_end(request: OwnedRequest, callback: EndCallback) -> None:
    """Call a function when the request ends: after the answer has gone out, or as soon as the client hangs up.

    The body has to have been read: what the server says next is that the client is gone.
    """
    await _held(request).call_at_end(callback, request.receive)


def _held(request: OwnedRequest) -> Held:
    return cast("Held", request.scope["state"][HELD])


async def _call_when_disconnected(receive: Receive, callback: EndCallback) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    callback(delivered=False)


def _steps(message: HTTPResponseBodyEvent) -> Iterator[HTTPResponseBodyEvent]:
    """Cut what is too large to be sent at once. A small end shows by itself that what was before it has been read."""
    body = memoryview(message["body"])
    for at in range(0, len(body), ANSWER_STEP_BYTES):
        # A view, which is not copied: ASGI says `bytes`; uvicorn and uvloop take whatever has a buffer.
        step = cast("bytes", body[at : at + ANSWER_STEP_BYTES])
        yield {**message, "body": step, "more_body": True}
    if not message["more_body"]:
        yield {**message, "body": b""}


async def reserve(request: OwnedRequest, services: Services, needed: int) -> Reservation:
    """Reserve memory, or more of it, until the request is over. A size of 0 does not wait.

    Raises:
        ServerBusy: none became free in time.
    """
    held = _held(request)
    reservation = held.reservation
    if reservation is None:
        reservation = services.budget.empty(request.auth.owner)
        held.keep(reservation)
    if needed:
        await reservation.wait_for_more(needed)
    return reservation


class RequestConnection:
    """The connection of a request, as use cases know it (the port `Connection`)."""

    def __init__(self, request: OwnedRequest, services: Services) -> None:
        self._request = request
        self._services = services

    async def reserve(self, size: int) -> Reservation:
        """Take memory until the request is over."""
        return await reserve(self._request, self._services, size)

    async def check_connected(self) -> None:
        """Return if the client is still there."""
        await check_connected(self._request)

    async def call_at_end(self, callback: EndCallback) -> None:
        """Call a function when the request has ended."""
        await call_at_end(self._request, callback)


async def body_chunks(request: OwnedRequest, services: Services) -> AsyncIterator[bytes]:
    """Yield a body as it arrives. Memory for a large one is reserved in steps, before each step is read.

    A large body begins once there is room for all of it. What was announced and does not come reserves nothing. While
    it arrives it gives way to other owners that have a right to its memory.

    Raises:
        ServerBusy: there is none.
        RequestTooLarge: it is longer than this route takes.
        RequestStalled: it stops coming.
    """
    length = _announced(request, services)
    if length is not None and length <= SMALL_BODY_BYTES:
        yield await _small_body(request)
        return
    reservation = await reserve(request, services, 0)
    whole = STEP_BYTES if length is None else length
    step = min(whole, STEP_BYTES)
    await reservation.wait_for_more(memory_estimate.of_body(step), room=memory_estimate.of_body(whole))
    seen, paid, silence = 0, step, Silence(SILENCE_SECONDS)
    with reservation.interruptible(silence.end):
        async for chunk in with_stall_limit(_arriving(request, services.longest_body), silence, reservation):
            seen += len(chunk)
            while seen > paid:
                await reservation.wait_for_more(memory_estimate.of_body(STEP_BYTES))
                paid += STEP_BYTES
            yield chunk


class Silence:
    """The time that a body may pause, in seconds. It can be ended early."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timeout: asyncio.Timeout | None = None

    async def limit(self, arrival: Awaitable[_T]) -> _T:
        """Wait for what arrives.

        Raises:
            TimeoutError: the pause was too long, or was ended.
        """
        async with asyncio.timeout(self._seconds) as timeout:
            self._timeout = timeout
            try:
                return await arrival
            finally:
                self._timeout = None

    def end(self) -> None:
        """End the pause that is under way, and all that follow."""
        self._seconds = 0.0
        if self._timeout is not None and not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time())


def _announced(request: OwnedRequest, services: Services) -> int | None:
    """Return the length that a body is said to have; None if nothing is said.

    Raises:
        RequestTooLarge: it is longer than a body may be.
    """
    told = request.headers.get("content-length", "")
    length = int(told) if told.isdecimal() else None
    if length is not None and length > services.longest_body:
        raise RequestTooLarge(TOO_LARGE)
    return length


async def _arriving(request: OwnedRequest, longest: int) -> AsyncIterator[bytes]:
    """Yield what arrives of a body.

    Raises:
        RequestTooLarge: it is longer than it may be.
        ClientLeft: the client hung up.
    """
    size, more = 0, True
    while more:
        message = _of_body(await request.receive())
        size += len(message["body"])
        if size > longest:
            raise RequestTooLarge(TOO_LARGE)
        more = message.get("more_body", False)
        if message["body"]:
            yield message["body"]


def _of_body(message: object) -> HTTPRequestEvent:
    came = cast("HTTPReceiveMessage", message)
    if came["type"] != "http.request":
        raise ClientLeft("The client hung up before its request was whole.")
    return came


async def _small_body(request: OwnedRequest) -> bytes:
    """Return a small body. The server begins such a request when all of it is here.

    Raises:
        RequestStalled, ClientLeft: as `body_chunks`.
    """
    pieces: list[bytes] = []
    silence = Silence(SILENCE_SECONDS)
    while True:
        message = _of_body(_take_at_once(request.receive) or await _next(request.receive, silence))
        pieces.append(message["body"])
        if not message.get("more_body", False):
            return b"".join(pieces)


async def _next(receive: Receive, silence: Silence) -> object:
    try:
        return await silence.limit(receive())
    except TimeoutError as error:
        raise RequestStalled("The request's body stopped coming.") from error


async def with_stall_limit(
    chunks: AsyncIterator[bytes], silence: Silence, reservation: Reservation | None = None
) -> AsyncIterator[bytes]:
    """Yield what arrives. A client that vanished would keep its reservation for ever.

    Raises:
        RequestStalled: nothing came for so long.
        ServerBusy: the reservation was interrupted.
        ClientLeft: the client hung up.
    """
    while True:
        try:
            chunk = await silence.limit(anext(chunks, None))
        except TimeoutError as error:
            if reservation is not None:
                reservation.check()
            raise RequestStalled("The request's body stopped coming.") from error
        if chunk is None:
            return
        yield chunk


async def read_body(request: OwnedRequest, services: Services, read: Callable[[bytes], _T]) -> tuple[str, _T]:
    """Return the digest of a whole JSON body, and what `read` makes of it (as `body_chunks`)."""
    length = _announced(request, services)
    if length is not None and length <= SMALL_BODY_BYTES:
        chunks = [await _small_body(request)]
    else:
        chunks = [chunk async for chunk in body_chunks(request, services)]
    return await read_in_turn(
        request,
        services,
        lambda: _with_content(_of_deployment(request, b"".join(chunks)), read),
        is_quick=is_quick_to_read(chunks),
    )


def is_quick_to_read(chunks: Sequence[bytes]) -> bool:
    """Say whether a body of JSON is read within about a millisecond."""
    return sum(map(len, chunks)) <= SMALL_BODY_BYTES and has_at_most(b"".join(chunks), QUICK_VALUES)


def _with_content(body: bytes, read: Callable[[bytes], _T]) -> tuple[str, _T]:
    found = read(body)  # first: it says what is wrong with a body
    return json_content(body), found


def _of_deployment(request: OwnedRequest, body: bytes) -> bytes:
    """Return a body of JSON with the model that the request's address names, if it names one."""
    model = request.scope["state"].get(DEPLOYMENT)
    return body if model is None else name_model(body, model)


async def read_json_or_form(
    request: OwnedRequest,
    services: Services,
    of_json: Callable[[bytes], _T],
    of_form: Callable[[Sequence[Part]], _T],
    *,
    most_file_bytes: int | None = None,
) -> tuple[str, _T]:
    """Return the digest of a whole body, and what one of two readers makes of it (as `body_chunks`).

    A form says that it is one. Everything else is JSON: curl calls a body that it was given
    `application/x-www-form-urlencoded`. A file of a form is a picture unless its route says how large it may be.

    Raises:
        InvalidRequest: it is neither.
    """
    content_type = request.headers.get("content-type", "")
    if not content_type.strip().lower().startswith("multipart/"):
        return await read_body(request, services, of_json)
    form = FormReader(content_type, most_file_bytes=most_file_bytes or services.longest_file)
    async for chunk in body_chunks(request, services):
        form.feed(chunk)
    parts: Sequence[Part] = form.finish()
    if (model := request.scope["state"].get(DEPLOYMENT)) is not None:
        parts = name_model_in_form(parts, model)
    # A field may have JSON.
    is_quick = is_quick_to_read([part.data for part in parts])
    return await read_in_turn(request, services, lambda: (form_content(parts), of_form(parts)), is_quick=is_quick)


async def read_in_turn(request: OwnedRequest, services: Services, read: Callable[[], _T], *, is_quick: bool) -> _T:
    """Read a request: in a thread if that is not quick, a few at a time, and in turn with other owners."""
    if is_quick:
        return read()
    async with services.readers.admit(request.auth.owner):
        return await asyncio.to_thread(read)


async def offload(size: int, work: Callable[[], _T]) -> _T:
    """Run work that writes so many bytes in a thread if it would take long."""
    return work() if size <= QUICK_BYTES else await asyncio.to_thread(work)
