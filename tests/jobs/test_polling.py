"""Polling: one call for all, and nothing that it answers fails a paid job before its time."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import ClassVar

import msgspec
import pytest
import structlog

from adapter.budget import MemoryBudget
from adapter.database.engine import Database
from adapter.domain.answer_memory import add_answer
from adapter.domain.job import Failure, JobState, Operation, VideoJob
from adapter.domain.media import RemoteVideo
from adapter.domain.ports import Claim, Empty, Finished, Memory, Refused, Report, Reservation, Working, Write
from adapter.domain.usage import VideoTokens
from adapter.errors import (
    AdapterError,
    StorageFailed,
    UpstreamBroken,
    UpstreamRejected,
    UpstreamSilent,
    UpstreamUnreachable,
)
from adapter.jobs.poller import Poller
from adapter.jobs.step_context import StepContext
from adapter.jobs.steps import VideoSteps
from adapter.jobs.store import SqlJobStore
from tests.fakes import CLIP, FakeClock, FakeVideoProvider
from tests.jobs.conftest import PACE
from tests.jobs.rounds import VIDEO, admit, find, finish, poller_of, tick

MIB = 1024 * 1024


async def test_a_job_goes_all_the_way(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Accepted, submitted, polled, fetched, completed; the bytes are the provider's."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    assert (await find(memory, job_id)).state is JobState.SUBMITTED

    finish(provider, 1)
    await tick(poller, clock, 3)

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
    await tick(poller, clock, 2)

    assert sorted(provider.polls) == [("ada", ["op-1", "op-3", "op-5"]), ("bob", ["op-2", "op-4"])]


async def test_a_running_job_is_taken_up_by_the_next_process(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """There is no resume routine: the ordinary query finds it."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    finish(provider, 1)

    after = poller_of(memory, clock, fake=provider)
    await tick(after, clock, 3)

    assert (await find(memory, job_id)).state is JobState.COMPLETED
    assert provider.executed == [job_id]


async def test_what_is_dropped_when_the_process_stops_is_due_at_once(memory: Memory, clock: FakeClock) -> None:
    """Another process takes it up without waiting for the lease."""
    asked = asyncio.Event()

    class Silent(FakeVideoProvider):
        async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
            asked.set()
            await asyncio.Event().wait()
            return await super().poll(operations, account=account)

    poller = poller_of(memory, clock, fake=Silent())
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    running = asyncio.create_task(poller.run())
    await asked.wait()
    poller.stop()
    await running
    [claim] = await memory.jobs.claim(now=clock.now(), lease=PACE.lease_seconds, limit=1)

    assert (claim.job.id, claim.job.state) == (job_id, JobState.SUBMITTED)


@pytest.mark.parametrize("fault", [UpstreamBroken("html"), UpstreamSilent("silence"), UpstreamRejected("400")])
async def test_a_poll_that_fails_never_fails_a_paid_job(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock, fault: AdapterError
) -> None:
    """Whatever the status call answers, the job goes on once the trouble ends."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    provider.fail_poll = fault
    await tick(poller, clock, 20)
    assert (await find(memory, job_id)).state is JobState.SUBMITTED

    provider.fail_poll = None
    finish(provider, 1)
    await tick(poller, clock, 70)

    assert (await find(memory, job_id)).state is JobState.COMPLETED


class Books:
    """A budget that writes down what is reserved beyond the beginning, and whether it is still held."""

    def __init__(self) -> None:
        self.paid: list[int] = []
        self.is_open = False

    def empty(self, owner: str = "") -> Reservation:
        raise AssertionError(f"a job of {owner} reserves what it needs")

    @asynccontextmanager
    async def reserve(self, size: int, owner: str = "") -> AsyncIterator[Reservation]:
        clock = FakeClock()
        async with MemoryBudget(clock, capacity=2**40, wait_seconds=0.0).reserve(size, owner) as reservation:
            self.is_open = True
            yield Noted(reservation, self.paid)
            self.is_open = False


class Noted:
    """A reservation whose additions are written down."""

    def __init__(self, reservation: Reservation, paid: list[int]) -> None:
        self._reservation = reservation
        self._paid = paid
        self.keep = reservation.keep
        self.hold = reservation.hold
        self.let_go = reservation.let_go
        self.part = reservation.part
        self.wait_for_more = reservation.wait_for_more
        self.call_at_end = reservation.call_at_end
        self.interruptible = reservation.interruptible
        self.check = reservation.check

    async def add_paid(self, size: int) -> None:
        self._paid.append(size)


class Generous(FakeVideoProvider):
    """It answers a question about a job with so many bytes."""

    size = 0

    async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
        await add_answer(self.size)
        return await super().poll(operations, account=account)


@pytest.mark.parametrize(("size", "paid"), [(8 * MIB, []), (20 * MIB, [24 * MIB])])
async def test_a_video_in_an_answer_counts_until_it_is_stored(
    memory: Memory, clock: FakeClock, size: int, paid: list[int]
) -> None:
    """Twice: as it came, and as a file. What any status may have is not counted."""
    provider, books = Generous(), Books()
    provider.size, provider.reports = size, {"op-1": Finished(RemoteVideo(), CLIP)}
    context = StepContext(
        providers={"fake": provider.at(clock)}, memory=memory, clock=clock, schedule=PACE, budget=books
    )
    poller = Poller(memory.jobs, VideoSteps(context), clock=clock, schedule=PACE)
    [job_id] = await admit(memory, clock)
    await tick(poller, clock, 2)

    assert (await find(memory, job_id)).state is JobState.COMPLETED
    assert (books.paid, books.is_open) == (paid, False)


async def test_what_a_video_cost_is_remembered(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Whether its file is fetched or comes with the report. A provider that tells nothing leaves it open."""
    tokens = VideoTokens(12, 46_336, 46_336)
    ids = await admit(memory, clock, 3)
    finish(provider, 1, 2, 3)
    provider.reports["op-1"] = Finished(RemoteVideo(VIDEO), None, tokens)
    provider.reports["op-2"] = Finished(RemoteVideo(), CLIP, tokens)
    await tick(poller, clock, 4)

    assert [(await find(memory, job_id)).tokens for job_id in ids] == [tokens, tokens, None]


def unreadable() -> AdapterError:
    """Return the fault of an answer that is no status, as a translator raises it."""
    fault = UpstreamBroken("Flow's answer cannot be read.")
    fault.__cause__ = msgspec.ValidationError("Expected `str`, got `int` - at `$.name`")
    return fault


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (
            unreadable(),
            "upstream_invalid_response",
            "Flow's answer cannot be read. (Expected `str`, got `int` - at `$.name`)",
        ),
        (UpstreamUnreachable("Not reached.", cause="dns"), "upstream_unreachable", "Not reached. (dns)"),
        (UpstreamSilent("No answer."), "upstream_timeout", "No answer."),
        (None, None, "The answer does not say how they stand."),
    ],
)
async def test_the_log_says_what_was_odd_about_a_poll(
    poller: Poller,
    memory: Memory,
    provider: FakeVideoProvider,
    clock: FakeClock,
    fault: AdapterError | None,
    code: str | None,
    said: str,
) -> None:
    """The operator does not see the answer."""
    await admit(memory, clock)
    await tick(poller, clock)
    provider.fail_poll = fault
    with structlog.testing.capture_logs() as written:
        await tick(poller, clock)

    [line] = [line for line in written if line["event"] == "jobs.poll_missed"]
    assert (line["jobs"], line.get("code"), line["error"]) == (1, code, said)


async def test_fruitless_polls_become_rarer(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Doubling up to five minutes instead of hammering."""
    await admit(memory, clock)
    provider.fail_poll = UpstreamBroken("html")
    await tick(poller, clock, 60)

    assert 6 <= len(provider.polls) <= 9


async def test_an_operation_that_an_answer_omits_leaves_the_others_alone(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """A batch answer is read job by job."""
    first, second = await admit(memory, clock, 2)
    await tick(poller, clock)
    finish(provider, 2)
    await tick(poller, clock, 3)

    assert (await find(memory, first)).state is JobState.SUBMITTED
    assert (await find(memory, second)).state is JobState.COMPLETED


async def test_a_job_that_the_provider_gave_up_fails_with_its_words(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """The report's failure is the job's failure."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    failure = Failure(message="timed out", code="video_generation_failed", type="server_error", status=502)
    provider.reports["op-1"] = Refused(failure)
    await tick(poller, clock)

    job = await find(memory, job_id)
    assert (job.state, job.failure) == (JobState.FAILED, failure)


async def test_only_the_deadline_ends_a_job_that_never_finishes(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """An hour by this configuration, and then a few more looks: a clock may have jumped."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    provider.reports["op-1"] = Working()
    await clock.advance(3580.0)
    await tick(poller, clock, 6)
    assert (await find(memory, job_id)).state is JobState.SUBMITTED

    await tick(poller, clock, 40)

    failure = (await find(memory, job_id)).failure
    assert failure is not None
    assert failure.code == "deadline_exceeded"


async def test_a_mistake_of_ours_is_not_repeated_at_full_speed(memory: Memory, clock: FakeClock) -> None:
    """A step that breaks counts as a fruitless look; the job goes on once the mistake is mended."""

    class Mistaken(FakeVideoProvider):
        async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
            self.polls.append((account, [operation.name for operation in operations]))
            raise ZeroDivisionError

    mistaken = Mistaken()
    poller = poller_of(memory, clock, fake=mistaken)
    [job_id] = await admit(memory, clock)
    await tick(poller, clock, 40)
    assert 3 <= len(mistaken.polls) <= 9

    right = FakeVideoProvider()
    finish(right, 1)
    await tick(poller_of(memory, clock, fake=right), clock, 70)
    assert (await find(memory, job_id)).state is JobState.COMPLETED


async def test_a_long_downtime_does_not_fail_a_job_at_the_first_trouble(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """The deadline passed while nobody looked; the video may be finished, so a few looks are due to it."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    await clock.advance(2 * PACE.deadline_seconds)
    provider.fail_poll = UpstreamBroken("html")
    await tick(poller, clock, 3)
    provider.fail_poll = None
    finish(provider, 1)
    await tick(poller, clock, 10)

    assert (await find(memory, job_id)).state is JobState.COMPLETED


async def test_progress_is_estimated_from_the_time(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Fifty of a hundred expected seconds are 45 per cent."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    provider.reports["op-1"] = Working()
    await clock.advance(45.0)
    await tick(poller, clock)

    assert (await find(memory, job_id)).progress == 45


async def test_a_job_of_a_provider_that_was_taken_out_waits_for_it(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """A configuration mistake costs no paid video."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    without = poller_of(memory, clock)
    await tick(without, clock, 3)
    finish(provider, 1)
    await tick(poller, clock, 12)

    assert (await find(memory, job_id)).state is JobState.COMPLETED


async def test_a_round_that_fails_is_not_the_last(
    memory: Memory, database: Database, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """A locked database, or a mistake of ours: the loop goes on, because jobs are paid for."""

    class Moody(SqlJobStore):
        faults: ClassVar[list[Exception]] = [StorageFailed("locked"), ZeroDivisionError()]

        async def claim(self, *, now: float, lease: float, limit: int, held: Collection[str] = ()) -> Sequence[Claim]:
            if self.faults:
                raise self.faults.pop()
            return await super().claim(now=now, lease=lease, limit=limit, held=held)

    moody = Memory(Moody(database), memory.feed, memory.media)
    poller = poller_of(moody, clock, fake=provider)
    await admit(memory, clock)
    running = asyncio.create_task(poller.run())
    while Moody.faults:
        await clock.advance(PACE.poll_seconds)
    await clock.advance(2 * PACE.poll_seconds)
    async with asyncio.timeout(5):
        while not provider.executed:
            await asyncio.sleep(0)
    poller.stop()
    await running

    assert len(provider.executed) == 1


async def test_a_database_that_is_away_is_no_mistake_of_ours(
    memory: Memory, database: Database, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """One line for it and no stack, and no look of the job's is counted as fruitless: its lease ends, that is all."""

    class Away(SqlJobStore):
        fails = False

        async def save(self, writes: Sequence[Write]) -> Sequence[VideoJob]:
            if self.fails:
                raise StorageFailed("away")
            return await super().save(writes)

    away = Away(database)
    poller = poller_of(Memory(away, memory.feed, memory.media), clock, fake=provider)
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    provider.reports = {"op-1": Working()}
    away.fails = True
    with structlog.testing.capture_logs() as logs:
        await tick(poller, clock)
    away.fails = False
    assert [(log["event"], log["job_ids"]) for log in logs] == [("poller.step_put_off", [job_id])]
    assert "exc_info" not in logs[0]
    assert (await find(memory, job_id)).misses == 0

    finish(provider, 1)
    await tick(poller, clock, 5)
    assert (await find(memory, job_id)).state is JobState.COMPLETED


async def test_claims_are_renewed_once_in_a_while_and_not_in_every_round(
    memory: Memory, database: Database, clock: FakeClock
) -> None:
    """Every new job begins a round, and a hundred may be held."""
    asked, answer = asyncio.Event(), asyncio.Event()

    class Slow(FakeVideoProvider):
        async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
            asked.set()
            await answer.wait()
            return await super().poll(operations, account=account)

    class Counted(SqlJobStore):
        renewed: ClassVar[list[float]] = []

        async def renew(self, claims: Iterable[Claim], *, due_at: float) -> None:
            if claims:
                self.renewed.append(due_at - PACE.lease_seconds)
            await super().renew(claims, due_at=due_at)

    poller = poller_of(Memory(Counted(database), memory.feed, memory.media), clock, fake=Slow())
    await admit(memory, clock)
    await tick(poller, clock)
    for _ in range(8):
        await poller.tick()
        async with asyncio.timeout(10):
            await asked.wait()
        await clock.advance(1.0)
    others = await memory.jobs.claim(now=clock.now(), lease=1.0, limit=10)
    answer.set()
    await poller.settle()

    assert Counted.renewed == [1007.0, 1009.0, 1011.0]
    assert others == []


async def test_no_more_jobs_are_held_than_can_be_kept(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """A hundred at a time, every one of them in the end."""
    await admit(memory, clock, 250)
    await tick(poller, clock, 5)

    assert len(provider.executed) == 250


async def test_a_success_without_a_video_is_asked_about_again(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Its link may come later than the word."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    provider.reports["op-1"] = Empty()
    await tick(poller, clock, 60)
    assert (await find(memory, job_id)).state is JobState.SUBMITTED

    finish(provider, 1)
    await tick(poller, clock, 70)
    assert (await find(memory, job_id)).state is JobState.COMPLETED


async def test_a_success_that_never_gives_its_video_is_the_end(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Once, and ten more times; it was paid for, so the client's SDK leaves it."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    provider.reports["op-1"] = Empty()
    await tick(poller, clock, 600)

    failure = (await find(memory, job_id)).failure
    assert failure is not None
    assert (failure.code, failure.should_retry, len(provider.polls)) == ("no_media_generated", False, 11)


async def test_the_operator_is_told_once_that_a_paid_job_is_stuck(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Not at the first stumble, and not with every look."""
    [job_id] = await admit(memory, clock)
    await tick(poller, clock)
    provider.fail_poll = UpstreamRejected("400")
    with structlog.testing.capture_logs() as written:
        await tick(poller, clock, 300)

    stalled = [line for line in written if line["event"] == "jobs.stalled"]
    assert [(line["job_id"], line["operation"], line["log_level"]) for line in stalled] == [(job_id, "op-1", "error")]
