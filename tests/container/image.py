"""The Containerfile built by Debian's buildah, on a base image made from Debian's packages, and run.

The official base image comes from a registry that is not always reached. Debian's Python under the same name builds the
same file. The image is run without an engine, because engines want control groups that a test machine may not have:
in namespaces of its own, on a root that is mounted read-only, as the user and with the command that the image names.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tests.container.base import base_archive
from tests.container.room import Room, child_of, run, why_no_room
from tests.support import ROOT

BASE = "docker.io/library/python:3.13-slim"
NAME = "localhost/adapter"
PROGRAMS = ("buildah", "debootstrap", "unshare", "nsenter", "setpriv", "chroot")
#: Of memory, of which the image takes 0.5 GB.
LEAST_BYTES = 2 * 1024**3
#: Certificates that this machine trusts beside Debian's: of a mirror of packages, for example.
OWN_CERTIFICATES = Path("/usr/local/share/ca-certificates")
END_SECONDS = 30.0
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: It mounts what an engine mounts, and becomes the program. Arguments: root, volume, folder, user, program …
START = """
root=$1 volume=$2 folder=$3 user=$4
shift 4
mount --bind "$root" "$root"
mount -o remount,ro,bind "$root"
mount --bind "$volume" "$root/app/var"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
exec setpriv --no-new-privs chroot --userspec="$user" "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$folder" "$@"
"""
NAMESPACES = ("/usr/bin/unshare", "--mount", "--pid", "--fork", "--kill-child")


class Healthcheck(msgspec.Struct, frozen=True, rename="pascal"):
    """What an engine runs to see whether a container works."""

    test: Sequence[str]


class Configuration(msgspec.Struct, frozen=True, rename="pascal"):
    """What the image says about how it is run."""

    env: Sequence[str]
    cmd: Sequence[str]
    user: str
    working_dir: str
    stop_signal: str
    volumes: Mapping[str, object]
    healthcheck: Healthcheck


class Docker(msgspec.Struct, frozen=True):
    """The image in the Docker format, which has a health check."""

    config: Configuration


class Inspected(msgspec.Struct, frozen=True, rename={"docker": "Docker"}):
    """What `buildah inspect` prints."""

    docker: Docker


def lacking() -> str:
    """Say what this machine lacks, or nothing."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "an image is built and run by root, on Linux"
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"this machine lacks {', '.join(missing)} (apt-get install buildah debootstrap)"
    if free_memory() < LEAST_BYTES:
        return "an image is built in memory, and less than 2 GB are free"
    return why_no_room()


def free_memory() -> int:
    """Return how many bytes programs may still take."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


class Image:
    """The built image, in a store of its own, with its root mounted."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._store = (
            *("buildah", "--storage-driver", "overlay"),
            *("--root", str(room.folder / "store"), "--runroot", str(room.folder / "run")),
        )
        self._make_base()
        self._build()
        inspected = self._buildah("inspect", "--type", "image", NAME)
        self.configuration = msgspec.json.decode(inspected, type=Inspected).docker.config
        container = self._buildah("from", "--pull-never", NAME).strip()
        #: Where its root is mounted in the room.
        self.mounted = Path(self._buildah("mount", container).strip())
        self.root = room.from_outside(self.mounted)

    def _buildah(self, *command: str | Path) -> str:
        return self.room.run(*self._store, *command)

    def _make_base(self) -> None:
        archive = base_archive(self.room)
        container = self._buildah("from", "scratch").strip()
        self._buildah("add", container, archive, "/")
        if certificates := sorted(OWN_CERTIFICATES.glob("*.crt")):
            self._buildah("add", container, *certificates, f"{OWN_CERTIFICATES}/")
            self._buildah("run", "--isolation", "chroot", container, "update-ca-certificates")
        self._buildah("config", "--env", f"PATH={PATH}", container)
        self._buildah("commit", "--rm", container, BASE)

    def _build(self) -> None:
        said = run(sys.executable, "-m", "pip", "config", "debug")
        files = [Path(each) for each in re.findall(r"^\s*(/\S+), exists: True$", said, re.MULTILINE)]
        # A configuration of pip may name files that lie beside it.
        places = {file.parent if file.parent.name == "pip" else file for file in files}
        lent = [option for place in sorted(places) for option in ("--volume", f"{place}:{place}:ro")]
        how = ("--pull-never", "--format", "docker", "--network", "host", "--isolation", "chroot")
        self._buildah("build", *how, *lent, "--tag", NAME, ROOT)

    def start(self, volume: Path, arguments: Sequence[str], environ: Mapping[str, str], said: Path) -> "Container":
        """Run the command of the image with further arguments, variables and a volume for `/app/var`."""
        return Container(self, volume, [*self.configuration.cmd, *arguments], environ, said)


class Container:
    """The program of an image as it runs."""

    def __init__(
        self, image: Image, volume: Path, command: Sequence[str], environ: Mapping[str, str], said: Path
    ) -> None:
        told = image.configuration
        self._image = image
        self._variables = [*told.env, *(f"{name}={value}" for name, value in environ.items())]
        start = ["/bin/sh", "-ec", START, "sh", str(image.mounted), str(volume), told.working_dir, told.user, *command]
        with said.open("w") as out:
            self._process = subprocess.Popen(
                [*image.room.enter, "/usr/bin/env", "-i", *self._variables, *NAMESPACES, *start], stdout=out, stderr=out
            )

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._process.poll() is not None

    @property
    def status(self) -> str:
        """What Linux says about the program's process."""
        return Path(f"/proc/{self._program()}/status").read_text()

    def _program(self) -> int:
        # Below the process that enters the room and the one that makes the namespaces.
        return child_of(child_of(self._process.pid))

    def check_health(self) -> None:
        """Run the health check of the image as an engine does; it has to pass."""
        kind, *command = self._image.configuration.healthcheck.test
        assert kind == "CMD"
        user = f"--userspec={self._image.configuration.user}"
        self._image.room.run("/usr/bin/env", "-i", *self._variables, "chroot", user, self._image.mounted, *command)

    def stop(self) -> int:
        """Ask it to stop as an engine does, and return its exit status."""
        os.kill(self._program(), signal.Signals[self._image.configuration.stop_signal])
        return self._process.wait(timeout=END_SECONDS)

    def kill(self) -> None:
        """End it if it runs."""
        if not self.ended:
            os.kill(self._program(), signal.SIGKILL)
            self._process.wait()
