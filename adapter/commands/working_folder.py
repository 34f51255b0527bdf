"""The folder in which relative paths of a configuration begin, whatever folder a command is started in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import structlog

from adapter import shipped
from adapter.settings import Settings

log = structlog.get_logger()

#: A file in a folder of this name counts as one of the folder around it: `config/adapter.toml` and `var/` side by side.
CONFIG_FOLDER: Final = "config"


def working_folder(file: Path, settings: Settings, started_in: Path) -> Path:
    """Return the folder: `folder` of the configuration, or the one of its file (an absolute path).

    The files that come with the program are in no folder of the operator's: their paths begin in `started_in`, where a
    command is started. All did so in version 0.1. What was stored there is used as long as nothing is in the right
    place, with a line in the log: a server that forgets its jobs would be worse.
    """
    if file.resolve().parent == shipped.FOLDER.resolve():
        return started_in
    around = file.parent.parent if file.parent.name == CONFIG_FOLDER else file.parent
    right = around / Path(settings.folder).expanduser()
    stored = list(_relative(settings))
    if any((started_in / each).exists() for each in stored) and not any((right / each).exists() for each in stored):
        if started_in != right:
            log.warning("settings.former_folder", used=str(started_in), right=str(right), key="folder")
        return started_in
    return right


def _relative(settings: Settings) -> Iterator[Path]:
    """Yield the relative paths of stored things."""
    storage = settings.storage
    files = (
        storage.database.removeprefix("sqlite:///"),
        storage.media.removeprefix("file://"),
        settings.jobs.spool,
    )
    for each in files:
        if each and "://" not in each and not each.startswith(("/", "~")):
            yield Path(each)
