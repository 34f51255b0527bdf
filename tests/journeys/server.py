"""The program as its user starts it: a process of its own, on free ports, in a folder of its own."""

import atexit
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import httpx
import msgspec
import openai

from tests.programs import Program, RunningProgram, run_program
from tests.support import ROOT, WITHOUT_TLS

KEY = "sk-sandbox"
START_SECONDS = 30.0
#: Ports that stay bound while a program starts or starts again: the kernel gives them to no outgoing connection. Only
#: Linux lets another process listen on them meanwhile (`SO_REUSEADDR`).
MOST_RESERVED = 64 if sys.platform == "linux" else 0
RESERVED: deque[socket.socket] = deque()
#: It closes each connection: a server that stops would wait for one that is kept.
HTTP = httpx.Client(verify=WITHOUT_TLS, limits=httpx.Limits(max_keepalive_connections=0))

#: A sandbox that makes an 8 s clip in a little over a second, so cheap that one account pays for all journeys, and a
#: server that looks after it often.
CONFIG = """
models = "{models}"

[server]
port = {port}
{server}

[access]
keys = ["plain:{key}", "plain:sk-second"]

[storage]
database = "{database}"
{storage}

[providers.gemini]
base_url = "{gemini}"
keys = ["plain:AIza-sandbox"]

[providers.flow]
base_url = "{gemini}"

[[providers.flow.accounts]]
name = "sandbox"
token = "plain:sandbox-flow-token"
project_id = "02ac868b-925f-40c1-9187-a688bd03a84d"
{account}

[jobs]
poll_seconds = 0.1
lease_seconds = 2.0
reconcile_seconds = 0.3
spool = "{folder}/spool"

[chat]
heartbeat_seconds = {heartbeat_seconds}
opening_seconds = {opening_seconds}
{chat}

[sandbox]
enabled = {enabled}
port = {sandbox}
state = "{folder}/upstream"
pending_seconds = 0.2
active_seconds = {active_seconds}
clip_long_edge = 320
video_credits = 1
"""


class Server:
    """A running adapter with its own sandbox, or with the one that is at `upstream`."""

    def __init__(
        self,
        folder: Path,
        *,
        active_seconds: float = 0.6,
        database: str = "",
        storage: str = "",
        server: str = "",
        opening_seconds: float = 30.0,
        heartbeat_seconds: float = 0.05,
        chat: str = "",
        account: str = "",
        more: str = "",
        upstream: str = "",
        environ: Mapping[str, str] | None = None,
        program: str = "adapter",
        port: int = 0,
    ) -> None:
        self.folder = folder
        #: The module that is run: the adapter, or one that runs it.
        self._program = program
        self.port, sandbox = port or free_port(), free_port()
        self.upstream = upstream or f"http://127.0.0.1:{sandbox}"
        self._environ = dict(environ or {})
        self.url = f"http://127.0.0.1:{self.port}"
        self._config = folder / "adapter.toml"
        self._config.write_text(
            CONFIG.format(
                models=ROOT / "config" / "models.toml",
                port=self.port,
                server=server,
                opening_seconds=opening_seconds,
                heartbeat_seconds=heartbeat_seconds,
                chat=chat,
                account=account,
                key=KEY,
                folder=folder,
                database=database or f"sqlite:///{folder}/jobs.db",
                storage=storage or f'media = "file://{folder}/media"',
                gemini=self.upstream,
                sandbox=sandbox,
                enabled="false" if upstream else "true",
                active_seconds=active_seconds,
            )
            + more
        )
        self._process: RunningProgram | None = None

    @property
    def log(self) -> str:
        """Everything the program has written so far."""
        return (self.folder / "log").read_text()

    def start(self) -> None:
        """Start the process and wait until it answers."""
        self._process = self._launch()
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.ended or time.monotonic() > until:
                raise AssertionError(f"the adapter did not start:\n{self.log}")
            time.sleep(0.02)

    def _launch(self) -> RunningProgram:
        log = self.folder / "log"
        return Program(
            ["serve", "--config", str(self._config)],
            module=self._program,
            stdout=log,
            stderr=log,
            environ=os.environ | self._environ,
        )

    def _answers(self) -> bool:
        try:
            return HTTP.get(f"{self.url}/health").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process_of().pid

    @property
    def config(self) -> Path:
        """Its configuration file."""
        return self._config

    def kill(self) -> None:
        """End the process as a power cut would."""
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """Ask the process to stop and return its exit status."""
        return self._signal(signal.SIGTERM)

    def pause(self) -> None:
        """Let the process hang, as a machine that is out of breath does."""
        self._process_of().send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process_of().send(signal.SIGCONT)

    def tell(self, number: signal.Signals) -> None:
        """Send the process a signal that means something to it."""
        self._process_of().send(number)

    def ask_to_stop(self) -> None:
        """Ask the process to stop and do not wait for it."""
        self._process_of().send(signal.SIGTERM)

    def end(self) -> int:
        """Wait until the process has ended and return its exit status."""
        return self._process_of().end(START_SECONDS)

    def _process_of(self) -> RunningProgram:
        assert self._process is not None
        return self._process

    def _signal(self, number: signal.Signals) -> int:
        self._process_of().send(number)
        return self.end()

    def command(self, *arguments: str) -> str:
        """Run one of the program's other commands on the same configuration, and return what it says."""
        done = self.ran(*arguments)
        return done.stdout + done.stderr

    def ran(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of them and return how it ended as well."""
        return run_program(*arguments, "--config", str(self._config), environ=os.environ)

    def fault(self, **fault: object) -> None:
        """Script a fault of the sandbox."""
        HTTP.post(f"{self.upstream}/sandbox/faults", json=[fault]).raise_for_status()

    def heal(self) -> None:
        """Forget the faults that are still to come."""
        HTTP.delete(f"{self.upstream}/sandbox/faults").raise_for_status()

    def executed(self, prompt: str) -> int:
        """Return how often the sandbox carried out, and charged, something with this prompt."""
        return len(self.models(prompt))

    def models(self, prompt: str) -> list[str]:
        """Return the models with which it was carried out."""
        ledger = msgspec.json.decode(HTTP.get(f"{self.upstream}/sandbox/ledger").content)
        return [execution["model"] for execution in ledger["executions"] if execution["prompt"] == prompt]

    def executions(self) -> int:
        """Return how much it carried out in all."""
        return len(msgspec.json.decode(HTTP.get(f"{self.upstream}/sandbox/ledger").content)["executions"])

    def asked(self, door: str) -> int:
        """Return how often the sandbox was asked for something, by the name of its door."""
        ledger = msgspec.json.decode(HTTP.get(f"{self.upstream}/sandbox/ledger").content)
        return int(ledger["requests"].get(door, 0))

    def wait_until_asked(self, door: str) -> None:
        """Return when the sandbox was asked for something, which has to be soon."""
        wait_until(lambda: bool(self.asked(door)), f"nobody came to {door}")

    def wait_for_line(self, event: str) -> None:
        """Return when the program has written of something, which has to be soon."""
        wait_until(lambda: event in self.log, f"nothing was written of {event}")


def wait_until(happened: Callable[[], bool], complaint: str) -> None:
    """Return when something has happened, which has to be soon."""
    until = time.monotonic() + START_SECONDS
    while not happened():
        assert time.monotonic() < until, complaint
        time.sleep(0.02)


class Address(Protocol):
    """A server, or what stands before several."""

    @property
    def url(self) -> str: ...


class Connect(Protocol):
    """Makes an official client of a server. A time-out is in seconds."""

    def __call__(
        self, server: Address, *, api_key: str = KEY, max_retries: int = 0, timeout: float = 60.0
    ) -> openai.OpenAI: ...


@atexit.register
def release_ports() -> None:
    """Give back the ports that are still bound."""
    for probe in RESERVED:
        probe.close()


def free_port() -> int:
    """Return a port that nobody listens on, and that no outgoing connection takes for a while."""
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", 0))
    port: int = probe.getsockname()[1]
    RESERVED.append(probe)
    while len(RESERVED) > MOST_RESERVED:
        RESERVED.popleft().close()
    return port
