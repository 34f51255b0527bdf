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
    """The official client without retries of its own, and as strict as it can be.

    In its strict mode the 1.x client knows three sizes of a picture; we report the real one (`openai.md` section 4).
    """
    strict = not openai.__version__.startswith("1.")
    with openai.OpenAI(
        base_url=f"{server.url}/v1", api_key=KEY, max_retries=0, _strict_response_validation=strict
    ) as client:
        yield client


@pytest.fixture
def prompt() -> str:
    """A prompt that no other test uses, so that no other test's video answers it."""
    return f"waves {uuid4()}"
