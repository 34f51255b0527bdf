"""The program's commands as processes that start in a hundredth of a second.

A start of Python imports for more than a second. Here one process imports everything once and forks for each command,
which is why a test that is about the start itself, or about what Python reads from the environment, starts Python.
"""

import atexit
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from adapter.entry import COMMANDS
from tests.support import ROOT

#: Of all commands.
MODULES = sorted({place.module(name) for name, place in COMMANDS.items()})

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["adapter.__main__", *MODULES, "tests.programs"])


class RunningProgram(Protocol):
    """A process of the program."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        ...

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        ...

    def end(self, seconds: float) -> int:
        """Wait until it has ended and return its exit status."""
        ...


class Program:
    """A process that runs a module of this tree; what it says goes to two files."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        stdout: Path,
        stderr: Path,
        module: str = "adapter",
        folder: Path = ROOT,
        environ: Mapping[str, str],
    ) -> None:
        self._process = _FORKS.Process(
            target=_become, args=(module, list(arguments), folder, dict(environ), stdout, stderr), daemon=True
        )
        self._process.start()
        atexit.register(self.send, signal.SIGKILL)  # a test that fails leaves none behind

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return not self._process.is_alive()

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if not self.ended and self._process.pid is not None:
            os.kill(self._process.pid, number)

    def end(self, seconds: float) -> int:
        """Wait until it has ended and return its exit status."""
        self._process.join(seconds)
        status = self._process.exitcode
        assert status is not None, f"the program still runs after {seconds} seconds"
        return status


def run_program(
    *arguments: str, folder: Path = ROOT, environ: Mapping[str, str], seconds: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run a command of the program to its end."""
    with TemporaryDirectory() as said:
        stdout, stderr = Path(said) / "stdout", Path(said) / "stderr"
        program = Program(arguments, stdout=stdout, stderr=stderr, folder=folder, environ=environ)
        status = program.end(seconds)
        return subprocess.CompletedProcess(
            arguments, status, stdout.read_text(encoding="utf-8"), stderr.read_text(encoding="utf-8")
        )


def _become(
    module: str, arguments: list[str], folder: Path, environ: dict[str, str], stdout: Path, stderr: Path
) -> None:
    for path, descriptor in ((stdout, 1), (stderr, 2)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), descriptor)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    sys.argv = [module, *arguments]
    sys.modules.pop("adapter.__main__", None)  # runpy warns of a module that it runs a second time
    runpy.run_module(module, run_name="__main__", alter_sys=True)
