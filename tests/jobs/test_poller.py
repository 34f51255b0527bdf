"""The promises about money: accepted is never lost, sent once, failed only when it is over."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from adapter.database.engine import Database
from adapter.domain.job import Failure, JobState, Operation, VideoJob
from adapter.domain.media import RemoteVideo
from adapter.domain.ports import Finished, Memory, Refused, Report, VideoProvider, Working, Write
from adapter.errors import (
    AdapterError,
    ContentRefused,
    StorageFailed,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamRejected,
    UpstreamSilent,
    UpstreamUnreachable,
)
from adapter.jobs.fetch import bring_home
from adapter.jobs.poller import Poller
from adapter.jobs.steps import Steps
from adapter.jobs.store import SqlJobStore
from adapter.media.store import open_media
from tests.fakes import CLIP, FakeClock, FakeVideoProvider, png, video_job
from tests.jobs.conftest import PACE

VIDEO, POSTER = "https://storage/video", "https://storage/poster"


def poller_of(memory: Memory, clock: FakeClock, **providers: VideoProvider) -> Poller:
    """Return a poller, as another process would have it."""
    return Poller(memory.jobs, Steps(providers, memory, clock=clock, pace=PACE), clock=clock, pace=PACE)


async def admit(memory: Memory, clock: FakeClock, count: int = 1) -> list[str]:
    """Remember some jobs and return their ids."""
    jobs = [video_job(number, at=clock.now()) for number in range(1, count + 1)]
    return [(await memory.jobs.admit(job, now=clock.now(), window=0.0)).id for job in jobs]


async def beat(poller: Poller, clock: FakeClock, times: int = 1) -> None:
    """Let rounds of the poller pass, a beat apart, each until everything it started is done."""
    for _ in range(times):
        await poller.tick()
        await poller.settle()
        await clock.advance(PACE.poll_seconds)


async def find(memory: Memory, job_id: str) -> VideoJob:
    """Return a job as remembered."""
    job = await memory.jobs.get(job_id)
    assert job is not None
    return job


def finish(provider: FakeVideoProvider, *numbers: int) -> None:
    """Let the provider finish jobs."""
    provider.files |= {VIDEO: CLIP, POSTER: png()}
    provider.reports |= {f"op-{number}": Finished(RemoteVideo(VIDEO, POSTER)) for number in numbers}


async def test_a_job_goes_all_the_way(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Accepted, submitted, polled, fetched, completed; the bytes are the provider's."""
    [job_id] = await admit(memory, clock)
    await beat(poller, clock)
    assert (await find(memory, job_id)).state is JobState.SUBMITTED

    finish(provider, 1)
    await beat(poller, clock, 3)

    job = await find(memory, job_id)
    assert (job.state, job.progress, provider.executed) == (JobState.COMPLETED, 100, [job_id])
    assert job.media is not None
    assert b"".join([part async for part in memory.media.read(job.media.video, 0, job.media.size)]) == CLIP
    assert job.media.poster is not None
    assert job.media.poster.endswith(".png")


async def test_all_due_jobs_of_an_account_are_asked_about_in_one_call(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Two accounts, five jobs, two calls; each with the account that submitted."""
    provider.accounts = ["ada", "bob"]
    await admit(memory, clock, 5)
    await beat(poller, clock, 2)

    assert sorted(provider.polls) == [("ada", ["op-1", "op-3", "op-5"]), ("bob", ["op-2", "op-4"])]


@pytest.mark.parametrize("fault", [ContentRefused("unsafe"), UpstreamBusy("later"), UpstreamRejected("no")])
async def test_a_refused_job_fails_with_the_providers_reason(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock, fault: AdapterError
) -> None:
    """A well-formed refusal cost nothing and is final for this job."""
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = fault
    await beat(poller, clock)

    job = await find(memory, job_id)
    assert (job.state, job.failure) == (JobState.FAILED, Failure.of(fault))


@pytest.mark.parametrize("fault", [UpstreamSilent("silence"), UpstreamBroken("cut")])
async def test_an_ambiguous_submission_is_never_sent_again(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock, fault: AdapterError
) -> None:
    """It may have been paid for: the job ends and says so, and the client's SDK is told to leave it."""
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = fault
    await beat(poller, clock)
    provider.refuse_submit = None
    await beat(poller, clock, 5)

    failure = (await find(memory, job_id)).failure
    assert failure is not None
    assert (failure.code, failure.should_retry) == ("upstream_submit_unknown", False)
    assert provider.executed == []


async def test_a_job_of_which_nothing_was_sent_is_sent_later(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """No connection means no execution, so trying again is free."""
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = UpstreamUnreachable("no route")
    await beat(poller, clock, 2)
    assert (await find(memory, job_id)).state is JobState.ACCEPTED

    provider.refuse_submit = None
    await beat(poller, clock)

    assert provider.executed == [job_id]


async def test_an_upstream_that_stays_unreachable_fails_the_job_in_the_end(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Four tries; nothing was spent, so the client may ask again."""
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = UpstreamUnreachable("no route")
    await beat(poller, clock, 6)

    failure = (await find(memory, job_id)).failure
    assert failure is not None
    assert (failure.code, failure.should_retry) == ("upstream_unreachable", True)


async def test_a_job_whose_sender_died_is_not_sent_again(
    memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """The intent was on disk before the first byte: a new process finds it, waits for the lease, and gives it up."""

    class Dies(FakeVideoProvider):
        async def submit(self, job: VideoJob) -> Operation:
            raise SystemError(f"killed with {job.id} on its way")

    [job_id] = await admit(memory, clock)
    dead = poller_of(memory, clock, fake=Dies())
    await beat(dead, clock)
    assert (await find(memory, job_id)).state is JobState.SUBMITTING

    alive = poller_of(memory, clock, fake=provider)
    await beat(alive, clock, 5)

    failure = (await find(memory, job_id)).failure
    assert failure is not None
    assert (failure.code, provider.executed) == ("upstream_submit_unknown", [])


async def test_a_running_job_is_taken_up_by_the_next_process(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """There is no resume routine: the ordinary query finds it."""
    [job_id] = await admit(memory, clock)
    await beat(poller, clock)
    finish(provider, 1)

    after = poller_of(memory, clock, fake=provider)
    await beat(after, clock, 3)

    assert (await find(memory, job_id)).state is JobState.COMPLETED
    assert provider.executed == [job_id]


@pytest.mark.parametrize("fault", [UpstreamBroken("html"), UpstreamSilent("silence"), UpstreamRejected("400")])
async def test_a_poll_that_fails_never_fails_a_paid_job(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock, fault: AdapterError
) -> None:
    """Whatever the status call answers, the job goes on once the trouble ends."""
    [job_id] = await admit(memory, clock)
    await beat(poller, clock)
    provider.fail_poll = fault
    await beat(poller, clock, 20)
    assert (await find(memory, job_id)).state is JobState.SUBMITTED

    provider.fail_poll = None
    finish(provider, 1)
    await beat(poller, clock, 70)

    assert (await find(memory, job_id)).state is JobState.COMPLETED


async def test_fruitless_polls_become_rarer(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Doubling up to five minutes instead of hammering."""
    await admit(memory, clock)
    provider.fail_poll = UpstreamBroken("html")
    await beat(poller, clock, 60)

    assert 6 <= len(provider.polls) <= 9


async def test_an_operation_that_an_answer_omits_leaves_the_others_alone(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """A batch answer is read job by job."""
    first, second = await admit(memory, clock, 2)
    await beat(poller, clock)
    finish(provider, 2)
    await beat(poller, clock, 3)

    assert (await find(memory, first)).state is JobState.SUBMITTED
    assert (await find(memory, second)).state is JobState.COMPLETED


async def test_a_job_that_the_provider_gave_up_fails_with_its_words(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """The report's failure is the job's failure."""
    [job_id] = await admit(memory, clock)
    await beat(poller, clock)
    failure = Failure(message="timed out", code="video_generation_failed", type="server_error", status=502)
    provider.reports["op-1"] = Refused(failure)
    await beat(poller, clock)

    job = await find(memory, job_id)
    assert (job.state, job.failure) == (JobState.FAILED, failure)


async def test_only_the_deadline_ends_a_job_that_never_finishes(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """An hour by this configuration, and then a few more looks: a clock may have jumped."""
    [job_id] = await admit(memory, clock)
    await beat(poller, clock)
    provider.reports["op-1"] = Working()
    await clock.advance(3580.0)
    await beat(poller, clock, 6)
    assert (await find(memory, job_id)).state is JobState.SUBMITTED

    await beat(poller, clock, 40)

    failure = (await find(memory, job_id)).failure
    assert failure is not None
    assert failure.code == "deadline_exceeded"


async def test_a_wish_from_before_a_long_downtime_is_not_paid_for(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Accepted and never sent: past its deadline nobody waits for it any more."""
    [job_id] = await admit(memory, clock)
    await clock.advance(PACE.deadline_seconds)
    await beat(poller, clock)

    failure = (await find(memory, job_id)).failure
    assert failure is not None
    assert (failure.code, provider.executed) == ("deadline_exceeded", [])


async def test_an_answer_that_the_disk_does_not_take_is_kept_until_it_does(
    memory: Memory, database: Database, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """The name of a paid video is known nowhere else, so it is not given up."""

    class SickDisk(SqlJobStore):
        sick = 0

        async def save(self, writes: Sequence[Write]) -> Sequence[VideoJob]:
            if provider.executed and self.sick < 5:
                self.sick += 1
                raise StorageFailed("locked")
            return await super().save(writes)

    sick = Memory(SickDisk(database), memory.feed, memory.media)
    poller = poller_of(sick, clock, fake=provider)
    [job_id] = await admit(memory, clock)
    for _ in range(20):
        await poller.tick()
        await clock.advance(PACE.poll_seconds)
    while (await find(memory, job_id)).state is JobState.SUBMITTING:
        await clock.advance(PACE.poll_seconds)
    await poller.settle()

    assert provider.executed == [job_id]
    assert (await find(memory, job_id)).state is JobState.SUBMITTED


async def test_a_mistake_of_ours_is_not_repeated_at_full_speed(memory: Memory, clock: FakeClock) -> None:
    """A step that breaks counts as a fruitless look; the job goes on once the mistake is mended."""

    class Mistaken(FakeVideoProvider):
        async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
            self.polls.append((account, [operation.name for operation in operations]))
            raise ZeroDivisionError

    mistaken = Mistaken()
    poller = poller_of(memory, clock, fake=mistaken)
    [job_id] = await admit(memory, clock)
    await beat(poller, clock, 40)
    assert 3 <= len(mistaken.polls) <= 9

    right = FakeVideoProvider()
    finish(right, 1)
    await beat(poller_of(memory, clock, fake=right), clock, 70)
    assert (await find(memory, job_id)).state is JobState.COMPLETED


@pytest.mark.parametrize("piece", [1, 3, 11, 12, 13])
async def test_a_video_may_come_in_the_smallest_pieces(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock, piece: int
) -> None:
    """A file is known by its first bytes, however many of them come at once."""
    [job_id] = await admit(memory, clock)
    finish(provider, 1)
    provider.piece = piece
    await beat(poller, clock, 4)

    job = await find(memory, job_id)
    assert job.media is not None
    assert job.media.size == len(CLIP)


async def test_fetching_again_leaves_no_copies(provider: FakeVideoProvider, tmp_path: Path) -> None:
    """A job's files have the same names at every try."""
    finish(provider, 1)
    media = open_media(f"file://{tmp_path}")
    job = msgspec.structs.replace(video_job(), remote=RemoteVideo(VIDEO, POSTER))
    first, second = [await bring_home(job, provider, media) for _ in range(2)]

    assert first == second
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([first.video, str(first.poster)])


async def test_a_long_downtime_does_not_fail_a_job_at_the_first_trouble(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """The deadline passed while nobody looked; the video may be finished, so a few looks are due to it."""
    [job_id] = await admit(memory, clock)
    await beat(poller, clock)
    await clock.advance(2 * PACE.deadline_seconds)
    provider.fail_poll = UpstreamBroken("html")
    await beat(poller, clock, 3)
    provider.fail_poll = None
    finish(provider, 1)
    await beat(poller, clock, 10)

    assert (await find(memory, job_id)).state is JobState.COMPLETED


async def test_progress_is_estimated_from_the_time(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Fifty of a hundred expected seconds are 45 per cent."""
    [job_id] = await admit(memory, clock)
    await beat(poller, clock)
    provider.reports["op-1"] = Working()
    await clock.advance(45.0)
    await beat(poller, clock)

    assert (await find(memory, job_id)).progress == 45


async def test_an_expired_link_is_asked_for_again(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """The provider signs a fresh one with every status answer."""
    [job_id] = await admit(memory, clock)
    await beat(poller, clock)
    provider.reports["op-1"] = Finished(RemoteVideo("https://storage/expired"))
    await beat(poller, clock, 4)
    assert (await find(memory, job_id)).media is None

    finish(provider, 1)
    await beat(poller, clock, 20)

    assert (await find(memory, job_id)).state is JobState.COMPLETED


@pytest.mark.parametrize(
    ("data", "length"),
    [(CLIP[:-1], len(CLIP)), (CLIP, None), (b"<html>sorry</html>", 18), (b"", 0), (CLIP, len(CLIP) - 1)],
)
async def test_a_file_that_is_not_the_whole_video_is_not_served(
    poller: Poller,
    memory: Memory,
    provider: FakeVideoProvider,
    clock: FakeClock,
    data: bytes,
    length: int | None,
) -> None:
    """Cut, of unknown length, or something else: it is fetched again until it is right."""
    [job_id] = await admit(memory, clock)
    await beat(poller, clock)
    finish(provider, 1)
    provider.files[VIDEO], provider.lengths[VIDEO] = data, length
    await beat(poller, clock, 6)
    assert (await find(memory, job_id)).state in {JobState.READY, JobState.SUBMITTED}

    provider.files[VIDEO], provider.lengths[VIDEO] = CLIP, len(CLIP)
    await beat(poller, clock, 20)

    assert (await find(memory, job_id)).state is JobState.COMPLETED


@pytest.mark.parametrize("poster", [None, b"<html>"])
async def test_a_video_without_a_poster_is_still_a_video(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock, poster: bytes | None
) -> None:
    """The poster is an ornament."""
    [job_id] = await admit(memory, clock)
    finish(provider, 1)
    if poster is None:
        del provider.files[POSTER]
    else:
        provider.files[POSTER] = poster
    await beat(poller, clock, 4)

    job = await find(memory, job_id)
    assert job.media is not None
    assert (job.state, job.media.poster) == (JobState.COMPLETED, None)


async def test_a_job_of_a_provider_that_was_taken_out_waits_for_it(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """A configuration mistake costs no paid video."""
    [job_id] = await admit(memory, clock)
    await beat(poller, clock)
    without = poller_of(memory, clock)
    await beat(without, clock, 3)
    finish(provider, 1)
    await beat(poller, clock, 12)

    assert (await find(memory, job_id)).state is JobState.COMPLETED


async def test_a_slow_step_keeps_its_job(memory: Memory, clock: FakeClock) -> None:
    """Each beat renews the claims of steps that are under way, so nobody takes the job over."""
    gate = asyncio.Event()

    class Slow(FakeVideoProvider):
        async def submit(self, job: VideoJob) -> Operation:
            await gate.wait()
            return await super().submit(job)

    provider = Slow()
    poller, other = (poller_of(memory, clock, fake=provider) for _ in range(2))
    [job_id] = await admit(memory, clock)
    await poller.tick()
    while (await find(memory, job_id)).state is not JobState.SUBMITTING:
        await asyncio.sleep(0)
    for _ in range(10):
        await poller.tick()
        await other.tick()
        await clock.advance(PACE.poll_seconds)
    gate.set()
    await poller.settle()
    await other.settle()

    assert provider.executed == [job_id]
    assert (await find(memory, job_id)).state is JobState.SUBMITTED


async def test_a_disk_slower_than_the_lease_means_that_nothing_is_sent(
    memory: Memory, database: Database, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """By the time the intent is written somebody else may hold the job; it goes out with a later claim."""

    class SlowDisk(SqlJobStore):
        async def save(self, writes: Sequence[Write]) -> Sequence[VideoJob]:
            await clock.advance(PACE.lease_seconds)
            return await super().save(writes)

    slow = Memory(SlowDisk(database), memory.feed, memory.media)
    [job_id] = await admit(memory, clock)
    await beat(poller_of(slow, clock, fake=provider), clock)
    assert provider.executed == []

    await beat(poller_of(memory, clock, fake=provider), clock)
    assert provider.executed == [job_id]


async def test_stopping_lets_a_submission_be_recorded(memory: Memory, clock: FakeClock) -> None:
    """What Google has accepted is written down before the process ends."""
    gate = asyncio.Event()

    class Slow(FakeVideoProvider):
        async def submit(self, job: VideoJob) -> Operation:
            await gate.wait()
            return await super().submit(job)

    poller = poller_of(memory, clock, fake=Slow())
    [job_id] = await admit(memory, clock)
    running = asyncio.create_task(poller.run())
    while (await find(memory, job_id)).state is not JobState.SUBMITTING:
        await asyncio.sleep(0)
    poller.stop()
    await asyncio.sleep(0)
    gate.set()
    await running

    assert (await find(memory, job_id)).state is JobState.SUBMITTED
