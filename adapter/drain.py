"""Stop signals: open streams end at once. Else they would hold the server until their videos are made."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def on_stop_signal(drain: Callable[[], None]) -> Iterator[None]:
    """Call `drain` on SIGINT and SIGTERM, then the handler that was installed before: the server's own.

    Without it uvicorn never exits while a stream is open (measured, `dependencies.md` section 1.4). Off the main thread
    there are no signals to receive and nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(drain)
        before = earlier[number]
        if callable(before):
            before(number, frame)

    numbers: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM)
    earlier = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
