"""An earlier release of the program, as a process beside this tree's.

It is built as a wheel from git, and runs in an environment of its own, with the versions of its own lock. Packages that
are installed here in the same version are lent; the others are fetched.
"""

import atexit
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement

from tests.journeys.server import KEY, Server
from tests.packaging.distributions import install
from tests.programs import RunningProgram
from tests.support import ROOT

#: It stands for the previous release as long as no release has a tag: the state of the main branch before limits of
#: keys, usage and the health of accounts came into the database (migrations 0011 to 0013).
STAND_IN = "0735441"
#: Another revision to upgrade from, as `make upgrade FROM=REVISION` gives it.
CHOSEN = "UPGRADE_FROM"

#: Keys that the earlier program knows. It is no copy of `server.CONFIG`, which follows this tree.
CONFIG = """
models = "{tree}/config/models.toml"

[server]
port = {port}

[access]
keys = ["plain:{key}"]

[storage]
database = "{database}"
media = "file://{media}"

[providers.gemini]
base_url = "{upstream}"
keys = ["plain:AIza-sandbox"]

[providers.flow]
base_url = "{upstream}"

[[providers.flow.accounts]]
name = "sandbox"
token = "plain:sandbox-flow-token"
project_id = "02ac868b-925f-40c1-9187-a688bd03a84d"

[jobs]
poll_seconds = 0.1
lease_seconds = 2.0
reconcile_seconds = 0.3
spool = "{folder}/spool"
"""


def git(*arguments: str) -> bytes | None:
    """Return what git says about this tree, or nothing if it fails or the tree is no checkout."""
    program = shutil.which("git")
    if program is None or not (ROOT / ".git").exists():
        return None
    done = subprocess.run([program, "-C", str(ROOT), *arguments], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def previous_release() -> str:
    """Return the revision to upgrade from: the chosen one, the newest release before this commit, or the stand-in."""
    if chosen := os.environ.get(CHOSEN, ""):
        return chosen
    tag = git("describe", "--tags", "--abbrev=0", "--match=v[0-9]*", "HEAD^")
    return tag.decode().strip() if tag else STAND_IN


class EarlierProgram:
    """A revision, unpacked below `tree` and installed below `environment`."""

    def __init__(self, archive: bytes, folder: Path) -> None:
        self.tree = folder / "tree"
        self.tree.mkdir()
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(self.tree, filter="data")
        _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, self.tree)
        [wheel] = folder.glob("*.whl")
        self.python = install(wheel, folder / "environment").python
        self._install_what_is_not_lent(folder / "other.lock")

    def _install_what_is_not_lent(self, lock: Path) -> None:
        lines = not_lent((self.tree / "requirements.lock").read_text())
        lock.write_text("".join(lines))
        if lines:
            pip = (sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet", "--no-deps")
            _run(*pip, "--require-hashes", "--disable-pip-version-check", "-r", lock)


def not_lent(lock: str) -> list[str]:
    """Return the lines of a lock that this environment does not satisfy."""
    return [line for line in re.split(r"(?m)^(?=\w)", lock) if line and not _is_lent(Requirement(line.split("\\")[0]))]


def _is_lent(requirement: Requirement) -> bool:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    try:
        return version(requirement.name) in requirement.specifier
    except PackageNotFoundError:
        return False


def _run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class EarlierServer(Server):
    """A process of the earlier program, with the catalogue that belongs to it."""

    def __init__(self, program: EarlierProgram, folder: Path, *, database: str, media: Path, upstream: str) -> None:
        super().__init__(folder, upstream=upstream)
        self._python = program.python
        self._config.write_text(
            CONFIG.format(
                tree=program.tree,
                port=self.port,
                key=KEY,
                database=database,
                media=media,
                upstream=upstream,
                folder=folder,
            )
        )

    def _launch(self) -> RunningProgram:
        return _Process(self._python, self._config, self.folder / "log")


class _Process:
    """The program of another environment (as `RunningProgram`)."""

    def __init__(self, python: Path, config: Path, log: Path) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("ADAPTER_", "PYTHON"))}
        command = [str(python), "-m", "adapter", "serve", "--config", str(config)]
        with log.open("ab") as out:
            self._process = subprocess.Popen(command, cwd=config.parent, env=environ, stdout=out, stderr=out)
        atexit.register(self._process.kill)  # a test that fails leaves none behind

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        self._process.send_signal(number)

    def end(self, seconds: float) -> int:
        """Wait until it has ended and return its exit status."""
        return self._process.wait(seconds)
