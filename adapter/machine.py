"""Reads facts about this machine, for `risks`."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from adapter.credentials import secret
from adapter.database.address import SQLITE, kind_of
from adapter.errors import SecretUnreadable
from adapter.risks import DEFAULT_KEYS, Machine
from adapter.settings import Settings

#: What a shell or an editor leaves around a secret.
QUOTES: Final = frozenset("\"'`")


async def read_machine(settings: Settings, root: Path = Path("/"), environ: Mapping[str, str] = os.environ) -> Machine:
    """Return the facts. `root` is where /proc and /sys are.

    Raises:
        WrongConfiguration: a key that a setting refers to is not there.
    """
    secrets = await _secrets(settings)
    keys = {name: value for name, value in secrets.items() if name.startswith(("access.keys", "access.admin_keys"))}
    return Machine(
        memory_bytes=memory_limit(root),
        key_lengths={name: len(key) for name, key in keys.items()},
        quoted=[name for name, value in secrets.items() if value[:1] in QUOTES or value[-1:] in QUOTES],
        variables=[*environ],
        default_keys=[name for name, key in keys.items() if key in DEFAULT_KEYS],
        modes=stored_modes(settings),
    )


async def _secrets(settings: Settings) -> Mapping[str, str]:
    """Return the secrets by their settings. For this no program is run, and no token service is asked."""
    found: dict[str, str] = {}
    for name, reference in settings.secrets():
        if not reference.startswith(("env:", "file:", "plain:")):
            continue
        try:
            found[name] = await secret(reference, key=name).read()
        except SecretUnreadable:  # logged where it was read; a request with it is refused
            continue
    return found


def stored_modes(settings: Settings) -> Mapping[str, int]:
    """Return the access rights of the local files and folders that exist, by their settings."""
    places: dict[str, str] = {}
    if kind_of(settings.storage.database) == SQLITE:
        places["storage.database"] = settings.storage.database.removeprefix("sqlite:///")
    if settings.storage.media.startswith("file://"):
        places["storage.media"] = settings.storage.media.removeprefix("file://")
    if settings.jobs.spool:
        places["jobs.spool"] = settings.jobs.spool
    found = {name: Path(place).expanduser() for name, place in places.items()}
    return {name: path.stat().st_mode & 0o777 for name, path in found.items() if path.exists()}


def memory_limit(root: Path = Path("/")) -> int:
    """Return the bytes that this process may take: the RAM, or the lowest limit of its control groups."""
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_group_limits(root)])


def _group_limits(root: Path) -> Iterator[int]:
    """Yield the limits of the control groups that this process is in, of version 2 or 1 (cgroups(7))."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, controllers, group = line.split(":", 2)
        if (number, controllers) == ("0", ""):
            base, file = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            base, file = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        path = PurePosixPath(group.lstrip("/"))
        for folder in (path, *path.parents):
            limit = _text(base / folder / file).strip()
            if limit.isascii() and limit.isdigit():
                yield int(limit)


def _text(path: Path) -> str:
    """Return what is in a file of the system; nothing where there is none."""
    try:
        return path.read_text()
    except OSError:
        return ""
