"""What is told to a process that is tormented, and what it leaves behind: files beside its configuration."""

from pathlib import Path

import msgspec

from tests.torture.edges import Arm, Hit


def write_arm(folder: Path, name: str, arm: Arm | None) -> None:
    """Change what shall happen to a process, from now on."""
    file = folder / f"{name}.arm"
    if arm is None:
        file.unlink(missing_ok=True)
        return
    new = file.with_suffix(".new")
    new.write_bytes(msgspec.json.encode(arm))
    new.replace(file)


def hits_of(folder: Path, name: str) -> list[Hit]:
    """Return everything that happened at its edges."""
    file = folder / f"{name}.hits"
    lines = file.read_bytes().splitlines() if file.exists() else []
    return [msgspec.json.decode(line, type=Hit) for line in lines]


def woke_of(folder: Path, name: str) -> int:
    """Return how many edges it passed just after pauses."""
    file = folder / f"{name}.woke"
    return len(file.read_bytes().splitlines()) if file.exists() else 0


def edges_of(folder: Path, name: str) -> set[str]:
    """Return the edges that it passed."""
    file = folder / f"{name}.edges"
    return set(file.read_text().split()) if file.exists() else set()
