"""The program as its user starts it: a process of its own, on free ports, in a folder of its own."""

import atexit
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

import httpx
import msgspec
import openai

from tests.support import ROOT

KEY = "sk-sandbox"
START_SECONDS = 30.0

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
base_url = "http://127.0.0.1:{sandbox}"

[[providers.flow.accounts]]
name = "sandbox"
token = "plain:sandbox-flow-token"
project_id = "02ac868b-925f-40c1-9187-a688bd03a84d"

[jobs]
poll_seconds = 0.1
lease_seconds = 0.5

[chat]
heartbeat_seconds = 0.05
opening_seconds = {opening_seconds}
{chat}

[sandbox]
enabled = true
port = {sandbox}
state = "{folder}/upstream"
pending_seconds = 0.2
active_seconds = {active_seconds}
clip_long_edge = 320
video_credits = 1
"""


class Server:
    """A running adapter with its own sandbox."""

    def __init__(
        self,
        folder: Path,
        *,
        active_seconds: float = 0.6,
        database: str = "",
        storage: str = "",
        server: str = "",
        opening_seconds: float = 30.0,
        chat: str = "",
        more: str = "",
    ) -> None:
        self.folder = folder
        self.port, self._sandbox = free_port(), free_port()
        self.upstream = f"http://127.0.0.1:{self._sandbox}"
        self.url = f"http://127.0.0.1:{self.port}"
        self._config = folder / "adapter.toml"
        self._config.write_text(
            CONFIG.format(
                models=ROOT / "config" / "models.toml",
                port=self.port,
                server=server,
                opening_seconds=opening_seconds,
                chat=chat,
                key=KEY,
                folder=folder,
                database=database or f"sqlite:///{folder}/jobs.db",
                storage=storage or f'media = "file://{folder}/media"',
                gemini=self.upstream,
                sandbox=self._sandbox,
                active_seconds=active_seconds,
            )
            + more
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """Everything the program has written so far."""
        return (self.folder / "log").read_text()

    def start(self) -> None:
        """Start the process and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "adapter", "serve", "--config", str(self._config)],
                cwd=ROOT,
                # The newest client's folder in PYTHONPATH is the test's business, not the program's.
                env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
                stdout=log,
                stderr=log,
            )
        atexit.register(self._process.kill)  # a test that fails leaves none behind
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the adapter did not start:\n{self.log}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """End the process as a power cut would."""
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """Ask the process to stop and return its exit status."""
        return self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(timeout=START_SECONDS)

    def command(self, *arguments: str) -> str:
        """Run one of the program's other commands on the same configuration."""
        done = subprocess.run(
            [sys.executable, "-m", "adapter", *arguments, "--config", str(self._config)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    def fault(self, **fault: object) -> None:
        """Script a fault of the sandbox."""
        httpx.post(f"{self.upstream}/sandbox/faults", json=[fault]).raise_for_status()

    def heal(self) -> None:
        """Forget the faults that are still to come."""
        httpx.delete(f"{self.upstream}/sandbox/faults").raise_for_status()

    def executed(self, prompt: str) -> int:
        """Return how often the sandbox carried out, and charged, something with this prompt."""
        return len(self.models(prompt))

    def models(self, prompt: str) -> list[str]:
        """Return the models with which it was carried out."""
        ledger = msgspec.json.decode(httpx.get(f"{self.upstream}/sandbox/ledger").content)
        return [execution["model"] for execution in ledger["executions"] if execution["prompt"] == prompt]

    def asked(self, door: str) -> int:
        """Return how often the sandbox was asked for something, by the name of its door."""
        ledger = msgspec.json.decode(httpx.get(f"{self.upstream}/sandbox/ledger").content)
        return int(ledger["requests"].get(door, 0))

    def wait_until_asked(self, door: str) -> None:
        """Return when the sandbox was asked for something, which has to be soon."""
        until = time.monotonic() + START_SECONDS
        while not self.asked(door):
            assert time.monotonic() < until, f"nobody came to {door}"


class Connect(Protocol):
    """Makes an official client of a server. A time-out is in seconds."""

    def __call__(
        self, server: Server, *, api_key: str = KEY, max_retries: int = 0, timeout: float = 60.0
    ) -> openai.OpenAI: ...


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
