"""Shows on stderr how far a video is: a bar on a terminal, else lines."""

import sys
from collections.abc import Iterable
from typing import Final, TextIO

import click

from adapter.client.wire import VideoStatus

#: Per cent between two lines.
STEP: Final = 10


def show_progress(changes: Iterable[VideoStatus], file: TextIO | None = None) -> VideoStatus | None:
    """Show each change and return the last one."""
    out = file or sys.stderr
    return _bar(changes, out) if out.isatty() else _lines(changes, out)


def _bar(changes: Iterable[VideoStatus], out: TextIO) -> VideoStatus | None:
    last: VideoStatus | None = None
    with click.progressbar(length=100, label="queued     ", file=out) as bar:
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
