"""The code that the studio shows is run."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import httpx
import msgspec
import pytest

from tests.fakes import png
from tests.journeys.server import HTTP, KEY, Server
from tests.studio.visitor import PACKAGES, Visitor

PROMPT: Final = 'a "quoted" fox\'s $HOME, 5 % \\ better'
#: What a person chose in the form, and how many pictures were attached.
CHOSEN: Final = (
    ({"kind": "image", "model": "flow-gem-pix", "shape": "16:9", "count": 2, "seed": 7}, 2),
    ({"kind": "video", "model": "veo-3.1-fast", "shape": "9:16", "use": "text", "seed": 7}, 0),
    ({"kind": "video", "model": "veo-3.1-lite", "shape": "9:16", "seconds": 4, "use": "frames"}, 2),
)
#: What each piece of code makes, and how much of it.
MAKES: Final = (("picture", 1), ("picture", 2), ("video", 1), ("video", 1), ("finer", 1))
LEAST_BYTES: Final = 100
COMMANDS: Final = {
    "curl": (["bash", "-eu", "-o", "pipefail"], "sh"),
    "python": ([sys.executable], "py"),
    "node": (["node"], "mjs"),
}
SECONDS: Final = 60.0


class Code(msgspec.Struct, frozen=True):
    """One request as code."""

    curl: str
    python: str
    node: str


def test_the_code_of_a_request_makes_the_same(studio_server: Server, visitor: Visitor, tmp_path: Path) -> None:
    """In all three languages, for pictures and videos, with and without pictures, and for an upscale."""
    if shutil.which("jq") is None or shutil.which("curl") is None:
        pytest.skip("there is no curl with jq on this machine")
    chosen = [
        {"prompt": PROMPT, "inputs": [{"name": f"input-{place + 1}.png"} for place in range(count)], **each}
        for each, count in CHOSEN
    ]
    codes = visitor.visit("samples", list[Code], prompt=PROMPT, chosen=chosen)
    assert len(codes) == len(MAKES)
    with ThreadPoolExecutor() as languages:
        for code, (made, count) in zip(codes, MAKES, strict=True):
            before = studio_server.executions()
            finished = newest_video(studio_server) if made == "finer" else ""
            results = [
                languages.submit(
                    ran, tmp_path / language, language, getattr(code, language).replace("video_of_before", finished)
                )
                for language in COMMANDS
            ]
            files = [[path.name for path in result.result()] for result in results]
            assert all(files), (made, files)
            assert studio_server.executions() - before == count * len(COMMANDS), made


def ran(folder: Path, language: str, code: str) -> list[Path]:
    """Run a piece of code as its reader would, with the key in the environment, and return what it made."""
    command, ending = COMMANDS[language]
    folder.mkdir(exist_ok=True)
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(PACKAGES)
    for number in (1, 2):
        (folder / f"input-{number}.png").write_bytes(png(90, 160))
    file = folder / f"sample.{ending}"
    file.write_text(code.replace("sleep 5", "sleep 0.2").replace("5000", "200"))
    for old in (*folder.glob("picture*"), *folder.glob("video*")):
        old.unlink()
    done = subprocess.run(
        [*command, file.name],
        cwd=folder,
        env={**os.environ, "ADAPTER_KEY": KEY},
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{code}\n{done.stderr.decode()}"
    return [path for path in (*folder.glob("picture*"), *folder.glob("video*")) if path.stat().st_size > LEAST_BYTES]


def newest_video(server: Server) -> str:
    """Return the id of the video that was ordered last."""
    answer: httpx.Response = HTTP.get(f"{server.url}/v1/videos?limit=1", headers={"authorization": f"Bearer {KEY}"})
    return str(answer.json()["data"][0]["id"])
