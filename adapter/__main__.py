"""The command `adapter`, also as `python -m adapter`."""

import gc
import sys

# Loading makes many objects and hardly any garbage. Python would look through all of them again and again, for a fifth
# of the time that a command takes. `entry.py` switches it on again when the command is loaded.
gc.disable()

# structlog loads rich, and with it Pygments, where they are installed. It is for tracebacks in colour, which `logs.py`
# does not write. Litestar brings both along for a command line of its own. They take 6 MB. None makes an import fail
# (Python's reference, "The import system"). A program that has loaded rich already keeps it, as it loads more later.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type] # None is no module

from adapter.entry import main  # noqa: E402 - after it

__all__ = ("main",)

if __name__ == "__main__":
    main()
