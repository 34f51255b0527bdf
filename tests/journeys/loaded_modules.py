"""The adapter, which also tells what it has loaded: `python -m tests.journeys.loaded_modules`, not `-m adapter`.

On SIGUSR1 it writes down the names of all modules.
"""

import os
import signal
import sys
from pathlib import Path

from adapter.__main__ import main

#: Where to write (environment).
REPORT = "TEST_LOADED_REPORT"


def report(path: Path) -> None:
    """Write them down, all at once."""
    fresh = path.with_suffix(".part")
    fresh.write_text("\n".join(name for name, module in sys.modules.items() if hasattr(module, "__name__")))
    fresh.replace(path)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda *_: report(Path(os.environ[REPORT])))
    main()
