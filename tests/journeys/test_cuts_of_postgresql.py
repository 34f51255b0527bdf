"""The connection to PostgreSQL is lost at one statement of a video's life, before or after the server carried it out.

`make test` cuts at a few of them; `make torture` cuts at each of the first COUNT.
"""

import asyncio
import os
from collections.abc import Iterator
from typing import get_args

import httpx
import pytest

from adapter.database.engine import open_database
from adapter.domain.job import LIVE, JobState, VideoJob
from adapter.jobs.store import SqlJobStore
from tests.journeys.retrying import KEYED, ask
from tests.journeys.server import Server, wait_until
from tests.journeys.statement_cutter import Moment, StatementCutter, cutting_statements
from tests.postgres import PostgresServer

#: Which statement of a life is cut, and when. A life of a video has about 180, and the rounds beside it belong to them.
COUNT = int(os.environ.get("CUT_STATEMENTS", "0"))
EVERY = [(number, moment) for number in range(1, COUNT + 1) for moment in get_args(Moment)]
LIVES = EVERY or [(3, "after"), (11, "before"), (60, "after")]
ACCEPTS = EVERY or [(8, "after")]


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """The address of the database, past the proxy."""
    return postgres.new_url()


@pytest.fixture(scope="module")
def cutter(postgres: PostgresServer) -> Iterator[StatementCutter]:
    """The proxy."""
    with cutting_statements(postgres.port) as cutter:
        yield cutter


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, database: str, cutter: StatementCutter
) -> Iterator[Server]:
    """A server that reaches its database by the proxy."""
    url = database.replace(f":{postgres.port}/", f":{cutter.port}/")
    running = Server(tmp_path_factory.mktemp("cut"), database=url, active_seconds=0.2)
    running.start()
    yield running
    cutter.disarm()
    assert running.stop() == 0


async def recent(database: str) -> list[VideoJob]:
    """Return the jobs as they are remembered."""
    opened = await open_database(database)
    try:
        return [*await SqlJobStore(opened).recent(1000)]
    finally:
        await opened.dispose()


def ended(database: str, prompt: str) -> VideoJob:
    """Return the only job with a prompt when it has ended."""

    def found() -> list[VideoJob]:
        return [job for job in asyncio.run(recent(database)) if job.order.prompt == prompt]

    wait_until(lambda: all(job.state not in LIVE for job in found()), "a job did not end")
    [job] = found()
    return job


@pytest.mark.parametrize(("number", "moment"), LIVES)
def test_a_video_whose_connection_to_the_database_was_cut_is_paid_and_delivered_once(
    http: httpx.Client,
    cutter: StatementCutter,
    database: str,
    server: Server,
    prompt: str,
    number: int,
    moment: Moment,
) -> None:
    """The client gets it at last, or is told that it may have been paid for. Its retries make no second job."""
    cutter.cut(number, moment)
    body = {"model": "veo-3.1-fast", "messages": [{"role": "user", "content": prompt}]}
    last = ask(http, server, "/v1/chat/completions", body)[-1]
    assert not cutter.is_armed, "nothing was cut"
    job = ended(database, prompt)

    if last.status_code == 200:
        link = last.json()["choices"][0]["message"]["content"].rpartition("(")[2].rstrip(")")
        assert http.get(link).content[4:8] == b"ftyp"
        assert (job.state, server.executed(prompt)) == (JobState.COMPLETED, 1)
    else:
        assert last.json()["error"]["code"] == "upstream_submit_unknown"
        assert job.state is JobState.FAILED
        assert server.executed(prompt) <= 1


@pytest.mark.parametrize(("number", "moment"), ACCEPTS)
def test_a_video_that_was_accepted_while_the_database_was_cut_off_is_remembered(
    http: httpx.Client,
    cutter: StatementCutter,
    database: str,
    server: Server,
    prompt: str,
    number: int,
    moment: Moment,
) -> None:
    """What the client was told of is there, and is made once."""
    cutter.cut(number, moment)
    last = ask(http, server, "/v1/videos", {"model": "veo-3.1-fast", "prompt": prompt})[-1]
    assert not cutter.is_armed, "nothing was cut"
    assert last.status_code == 200
    told = http.get(f"{server.url}/v1/videos/{last.json()['id']}", headers=KEYED)
    job = ended(database, prompt)

    assert told.json()["id"] == last.json()["id"]
    if job.state is JobState.COMPLETED:
        assert server.executed(prompt) == 1
    else:
        assert job.failure
        assert job.failure.code == "upstream_submit_unknown"
        assert server.executed(prompt) <= 1
