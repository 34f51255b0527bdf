"""Fault injection: every endpoint answers through `served`, which injects the fault that a script names."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, get_args

from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from adapter.sandbox.faults import Endpoint, Fault, ResponseMutation
from adapter.sandbox.google_errors import Detail, ErrorInfo, GoogleError, RetryInfo
from adapter.sandbox.state import Incoming, SandboxState

#: ASGI extension of `server.ClosableProtocol`: closes the connection after what was sent.
HANG_UP: Final = "sandbox.hang_up"

Work: TypeAlias = Callable[[ResponseMutation | None], Awaitable[ASGIResponse]]

HTML = """<!DOCTYPE html><html lang=en><title>Error {status} (Server Error)!!1</title>
<p><b>{status}.</b> <ins>That’s an error.</ins>
<p>The server encountered an error and could not complete your request.
<p>Please try again in 30 seconds. <ins>That’s all we know.</ins></html>"""


class CutResponse(ASGIResponse):
    """An answer with the full Content-Length that ends in the middle and closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and the first half of the body."""
        await self.start_response(send)
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})
        if _hang_up(scope):
            await _left(receive)


async def served(request: Incoming, sandbox: SandboxState, call: tuple[Endpoint, str], work: Work) -> ASGIResponse:
    """Answer with `work`, or with with what the fault that matches `call` (endpoint and prompt) makes of it."""
    fault = sandbox.faults.take(*call)
    if fault is None:
        return await work(None)
    if mutation := _twist(fault):
        return await work(mutation)
    match fault.do:
        case "truncate":
            return _cut(await work(None), promised=True)
        case "short":
            return _cut(await work(None), promised=False)
        case "delay":
            return await _delayed(fault, work)
        case _:
            if fault.after:
                await work(None)
            return await _spoiled(request, fault)


async def _delayed(fault: Fault, work: Work) -> ASGIResponse:
    if fault.after:
        answer = await work(None)
        await asyncio.sleep(fault.seconds)
        return answer
    await asyncio.sleep(fault.seconds)
    return await work(None)


async def _spoiled(request: Incoming, fault: Fault) -> ASGIResponse:
    match fault.do:
        case "error":
            raise _error(fault)
        case "html":
            page = HTML.format(status=fault.status)
            return ASGIResponse(body=page, status_code=fault.status, media_type="text/html")
        case "garbage":
            return ASGIResponse(body=b'{"\xff\xfe\x80": "\xc3\x28\xa0\xa1"}', media_type="application/json")
        case "drop":
            _hang_up(request.scope)
    await _left(request.receive)
    return ASGIResponse(status_code=499)  # the client has left


def _hang_up(scope: Scope) -> bool:
    """Close the connection, if the server supports it; return whether it did."""
    hang_up = (scope.get("extensions") or {}).get(HANG_UP)
    if callable(hang_up):
        hang_up()
        return True
    return False


async def _left(receive: Receive) -> None:
    """Return when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _twist(fault: Fault) -> ResponseMutation | None:
    return next((mutation for mutation in get_args(ResponseMutation) if mutation == fault.do), None)


def _cut(answer: ASGIResponse, *, promised: bool) -> ASGIResponse:
    """Return the answer's first half, with the length of the whole (`promised`) or its own."""
    headers = [(name, value) for name, value in answer.headers.items() if name != "content-length"]
    if promised:
        return CutResponse(body=answer.body, status_code=answer.status_code, headers=headers)
    return ASGIResponse(body=answer.body[: len(answer.body) // 2], status_code=answer.status_code, headers=headers)


def _error(fault: Fault) -> GoogleError:
    details: list[Detail] = []
    if fault.reason:
        details.append(ErrorInfo(fault.reason))
    if fault.retry_seconds is not None:
        details.append(RetryInfo(f"{fault.retry_seconds:g}s"))
    return GoogleError(fault.status, fault.message, *details)
