"""What most commands begin with: the configuration."""

import os
from pathlib import Path

from adapter.commands.working_folder import working_folder
from adapter.errors import WrongConfiguration
from adapter.settings import Settings, load_settings


def open_settings(config: Path) -> Settings:
    """Read the configuration, and go to the folder in which its relative paths begin.

    Raises:
        WrongConfiguration: it is wrong, or the folder cannot be entered.
    """
    settings = load_settings(config, os.environ)
    folder = working_folder(config, settings, Path.cwd())
    try:
        os.chdir(folder)
    except OSError as error:
        raise WrongConfiguration(f"folder: {folder} cannot be entered: {error.strerror}.") from error
    return settings
