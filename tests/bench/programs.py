"""The programs under measurement: each a process on its core, whose cost the kernel counts. Linux only."""

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple, Self

from adapter.database.engine import open_database
from tests.bench.wire import HOST, NAME
from tests.support import ROOT

#: What is measured runs on the first core; the upstream and the clients share the other.
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
TICKS = os.sysconf("SC_CLK_TCK")
#: Patience with a program that starts.
START_SECONDS = 30.0
#: And with one call that asks whether it has.
CALL_SECONDS = 5.0

CONFIG = """
[access]
keys = ["plain:sk-bench", "plain:sk-other"]
[storage]
database = "sqlite:///{folder}/adapter.db"
media = "file://{folder}/media"
[providers.gemini]
base_url = "{base_url}"
keys = ["plain:AIza-bench"]
[sandbox]
enabled = false
"""
#: After so long without work a server may have given memory back, in seconds.
REST_SECONDS = 11.0


class Program:
    """A running process that listens on a port of its own."""

    def __init__(self, name: str, port: int, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.port = port
        self._process = process

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[object],
        port: int,
        *,
        core: int,
        log: Path | None = None,
        checkout: Path = ROOT,
    ) -> Self:
        """Start `python -m …` of a checkout on a core; what it says goes to a file if one is given."""
        return cls.execute(name, [sys.executable, "-m", *command], port, core=core, log=log, checkout=checkout)

    @classmethod
    def execute(
        cls,
        name: str,
        command: Sequence[object],
        port: int,
        *,
        core: int,
        log: Path | None = None,
        trust: Path | None = None,
        checkout: Path = ROOT,
    ) -> Self:
        """Start a program on a core. By the system's own setting it trusts one authority alone, if one is given."""
        arguments = [*map(str, command)]
        # Where no bytecode is written, each start compiles everything again.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        if trust is not None:
            environment["SSL_CERT_FILE"] = str(trust)
        with log.open("ab") if log else nullcontext() as said:
            process = subprocess.Popen(arguments, cwd=checkout, stdout=said, stderr=said, env=environment)
        os.sched_setaffinity(process.pid, {core})
        return cls(name, port, process)

    def wait_until(self, ready: Callable[[int], bool]) -> None:
        """Wait until it answers.

        Raises:
            RuntimeError: it ended, or takes too long.
        """
        late = time.monotonic() + START_SECONDS
        while not ready(self.port):
            if self._process.poll() is not None or time.monotonic() > late:
                raise RuntimeError(f"{self.name} did not start")
            time.sleep(0.002)

    def allow_descriptors(self, most: int) -> None:
        """Lower its limit of file descriptors."""
        resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE, (most, most))

    def cpu_seconds(self) -> float:
        """Return the time that all its threads have computed; counted by the kernel in hundredths."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def forget_peak(self) -> None:
        """Begin anew with the most memory that it has held (proc(5), `clear_refs`)."""
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")

    def peak_megabytes(self) -> float:
        """Return the most memory that it has held so far."""
        return self._memory("VmHWM")

    def megabytes(self) -> float:
        """Return the memory that it holds."""
        return self._memory("VmRSS")

    def _memory(self, what: str) -> float:
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Let it do nothing meanwhile, as on a machine that has other work: its event loop is late by that."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it and wait for that.

        Raises:
            RuntimeError: it had ended before; a negative status is the signal that ended it.
        """
        status = self._process.poll()
        if status is not None:
            raise RuntimeError(f"{self.name} ended by itself with status {status}")
        self._process.terminate()
        self._process.wait(timeout=START_SECONDS)


class Stage(NamedTuple):
    """Who takes part."""

    upstream: Program
    programs: Sequence[Program]


#: Starts further programs in front of an upstream; they may write into a folder.
StartPeers = Callable[[Path, int], Sequence[Program]]


def no_peers(_folder: Path, _upstream: int) -> Sequence[Program]:
    """Start none."""
    return ()


@contextmanager
def running(folder: Path, peers: StartPeers = no_peers) -> Iterator[Stage]:
    """Run the upstream, the four programs in front of it, and peers; whatever happens, they are stopped."""
    with ExitStack() as stack:

        def keep(program: Program) -> Program:
            stack.callback(program.stop)
            return program

        origin = free_port()
        upstream = keep(Program.start("upstream", ["tests.bench.upstream", origin], origin, core=LOAD_CORE))
        programs = [keep(start_adapter(folder, origin))]
        for name in ("ideal", "bare", "naive"):
            port = free_port()
            programs.append(keep(Program.start(name, [f"tests.bench.{name}", port, origin], port, core=SERVER_CORE)))
        programs += map(keep, peers(folder, origin))
        for program in (upstream, *programs):
            program.wait_until(listens)
        yield Stage(upstream, programs)


def start_adapter(folder: Path, upstream: int, trust: Path | None = None) -> Program:
    """Start `adapter serve` with a configuration of its own; with an authority to trust the upstream speaks TLS."""
    catalogue = ROOT / "config" / "models.toml"
    config = folder / "adapter.toml"
    base_url = f"http://{HOST}:{upstream}" if trust is None else f"https://{NAME}:{upstream}"
    config.write_text(f'models = "{catalogue}"\n' + CONFIG.format(folder=folder, base_url=base_url))
    asyncio.run(_make_database(f"sqlite:///{folder}/adapter.db"))
    port = free_port()
    command = [sys.executable, "-m", "adapter", "serve", "--config", config, "--port", port]
    log = folder / "adapter.log"
    return Program.execute("adapter", command, port, core=SERVER_CORE, log=log, trust=trust)


async def _make_database(url: str) -> None:
    """Bring it up to date: a server that has to do so holds more memory until it ends."""
    await (await open_database(url)).dispose()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def listens(port: int) -> bool:
    """Say whether connections are taken; uvicorn takes none before the application is up."""
    try:
        socket.create_connection((HOST, port), CALL_SECONDS).close()
    except (ConnectionError, TimeoutError):
        return False
    return True


def is_healthy(port: int) -> bool:
    """Say whether `GET /health` answers 200."""
    connection = HTTPConnection(HOST, port, timeout=CALL_SECONDS)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (ConnectionError, TimeoutError):
        return False
    finally:
        connection.close()
