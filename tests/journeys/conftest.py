"""A running server, the official client, and a watch over every answer."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import httpx
import openai
import pytest

from tests.journeys.node_programs import NodePrograms, lay_out
from tests.journeys.schema_watch import Watch
from tests.journeys.server import KEY, Address, Connect, Server
from tests.support import WITHOUT_TLS

#: The fixtures that are, or make, an official client.
CLIENTS = {"client", "connect"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, in the pass of the old client, the journeys that do without one: they were made already."""
    if openai.__version__.startswith("1."):
        here = Path(__file__).parent
        without = {item for item in items if here in item.path.parents and not CLIENTS & {*_fixtures(item)}}
        items[:] = [item for item in items if item not in without]
        config.hook.pytest_deselected(items=[*without])


def _fixtures(item: pytest.Item) -> Sequence[str]:
    return item.fixturenames if isinstance(item, pytest.Function) else ()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all journeys that leave it as they found it."""
    running = Server(tmp_path_factory.mktemp("server"))
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that begins no stream before it knows what becomes of a request, however slow the machine is."""
    running = Server(tmp_path_factory.mktemp("patient"), heartbeat_seconds=30.0)
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture(autouse=True)
def watch() -> Iterator[Watch]:
    """Every answer of every journey keeps to OpenAI's published schemas."""
    watch = Watch()
    yield watch
    assert watch.faults() == []


@pytest.fixture
def http(watch: Watch) -> Iterator[httpx.Client]:
    """A client without an SDK, to see bytes and headers, and to hang up; it closes each connection, as curl does."""
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(verify=WITHOUT_TLS, event_hooks={"response": [watch.on_response]}, limits=limits) as http:
        yield http


@pytest.fixture
def strict() -> bool:
    """Whether the official client refuses an answer that is not what its own types say."""
    return True


@pytest.fixture
def connect(watch: Watch, *, strict: bool) -> Connect:
    """Official clients with a key, retries or a time-out of their own."""

    def connected(server: Address, *, api_key: str = KEY, max_retries: int = 0, timeout: float = 60.0) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=f"{server.url}/v1",
            api_key=api_key,
            max_retries=max_retries,
            timeout=timeout,
            http_client=openai.DefaultHttpxClient(verify=WITHOUT_TLS, event_hooks={"response": [watch.on_response]}),
            _strict_response_validation=strict,
        )

    return connected


@pytest.fixture
def client(server: Server, connect: Connect) -> Iterator[openai.OpenAI]:
    """The official client without retries of its own, and as strict as it can be."""
    with connect(server) as client:
        yield client


@pytest.fixture
def prompt() -> str:
    """A prompt that no other test uses, so that no other test's video answers it."""
    return f"waves {uuid4()}"


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Node programs beside the packages that they import."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("there is no node with npm on this machine")
    return lay_out(tmp_path_factory.mktemp("node"))


@pytest.fixture
def node(node_folder: Path, server: Server, watch: Watch) -> NodePrograms:
    """Programs of the Node clients, watched as the Python ones are."""
    return NodePrograms(node_folder, server, watch)
