"""Servers of tests that run in a thread beside the test."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def in_thread(serve: Callable[[], object], close: Callable[[], object]) -> Iterator[None]:
    """Serve until the context ends; `close` makes `serve` return."""
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        close()
        thread.join()
