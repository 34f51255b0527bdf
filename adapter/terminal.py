"""How wide the terminal of a command is."""

import os
from typing import Final, TextIO

#: Where a terminal does not say it.
USUAL_COLUMNS: Final = 80


def columns(out: TextIO) -> int | None:
    """Return how many characters a line of a terminal has; None: the file is none.

    A terminal that cannot go back on a line (`TERM=dumb`) counts as a file.
    """
    if not out.isatty() or os.environ.get("TERM") == "dumb":
        return None
    try:
        return os.get_terminal_size(out.fileno()).columns or USUAL_COLUMNS
    except OSError:
        return USUAL_COLUMNS
