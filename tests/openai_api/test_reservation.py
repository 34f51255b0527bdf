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
from adapter.openai_api.routes.reservation import QUICK_BYTES, check_connected, offload, with_stall_limit


async def test_large_work_is_done_off_the_event_loop() -> None:
    """And small work is not worth a thread."""
    here = threading.get_ident()

    assert await offload(QUICK_BYTES, threading.get_ident) == here
    assert await offload(QUICK_BYTES + 1, threading.get_ident) != here


async def test_a_body_that_stops_coming_is_not_waited_for() -> None:
    """A client that lost its network says nothing, and would keep its room for ever."""

    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    chunks = with_stall_limit(body(), 0.01)
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
