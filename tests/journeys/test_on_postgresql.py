"""The whole program with its memory on a server."""

from pathlib import Path

import httpx

from tests.journeys.server import KEY, Server, wait_until
from tests.postgres import PASSWORD, PostgresServer

STORAGE = 'database_password = "plain:{password}"\nmedia = "file://{folder}/media"'


def server_of(folder: Path, url: str, password: str, *, more: str = "") -> Server:
    """Return a server that is not started yet, whose password is a reference."""
    folder.mkdir()
    return Server(folder, database=url, storage=STORAGE.format(password=password, folder=folder), more=more)


def test_the_database_is_checked_without_its_password(postgres: PostgresServer, tmp_path: Path) -> None:
    """Which is a reference, and is checked as such."""
    url = postgres.new_url().replace(f":{PASSWORD}", "")
    said = server_of(tmp_path / "server", url, PASSWORD).command("check")

    assert "secret       ok  storage.database_password\n" in said
    assert f"database     ok  {url}\n" in said
    assert PASSWORD not in said


def test_a_database_that_is_away_is_a_503_until_it_is_back(
    http: httpx.Client, postgres: PostgresServer, tmp_path: Path
) -> None:
    """And the balancer sends nobody here meanwhile. A server that finds no database does not start."""
    server = server_of(tmp_path / "server", postgres.new_url().replace(f":{PASSWORD}", ""), PASSWORD)
    server.start()
    body = {"model": "veo-3.1-fast", "messages": [{"role": "user", "content": "waves"}]}
    header = {"authorization": f"Bearer {KEY}"}
    postgres.stop()
    try:
        away = http.get(f"{server.url}/ready")
        refused = http.post(f"{server.url}/v1/chat/completions", json=body, headers=header)
        said = server.command("check")
    finally:
        postgres.start()
    wait_until(lambda: http.get(f"{server.url}/ready").status_code == 200, "it is not ready again")
    log = server.log
    assert server.stop() == 0

    assert away.status_code == 503
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "storage_unavailable")
    assert "adapter: storage.database: the server cannot be reached (postgresql://postgres@127.0.0.1:" in said
    assert PASSWORD not in log + said
