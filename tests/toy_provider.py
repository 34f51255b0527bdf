"""A provider that was written in a minute, and the official client before an application with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import httpx2
import openai

from adapter.app import create_app
from adapter.domain.telemetry import Telemetry
from adapter.providers.registry import BUILT_IN
from adapter.settings import load_catalogue, load_settings

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

from adapter.domain.job import BalanceReading, Failure, Operation
from adapter.domain.media import RemoteVideo, image_from_bytes
from adapter.domain.ports import Finished, Refused, Unproven
from adapter.errors import JobFailed, UpstreamBroken, UpstreamQuota, UpstreamSilent

FILES = Path(__file__).parent
FAULTS = {
    "what the provider refuses": UpstreamQuota("No quota."),
    "what gets no answer": UpstreamSilent("No answer."),
    "what is a mistake of the provider's code": RuntimeError("A mistake."),
}
GIVEN_UP = "what is given up"


class ToyProvider:
    """Hands out the two files beside it."""

    def __init__(self, token, clock):
        self._token = token
        self._clock = clock

    async def make_images(self, order, inputs):
        assert await self._token.read() == "secret-of-toy"
        if order.prompt in FAULTS:
            raise FAULTS[order.prompt]
        return [image_from_bytes((FILES / "fox.png").read_bytes()) for _ in range(order.n)]

    def choose_account(self, job):
        return "the only one"

    async def credits(self, account):
        return None

    async def settle(self, job, neighbours, seconds):
        return Unproven(BalanceReading(None, self._clock.now()), "Toy cannot tell.")

    async def upload(self, pictures, *, account):
        return [f"picture-{number}" for number, _ in enumerate(pictures)]

    async def upload_video(self, video, *, account):
        return "video"

    async def submit(self, job, uploads):
        return Operation("given up" if job.order.prompt == GIVEN_UP else f"toy-{job.seed}", job.mark)

    async def poll(self, operations, *, account):
        clip = (FILES / "waves.mp4").read_bytes()
        made, given_up = Finished(RemoteVideo(), clip), Refused(Failure.of(JobFailed("Toy gave it up.")))
        return {each.name: given_up if each.name == "given up" else made for each in operations}

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


@asynccontextmanager
async def connected(
    toy: ModuleType, config: Path, telemetry: Telemetry | None = None
) -> AsyncIterator[openai.AsyncOpenAI]:
    """Yield the official client before the application with this provider."""
    providers = [*BUILT_IN, toy.TOY]
    settings = load_settings(config, {}, providers)
    app = create_app(settings, load_catalogue(config, settings, providers), providers=providers, telemetry=telemetry)
    transport = httpx2.ASGITransport(app)  # type: ignore[arg-type] # litestar's types of ASGI are its own
    async with (
        app.lifespan(),
        httpx2.AsyncClient(transport=transport) as http,
        openai.AsyncOpenAI(base_url="http://adapter/v1", api_key="sk-toy", http_client=http, max_retries=0) as client,
    ):
        yield client
