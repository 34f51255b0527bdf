"""Backup and restore with the commands of docs/deploy.md, while work is under way."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import openai
import pytest

from tests.journeys.server import Connect, Server, wait_until
from tests.postgres import PASSWORD, PostgresServer, find_programs
from tests.support import ROOT

MODEL = "veo-3.1-fast"
BLOCKS: list[str] = re.findall(r"```sh\n(.+?)```", (ROOT / "docs" / "deploy.md").read_text(), re.DOTALL)
#: What stands in on machines that lack these programs.
SQLITE3 = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute(sys.argv[2])"
STAND_INS = {
    "sqlite3": f"sqlite3() {{ {sys.executable} -c '{SQLITE3}' \"$@\"; }}",
    "rsync": 'rsync() { mkdir -p "$3" && cp -a "$2." "$3"; }',
}

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


def documented(words: str) -> str:
    """Return the one block of commands that has these words."""
    [block] = [block for block in BLOCKS if words in block]
    return block


def run(commands: str, places: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Run documented commands with other places."""
    for documented_place, place in places.items():
        commands = commands.replace(documented_place, place)
    stand_ins = [line for name, line in STAND_INS.items() if shutil.which(name) is None]
    script = "\n".join(["set -e", *stand_ins, commands])
    done = subprocess.run(
        ["bash", "-c", script],  # noqa: S607 - the operator's shell
        env=os.environ | dict(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The process whose sandbox is Google for all; no client asks it for anything else."""
    server = Server(tmp_path_factory.mktemp("google"), active_seconds=1.5)
    server.start()
    yield server
    assert server.stop() == 0


class Machine:
    """What an operator has: a server, and commands for its backup and restore."""

    def __init__(self, folder: Path, google: Server, postgres: PostgresServer | None) -> None:
        self._folder = folder
        self._google = google
        self._postgres = postgres
        self._backup = folder / "backup"
        self._backup.mkdir()
        self._database = postgres.new_database() if postgres else ""

    def server(self, name: str) -> Server:
        """Return a server with a new folder, on the present database."""
        folder = self._folder / name
        folder.mkdir()
        database = self._postgres.url(self._database) if self._postgres else ""
        return Server(folder, database=database, upstream=self._google.upstream)

    def back_up(self, server: Server) -> None:
        """Copy the database first, then the media."""
        block = documented("VACUUM INTO")
        if self._postgres:
            self._run(documented("pg_dump"), server)
            block = "\n".join(line for line in block.splitlines() if line.startswith("rsync"))
        self._run(block, server)

    def restored(self, name: str) -> Server:
        """Return a server with what was copied. Its database has another name, because the old one is still there."""
        block = documented("rsync -a /backup/media/")
        self._database = f"{self._database}_restored"
        server = self.server(name)
        if self._postgres:
            self._run(documented("pg_restore"), server)
            block = "\n".join(line for line in block.splitlines() if line.startswith("rsync"))
        self._run(block, server)
        return server

    def _run(self, commands: str, server: Server) -> None:
        places = {
            "/backup": str(self._backup),
            "var/adapter.db": f"{server.folder}/jobs.db",
            "var/media": f"{server.folder}/media",
            "--owner=adapter adapter": f"--owner=postgres {self._database}",
            "--role=adapter": "--role=postgres",
            "--dbname=adapter": f"--dbname={self._database}",
            "adapter.dump adapter": f"adapter.dump {self._database}",
        }
        run(commands, places, self._environ())

    def _environ(self) -> dict[str, str]:
        programs = find_programs()
        if self._postgres is None or programs is None:
            return {}
        return {
            "PATH": f"{programs / 'bin'}:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self._postgres.port),
            "PGUSER": "postgres",
            "PGPASSWORD": PASSWORD,
        }


@pytest.fixture(params=["sqlite", "postgresql"])
def machine(request: pytest.FixtureRequest, tmp_path: Path, google: Server) -> Machine:
    """With each of the databases."""
    postgres: PostgresServer | None = None
    if request.param == "postgresql":
        postgres = request.getfixturevalue("postgres")
    return Machine(tmp_path, google, postgres)


def test_a_backup_keeps_finished_videos_and_running_jobs(
    machine: Machine, google: Server, connect: Connect, prompt: str
) -> None:
    """What was accepted after the copy is lost. The copies are made while the server works."""
    finished, running, late = (f"{prompt} {word}" for word in ("finished", "running", "late"))
    first = machine.server("first")
    first.start()
    with connect(first) as client:
        video = client.videos.create(model=MODEL, prompt=finished)
        wait_until(lambda: client.videos.retrieve(video.id).status == "completed", "the video was not made")
        content = client.videos.download_content(video.id).read()
        under_way = client.videos.create(model=MODEL, prompt=running)
        wait_until(lambda: google.executed(running) == 1, "the video was not submitted")
        wait_until(lambda: client.videos.retrieve(under_way.id).status == "in_progress", "it was not recorded")
        machine.back_up(first)
        lost = client.videos.create(model=MODEL, prompt=late)
        wait_until(lambda: google.executed(late) == 1, "the late video was not submitted")
    first.kill()
    second = machine.restored("second")
    second.start()
    with connect(second) as client:
        assert client.videos.download_content(video.id).read() == content
        wait_until(lambda: client.videos.retrieve(under_way.id).status == "completed", "the video was not finished")
        assert client.videos.download_content(under_way.id).read()[4:8] == b"ftyp"
        with pytest.raises(openai.NotFoundError):
            client.videos.retrieve(lost.id)
    executed = [google.executed(each) for each in (finished, running, late)]
    assert second.stop() == 0

    assert executed == [1, 1, 1]
    assert second.log.count('"job.finished"') == 1
