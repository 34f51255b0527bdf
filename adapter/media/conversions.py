"""Conversions of pictures: in threads of their own, a few at once, in turn between owners, and cut off if unwanted."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from adapter.domain.ports import Work
from adapter.errors import ClientLeft
from adapter.fair_semaphore import FairSemaphore

#: Conversions at once: each takes a core for 20 ms to seconds, and a picture's pixels in memory.
AT_ONCE = 2

_T = TypeVar("_T")


class Cut:
    """Ends a conversion between two steps: a thread cannot be ended from outside."""

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        self._is_wanted = is_wanted
        self._is_over = False

    def end(self) -> None:
        """End it at its next step."""
        self._is_over = True

    def check(self) -> None:
        """Return if it is wanted.

        Raises:
            ClientLeft: it is not.
        """
        if self._is_over or not self._is_wanted():
            raise ClientLeft("The client hung up before anything was begun.")


class Conversions:
    """Runs conversions. Other work in threads does not wait for them."""

    def __init__(self) -> None:
        self._places = FairSemaphore(AT_ONCE)
        self._threads = ThreadPoolExecutor(AT_ONCE, "conversion")

    async def run(self, convert: Callable[[Cut], _T], work: Work) -> _T:
        """Run a conversion when it is its owner's turn.

        Raises:
            ClientLeft: the work is not wanted any more.
        """
        cut = Cut(work.is_wanted)
        async with self._places.admit(work.owner):
            cut.check()
            try:
                return await asyncio.get_running_loop().run_in_executor(self._threads, convert, cut)
            finally:
                cut.end()
