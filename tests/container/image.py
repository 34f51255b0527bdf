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

from tests.support import ROOT

BASE = "docker.io/library/python:3.13-slim"
NAME = "localhost/adapter"
PROGRAMS = ("buildah", "debootstrap", "unshare", "setpriv", "chroot")
PACKAGES = "python3,python3-venv,ca-certificates"
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
    return f"this machine lacks {', '.join(missing)} (apt-get install buildah debootstrap)" if missing else ""


def run(*command: str | Path) -> str:
    """Run a command and return what it prints."""
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


class Image:
    """The built image, in a store of its own, with its root in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = (
            *("buildah", "--storage-driver", "vfs"),
            *("--root", str(folder / "store"), "--runroot", str(folder / "run")),
        )
        self._make_base()
        self._build()
        inspected = run(*self._store, "inspect", "--type", "image", NAME)
        self.configuration = msgspec.json.decode(inspected, type=Inspected).docker.config
        self._container = run(*self._store, "from", "--pull-never", NAME).strip()
        self.root = Path(run(*self._store, "mount", self._container).strip())

    def _make_base(self) -> None:
        root = self._folder / "base"
        release = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)
        suite = release[1] if release else "stable"
        run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, root)
        (root / "usr" / "bin" / "python").symlink_to("python3")
        for certificate in OWN_CERTIFICATES.glob("*.crt"):
            shutil.copy(certificate, root / OWN_CERTIFICATES.relative_to("/"))
        run("chroot", root, "update-ca-certificates")
        run("chroot", root, "apt-get", "clean")
        container = run(*self._store, "from", "scratch").strip()
        run(*self._store, "add", container, root, "/")
        run(*self._store, "config", "--env", f"PATH={PATH}", container)
        run(*self._store, "commit", container, BASE)
        run(*self._store, "rm", container)
        shutil.rmtree(root)

    def _build(self) -> None:
        said = run(sys.executable, "-m", "pip", "config", "debug")
        files = [Path(each) for each in re.findall(r"^\s*(/\S+), exists: True$", said, re.MULTILINE)]
        # A configuration of pip may name files that lie beside it.
        places = {file.parent if file.parent.name == "pip" else file for file in files}
        lent = [option for place in sorted(places) for option in ("--volume", f"{place}:{place}:ro")]
        how = ("--pull-never", "--format", "docker", "--network", "host", "--isolation", "chroot")
        run(*self._store, "build", *how, *lent, "--tag", NAME, ROOT)

    def start(self, volume: Path, arguments: Sequence[str], environ: Mapping[str, str], said: Path) -> "Container":
        """Run the command of the image with further arguments, variables and a volume for `/app/var`."""
        return Container(self, volume, [*self.configuration.cmd, *arguments], environ, said)

    def remove(self) -> None:
        """Unmount and forget everything."""
        run(*self._store, "rm", self._container)
        run(*self._store, "rmi", "--all", "--force")


class Container:
    """The program of an image as it runs."""

    def __init__(
        self, image: Image, volume: Path, command: Sequence[str], environ: Mapping[str, str], said: Path
    ) -> None:
        told = image.configuration
        self._image = image
        self._variables = [*told.env, *(f"{name}={value}" for name, value in environ.items())]
        start = ["/bin/sh", "-ec", START, "sh", str(image.root), str(volume), told.working_dir, told.user, *command]
        with said.open("w") as out:
            self._process = subprocess.Popen(
                ["/usr/bin/env", "-i", *self._variables, *NAMESPACES, *start], stdout=out, stderr=out
            )

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._process.poll() is not None

    @property
    def status(self) -> str:
        """What Linux says about the program's process."""
        return Path(f"/proc/{self._child()}/status").read_text()

    def _child(self) -> int:
        own = self._process.pid
        return int(Path(f"/proc/{own}/task/{own}/children").read_text())

    def check_health(self) -> None:
        """Run the health check of the image as an engine does; it has to pass."""
        kind, *command = self._image.configuration.healthcheck.test
        assert kind == "CMD"
        user = f"--userspec={self._image.configuration.user}"
        run("/usr/bin/env", "-i", *self._variables, "chroot", user, self._image.root, *command)

    def stop(self) -> int:
        """Ask it to stop as an engine does, and return its exit status."""
        os.kill(self._child(), signal.Signals[self._image.configuration.stop_signal])
        return self._process.wait(timeout=END_SECONDS)

    def kill(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
