"""A lock as it is written, and what an environment takes of it."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import ROOT

Environment = Mapping[str, str]

PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
#: What markers ask for, by system.
SYSTEMS: Final[Mapping[str, Environment]] = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    "mac": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
}
CPYTHON: Final = {"implementation_name": "cpython", "platform_python_implementation": "CPython"}


def environment(python: str, system: str) -> Environment:
    """Return what markers are told by a Python on a system."""
    return {**SYSTEMS[system], **CPYTHON, "python_version": python, "python_full_version": f"{python}.0"}


def locked(name: str) -> list[Requirement]:
    """Return the lines of a lock; each has to give hashes."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        requirement, *hashes = re.split(r"\s+--hash=", line)
        assert hashes, line
        found.append(Requirement(requirement))
    return found


def asked_for(*extras: str) -> list[Requirement]:
    """Return what `pyproject.toml` asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    return [Requirement(line) for lines in lists for line in lines]


@dataclass
class Closure:
    """All that a list of requirements leads to in one environment, and what a lock lacks of it."""

    lines: Iterable[Requirement]
    environment: Environment
    missing: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Keep the lines that count in this environment."""
        self._versions = {
            canonicalize_name(line.name): next(iter(line.specifier)).version
            for line in self.lines
            if line.marker is None or line.marker.evaluate(dict(self.environment))
        }
        self._seen: set[tuple[str, str]] = set()

    def follow(self, requirements: Iterable[Requirement], asked_by: str, extra: str = "") -> None:
        """Look at each requirement that counts here, and at what it requires with each of its extras."""
        for requirement in requirements:
            if requirement.marker and not requirement.marker.evaluate({**self.environment, "extra": extra}):
                continue
            name = canonicalize_name(requirement.name)
            if not requirement.specifier.contains(self._versions.get(name, "0.dev0"), prereleases=True):
                self.missing.append(f"{asked_by} needs {requirement}, the lock has {self._versions.get(name)}")
            for wanted in {"", *requirement.extras} - {had for package, had in self._seen if package == name}:
                self._seen.add((name, wanted))
                self.follow(requires(name), asked_by=str(requirement), extra=wanted)


@cache
def requires(name: str) -> list[Requirement]:
    """Return what an installed package requires. One that is not for this system says nothing here."""
    try:
        return [Requirement(line) for line in distribution(name).requires or ()]
    except PackageNotFoundError:
        return []
