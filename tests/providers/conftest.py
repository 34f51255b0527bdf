"""A provider in a temporary folder, and a server that stands for Google."""

import importlib
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from adapter.providers.http import Http
from tests.fakes import CLIP, png
from tests.toy_provider import CONFIG, MODELS, PACKAGE
from tests.upstream import Upstream, listening


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[ModuleType]:
    """The provider's package, imported from a folder outside the program."""
    folder = tmp_path / "toy"
    folder.mkdir()
    for name, text in PACKAGE.items():
        (folder / name).write_text(text)
    (folder / "fox.png").write_bytes(png(64, 64))
    (folder / "waves.mp4").write_bytes(CLIP)
    sys.path.insert(0, str(tmp_path))
    try:
        yield importlib.import_module("toy.description")
    finally:
        sys.path.remove(str(tmp_path))
        for name in [name for name in sys.modules if name.split(".")[0] == "toy"]:
            del sys.modules[name]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration that has this provider only."""
    (tmp_path / "models.toml").write_text(MODELS)
    file = tmp_path / "adapter.toml"
    file.write_text(CONFIG.format(folder=tmp_path))
    return file


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """A server that stands for Google, and the client to reach it."""
    async with listening(Http()) as upstream:
        yield upstream
