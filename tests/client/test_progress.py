"""Progress is a bar on a terminal and lines elsewhere."""

import fcntl
import os
import re
import struct
import termios
from io import StringIO

import pytest

from adapter.client.progress import show_progress
from adapter.client.wire import VideoStatus

CHANGES = [
    VideoStatus(id="video_1", status="queued"),
    *(VideoStatus(id="video_1", status="in_progress", progress=progress) for progress in (1, 2, 9, 10, 47)),
    VideoStatus(id="video_1", status="completed", progress=100),
]


class Terminal(StringIO):
    """A text file that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_file_gets_a_line_for_each_tenth() -> None:
    """A log stays short."""
    out = StringIO()
    last = show_progress(CHANGES, out)

    assert last == CHANGES[-1]
    assert out.getvalue().splitlines() == [
        "queued  0 %",
        "in progress  1 %",
        "in progress  10 %",
        "in progress  47 %",
        "completed  100 %",
    ]


@pytest.mark.parametrize(("columns", "has_bar"), [(80, True), (45, True), (36, False)])
def test_no_line_is_longer_than_the_terminal_is_wide(columns: int, *, has_bar: bool) -> None:
    """A broken line cannot be drawn over. Where no bar has room there are lines."""
    reading, writing = os.openpty()
    fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(writing, "w") as terminal:
        show_progress(CHANGES, terminal)
        terminal.flush()
        shown = ""
        # A terminal gives what was written to it in pieces.
        while not re.search(r"100 ?%.*\n\Z", shown):
            shown += os.read(reading, 65_536).decode()
    os.close(reading)

    lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[?0-9]*[A-Za-z]", "", shown))
    assert max(map(len, lines)) <= columns
    assert ("#" in shown) is has_bar


def test_a_terminal_gets_a_bar() -> None:
    """It ends at the end, on a line of its own."""
    out = Terminal()
    show_progress(CHANGES, out)

    assert "47%" in out.getvalue()
    assert "in progress" in out.getvalue()
    assert "100%" in out.getvalue().splitlines()[-1]
