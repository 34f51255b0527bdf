"""The files that come with the program: a configuration that explains every key, the sandbox's, and the catalogue."""

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parent
_CARRIED: Final = _PACKAGE / "config"
#: A wheel carries `config/` inside the package (pyproject.toml says so). In a checkout it lies beside the package,
#: where an operator looks for it.
FOLDER: Final = _CARRIED if _CARRIED.is_dir() else _PACKAGE.parent / "config"

MODELS: Final = FOLDER / "models.toml"
SANDBOX: Final = FOLDER / "sandbox.toml"
