"""A server that works as fast as it can, and a person with a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.server import HTTP, KEY, Server
from tests.studio.visitor import Visitor, missing

OMNI = """
[providers.omni]
keys = ["plain:AIza-sandbox"]
"""


@pytest.fixture(scope="session")
def studio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all visits."""
    if reason := missing():
        pytest.skip(reason)
    running = Server(tmp_path_factory.mktemp("studio"), more=OMNI)
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def visitor(tmp_path: Path, studio_server: Server) -> Visitor:
    """A person with a browser that was never used, and without videos."""
    headers = {"authorization": f"Bearer {KEY}"}
    for video in HTTP.get(f"{studio_server.url}/v1/videos", headers=headers).json()["data"]:
        HTTP.delete(f"{studio_server.url}/v1/videos/{video['id']}", headers=headers).raise_for_status()
    return Visitor(tmp_path, studio_server)
