"""No run of the tests stands still for ever: what hangs shows where it hangs, and ends.

`faulthandler_timeout` in `pyproject.toml` ends a single test, its fixtures included, and shows the threads. Two things
it does not see, hence this: what the tasks of an event loop wait for, and a process that does not end after its last
test, because Python waits for its threads.
"""

import asyncio
import faulthandler
import gc
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds that a test may take before its tasks are shown: a little less than `faulthandler_timeout`.
SHOW_SECONDS = 290.0
#: Seconds that a process may take to end after its last test. It takes less than one.
END_SECONDS = 60.0


class Guard:
    """Watches the tests of a process. It is made before pytest catches what tests print."""

    def __init__(self) -> None:
        self._output = os.fdopen(os.dup(2), "w", buffering=1)

    @contextmanager
    def watching(self, test: str, seconds: float = SHOW_SECONDS) -> Iterator[None]:
        """Show the tasks of a test that takes longer than so many seconds."""
        alarm = threading.Timer(seconds, self._show, [test])
        alarm.daemon = True
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()

    def _show(self, test: str) -> None:
        print(f"\n{test} stands still. Its tasks:", file=self._output)
        for task in [each for each in gc.get_objects() if isinstance(each, asyncio.Task)]:
            if not task.done():
                task.print_stack(file=self._output)


def end_within(seconds: float) -> None:
    """End the process after so many seconds, with the stacks of all threads, if it has not ended by itself."""
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__ or sys.stderr)
