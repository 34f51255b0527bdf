"""Progress is a bar on a terminal and lines elsewhere."""

from io import StringIO

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


def test_a_terminal_gets_a_bar() -> None:
    """It ends at the end, on a line of its own."""
    out = Terminal()
    show_progress(CHANGES, out)

    assert "47%" in out.getvalue()
    assert "in progress" in out.getvalue()
    assert "100%" in out.getvalue().splitlines()[-1]
