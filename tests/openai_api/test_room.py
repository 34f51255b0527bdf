"""Room and threads for large requests."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from adapter.errors import RequestStalled
from adapter.openai_api.routes.room import QUICK_BYTES, apart, unless_stalled


async def test_large_work_is_done_off_the_event_loop() -> None:
    """And small work is not worth a thread."""
    here = threading.get_ident()

    assert await apart(QUICK_BYTES, threading.get_ident) == here
    assert await apart(QUICK_BYTES + 1, threading.get_ident) != here


async def test_a_body_that_stops_coming_is_not_waited_for() -> None:
    """A client that lost its network says nothing, and would keep its room for ever."""

    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    chunks = unless_stalled(body(), 0.01)
    assert await anext(chunks) == b"{"
    with pytest.raises(RequestStalled) as caught:
        await anext(chunks)
    assert (caught.value.status, caught.value.headers) == (408, {"connection": "close"})
