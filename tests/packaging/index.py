"""A folder of small wheels, which stands for a package index."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class Index:
    """Wheels that hold nothing but what they say of themselves."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder

    def add(self, name: str, version: str, *metadata: str) -> str:
        """Add a release with further lines of metadata, and return its line of a lock."""
        told = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata, ""])
        file = self._folder / f"{name}-{version}-py3-none-any.whl"
        records = f"{name}-{version}.dist-info"
        with ZipFile(file, "w") as wheel:
            wheel.writestr(f"{records}/METADATA", told)
            wheel.writestr(f"{records}/WHEEL", WHEEL)
            wheel.writestr(f"{records}/RECORD", "".join(f"{records}/{each},,\n" for each in ("METADATA", "WHEEL")))
        return f"{name}=={version} --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"

    def environ(self) -> Mapping[str, str]:
        """Return an environment in which pip knows this index and no other, and no settings of the machine."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        return {
            **others,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self._folder),
        }
