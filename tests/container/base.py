"""The base image, made from Debian's packages and kept in a cache of its user."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from tests.container.room import Room

#: What it is made with, in an empty folder. Arguments: folder, release of Debian.
RECIPE = """
cd "$0"
debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$1" base
ln -s python3 base/usr/bin/python
chroot base apt-get clean
rm -rf base/var/lib/apt/lists/* base/usr/share/doc base/usr/share/locale
tar --directory base --create --file base.tar .
rm -rf base
"""
MAKE_SECONDS = 150.0
KEEP_SECONDS = 30 * 24 * 3600.0


class NoBaseError(Exception):
    """There is no base image, and it cannot be made: usually because Debian's mirror is not reached."""


def base_archive(room: Room) -> Path:
    """Return the file system of the base image as an archive.

    Making it takes 40 s and needs Debian's mirror. It is made once in 30 days, and takes 130 MB in the user's cache.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "adapter"
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{_release()}-{hashlib.sha256(RECIPE.encode()).hexdigest()[:12]}.tar"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists() or time.time() - archive.stat().st_mtime > KEEP_SECONDS:
            _make(room)
            part = archive.with_suffix(".part")
            shutil.copyfile(room.from_outside(room.folder / "base.tar"), part)
            part.rename(archive)
            room.run("rm", room.folder / "base.tar")
    return archive


def _make(room: Room) -> None:
    try:
        room.run("/bin/sh", "-ec", RECIPE, room.folder, _release(), seconds=MAKE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise NoBaseError(f"debootstrap took longer than {MAKE_SECONDS:.0f} s") from error
    except AssertionError as error:
        last = str(error).strip().splitlines()[-1]
        raise NoBaseError(f"debootstrap made no base image: {last}") from error


def _release() -> str:
    found = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)
    return found[1] if found else "stable"
