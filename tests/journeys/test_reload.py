"""A changed configuration is taken over by a server that runs, and nothing that is under way feels it."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest
from openai.types import Video

from tests.journeys.server import KEY, START_SECONDS, Connect, Server, wait_until
from tests.support import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")

MODEL = """
[[image]]
name = "new-fox"
provider = "gemini"
upstream = "gemini-2.5-flash-image"
released = 2026-11-01
ratios = ["1:1"]

"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose configuration and catalogue may be changed. A video takes it two seconds."""
    folder = tmp_path_factory.mktemp("reload")
    server = Server(folder, active_seconds=2.0)
    (folder / "models.toml").write_text((ROOT / "config" / "models.toml").read_text())
    change(server, str(ROOT / "config" / "models.toml"), "models.toml")
    server.start()
    yield server
    assert server.stop() == 0


@pytest.fixture(name="server")
def restored(running: Server) -> Iterator[Server]:
    """The server. What a test configures is taken back, and reloaded."""
    files = {path: path.read_text() for path in (running.config, running.folder / "models.toml")}
    yield running
    for path, text in files.items():
        path.write_text(text)
    running.command("reload")


def change(server: Server, old: str, new: str) -> None:
    """Change the configuration."""
    text = server.config.read_text()
    assert old in text
    server.config.write_text(text.replace(old, new, 1))


def reload_by_signal(server: Server) -> str:
    """Send SIGHUP, and return the line of the log about it."""
    before = len(outcomes(server))
    server.tell(signal.SIGHUP)
    wait_until(lambda: len(outcomes(server)) > before, "the log says nothing of a reload")
    return outcomes(server)[-1]


def outcomes(server: Server) -> list[str]:
    """Return the lines of the log that say what became of a reload."""
    return re.findall(r"^.*config\.(?:reloaded|refused).*$", server.log, re.MULTILINE)


def names(client: openai.OpenAI) -> set[str]:
    """Return the models that are offered."""
    return {model.id for model in client.models.list()}


def finished(client: openai.OpenAI, video: Video) -> Video:
    """Wait for a video."""
    wait_until(lambda: client.videos.retrieve(video.id).status in {"completed", "failed"}, "the video is not finished")
    return client.videos.retrieve(video.id)


def account_of(server: Server, video: Video) -> str:
    """Return the account that made a video."""
    return str(json.loads(server.command("jobs", "show", video.id))["account"])


def test_models_come_and_go(server: Server, connect: Connect) -> None:
    """The command says which, and the log as well."""
    models = server.folder / "models.toml"
    text = models.read_text()
    with connect(server) as client:
        assert "new-fox" not in names(client)
        models.write_text(text + MODEL)
        said = server.command("reload")
        assert "new-fox" in names(client)
        assert client.images.generate(model="new-fox", prompt="a fox").data
        models.write_text(text)
        line = reload_by_signal(server)
        assert "new-fox" not in names(client)
    assert "models         +new-fox" in said
    assert '"models_removed": ["new-fox"]' in line


def test_keys_come_and_go(server: Server, connect: Connect) -> None:
    """The log names the setting and no key."""
    with connect(server, api_key="sk-third") as third, connect(server, api_key="sk-second") as second:
        with pytest.raises(openai.AuthenticationError):
            third.models.list()
        change(server, "plain:sk-second", "plain:sk-third")
        line = reload_by_signal(server)
        assert names(third)
        with pytest.raises(openai.AuthenticationError):
            second.models.list()
    assert '"changed": ["access.keys"]' in line
    assert "sk-third" not in server.log


def test_a_wrong_file_is_refused_as_a_whole(server: Server, connect: Connect) -> None:
    """The mistake is named with its line, and nothing of the file counts."""
    change(server, "plain:sk-second", "plain:sk-third")
    change(server, "heartbeat_seconds", 'images = "gif"\nheartbeat_seconds')
    line, command = reload_by_signal(server), server.ran("reload")
    with connect(server, api_key="sk-third") as third, pytest.raises(openai.AuthenticationError):
        third.models.list()

    mistake = f'line {server.config.read_text().partition("images =")[0].count(chr(10)) + 1}: chat.images: "gif"'
    assert '"level": "error"' in line
    assert mistake in json.loads(line)["mistakes"][0]
    assert (command.returncode, mistake in command.stderr) == (1, True)


def test_what_only_the_server_can_see_is_refused_too(server: Server) -> None:
    """Its environment is not the command's."""
    change(server, "plain:sk-second", "env:ADAPTER_NOT_THERE")
    command = server.ran("reload", "--json")

    [report] = json.loads(command.stdout).values()
    assert command.returncode == 1
    assert report == {"mistakes": ["access.keys[1]: the environment variable ADAPTER_NOT_THERE is not set."]}


def test_what_needs_a_restart_is_named_and_not_taken_over(server: Server, http: httpx.Client) -> None:
    """Each time, until it is restarted."""
    change(server, f"port = {server.port}", "port = 1")
    first, second = server.command("reload"), server.command("reload")

    assert "needs restart  server.port" in first
    assert "needs restart  server.port" in second
    assert http.get(f"{server.url}/health").status_code == 200


def test_the_log_says_less_and_more(server: Server, http: httpx.Client) -> None:
    """Errors are always written."""
    change(server, "[server]", '[server]\nlog_level = "error"')
    server.command("reload")
    before = len(server.log)
    http.get(f"{server.url}/v1/models", headers={"authorization": f"Bearer {KEY}"})
    assert server.log[before:] == ""
    change(server, 'log_level = "error"', 'log_level = "loud"')
    assert "config.refused" in reload_by_signal(server)
    change(server, 'log_level = "loud"', 'log_level = "info"')
    assert '"changed": ["server.log_level"]' in reload_by_signal(server)


def test_a_dry_run_changes_nothing(server: Server, connect: Connect) -> None:
    """It says what a reload would change."""
    change(server, "plain:sk-second", "plain:sk-third")
    said = server.command("reload", "--dry-run")

    assert "would reload" in said
    assert "access.keys" in said
    with connect(server, api_key="sk-second") as second:
        assert names(second)


def test_a_video_is_finished_by_the_account_that_left(server: Server, connect: Connect) -> None:
    """New videos take the account that came."""
    with connect(server) as client:
        before = client.videos.create(model="veo-3.1-fast", prompt="waves before the reload")
        wait_until(lambda: bool(server.executed("waves before the reload")), "the video is not submitted")
        change(server, 'name = "sandbox"', 'name = "spare"')
        reload_by_signal(server)
        after = client.videos.create(model="veo-3.1-fast", prompt="waves after the reload")
        states = [finished(client, before).status, finished(client, after).status]

    assert states == ["completed", "completed"]
    assert [account_of(server, before), account_of(server, after)] == ["sandbox", "spare"]
    assert server.executed("waves before the reload") == 1


def test_a_video_is_finished_by_a_provider_that_left(server: Server, connect: Connect) -> None:
    """Its models are gone at once."""
    with connect(server) as client:
        before = client.videos.create(model="veo-3.1-fast", prompt="waves of a provider that leaves")
        wait_until(lambda: bool(server.executed("waves of a provider that leaves")), "the video is not submitted")
        text = server.config.read_text()
        server.config.write_text(re.sub(r"\[providers\.flow\].*?(?=\[jobs\])", "", text, flags=re.DOTALL))
        said = server.command("reload")
        with pytest.raises(openai.NotFoundError):
            client.videos.create(model="veo-3.1-fast", prompt="waves")
        assert finished(client, before).status == "completed"
    assert "-veo-3.1-fast" in said


def test_a_stream_goes_on_over_a_reload(server: Server, http: httpx.Client, connect: Connect) -> None:
    """Even that of a key which is taken back meanwhile."""
    with http.stream(
        "POST",
        f"{server.url}/v1/chat/completions",
        json={
            "model": "veo-3.1-fast",
            "stream": True,
            "messages": [{"role": "user", "content": "waves of a stream over a reload"}],
        },
        headers={"authorization": "Bearer sk-second"},
        timeout=60,
    ) as reply:
        lines = reply.iter_lines()
        text = next(line for line in lines if "Making the video" in line)
        change(server, "plain:sk-second", "plain:sk-third")
        reload_by_signal(server)
        text += "\n".join(lines)

    assert ".mp4" in text
    assert text.rstrip().endswith("data: [DONE]")


def test_other_signals_end_nothing(server: Server, http: httpx.Client) -> None:
    """Operators send them to programs that open their log again."""
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        server.tell(number)
    reload_by_signal(server)

    assert http.get(f"{server.url}/health").status_code == 200


def test_the_command_finds_every_server_and_no_dead_one(server: Server) -> None:
    """A socket that was left by a process that was killed is deleted."""
    dead = server.folder / "var" / "control" / "gone-1.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(dead))
    reports = json.loads(server.command("reload", "--json"))

    assert list(reports) == [f"{socket.gethostname()}-{server.pid}"]
    assert not dead.exists()


def test_without_a_server_the_command_says_so(tmp_path: Path) -> None:
    """It names the folder in which it looked."""
    done = Server(tmp_path).ran("reload")

    assert done.returncode == 1
    assert f"No server with this configuration runs here: {tmp_path}/var/control has no socket." in done.stderr


def test_a_terminal_that_is_closed_stops_the_server_in_order(tmp_path: Path) -> None:
    """The kernel's SIGHUP is no wish for another configuration."""
    ours, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "adapter", "serve", "--sandbox", "--port", "0"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "ADAPTER__SANDBOX__PORT": "0"},
        stdin=terminal,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        text = b""
        while b"server.started" not in text:
            text += os.read(ours, 65536)  # an OSError if the server ended
        os.close(ours)
        process.send_signal(signal.SIGHUP)
        try:
            status = process.wait(START_SECONDS)
        finally:
            process.kill()

    assert status == 0
