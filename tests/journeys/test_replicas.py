"""Several processes on one PostgreSQL, one bucket, and one Google: whichever is asked, and whichever dies."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import openai
import pytest

from adapter.database.engine import open_database
from adapter.domain.job import JobState, VideoJob
from adapter.jobs.store import SqlJobStore
from tests.buckets import S3Server
from tests.journeys.server import Connect, Server, wait_until
from tests.journeys.test_media_in_s3 import STORAGE
from tests.journeys.test_videos_in_chat import MODEL, content, links, raw_stream, streamed
from tests.postgres import PostgresServer

#: Far longer than a journey may take: what is heard here was told, and not looked up in silence.
SILENCE = {"ADAPTER__CHAT__HEARTBEAT_SECONDS": "30"}
SECONDS = 20.0


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The process whose sandbox all replicas share; nobody asks it for anything else."""
    server = Server(tmp_path_factory.mktemp("google"), active_seconds=1.5)
    server.start()
    yield server
    assert server.stop() == 0


class Cluster:
    """What replicas share."""

    def __init__(self, folder: Path, database: str, storage: str, google: Server) -> None:
        self._folder = folder
        self._database = database
        self._storage = storage
        self._google = google
        self.replicas: list[Server] = []

    def start(self) -> Server:
        """Start one more replica."""
        folder = self._folder / f"replica{len(self.replicas)}"
        folder.mkdir()
        upstream = self._google.upstream
        replica = Server(folder, database=self._database, storage=self._storage, upstream=upstream, environ=SILENCE)
        replica.start()
        self.replicas.append(replica)
        return replica

    def jobs(self, prompt: str) -> list[VideoJob]:
        """Return the jobs whose prompt begins like this, as they are remembered."""
        return [job for job in asyncio.run(self._recent()) if job.order.prompt.startswith(prompt)]

    async def _recent(self) -> Sequence[VideoJob]:
        database = await open_database(self._database)
        try:
            return await SqlJobStore(database).recent(100)
        finally:
            await database.dispose()

    def job_when(self, prompt: str, state: JobState) -> VideoJob:
        """Return the one job behind a prompt when it has come to a state, which has to be soon."""
        wait_until(lambda: [job.state for job in self.jobs(prompt)] == [state], f"'{prompt}' was never {state}")
        return self.jobs(prompt)[0]

    def asked(self, connect: Connect, prompt: str) -> list[str]:
        """Ask every replica for one video at once, by a key; return which one each told of, step by step."""

        def ask(server: Server) -> str:
            with connect(server, timeout=SECONDS) as client:
                chunks = streamed(client.with_options(default_headers={"idempotency-key": prompt}), prompt)
            lines = [chunk.choices[0].delta.model_dump().get("reasoning_content") or "" for chunk in chunks]
            percentages = [int(number) for line in lines for number in re.findall(r"(\d+) %", line)]
            assert percentages
            assert percentages == sorted(percentages)
            assert [line for line in lines if line][-1].startswith("Done after")
            return path(links(content(chunks))[1])

        with ThreadPoolExecutor() as pool:
            return list(pool.map(ask, self.replicas))

    def finishers(self) -> int:
        """Return how many replicas wrote that a video was finished."""
        return len([server for server in self.replicas if '"job.finished"' in server.log])


@pytest.fixture
def cluster(postgres: PostgresServer, s3: S3Server, tmp_path: Path, google: Server) -> Iterator[Cluster]:
    """Replicas on a server and a bucket."""
    cluster = Cluster(tmp_path, postgres.new_url(), STORAGE.format(bucket=s3.new_bucket(), url=s3.url), google)
    yield cluster
    for replica in cluster.replicas:
        replica.kill()


@pytest.fixture
def first(cluster: Cluster) -> Server:
    """A replica that is alone for the moment."""
    return cluster.start()


def path(url: str) -> str:
    """Return a link without the server that it leads to."""
    return httpx.URL(url).path


def test_a_stream_at_any_replica_follows_a_video_that_another_one_moves(
    cluster: Cluster, google: Server, connect: Connect, prompt: str
) -> None:
    """Only one of them can have written the end; nobody looked it up in silence, so the others were told."""
    for _ in range(3):
        cluster.start()
    videos = cluster.asked(connect, prompt)

    assert len(set(videos)) == 1
    assert cluster.finishers() == 1
    assert google.executed(prompt) == 1


def test_processes_on_one_file_follow_each_other_too(
    google: Server, connect: Connect, tmp_path: Path, prompt: str
) -> None:
    """On one machine, with SQLite and a folder."""
    cluster = Cluster(tmp_path, f"sqlite:///{tmp_path}/shared.db", f'media = "file://{tmp_path}/media"', google)
    for _ in range(2):
        cluster.start()
    videos = cluster.asked(connect, prompt)
    ends = [server.stop() for server in cluster.replicas]

    assert len(set(videos)) == 1
    assert cluster.finishers() == 1
    assert google.executed(prompt) == 1
    assert ends == [0, 0]


def test_keys_and_files_of_one_replica_are_known_to_the_others(
    cluster: Cluster, first: Server, connect: Connect, http: httpx.Client, prompt: str
) -> None:
    """At once, a key that is taken back too."""
    second = cluster.start()
    key = first.command("keys", "create", "ada").strip()
    with connect(second, api_key=key) as client:
        made = client.images.generate(model="gemini-2.5-flash-image", prompt=prompt, response_format="url")
        assert made.data
        link = made.data[0].url
        assert link is not None
        elsewhere = http.get(f"{first.url}{path(link)}")
        first.command("keys", "revoke", "ada")
        with pytest.raises(openai.AuthenticationError):
            client.models.list()

    assert elsewhere.content == http.get(link).content
    assert elsewhere.headers["content-type"] == "image/png"


def test_videos_of_a_replica_that_dies_are_finished_by_another_one(
    cluster: Cluster, first: Server, google: Server, connect: Connect, http: httpx.Client, prompt: str
) -> None:
    """Each was executed once, and the files are what they would have been."""
    prompts = [f"{prompt} {number}" for number in range(3)]
    for each in prompts:
        with raw_stream(http, first, each) as reply:
            assert reply.status_code == 200  # the provider has taken it
    first.kill()
    second = cluster.start()
    with connect(second, timeout=SECONDS) as client:
        videos = [links(content(streamed(client, each)))[1] for each in prompts]
    files = [http.get(f"{second.url}{path(video)}").content for video in videos]
    remembered = {job.order.prompt: job for job in cluster.jobs(prompt)}

    assert [google.executed(each) for each in prompts] == [1, 1, 1]
    assert files == [original(remembered[each]) for each in prompts]
    assert len(remembered) == 3


def original(job: VideoJob) -> bytes:
    """Return a finished job's file as Google has it."""
    assert job.remote
    return httpx.get(job.remote.url).raise_for_status().content


@pytest.mark.parametrize("how", ["kill", "pause"])
def test_a_submission_whose_replica_is_gone_is_never_sent_again(
    cluster: Cluster, first: Server, google: Server, prompt: str, how: str
) -> None:
    """It may have been executed: that is said, whatever the first one does when it wakes up."""
    google.fault(on="flow.submit", do="delay", seconds=2.0, after=True, prompt=prompt)
    with ThreadPoolExecutor() as pool:
        identity = pool.submit(ask, first, prompt)
        wait_until(lambda: google.executed(prompt) == 1, "it was never sent")
        first.kill() if how == "kill" else first.pause()
        cluster.start()
        job = cluster.job_when(prompt, JobState.FAILED)
        if how == "pause":
            first.resume()
            first.wait_for_line('"jobs.claim_lost"')
            assert first.stop() == 0
        identity.result()
    [after] = cluster.jobs(prompt)

    assert job.failure
    assert job.failure.code == "upstream_submit_unknown"
    assert after == job
    assert google.executed(prompt) == 1


def ask(server: Server, prompt: str) -> None:
    """Ask for a video without a client that tries again; the server may die meanwhile."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": prompt}]}
    try:
        httpx.post(
            f"{server.url}/v1/chat/completions",
            json=body,
            headers={"authorization": "Bearer sk-sandbox"},
            timeout=SECONDS,
        )
    except httpx.TransportError:
        return


def test_a_replica_that_slept_past_its_lease_changes_nothing(
    cluster: Cluster, first: Server, google: Server, connect: Connect, http: httpx.Client, prompt: str
) -> None:
    """It was in the middle of asking how the video comes along; another one has finished it since."""
    with raw_stream(http, first, prompt) as reply:
        assert reply.status_code == 200
    google.fault(on="flow.poll", do="delay", seconds=3.0, times=100, after=True, prompt=prompt)
    polled = google.asked("flow.poll")
    wait_until(lambda: google.asked("flow.poll") > polled, "nobody asked how it comes along")
    first.pause()
    google.heal()
    second = cluster.start()
    job = cluster.job_when(prompt, JobState.COMPLETED)
    first.resume()
    first.wait_for_line('"jobs.claim_lost"')
    [after] = cluster.jobs(prompt)
    with connect(first, timeout=SECONDS) as client:
        video = links(content(streamed(client, prompt)))[1]

    assert job.media
    assert (after, path(video)) == (job, f"/media/{job.media.video}")
    assert http.get(f"{second.url}{path(video)}").content == original(job)
    assert google.executed(prompt) == 1
    assert '"job.finished"' not in first.log
    assert first.stop() == 0
