"""The command `adapter`, also as `python -m adapter`."""

import sys

# structlog loads rich, and with it Pygments, where they are installed. It is for tracebacks in colour, which `logs.py`
# does not write. Litestar brings both along for a command line of its own. They take 6 MB.
sys.modules["rich"] = None  # type: ignore[assignment] # so an import of it fails (Python's reference, "The import system")

from adapter.cli import main  # noqa: E402 - after it

__all__ = ("main",)

if __name__ == "__main__":
    main()
