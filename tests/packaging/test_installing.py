"""The recipes of the Makefile, run in an empty folder with an index that has moved on since the locks were made."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.index import Index
from tests.support import ROOT

#: What a recipe of the Makefile reads.
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-openai-1.lock")
#: Every file in which a lock is installed.
RECIPES = [
    path
    for path in [ROOT / "Makefile", ROOT / "Containerfile", ROOT / "README.md", *(ROOT / "docs").rglob("*")]
    if path.is_file() and path.suffix not in {".png", ".jpg"}
]


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """An index in which a locked package has a newer release than its lock."""
    return Index(tmp_path / "index")


def installed(folder: Path) -> set[str]:
    """Return what is installed into a folder of packages, with versions."""
    return {path.name.removesuffix(".dist-info") for path in folder.glob("*.dist-info")}


@pytest.mark.parametrize("stamp", ["run", "test"])
def test_a_lock_installs_what_it_says_whatever_the_index_has_since(index: Index, tmp_path: Path, stamp: str) -> None:
    """A newer release of a package that another one asks for with an extra: pip before 24.2 would look for it."""
    lock = [
        index.add("client", "1.0", "Requires-Dist: auth[requests]"),
        index.add("auth", "1.0", "Provides-Extra: requests", "Requires-Dist: transport; extra == 'requests'"),
        index.add("transport", "1.0"),
    ]
    index.add("auth", "2.0", "Provides-Extra: requests", "Requires-Dist: transport>=2; extra == 'requests'")
    index.add("transport", "2.0")
    for name in LOCKS:
        (tmp_path / name).write_text("".join(lock))
    done = subprocess.run(
        ["make", "-f", str(ROOT / "Makefile"), f"PYTHON={sys.executable}", f".venv/{stamp}.stamp"],  # noqa: S607
        cwd=tmp_path,
        env=index.environ(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    [packages] = (tmp_path / ".venv" / "lib").glob("python*/site-packages")
    locked = {"client-1.0", "auth-1.0", "transport-1.0"}
    assert installed(packages) - locked <= {each for each in installed(packages) if re.match("pip|setuptools", each)}
    assert locked <= installed(packages)
    assert installed(tmp_path / ".venv" / "openai-1") == (locked if stamp == "test" else set())


def test_what_a_lock_does_not_hold_is_not_installed(index: Index, tmp_path: Path) -> None:
    """Another file under the same name and version stops the installation."""
    line = index.add("client", "1.0")
    index.add("client", "1.0", "Summary: other bytes")
    (tmp_path / "requirements.lock").write_text(line)
    done = subprocess.run(
        ["make", "-f", str(ROOT / "Makefile"), f"PYTHON={sys.executable}", ".venv/run.stamp"],  # noqa: S607
        cwd=tmp_path,
        env=index.environ(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert not (tmp_path / ".venv" / "run.stamp").exists()


def test_a_lock_is_installed_without_resolving_anything() -> None:
    """In the container and in what the documents say as well."""
    commands = [command for recipe in RECIPES for command in installations(recipe)]

    assert len(commands) >= 4
    assert [command for command in commands if not {"--no-deps", "--require-hashes"} <= set(command.split())] == []


def installations(recipe: Path) -> list[str]:
    """Return the commands of a file that install a lock."""
    words = recipe.read_text().replace("\\\n", " ").replace("$(LOCKED)", "pip install --no-deps --require-hashes")
    return [command for command in re.split(r"\n|&&", words) if re.search(r"pip install .*\.lock", command)]
