"""A running server and the official client."""

from collections.abc import Iterator
from uuid import uuid4

import openai
import pytest

from tests.journeys.running import KEY, Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all journeys that leave it as they found it."""
    running = Server(tmp_path_factory.mktemp("server"))
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    """The official client, as strict as it can be and without retries of its own."""
    with openai.OpenAI(
        base_url=f"{server.url}/v1", api_key=KEY, max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


@pytest.fixture
def prompt() -> str:
    """A prompt that no other test uses, so that no other test's video answers it."""
    return f"waves {uuid4()}"
