"""A server holds in memory what its work needs: libraries for other work are loaded with the first of it."""

import re
import signal
from collections.abc import Collection, Iterator
from pathlib import Path

import httpx
import pytest

from tests.journeys.loaded_modules import REPORT
from tests.journeys.server import KEY, Server, wait_until
from tests.support import ROOT

#: What is only needed for other work than pictures of Gemini on a SQLite database that is up to date.
ELSEWHERE = {
    "aiohttp": "nothing of ours: tests have a server of it",
    "alembic": "a database that has to be migrated",
    "asyncpg": "PostgreSQL",
    "av": "thumbnails of videos",
    "faker": "nothing of ours: the container leaves it out",
    "mako": "a database that has to be migrated",
    "polyfactory": "nothing of ours: the container leaves it out",
    "prometheus_client": "metrics, which are off",
    "pydantic": "nothing of ours: Litestar has a plugin for it",
    "rich": "nothing of ours: structlog loads it",
    "rich_click": "nothing of ours: the container leaves it out",
    "sqlalchemy.dialects.postgresql": "PostgreSQL",
    "sqlalchemy.orm": "PostgreSQL: its asynchronous engine loads it",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that was started once before, so that its database is there. Its sandbox is another process."""
    sandbox = Server(tmp_path_factory.mktemp("sandbox"))
    sandbox.start()
    folder = tmp_path_factory.mktemp("server")
    environ = {REPORT: str(folder / "loaded")}
    server = Server(folder, upstream=sandbox.upstream, environ=environ, program="tests.journeys.loaded_modules")
    server.start()
    server.stop()
    server.start()
    yield server
    server.stop()
    sandbox.stop()


def loaded(server: Server) -> Collection[str]:
    """Return the modules that a server has loaded."""
    path: Path = server.folder / "loaded"
    path.unlink(missing_ok=True)
    server.tell(signal.SIGUSR1)
    wait_until(path.exists, "the server does not tell what it has loaded")
    return path.read_text().splitlines()


def test_a_server_that_makes_pictures_loads_nothing_for_other_work(server: Server, http: httpx.Client) -> None:
    """The journeys of the other work show that it is loaded then."""
    answer = http.post(
        f"{server.url}/v1/images/generations",
        json={"model": "gemini-2.5-flash-image", "prompt": "a fox"},
        headers={"authorization": f"Bearer {KEY}"},
    )

    assert answer.status_code == 200, answer.text[:500]
    assert set(ELSEWHERE) & set(loaded(server)) == set()


def test_the_container_leaves_out_only_what_is_not_loaded() -> None:
    """What it removes after the installation of the lock: pip too, and Pygments, which pytest loads here."""
    removed = re.search(r"pip uninstall --yes (.+)", (ROOT / "Containerfile").read_text())

    assert removed
    assert {name.replace("-", "_") for name in removed[1].split()} <= {*ELSEWHERE, "pip", "pygments"}
