"""Real chat programs as after their installation, each in front of an adapter with its sandbox.

`make e2e` installs them into `.venv/e2e`; nothing of this runs in `make test`.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.programs import Program, Visitor, open_webui, picture_engine, sillytavern
from tests.journeys.server import Server
from tests.support import ROOT

#: Slow and large enough to be looked at.
ENVIRON = {
    "ADAPTER__JOBS__POLL_SECONDS": "0.5",
    "ADAPTER__JOBS__TYPICAL_SECONDS": "9",
    "ADAPTER__JOBS__LEASE_SECONDS": "3",
    "ADAPTER__SANDBOX__CLIP_LONG_EDGE": "1280",
    "ADAPTER__SANDBOX__IMAGE_SECONDS": "4",
    # The tests choose shapes from the menu.
    "ADAPTER__LIST_MODELS": "variants",
}
#: A row of the catalogue; the sandbox has such a model.
TEXT = """
[[text]]
name = "gemini-3.8-flash"
provider = "gemini"
upstream = "gemini-3.8-flash"
released = 2026-09-01
"""
SCREENSHOTS = ROOT / "docs" / "screenshots"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is left to `make e2e`."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """An adapter that gives each program what it plays."""
    running = Server(tmp_path, active_seconds=8.0, opening_seconds=2.0, chat='video_markup = "auto"', environ=ENVIRON)
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def server_with_texts(tmp_path: Path) -> Iterator[Server]:
    """An adapter that also passes chats to a text model."""
    models = tmp_path / "models.toml"
    models.write_text((ROOT / "config" / "models.toml").read_text() + TEXT)
    running = Server(tmp_path, environ={"ADAPTER__MODELS": str(models)})
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def in_open_webui_with_pictures(tmp_path: Path, server_with_texts: Server) -> Iterator[Program]:
    """Open WebUI, whose chats and whose pictures both come from the adapter."""
    more = picture_engine(server_with_texts, "gemini-nano-banana-2.1")
    with open_webui(tmp_path, server_with_texts, more, visited_by="open_webui_pictures") as program:
        yield program


@pytest.fixture
def in_open_webui(tmp_path: Path, server: Server) -> Iterator[Program]:
    """Open WebUI, connected by its environment."""
    with open_webui(tmp_path, server) as program:
        yield program


@pytest.fixture
def in_sillytavern(tmp_path: Path) -> Iterator[Program]:
    """SillyTavern, connected to nothing."""
    with sillytavern(tmp_path) as program:
        yield program


@pytest.fixture
def visitor(tmp_path: Path) -> Visitor:
    """Somebody with a browser; what they see is kept in docs/screenshots."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium on this machine (Debian: apt install chromium)")
    SCREENSHOTS.mkdir(exist_ok=True)
    return Visitor(chromium, tmp_path, SCREENSHOTS)
