"""Chat programs as processes, and browsers that visit them."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import httpx
import msgspec
from PIL import Image as Pillow

from tests.journeys.server import KEY, Server, free_port
from tests.support import ROOT

#: Where `make e2e` installs them, or another folder that has them.
INSTALLED: Final = Path(os.environ.get("E2E_PROGRAMS", ROOT / ".venv" / "e2e"))
VISITS: Final = ROOT / "tests" / "e2e" / "node"
#: Open WebUI imports much, and SillyTavern builds its page when it first starts.
START_SECONDS: Final = 180.0
VISIT_SECONDS: Final = 300.0
#: Colours of a kept screenshot; fewer make a smaller file.
COLOURS: Final = 128

Report = TypeVar("Report")


class Program(msgspec.Struct, frozen=True):
    """A chat program that runs."""

    name: str
    url: str


class Media(msgspec.Struct, frozen=True):
    """What a browser made of a picture or a video."""

    #: `HTMLMediaElement.readyState`; 2 and more have a frame to show. A picture that loaded has 4.
    ready: int
    #: Pixels of the file.
    width: int
    height: int
    #: 0 for a picture.
    seconds: float
    #: Whether it ends where its message does; what is wider is cut off.
    fits: bool


class Visitor:
    """Plays the programs of `node/` in headless Chromium."""

    def __init__(self, chromium: str, folder: Path, screenshots: Path) -> None:
        self._chromium = chromium
        self._folder = folder / "visit"
        self._screenshots = screenshots
        self._folder.mkdir()
        for each in VISITS.glob("*.mjs"):
            shutil.copy(each, self._folder)
        (self._folder / "node_modules").symlink_to(INSTALLED / "node" / "node_modules")

    def visit(self, program: Program, report: type[Report], **order: object) -> Report:
        """Do what `node/<program>.mjs` says, and return what was seen."""
        told = {"chromium": self._chromium, "folder": str(self._folder), "url": program.url, **order}
        done = subprocess.run(
            ["node", f"{program.name}.mjs", msgspec.json.encode(told)],  # noqa: S607  # whichever node the user has
            cwd=self._folder,
            capture_output=True,
            timeout=VISIT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{done.stderr.decode()}\nThe page: {self._folder}/failed.png"
        return msgspec.json.decode(done.stdout, type=report)

    def keep(self, shot: str, name: str) -> None:
        """Put a screenshot of the last visit beside the documentation, in few colours."""
        with Pillow.open(self._folder / f"{shot}.png") as image:
            small = image.convert("RGB").quantize(COLOURS)
        small.save(self._screenshots / f"{name}.png", optimize=True)


def picture_engine(server: Server, model: str) -> Mapping[str, str]:
    """Return what has Open WebUI make and change pictures by its Gemini engine, at the adapter.

    Without `function_calling` it would leave it to the text model to call a tool; this makes a picture at once.
    """
    return {
        "ENABLE_IMAGE_GENERATION": "True",
        "ENABLE_IMAGE_PROMPT_GENERATION": "False",
        "IMAGE_GENERATION_ENGINE": "gemini",
        "IMAGE_GENERATION_MODEL": model,
        "IMAGES_GEMINI_API_BASE_URL": f"{server.url}/v1beta",
        "IMAGES_GEMINI_API_KEY": KEY,
        "IMAGES_GEMINI_ENDPOINT_METHOD": "generateContent",
        "ENABLE_IMAGE_EDIT": "True",
        "IMAGE_EDIT_ENGINE": "gemini",
        "IMAGE_EDIT_MODEL": model,
        "IMAGES_EDIT_GEMINI_API_BASE_URL": f"{server.url}/v1beta",
        "IMAGES_EDIT_GEMINI_API_KEY": KEY,
        "DEFAULT_MODEL_PARAMS": '{"function_calling": "legacy"}',
    }


@contextmanager
def open_webui(
    folder: Path, server: Server, more: Mapping[str, str] | None = None, *, visited_by: str = "open_webui"
) -> Iterator[Program]:
    """Run Open WebUI without accounts, without downloads, and with the adapter as its only connection."""
    environ = {
        "DATA_DIR": str(folder / "open-webui"),
        "WEBUI_AUTH": "False",
        "WEBUI_SECRET_KEY": "not a secret",
        "OPENAI_API_BASE_URL": f"{server.url}/v1",
        "OPENAI_API_KEY": KEY,
        "ENABLE_OLLAMA_API": "False",
        "OFFLINE_MODE": "True",
        "HF_HUB_OFFLINE": "1",
        "RAG_EMBEDDING_ENGINE": "openai",  # else it loads a model of its own at the start
        "ENABLE_VERSION_UPDATE_CHECK": "False",
        "ANONYMIZED_TELEMETRY": "False",
        **(more or {}),
    }
    command = [str(INSTALLED / "open-webui" / "bin" / "open-webui"), "serve", "--host", "127.0.0.1", "--port"]
    with _running(visited_by, command, folder, environ, path="/health") as program:
        yield program


@contextmanager
def sillytavern(folder: Path) -> Iterator[Program]:
    """Run SillyTavern with data of its own."""
    main = INSTALLED / "node" / "node_modules" / "sillytavern" / "server.js"
    own = folder / "sillytavern"
    places = ["--configPath", str(own / "config.yaml"), "--dataRoot", str(own / "data")]
    own.mkdir()
    command = ["node", str(main), *places, "--browserLaunchEnabled", "false", "--port"]
    with _running("sillytavern", command, folder, {}, path="/") as program:
        yield program


@contextmanager
def _running(
    name: str, command: Sequence[str], folder: Path, environ: Mapping[str, str], *, path: str
) -> Iterator[Program]:
    """Start a program on a free port, wait until it answers, and end it."""
    port = free_port()
    program = Program(name, f"http://127.0.0.1:{port}")
    log = folder / f"{name}.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [*command, str(port)], cwd=folder, env=os.environ | environ, stdout=written, stderr=written
        )
    try:
        until = time.monotonic() + START_SECONDS
        while not _answers(program.url + path):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.5)
        yield program
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5.0).status_code == 200
    except httpx.TransportError:
        return False
