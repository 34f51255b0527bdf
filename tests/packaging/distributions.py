"""Building the package and installing it, both without a network."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path
from zipfile import ZipFile

import msgspec

from tests.support import ROOT


class Distributions(msgspec.Struct, frozen=True):
    """What is built."""

    sdist: Path
    wheel: Path

    def packed(self) -> set[str]:
        """Return the files of the sdist, below its own folder."""
        with tarfile.open(self.sdist) as files:
            return {name.partition("/")[2] for name in files.getnames()}

    def carried(self) -> dict[str, bytes]:
        """Return the files of the package in the wheel."""
        with ZipFile(self.wheel) as files:
            return {name: files.read(name) for name in files.namelist() if ".dist-info/" not in name}

    def metadata(self, name: str) -> str:
        """Return what the wheel says of itself."""
        with ZipFile(self.wheel) as files:
            [path] = [each for each in files.namelist() if each.endswith(f".dist-info/{name}")]
            return files.read(path).decode()


class Installation(msgspec.Struct, frozen=True):
    """An environment with the wheel in it."""

    python: Path
    program: Path

    def run(self, folder: Path, *arguments: str) -> str:
        """Run the program in a folder and return what it says."""
        return _run([str(self.program), *arguments], folder)

    def evaluate(self, folder: Path, expression: str) -> str:
        """Return what an expression comes to in this environment."""
        return _run([str(self.python), "-c", f"import adapter.shipped as shipped; print({expression})"], folder).strip()


def build(folder: Path) -> Distributions:
    """Build both with the backend that is installed here: an isolated build would fetch it."""
    _run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)], folder)
    [sdist], [wheel] = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return Distributions(sdist, wheel)


def install(wheel: Path, folder: Path) -> Installation:
    """Install the wheel alone. What it requires is lent by the environment of the tests, through a `.pth` file."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    _run([*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel)], folder)
    [packages] = (folder / "lib").glob("python*/site-packages")
    lent = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (packages / "lent.pth").write_text("".join(f"{path}\n" for path in lent))
    return Installation(python, folder / "bin" / "adapter")


def environ() -> dict[str, str]:
    """Return an environment from which nothing of this checkout can be imported."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("ADAPTER_", "PYTHON"))}


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, env=environ(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
