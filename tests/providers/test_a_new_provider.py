"""A new provider is a folder, rows of the catalogue, a section of the configuration, and a line of the registry."""

import importlib
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import httpx2
import openai
import pybase64
import pytest

from adapter.app import create_app
from adapter.errors import WrongConfiguration
from adapter.providers.registry import BUILT_IN
from adapter.settings import load_catalogue, load_settings
from tests.fakes import CLIP, png

#: Litestar 3 wants its dependencies marked; the locks have 2.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*Inferred:litestar.exceptions.LitestarDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning"),
]

PACKAGE = {
    "__init__.py": '"""A provider that was written in a minute."""\n',
    "description.py": """
from adapter.providers.description import Provider, ProviderDescription, ProviderSettings
from toy.provider import ToyProvider


class ToySettings(ProviderSettings, frozen=True, kw_only=True):
    base_url: str = "https://toy.example"
    token: str

    def secrets(self):
        return [("token", self.token)]


def build(settings, context):
    toy = ToyProvider(context.open_secret(settings.token, key="token"), context.clock)
    return Provider(images=toy, videos=toy)


TOY = ProviderDescription(name="toy", settings=ToySettings, build=build, makes={"image", "video"})
""",
    "provider.py": '''
from pathlib import Path

from adapter.domain.job import BalanceReading, Operation
from adapter.domain.media import RemoteVideo, image_from_bytes
from adapter.domain.ports import Finished, Unproven
from adapter.errors import UpstreamBroken

FILES = Path(__file__).parent


class ToyProvider:
    """Hands out the two files beside it."""

    def __init__(self, token, clock):
        self._token = token
        self._clock = clock

    async def make_images(self, order, inputs):
        assert await self._token.read() == "secret-of-toy"
        return [image_from_bytes((FILES / "fox.png").read_bytes()) for _ in range(order.n)]

    def choose_account(self):
        return "the only one"

    async def credits(self, account):
        return None

    async def settle(self, job, neighbours, seconds):
        return Unproven(BalanceReading(None, self._clock.now()), "Toy cannot tell.")

    async def upload(self, pictures, *, account):
        return [f"picture-{number}" for number, _ in enumerate(pictures)]

    async def submit(self, job, pictures):
        return Operation(f"toy-{job.seed}", job.mark)

    async def poll(self, operations, *, account):
        clip = (FILES / "waves.mp4").read_bytes()
        return {operation.name: Finished(RemoteVideo(), clip) for operation in operations}

    def download(self, file, *, account):
        raise UpstreamBroken("The file came with the report.")
''',
}

CONFIG = """
[access]
keys = ["plain:sk-toy"]

[storage]
database = "sqlite:///{folder}/toy.db"
media = "file://{folder}/media"

[jobs]
poll_seconds = 0.05
spool = ""

[providers.toy]
token = "plain:secret-of-toy"
"""

MODELS = """
[[image]]
name = "toy-fox"
provider = "toy"
upstream = "fox-1"
released = 2026-11-01
ratios = ["1:1", "16:9"]

[[video]]
name = "toy-waves"
provider = "toy"
released = 2026-11-01
seconds = 4
typical_seconds = 1
[video.upstream.text]
"16:9" = "waves-1"
[video.sizes]
"16:9" = { width = 1280, height = 720 }
"""


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


@asynccontextmanager
async def connected(toy: ModuleType, config: Path) -> AsyncIterator[openai.AsyncOpenAI]:
    """Yield the official client before the application with this provider."""
    providers = [*BUILT_IN, toy.TOY]
    settings = load_settings(config, {}, providers)
    app = create_app(settings, load_catalogue(config, settings, providers), providers=providers)
    transport = httpx2.ASGITransport(app)  # type: ignore[arg-type] # litestar's types of ASGI are its own
    async with (
        app.lifespan(),
        httpx2.AsyncClient(transport=transport) as http,
        openai.AsyncOpenAI(base_url="http://adapter/v1", api_key="sk-toy", http_client=http, max_retries=0) as client,
    ):
        yield client


async def test_a_picture_of_a_new_provider_reaches_an_openai_client(toy: ModuleType, config: Path) -> None:
    """As the provider made it."""
    async with connected(toy, config) as client:
        answer = await client.images.generate(model="toy-fox", prompt="a fox", n=2)

    assert answer.data is not None
    assert [pybase64.b64decode(each.b64_json or "") for each in answer.data] == [png(64, 64)] * 2


async def test_a_video_of_a_new_provider_is_a_job_like_any_other(toy: ModuleType, config: Path) -> None:
    """Submitted, polled, stored and downloaded; its file came with the report."""
    async with connected(toy, config) as client:
        video = await client.videos.create_and_poll(model="toy-waves", prompt="waves", poll_interval_ms=20)
        content = await client.videos.download_content(video.id)

    assert (video.status, video.seconds, video.size) == ("completed", "4", "1280x720")
    assert content.read() == CLIP


async def test_the_models_of_a_new_provider_are_listed(toy: ModuleType, config: Path) -> None:
    """And no model of a provider that is not configured."""
    async with connected(toy, config) as client:
        listed = [model.id async for model in client.models.list()]

    assert sorted(listed) == ["toy-fox", "toy-waves"]


def test_a_mistake_in_a_new_providers_section_names_the_key(toy: ModuleType, config: Path) -> None:
    """By its whole path, as in every other section."""
    config.write_text(config.read_text().replace("token =", "tokn ="))

    with pytest.raises(WrongConfiguration, match=r"\$\.providers\.toy"):
        load_settings(config, {}, [*BUILT_IN, toy.TOY])


def test_a_provider_that_is_not_registered_has_no_section(config: Path) -> None:
    """The registry is the only place that knows which there are."""
    with pytest.raises(WrongConfiguration, match="unknown field `toy`"):
        load_settings(config, {})


def test_a_row_of_a_kind_that_the_provider_does_not_make_is_refused(toy: ModuleType, config: Path) -> None:
    """At the start, and not at the first request."""
    providers = [*BUILT_IN, type(toy.TOY)(name="toy", settings=toy.ToySettings, build=toy.build, makes={"image"})]
    settings = load_settings(config, {}, providers)

    with pytest.raises(WrongConfiguration, match="'toy-waves' is a video model, and 'toy' makes no videos"):
        load_catalogue(config, settings, providers)
