"""Shows on stderr how far a video is: a bar on a terminal, else lines."""

import sys
from collections.abc import Iterable
from typing import Final, TextIO

import click

from adapter.client.wire import VideoStatus
from adapter.terminal import columns

#: Per cent between two lines.
STEP: Final = 10
#: Characters of a whole bar, and of what stands around it: the state, the per cents and the time that is left.
BAR: Final = 36
AROUND: Final = 33
#: A shorter bar tells nothing.
SHORTEST_BAR: Final = 5


def show_progress(changes: Iterable[VideoStatus], file: TextIO | None = None) -> VideoStatus | None:
    """Show each change and return the last one."""
    out = file or sys.stderr
    width = _bar_width(out)
    return _lines(changes, out) if width < SHORTEST_BAR else _bar(changes, out, width)


def _bar_width(out: TextIO) -> int:
    """Return how long a bar may be on one line; 0: this is no terminal."""
    return min(BAR, max(0, (columns(out) or 0) - AROUND))


def _bar(changes: Iterable[VideoStatus], out: TextIO, width: int) -> VideoStatus | None:
    last: VideoStatus | None = None
    with click.progressbar(length=100, label="queued     ", file=out, width=width) as bar:
        for last in changes:
            bar.label = f"{last.status.replace('_', ' '):11}"
            bar.update(max(0, last.progress - bar.pos))
            bar.render_progress()
    return last


def _lines(changes: Iterable[VideoStatus], out: TextIO) -> VideoStatus | None:
    last: VideoStatus | None = None
    shown = ("", 0)
    for last in changes:
        now = (last.status, last.progress // STEP)
        if now != shown:
            click.echo(f"{last.status.replace('_', ' ')}  {last.progress} %", file=out)
        shown = now
    return last
