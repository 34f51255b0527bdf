"""Money: what is called off, what got no answer, and what the account's credits prove."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from tests.journeys.server import Connect, Server, wait_until

MODEL = "veo-3.1-fast"


class Start(Protocol):
    """Starts a server."""

    def __call__(self, *, active_seconds: float = 0.6) -> Server: ...


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """A server whose Flow account is used by nobody else, so that its credits can prove something."""
    started = []

    def fresh(*, active_seconds: float = 0.6) -> Server:
        server = Server(tmp_path, active_seconds=active_seconds)
        server.start()
        started.append(server)
        return server

    yield fresh
    for server in started:
        server.stop()


def asked(client: openai.OpenAI, prompt: str) -> str:
    """Ask for a video without a stream and return what the chat window would show."""
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": prompt}])
    return answer.choices[0].message.content or ""


def refused(client: openai.OpenAI, prompt: str) -> openai.APIStatusError:
    """Ask for a video that does not come, and return the error."""
    with pytest.raises(openai.APIStatusError) as caught:
        asked(client, prompt)
    return caught.value


def started(client: openai.OpenAI, prompt: str) -> tuple[str, openai.Stream[ChatCompletionChunk]]:
    """Ask for a video by a stream; return the job's id and the stream."""
    answer = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=[{"role": "user", "content": prompt}], stream=True
    )
    return answer.headers["x-video-id"], answer.parse()


def test_what_was_carried_out_and_cut_is_told_as_paid(start: Start, connect: Connect, prompt: str) -> None:
    """The credits fell: one execution, however often the SDK would like to try."""
    server = start()
    server.fault(on="flow.submit", do="drop", after=True, prompt=prompt)
    with connect(server, max_retries=2) as client:
        error = refused(client, prompt)

    assert (error.code, error.response.headers["x-should-retry"]) == ("upstream_submit_unknown", "false")
    assert "1 credits were taken from the account: it was paid for" in error.message
    assert server.executed(prompt) == 1


@pytest.mark.parametrize("fault", [{"do": "drop"}, {"do": "html", "status": 502}, {"do": "garbage"}])
def test_what_was_cut_before_it_was_carried_out_is_sent_again(
    start: Start, connect: Connect, prompt: str, fault: dict[str, object]
) -> None:
    """The credits did not move: the video comes, and was paid for once."""
    server = start()
    server.fault(on="flow.submit", prompt=prompt, **fault)
    with connect(server) as client:
        assert ".mp4" in asked(client, prompt)

    assert server.executed(prompt) == 1
    assert '"sent_again": true' in server.log
    assert [file.stat().st_size for file in (server.folder / "spool").iterdir()] == [0]


def test_credits_that_lag_are_seen_by_the_second_reading(start: Start, connect: Connect, prompt: str) -> None:
    """Carried out and cut, and the charge shows later: still one execution."""
    server = start()
    server.fault(on="flow.submit", do="drop", after=True, prompt=prompt)
    server.fault(on="flow.credits", do="lag", skip=1)
    with connect(server) as client:
        error = refused(client, prompt)

    assert "it was paid for" in error.message
    assert server.executed(prompt) == 1


def connections(server: Server) -> int:
    """Return for how many executions a connection waits, as other processes know it."""
    with closing(sqlite3.connect(server.folder / "jobs.db")) as database:
        return len(database.execute("SELECT id FROM executions WHERE waited_by IS NOT NULL").fetchall())


def test_a_killed_server_does_not_send_again_what_it_had_begun(start: Start, connect: Connect, prompt: str) -> None:
    """Not even if the credits did not move: whoever had sent it might only be paused."""
    server = start()
    server.fault(on="flow.submit", do="hang", prompt=prompt)
    with connect(server, timeout=1.0) as client, pytest.raises(openai.APITimeoutError):
        asked(client, prompt)
    server.wait_until_asked("flow.submit")
    wait_until(lambda: connections(server) == 0, "the server does not see that its client hung up")
    server.kill()
    server.start()
    with connect(server) as client:
        error = refused(client, prompt)

    assert error.code == "upstream_submit_unknown"
    assert "shows no charge, but its sender may still be sending it" in error.message
    assert server.executed(prompt) == 0


def test_the_operator_calls_a_job_off(start: Start, connect: Connect, prompt: str) -> None:
    """Beside the running server, which ends it at its next look; a second time there is nothing to call off."""
    server = start(active_seconds=60.0)
    with connect(server) as client:
        job_id, stream = started(client, prompt)
        done = server.ran("jobs", "cancel", job_id)
        assert (done.returncode, "it is paid for" in done.stdout) == (0, True)
        with pytest.raises(openai.APIError, match="cancelled after Google had taken it") as caught:
            list(stream)
    assert caught.value.code == "cancelled"
    again = server.ran("jobs", "cancel", job_id)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == f"Error: There is no job '{job_id}' that is still going on.\n"
    assert "failed" in server.command("jobs", "list")
    assert "  cancelled" in server.command("jobs", "list")
    assert "This job was cancelled." in server.command("jobs", "show", job_id)
