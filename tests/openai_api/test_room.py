"""Room and threads for large requests."""

import threading

from adapter.openai_api.routes.room import QUICK_BYTES, apart


async def test_large_work_is_done_off_the_event_loop() -> None:
    """And small work is not worth a thread."""
    here = threading.get_ident()

    assert await apart(QUICK_BYTES, threading.get_ident) == here
    assert await apart(QUICK_BYTES + 1, threading.get_ident) != here
