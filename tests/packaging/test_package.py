"""What `pip install`, `pipx` and `uvx` make of this tree: built, installed and used in an empty folder."""

import base64
import re
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import openai

from adapter.version import VERSION
from tests.journeys.server import KEY, free_port, wait_until
from tests.packaging.distributions import Distributions, Installation, environ
from tests.support import ROOT

#: What an operator finds in `config/` of a checkout, and what of it every wheel carries.
CARRIED = ("adapter.toml", "models.toml", "sandbox.toml")


def sources() -> dict[str, bytes]:
    """Return every file of the package, by its path in a wheel."""
    files = [path for path in (ROOT / "adapter").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {str(path.relative_to(ROOT)): path.read_bytes() for path in files}


def test_the_wheel_carries_the_whole_package_and_nothing_else(distributions: Distributions) -> None:
    """Migrations, side calls, the catalogue, the sandbox's configuration: the same bytes. One top-level folder."""
    config = {f"adapter/config/{name}": (ROOT / "config" / name).read_bytes() for name in CARRIED}

    assert distributions.carried() == sources() | config


def test_the_sdist_has_all_that_it_takes_to_build_test_and_run(distributions: Distributions) -> None:
    """And none of what may lie in a checkout beside it: an operator's configuration, databases, environments."""
    packed = distributions.packed()
    files = {path for path in packed if "." in Path(path).name}

    assert {"pyproject.toml", "README.md", "LICENSE", "Makefile", "requirements-dev.lock"} <= packed
    assert set(sources()) <= packed
    assert {path for path in packed if path.startswith("config/")} == {
        f"config/{name}" for name in (*CARRIED, "cluster.example.toml")
    }
    assert {path for path in files if path.startswith(("var/", "out/", ".venv/", ".git/"))} == set()
    assert {path for path in files if path.endswith((".pyc", ".db", ".whl"))} == set()


def test_what_is_required_to_run_is_what_the_project_says(distributions: Distributions) -> None:
    """With the Pythons on which it was tried."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    metadata = distributions.metadata("METADATA")
    required = [line for line in re.findall(r"^Requires-Dist: (.+)$", metadata, re.MULTILINE) if "extra ==" not in line]

    assert f"\nVersion: {VERSION}\n" in metadata
    assert f"\nRequires-Python: {project['requires-python']}\n" in metadata
    assert len(required) == len(project["dependencies"])
    assert distributions.metadata("entry_points.txt").split() == [
        "[console_scripts]",
        "adapter",
        "=",
        "adapter.__main__:main",
    ]


def test_the_installed_program_needs_nothing_of_the_checkout(installation: Installation, tmp_path: Path) -> None:
    """It says its version, and finds its files within itself."""
    own = str(installation.python.parent.parent)

    assert installation.run(tmp_path, "--version") == f"adapter {VERSION}\n"
    assert installation.evaluate(tmp_path, "shipped.FOLDER").startswith(own)
    assert f"from {own}" in installation.run(tmp_path, "check", "--sandbox")
    for name in CARRIED:
        printed = installation.run(tmp_path, "config", name.removesuffix(".toml"))
        assert printed == (ROOT / "config" / name).read_text()


@contextmanager
def serving(command: list[str], folder: Path) -> Iterator[tuple[str, Path]]:
    """Run a server on the sandbox in a folder; yield its address, and the file with what it says."""
    port, said = free_port(), folder / "said"
    command = [*command, "serve", "--sandbox", "--port", str(port)]
    with said.open("w") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=environ() | {"ADAPTER__SANDBOX__PORT": "0"}, stdout=out, stderr=out
        )
    try:
        wait_until(lambda: answers(port) or process.poll() is not None, "the installed program did not start")
        yield f"http://127.0.0.1:{port}", said
        process.terminate()
        assert process.wait(timeout=30) == 0, said.read_text()
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    """Say whether a server is there."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ready").status_code == 200
    except httpx.TransportError:
        return False


def test_an_empty_folder_becomes_a_server_that_draws(installation: Installation, tmp_path: Path) -> None:
    """With the same welcome as `make run`; what it keeps is kept here, and is there the next time."""
    folder = tmp_path / "empty"
    folder.mkdir()
    with (
        serving([str(installation.program)], folder) as (url, said),
        openai.OpenAI(base_url=f"{url}/v1", api_key=KEY) as client,
    ):
        made = client.images.generate(model="gemini-3.1-flash-image", prompt="a red fox", response_format="b64_json")
        assert made.data
        assert base64.b64decode(made.data[0].b64_json or "").startswith(b"\x89PNG")
        link = client.images.generate(model="flow-gem-pix", prompt="a lighthouse", response_format="url").data
        assert f"adapter is at  {url}/v1\nkey            {KEY}" in said.read_text()
    assert {path.name for path in folder.iterdir()} == {"var", "said"}

    with serving([str(installation.python), "-m", "adapter"], folder) as (url, _):
        assert link
        assert httpx.get(f"{url}{httpx.URL(link[0].url or '').path}").status_code == 200
