"""A place for an image and its processes, of which nothing stays: not even after a kill."""

import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

#: A folder in memory takes no more than this; the base and the build take 0.5 GB.
SIZE = "2g"
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
#: The first process of the namespaces. It ends when its standard input does, so with the process that holds the other
#: end. Then Linux kills the others, and forgets the mounts and the folder.
HOLD = 'mount -t tmpfs -o size="$1",mode=755 tmpfs "$0" && echo ready && exec cat'
PROBE = """
mount -t tmpfs tmpfs /tmp
cd /tmp
mkdir lower upper work all
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay all
"""


def why_no_room() -> str:
    """Say why root can make no room on this machine, or nothing."""
    done = subprocess.run([*NAMESPACES, "/bin/sh", "-ec", PROBE], capture_output=True, text=True, check=False)
    return f"root cannot mount what it wants: {done.stderr.strip()}" if done.returncode else ""


def run(*command: str | Path, seconds: float | None = None) -> str:
    """Run a command and return what it prints."""
    words = [str(each) for each in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=seconds)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


class Room:
    """Namespaces for mounts and processes, with a folder in memory. It needs root, on Linux."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._holder = subprocess.Popen(
            [*NAMESPACES, "/bin/sh", "-ec", HOLD, str(folder), SIZE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        self._first = child_of(self._holder.pid)

    @property
    def enter(self) -> tuple[str, ...]:
        """What a command begins with to be run inside. Its process has one child, the command."""
        return ("nsenter", "--target", str(self._first), "--mount", "--pid", "--")

    def run(self, *command: str | Path, seconds: float | None = None) -> str:
        """Run a command inside and return what it prints."""
        return run(*self.enter, *command, seconds=seconds)

    def from_outside(self, path: Path) -> Path:
        """Return the way by which the tests reach a path inside."""
        return Path(f"/proc/{self._first}/root{path}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._holder.communicate()


def child_of(process: int) -> int:
    """Return the id of the only child of a process."""
    [child] = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return int(child)
