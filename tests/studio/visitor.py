"""A person with a browser: the programs of `browser/`, in headless Chromium."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from tests.journeys.server import KEY, Server
from tests.support import ROOT

PROGRAMS: Final = ROOT / "tests" / "studio" / "browser"
#: Where `make test` installs what `tests/journeys/node/package-lock.json` names.
PACKAGES: Final = ROOT / ".venv" / "node" / "node_modules"
SECONDS: Final = 100.0

Seen = TypeVar("Seen")


class Report(msgspec.Struct, frozen=True):
    """What a program prints."""

    seen: msgspec.Raw
    #: Errors in the console, exceptions, breaches of the policy, and requests to other hosts.
    complaints: list[str]


def missing() -> str:
    """Return what a visit needs and what is not there; empty: all is there."""
    if chromium() is None:
        return "there is no Chromium on this machine (Debian: apt install chromium)"
    if shutil.which("node") is None:
        return "there is no node on this machine"
    if not (PACKAGES / "playwright-core").is_dir():
        return "playwright-core is not installed; `make test` does that where there is npm"
    return ""


def chromium() -> str | None:
    """Return the browser of this machine."""
    return shutil.which("chromium") or shutil.which("google-chrome")


class Visitor:
    """Plays programs before a server."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self._server = server
        for program in PROGRAMS.glob("*.mjs"):
            shutil.copy(program, folder)
        (folder / "node_modules").symlink_to(PACKAGES)

    def visit(self, program: str, seen: type[Seen], **order: object) -> Seen:
        """Play a program, and return what was seen. A page that complains of something fails the test."""
        told = {"chromium": chromium(), "folder": str(self.folder), "url": self._server.url, "key": KEY, **order}
        done = subprocess.run(
            ["node", f"{program}.mjs", msgspec.json.encode(told)],  # noqa: S607  # whichever node the user has
            cwd=self.folder,
            env=os.environ,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{done.stderr.decode()}\nThe page: {self.folder}/failed.png"
        report = msgspec.json.decode(done.stdout, type=Report)
        assert report.complaints == []
        return msgspec.json.decode(report.seen, type=seen)
