"""The container: built as the Containerfile says, run without rights on a read-only root.

It takes 45 s, and 40 s more once in a month. Nothing stays but the base image in the cache of the user.
"""

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest

from tests.container.base import NoBaseError
from tests.container.image import Container, Image, lacking
from tests.container.room import Room
from tests.journeys.server import KEY, free_port, wait_until

USER = 10001


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image of this tree."""
    if why := lacking():
        pytest.skip(why)
    with Room(tmp_path_factory.mktemp("image")) as room:
        try:
            image = Image(room)
        except NoBaseError as error:
            pytest.skip(str(error))
        yield image


@pytest.fixture(scope="module")
def port() -> int:
    """The port that it serves on."""
    return free_port()


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an engine makes of `-v adapter:/app/var`: a folder with the owner that it has in the image."""
    folder = tmp_path_factory.mktemp("volume")
    os.chown(folder, USER, USER)
    return folder


@pytest.fixture(scope="module")
def container(image: Image, volume: Path, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """It serves the sandbox, which makes a video in a second."""
    said = tmp_path_factory.mktemp("said") / "log"
    environ = {
        "ADAPTER__SERVER__PORT": str(port),
        "ADAPTER__SANDBOX__PORT": "0",
        "ADAPTER__SANDBOX__ACTIVE_SECONDS": "0.5",
    }
    container = image.start(volume, ["--sandbox"], environ, said)
    wait_until(lambda: container.ended or answers(port), "the container does not answer")
    assert not container.ended, said.read_text()
    yield container
    container.kill()


def answers(port: int) -> bool:
    """Say whether the server is there."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    except httpx.TransportError:
        return False


def test_the_image_carries_neither_pip_nor_test_data(image: Image) -> None:
    """Nor colours for a command line that is not ours."""
    [packages] = (image.root / "venv" / "lib").glob("python*/site-packages")
    size = sum(path.lstat().st_size for path in packages.rglob("*") if path.is_file())
    print(f"packages: {size / 1e6:.0f} MB")

    assert {"faker", "polyfactory", "pygments", "rich", "pip"} & {path.name for path in packages.iterdir()} == set()
    assert (image.root / "app" / "adapter" / "version.py").exists()


def test_the_program_runs_without_rights(image: Image, container: Container) -> None:
    """As the user of the image, with no capability, and with none to be had."""
    told = dict(line.split(":\t", 1) for line in container.status.splitlines() if ":\t" in line)

    assert image.configuration.user == f"{USER}:{USER}"
    assert told["Uid"].split() == told["Gid"].split() == [str(USER)] * 4
    assert int(told["CapEff"], 16) == int(told["CapPrm"], 16) == 0
    assert told["NoNewPrivs"] == "1"


def test_a_picture_and_a_video_are_made(container: Container, port: int, volume: Path) -> None:
    """Pillow and the codecs work in it; everything that is kept is in the volume."""
    with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=KEY) as client:
        made = client.images.generate(model="gemini-3.1-flash-image", prompt="a fox", response_format="b64_json")
        chat = client.chat.completions.create(model="veo-3.1-fast", messages=[{"role": "user", "content": "waves"}])
    link = httpx.URL((chat.choices[0].message.content or "").rpartition("(")[2].rstrip(")"))
    video = httpx.get(f"http://127.0.0.1:{port}{link.path}").content

    assert made.data
    assert base64.b64decode(made.data[0].b64_json or "").startswith(b"\x89PNG")
    assert video[4:8] == b"ftyp"
    assert [path for path in volume.rglob("*.mp4") if path.read_bytes() == video]


def test_the_pages_that_are_generated_are_there(container: Container, port: int) -> None:
    """The packages that were taken out are not missed."""
    assert httpx.get(f"http://127.0.0.1:{port}/openapi.json").json()["paths"]


def test_the_health_check_passes(container: Container) -> None:
    """It asks at the port that a variable names."""
    container.check_health()


def test_a_container_stops_in_order(image: Image, container: Container) -> None:
    """By the signal that the image names; this is the last test of the file."""
    assert container.stop() == 0
    assert set(image.configuration.volumes) == {"/app/var"}
