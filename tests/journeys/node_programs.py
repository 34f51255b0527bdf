"""The programs in `node/`: journeys with clients that Python does not have."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from tests.journeys.contract import Answer
from tests.journeys.schema_watch import Watch
from tests.journeys.server import KEY, Server
from tests.support import ROOT

PROGRAMS: Final = ROOT / "tests" / "journeys" / "node"
#: Where `make test` installs what `package-lock.json` names.
PACKAGES: Final = ROOT / ".venv" / "node" / "node_modules"
SECONDS: Final = 60.0

Result = TypeVar("Result")


class Report(msgspec.Struct, frozen=True):
    """What a program prints."""

    result: msgspec.Raw
    answers: list[Answer]


class NodePrograms:
    """Runs programs against a server."""

    def __init__(self, folder: Path, server: Server, watch: Watch) -> None:
        self._folder = folder
        self._server = server
        self._watch = watch

    def run(self, program: str, result: type[Result], **order: object) -> Result:
        """Run a program with an order of its own, and return what it made of the answers."""
        done = subprocess.run(
            ["node", f"{program}.mjs", msgspec.json.encode(order)],  # noqa: S607  # whichever node the user has
            cwd=self._folder,
            env={**os.environ, "ADAPTER_URL": f"{self._server.url}/v1", "ADAPTER_KEY": KEY},
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        report = msgspec.json.decode(done.stdout, type=Report)
        self._watch.answers += report.answers
        return msgspec.json.decode(report.result, type=result)


def lay_out(folder: Path) -> Path:
    """Put the programs beside their packages: node looks for these from a program's own folder upwards."""
    assert PACKAGES.is_dir(), "`make test` installs what the Node programs import"
    for program in PROGRAMS.glob("*.mjs"):
        shutil.copy(program, folder)
    (folder / "node_modules").symlink_to(PACKAGES)
    return folder
