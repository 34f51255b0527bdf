"""SIGHUP reloads the configuration. By itself it would end the process without draining."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

#: Signals that operators send to other programs, such as "open the log again". Here they mean nothing, and end nothing.
IGNORED: Final = tuple(
    number for name in ("SIGHUP", "SIGUSR1", "SIGUSR2") if (number := getattr(signal, name, None)) is not None
)
STANDARD_STREAMS: Final = (0, 1, 2)


def ignore_signals() -> None:
    """Let signals without a meaning end nothing. A handler that is there already stays.

    These are functions and not SIG_IGN: programs that are started inherit SIG_IGN.
    """
    for number in IGNORED:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _ignore)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing."""


@contextmanager
def on_reload_signal(reload: Callable[[], None]) -> Iterator[None]:
    """Call `reload` in the event loop on SIGHUP.

    The kernel sends the same signal when the terminal of a process is closed. Then the process is told to stop, as by
    Ctrl-C. Off the main thread there are no signals to receive and nothing is done.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGHUP"):
        yield
        return
    loop, terminals = asyncio.get_running_loop(), _terminals()

    def handle(_number: int, _frame: FrameType | None) -> None:
        if terminals and not _terminals():
            _write_nowhere(terminals)
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            loop.call_soon_threadsafe(reload)

    earlier = signal.signal(signal.SIGHUP, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, earlier)


def _terminals() -> Sequence[int]:
    """Return the standard streams that are a terminal. One that was closed is none any more."""
    return [stream for stream in STANDARD_STREAMS if os.isatty(stream)]


def _write_nowhere(streams: Sequence[int]) -> None:
    """Lead streams to nothing. What cannot be written would be an error, and at the end the exit status 120."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in streams:
        os.dup2(nothing, stream)
    os.close(nothing)
