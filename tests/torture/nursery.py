"""A process that has imported everything and becomes servers by forking: a boot takes a tenth of a second then.

Nothing runs in it, no thread and no loop, so a child starts as clean as a new program. Linux only.
"""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from adapter.sandbox.rules import SandboxRules
from adapter.sandbox.server import running_sandbox
from tests.support import ROOT
from tests.torture import victim


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a child shall become."""

    role: Literal["victim", "operator", "media check", "sandbox"]
    #: Where what it says goes.
    log: str
    #: For all but a sandbox.
    config: str = ""
    name: str = ""
    #: For a victim.
    bug: str = ""
    #: For an operator: what is called off.
    job_id: str = ""
    #: For a sandbox.
    rules: SandboxRules | None = None


class Child:
    """A process that was forked; its handle cannot mean another process by mistake."""

    def __init__(self, pid: int) -> None:
        self._handle = os.pidfd_open(pid)
        self.gone = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._handle, self._leave)

    def _leave(self) -> None:
        asyncio.get_running_loop().remove_reader(self._handle)
        os.close(self._handle)
        self._handle = -1
        self.gone.set()

    @property
    def lives(self) -> bool:
        """Whether it was not seen to end yet."""
        return not self.gone.is_set()

    def tell(self, number: signal.Signals) -> None:
        """Send a signal, if it is still there."""
        if self.lives:
            try:
                signal.pidfd_send_signal(self._handle, number)
            except ProcessLookupError:
                return


class Nursery:
    """The process that forks, from outside."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.nursery"],
            cwd=ROOT,
            # The newest client's folder in PYTHONPATH is the test's business, not the program's.
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def fork(self, task: Task) -> Child:
        """Have a child made."""
        return Child(self.spawn(task))

    def spawn(self, task: Task) -> int:
        """Have a child made and return its number, which no other process gets before the next child is made."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(task) + b"\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it and all its children."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def become(task: Task) -> None:
    """Be what the task says, until killed."""
    with Path(task.log).open("ab") as log, Path(os.devnull).open("rb") as nothing:
        for here, there in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(here.fileno(), there)
    if task.rules is not None:
        with running_sandbox(task.rules):
            signal.pause()
    elif task.role == "operator":
        victim.cancel(Path(task.config), task.name, task.job_id)
    elif task.role == "media check":
        victim.check_media(Path(task.config))
    else:
        victim.serve(Path(task.config), task.name, task.bug)


def bury() -> None:
    """Give back the numbers of the children that ended."""
    with suppress(ChildProcessError):  # there are none
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main() -> None:
    """Fork a child for every line, and end with all of them when there are no more."""
    os.setpgrp()
    sys.stdout.flush()
    for line in sys.stdin.buffer:
        # Not earlier: a child may end before its handle is opened, and a number that is free opens none.
        bury()
        task = msgspec.json.decode(line, type=Task)
        child = os.fork()
        if child == 0:
            become(task)
            return
        print(child, flush=True)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
