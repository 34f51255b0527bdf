"""A server that works as fast as it can, and a person with a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.server import Server
from tests.studio.visitor import Visitor, missing


@pytest.fixture(scope="session")
def studio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all visits."""
    if reason := missing():
        pytest.skip(reason)
    running = Server(tmp_path_factory.mktemp("studio"), active_seconds=2.0)
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def visitor(tmp_path: Path, studio_server: Server) -> Visitor:
    """A person with a browser that was never used."""
    return Visitor(tmp_path, studio_server)
