"""The whole program with its memory on a server."""

from pathlib import Path

import httpx

from tests.journeys.running import KEY, Server
from tests.postgres import PASSWORD, PostgresServer

STORAGE = 'database_password = "plain:{password}"\nmedia = "file://{folder}/media"'


def server_of(folder: Path, url: str, password: str) -> Server:
    """Return a server that is not started yet, whose password is a reference."""
    folder.mkdir()
    return Server(folder, database=url, storage=STORAGE.format(password=password, folder=folder))


def test_the_database_is_checked_without_its_password(postgres: PostgresServer, tmp_path: Path) -> None:
    """With words for the operator where something is wrong."""
    url = postgres.url(postgres.new_database(), login="postgres")
    said = server_of(tmp_path / "right", url, PASSWORD).command("check")
    wrong = server_of(tmp_path / "wrong", url, f"not-{PASSWORD}").command("check")

    assert "secret       ok  storage.database_password\n" in said
    assert f"database     ok  {url}\n" in said
    assert wrong == (f"adapter: storage.database: the password is wrong; see storage.database_password ({url}).\n")
    assert PASSWORD not in said + wrong


def test_a_database_that_is_away_is_a_503_until_it_is_back(
    http: httpx.Client, postgres: PostgresServer, tmp_path: Path
) -> None:
    """And the balancer sends nobody here meanwhile. A server that finds no database does not start."""
    server = server_of(tmp_path / "server", postgres.url(postgres.new_database(), login="postgres"), PASSWORD)
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
    back = http.get(f"{server.url}/ready")
    log = server.log
    assert server.stop() == 0

    assert (away.status_code, back.status_code) == (503, 200)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "storage_unavailable")
    assert "adapter: storage.database: the server cannot be reached (postgresql://postgres@127.0.0.1:" in said
    assert PASSWORD not in log + said
