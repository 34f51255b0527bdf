"""Every block of code in the documentation is run, or says why it is not.

Programs and commands run against a server on its sandbox, page by page, each page in a folder of its own.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from itertools import groupby
from pathlib import Path

import msgspec
import pytest
import yaml

from adapter.settings import Settings, load_settings
from tests.docs.code_blocks import BLOCKS, CodeBlock
from tests.journeys.server import HTTP, KEY, Server
from tests.support import ROOT

#: What the pages say for the addresses of the server and its sandbox, and for the id of a video.
ADDRESS, SANDBOX, VIDEO_ID = "http://127.0.0.1:8000", "http://127.0.0.1:8001", "video_…"
#: A program of a page that goes on where README's first one ended begins with this.
CLIENT = f'import base64, openai\n\nclient = openai.OpenAI(base_url="{ADDRESS}/v1", api_key="{KEY}")\n\n'
#: Rows of config/models.toml. Every other table belongs to the configuration.
CATALOGUE = {"image", "video", "text"}
#: Languages that a test runs or reads. Blocks in another one, such as Go, say why no test does.
KNOWN = {"python", "sh", "toml", "yaml", "ini", "json"}
SECONDS = 120

PROGRAMS = {
    page.name: [*blocks]
    for page, blocks in groupby(
        (block for block in BLOCKS if block.language == "python" and not block.reason), lambda block: block.page
    )
}


def blocks_in(language: str) -> list[CodeBlock]:
    """Return the blocks in a language that no comment leaves out."""
    return [block for block in BLOCKS if block.language == language and not block.reason]


def name_of(block: CodeBlock) -> str:
    """Return how a test names a block."""
    return block.name


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all pages."""
    running = Server(tmp_path_factory.mktemp("server"))
    running.start()
    yield running
    assert running.stop() == 0


def video_of(server: Server) -> str:
    """Return the id of a video."""
    order = {"model": "veo-3.1-fast", "prompt": "waves"}
    made = HTTP.post(f"{server.url}/v1/videos", json=order, headers={"Authorization": f"Bearer {KEY}"})
    return str(made.json()["id"])


def run(command: list[str], folder: Path, server: Server) -> None:
    """Run a command in a folder, as a person would who has installed the program and started a server."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "adapter").write_text(f'#!/bin/sh\nexec {sys.executable} -m adapter "$@"\n')
    (programs / "adapter").chmod(0o755)
    environ = {
        "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "ADAPTER_CONFIG": str(server.folder / "adapter.toml"),
    }
    done = subprocess.run(
        command, check=False, cwd=folder, env=environ, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr


def here(code: str, server: Server) -> str:
    """Return code with the addresses of the server, and with a video that there is."""
    code = code.replace(ADDRESS, server.url).replace(SANDBOX, server.upstream)
    return code.replace(VIDEO_ID, video_of(server)) if VIDEO_ID in code else code


def test_every_block_is_run_or_says_why_it_is_not() -> None:
    """`<!-- not run: … -->` before it."""
    assert len(BLOCKS) > 40
    assert [block.name for block in BLOCKS if block.language not in KNOWN and not block.reason] == []


@pytest.mark.parametrize("page", PROGRAMS)
def test_the_python_of_a_page_is_a_program(page: str, server: Server, tmp_path: Path) -> None:
    """All blocks of the page, one after the other."""
    program = "\n".join(block.code for block in PROGRAMS[page])
    if "client =" not in program:
        program = CLIENT + program
    (tmp_path / "program.py").write_text(here(program, server))

    run([sys.executable, "-W", "ignore::ResourceWarning", "program.py"], tmp_path, server)


@pytest.mark.parametrize("block", blocks_in("sh"), ids=name_of)
def test_the_commands_of_a_block_succeed(block: CodeBlock, server: Server, tmp_path: Path) -> None:
    """In bash, which ends with the first one that fails."""
    (tmp_path / "commands.sh").write_text(here(block.code, server))

    run(["bash", "-eu", "-o", "pipefail", "commands.sh"], tmp_path, server)


@pytest.mark.parametrize("block", blocks_in("toml"), ids=name_of)
def test_a_block_of_toml_is_a_configuration_or_a_row_of_the_catalogue(block: CodeBlock, tmp_path: Path) -> None:
    """Prices of models have tests of their own."""
    if msgspec.toml.decode(block.code).keys() <= CATALOGUE:
        return
    config = tmp_path / "adapter.toml"
    config.write_text(block.code)

    assert load_settings(config, {}) != Settings()


@pytest.mark.parametrize("block", [*blocks_in("yaml"), *blocks_in("json"), *blocks_in("ini")], ids=name_of)
def test_a_block_of_another_format_can_be_read(block: CodeBlock) -> None:
    """By a reader of that format."""
    if block.language == "ini":
        parser = ConfigParser(strict=False, interpolation=None)
        parser.read_string(block.code)
        assert parser.sections()
    else:
        assert yaml.safe_load(block.code)
