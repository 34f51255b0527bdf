"""Room and threads for large requests."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import cast

import pytest
from litestar import Request
from litestar.datastructures import State
from litestar.types import HTTPReceiveMessage, HTTPScope

from adapter.domain.principal import Principal
from adapter.errors import ClientLeft, RequestStalled
from adapter.openai_api.routes.reservation import (
    QUICK_BYTES,
    SMALL_BODY_BYTES,
    Silence,
    check_connected,
    is_quick_to_read,
    offload,
    with_stall_limit,
)


async def test_large_work_is_done_off_the_event_loop() -> None:
    """And small work is not worth a thread."""
    here = threading.get_ident()

    assert await offload(QUICK_BYTES, threading.get_ident) == here
    assert await offload(QUICK_BYTES + 1, threading.get_ident) != here


@pytest.mark.parametrize(
    ("body", "quick"),
    [
        (b'{"prompt": "a fox"}', True),
        (b'{"prompt": "' + b"a" * SMALL_BODY_BYTES + b'"}', False),
        (b'{"messages": [' + b",".join([b"{}"] * 300) + b"]}", False),
        (b'{"messages": [' + b",".join([b"{}"] * 200) + b"]}", True),
    ],
)
def test_a_large_body_or_one_of_many_values_is_read_off_the_event_loop(body: bytes, *, quick: bool) -> None:
    """However it was cut on its way."""
    assert is_quick_to_read([body]) is quick
    assert is_quick_to_read([body[:7], body[7:]]) is quick


async def test_a_body_that_stops_coming_is_not_waited_for() -> None:
    """A client that lost its network says nothing, and would keep its room for ever."""

    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    chunks = with_stall_limit(body(), Silence(0.01))
    assert await anext(chunks) == b"{"
    with pytest.raises(RequestStalled) as caught:
        await anext(chunks)
    assert (caught.value.status, caught.value.headers) == (408, {"connection": "close"})


async def test_nothing_is_begun_for_a_client_that_has_left() -> None:
    """It hung up while its request waited for memory; one that is still there goes on."""
    left = asyncio.Event()

    async def receive() -> HTTPReceiveMessage:
        await left.wait()
        return {"type": "http.disconnect"}

    request: Request[None, Principal, State] = Request(cast("HTTPScope", {"type": "http"}), receive=receive)
    await check_connected(request)
    left.set()
    with pytest.raises(ClientLeft):
        await check_connected(request)
