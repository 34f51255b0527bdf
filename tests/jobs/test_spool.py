"""The second memory of answers: what a dead process was told is not lost."""

import asyncio
import os
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import msgspec
import pytest
import structlog

from adapter.database.engine import Database
from adapter.domain.job import JobState, Operation, VideoJob
from adapter.domain.ports import Claim, Memory, Working, Write
from adapter.errors import StorageFailed, WrongConfiguration
from adapter.jobs.poller import Poller
from adapter.jobs.spool import Answer, Spool, try_out
from adapter.jobs.step_context import StepContext
from adapter.jobs.steps import VideoSteps
from adapter.jobs.store import SqlJobStore
from tests.fakes import FakeClock, FakeVideoProvider
from tests.jobs.conftest import PACE
from tests.jobs.rounds import admit, find, finish, tick


def answer(number: int = 1) -> Answer:
    """Return an answer to some job."""
    return Answer(
        job_id=f"video_{number}",
        account="first",
        intended_at=1000.0,
        operation=Operation(f"op-{number}", f"mark-{number}"),
        at=1001.5,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for spools beside the database."""
    return tmp_path / "spool"


def die(spool: Spool) -> None:
    """Let go of a spool's file as the end of its process does: the lock goes, the lines stay."""
    spool._thread.submit(lambda: None).result()  # noqa: SLF001 - what it is writing holds the lock until it is done
    own = spool._own  # noqa: SLF001 - only a process that ends closes it like this
    assert own is not None
    os.close(own[1])


async def found(folder: Path) -> list[Answer]:
    """Return what a new process finds."""
    spool = Spool(folder)
    leftovers = await spool.leftovers()
    await spool.release(leftovers)
    return [answer for leftover in leftovers for answer in leftover.answers]


async def test_a_file_that_never_got_its_name_goes(tmp_path: Path) -> None:
    """Its process died in between. A young one may get it yet."""
    old, young = tmp_path / ".old.new", tmp_path / ".young.new"
    for file in (old, young):
        file.touch()
    os.utime(old, (0, 0))
    assert await Spool(tmp_path).leftovers() == []

    assert [*tmp_path.iterdir()] == [young]


async def test_what_a_dead_process_noted_is_found(tmp_path: Path) -> None:
    """Line by line, whole."""
    spool = Spool(tmp_path / "var" / "spool")
    await spool.note(answer(1))
    await spool.note(answer(2))
    assert await found(tmp_path / "var" / "spool") == []
    die(spool)

    assert await found(tmp_path / "var" / "spool") == [answer(1), answer(2)]


async def test_what_is_committed_is_forgotten(tmp_path: Path) -> None:
    """The file is empty whenever nothing is open."""
    spool = Spool(tmp_path)
    for number in range(50):
        await spool.note(answer(number))
        await spool.forget(answer(number))
    [file] = tmp_path.iterdir()
    assert file.stat().st_size == 0
    die(spool)

    assert await found(tmp_path) == []


async def test_answers_that_come_together_are_all_kept(tmp_path: Path) -> None:
    """The file is not emptied while one of them is open, and then it is."""
    spool = Spool(tmp_path)
    answers = [answer(number) for number in range(20)]
    await asyncio.gather(*map(spool.note, answers))
    await asyncio.gather(*map(spool.forget, answers[1:]), spool.note(answer(20)))
    [file] = tmp_path.iterdir()
    lines = [msgspec.json.decode(line, type=Answer) for line in file.read_bytes().split()]
    await asyncio.gather(*map(spool.forget, (answers[0], answer(20))))

    assert lines == [*answers, answer(20)]
    assert file.stat().st_size == 0


async def test_a_spool_that_is_closed_in_order_leaves_no_file(tmp_path: Path) -> None:
    """One that still has something does."""
    for is_done in (True, False):
        spool = Spool(tmp_path)
        await spool.note(answer())
        if is_done:
            await spool.forget(answer())
        await spool.close()
        assert len(list(tmp_path.iterdir())) == (0 if is_done else 1)

    assert await found(tmp_path) == [answer()]


async def test_what_was_taken_over_is_removed(tmp_path: Path) -> None:
    """And taken over once."""
    spool = Spool(tmp_path)
    await spool.note(answer())
    die(spool)
    first, second = Spool(tmp_path), Spool(tmp_path)
    leftovers = await first.leftovers()
    assert await second.leftovers() == []
    await first.drop(leftovers)

    assert (await second.leftovers(), list(tmp_path.iterdir())) == ([], [])


@pytest.mark.parametrize("cut", [1, 20, 60])
async def test_a_damaged_line_spoils_no_other(tmp_path: Path, cut: int) -> None:
    """A power cut in the middle of one, and a later one behind it: the whole ones are read."""
    spool = Spool(tmp_path)
    await spool.note(answer(1))
    await spool.note(answer(2))
    [file] = tmp_path.iterdir()
    with file.open("r+b") as lines:
        lines.truncate(file.stat().st_size - cut)
    await spool.note(answer(3))
    die(spool)
    with structlog.testing.capture_logs() as written:
        left = await found(tmp_path)

    damaged = [] if cut == 1 else ["spool.damaged_line"]
    assert left == [answer(1), *([answer(2)] if cut == 1 else []), answer(3)]
    assert [line["event"] for line in written] == damaged


async def test_a_spool_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """The operator is told; the database is the first memory."""
    (tmp_path / "file").write_bytes(b"")
    spool = Spool(tmp_path / "file" / "spool")
    with structlog.testing.capture_logs() as written:
        await spool.note(answer())
        await spool.forget(answer())

    assert [line["event"] for line in written] == ["spool.failed"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
async def test_a_full_disk_stops_nothing(tmp_path: Path) -> None:
    """As above."""
    spool = Spool(tmp_path)
    await spool.note(answer())
    own = spool._own  # noqa: SLF001 - the file becomes one that is always full
    assert own is not None
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, own[1])
    os.close(full)
    with structlog.testing.capture_logs() as written:
        await spool.note(answer(2))

    assert [(line["event"], line["error"]) for line in written] == [("spool.failed", "No space left on device")]


async def test_no_folder_means_no_spool() -> None:
    """As in tests, or where the operator does not want one."""
    spool = Spool()
    await spool.note(answer())
    assert await spool.leftovers() == []
    await spool.forget(answer())
    await spool.close()


class Torn(SqlJobStore):
    """A database that is gone from the moment at which Google has answered."""

    def __init__(self, database: Database, provider: FakeVideoProvider) -> None:
        super().__init__(database)
        self._provider = provider

    async def save(self, writes: Sequence[Write]) -> Sequence[VideoJob]:
        if self._provider.executed:
            raise StorageFailed("gone")
        return await super().save(writes)


def poller_with(
    spool: Spool, memory: Memory, clock: FakeClock, provider: FakeVideoProvider
) -> tuple[Poller, VideoSteps]:
    """Return a process's loop and its steps."""
    steps = VideoSteps(
        StepContext(providers={"fake": provider.at(clock)}, memory=memory, clock=clock, schedule=PACE, spool=spool)
    )
    return Poller(memory.jobs, steps, clock=clock, schedule=PACE), steps


async def died_after_the_answer(
    folder: Path, memory: Memory, database: Database, clock: FakeClock, provider: FakeVideoProvider
) -> str:
    """Let a process be told the name of a paid video and die before it can commit it; return the job's id."""
    [job_id] = await admit(memory, clock)
    spool = Spool(folder)
    torn = Memory(Torn(database, provider), memory.feed, memory.media)
    poller, _ = poller_with(spool, torn, clock, provider)
    await poller.tick()
    async with asyncio.timeout(5):
        while not [file for file in folder.glob("*.answers") if file.stat().st_size]:
            await asyncio.sleep(0.001)
    die(spool)
    assert (await find(memory, job_id)).state is JobState.SUBMITTING
    return job_id


async def test_a_paid_video_is_found_by_the_next_process(
    folder: Path, memory: Memory, database: Database, clock: FakeClock, provider: FakeVideoProvider
) -> None:
    """Told, not committed, killed: the video comes all the same, and was paid for once."""
    provider.credits_left = 680
    job_id = await died_after_the_answer(folder, memory, database, clock, provider)
    poller, steps = poller_with(Spool(folder), memory, clock, provider)
    await steps.late_answers.replay()
    job = await find(memory, job_id)
    assert (job.state, job.operation, job.submitted_at) == (
        JobState.SUBMITTED,
        Operation("op-1", "scene-1"),
        1000.0,
    )
    finish(provider, 1)
    await tick(poller, clock, 4)

    assert ((await find(memory, job_id)).state, provider.executed) == (JobState.COMPLETED, [job_id])
    assert list(folder.iterdir()) == []


async def test_an_answer_leaves_the_spool_once_it_is_committed(
    folder: Path, memory: Memory, clock: FakeClock, provider: FakeVideoProvider
) -> None:
    """And it was there before: the file was made for it."""
    await admit(memory, clock)
    poller, _ = poller_with(Spool(folder), memory, clock, provider)
    await tick(poller, clock)

    assert [file.stat().st_size for file in folder.iterdir()] == [0]


async def test_an_answer_comes_in_time_for_a_job_that_is_already_in_doubt(
    folder: Path, memory: Memory, database: Database, clock: FakeClock, provider: FakeVideoProvider
) -> None:
    """Another process has found it and reads credits; whoever holds it, its claim is void from then on."""
    provider.credits_left = 680
    job_id = await died_after_the_answer(folder, memory, database, clock, provider)
    other, _ = poller_with(Spool(), memory, clock, provider)
    await tick(other, clock, 4)
    assert (await find(memory, job_id)).state is JobState.AMBIGUOUS
    await clock.advance(50.0)
    [claim] = await memory.jobs.claim(now=clock.now(), lease=100.0, limit=1)
    _, steps = poller_with(Spool(folder), memory, clock, provider)
    await steps.late_answers.replay()

    assert (await find(memory, job_id)).state is JobState.SUBMITTED
    assert await memory.jobs.save([Write(claim, claim.job, 0.0)]) == []


async def test_an_answer_that_comes_too_late_is_told_to_the_operator(
    folder: Path, memory: Memory, database: Database, clock: FakeClock, provider: FakeVideoProvider
) -> None:
    """The job is over; the name in the log is all that is left of the video."""
    job_id = await died_after_the_answer(folder, memory, database, clock, provider)
    other, _ = poller_with(Spool(), memory, clock, provider)
    await tick(other, clock, 4)
    _, steps = poller_with(Spool(folder), memory, clock, provider)
    with structlog.testing.capture_logs() as written:
        await steps.late_answers.replay()

    assert (await find(memory, job_id)).state is JobState.FAILED
    assert [(line["event"], line["operation"]) for line in written] == [("jobs.answer_too_late", "op-1")]
    assert list(folder.iterdir()) == []


async def test_an_answer_to_an_earlier_submission_is_not_given_to_a_later_one(
    folder: Path, memory: Memory, clock: FakeClock, provider: FakeVideoProvider
) -> None:
    """Whoever is sending now would lose its own answer."""

    class Dies(FakeVideoProvider):
        async def submit(self, job: VideoJob, pictures: Sequence[str]) -> Operation:
            raise SystemError(f"killed with {job.id} and {pictures} on its way")

    [job_id] = await admit(memory, clock)
    poller, _ = poller_with(Spool(), memory, clock, Dies())
    await tick(poller, clock)
    sending = await find(memory, job_id)
    assert (sending.state, sending.intended_at) == (JobState.SUBMITTING, 1000.0)
    spool = Spool(folder)
    await spool.note(
        Answer(job_id=job_id, account="first", intended_at=990.0, operation=Operation("op", "mark"), at=991.0)
    )
    die(spool)
    _, steps = poller_with(Spool(folder), memory, clock, provider)
    await steps.late_answers.replay()

    assert await find(memory, job_id) == sending


async def test_an_answer_that_was_committed_is_left_alone(
    folder: Path, memory: Memory, clock: FakeClock, provider: FakeVideoProvider
) -> None:
    """The process died between the commit and the note of it."""
    [job_id] = await admit(memory, clock)
    poller, _ = poller_with(Spool(), memory, clock, provider)
    await tick(poller, clock)
    submitted = await find(memory, job_id)
    spool = Spool(folder)
    await spool.note(
        Answer(job_id=job_id, account="first", intended_at=1000.0, operation=Operation("op-1", "scene-1"), at=1000.0)
    )
    die(spool)
    _, steps = poller_with(Spool(folder), memory, clock, provider)
    with structlog.testing.capture_logs() as written:
        await steps.late_answers.replay()

    assert (await find(memory, job_id), written) == (submitted, [])


async def poller_until(poller: Poller, clock: FakeClock, is_done: Callable[[], bool]) -> None:
    """Run a loop until something happened. Time passes only while the loop waits for it, however slow the disk is."""
    running = asyncio.create_task(poller.run())
    until = time.monotonic() + 30
    while not is_done() and time.monotonic() < until:
        await asyncio.sleep(0.001)
        if any(alarm <= clock.now() + 2 * PACE.poll_seconds for alarm in clock.alarms):
            await clock.advance(PACE.poll_seconds)
    assert is_done()
    poller.stop()
    await running


async def test_nothing_is_claimed_before_the_leftovers_are_replayed(
    folder: Path, memory: Memory, database: Database, clock: FakeClock, provider: FakeVideoProvider
) -> None:
    """And while the database does not answer, they are tried again."""

    class Slow(SqlJobStore):
        refused = 0
        claimed_after = 99

        async def get(self, job_id: str) -> VideoJob | None:
            if self.refused < 2:
                self.refused += 1
                raise StorageFailed("not yet")
            return await super().get(job_id)

        async def claim(self, *, now: float, lease: float, limit: int, held: Collection[str] = ()) -> Sequence[Claim]:
            self.claimed_after = min(self.claimed_after, self.refused)
            return await super().claim(now=now, lease=lease, limit=limit, held=held)

    provider.credits_left = 680
    job_id = await died_after_the_answer(folder, memory, database, clock, provider)
    await clock.advance(PACE.lease_seconds)
    slow = Slow(database)
    provider.reports = {"op-1": Working()}
    poller, _ = poller_with(Spool(folder), Memory(slow, memory.feed, memory.media), clock, provider)
    with structlog.testing.capture_logs() as written:
        await poller_until(poller, clock, lambda: bool(provider.polls))

    assert (await find(memory, job_id)).state is JobState.SUBMITTED
    assert slow.claimed_after == 2
    events = [line["event"] for line in written]
    assert events == ["poller.replay_put_off"] * 2 + ["jobs.answer_adopted"]


def test_a_folder_that_takes_no_answers_is_named(tmp_path: Path) -> None:
    """Before anything is served; a good one is left as it was."""
    (tmp_path / "file").touch()

    try_out(tmp_path / "good")
    with pytest.raises(WrongConfiguration, match=r"jobs\.spool: .*/file cannot be used: File exists"):
        try_out(tmp_path / "file")
    assert list((tmp_path / "good").iterdir()) == []


async def test_a_sender_that_lost_its_claim_still_gives_its_answer(
    memory: Memory, database: Database, clock: FakeClock
) -> None:
    """It was paused; another process doubts the job. The video was paid for, and it comes."""

    class Paused(FakeVideoProvider):
        async def submit(self, job: VideoJob, pictures: Sequence[str]) -> Operation:
            await clock.advance(3 * PACE.lease_seconds)
            other = FakeVideoProvider()
            other.credits_left = 680
            await tick(poller_with(Spool(), memory, clock, other)[0], clock)
            assert (await find(memory, job.id)).state is JobState.AMBIGUOUS
            return await super().submit(job, pictures)

    provider = Paused()
    provider.credits_left = 680
    [job_id] = await admit(memory, clock)
    await tick(poller_with(Spool(), memory, clock, provider)[0], clock)

    job = await find(memory, job_id)
    assert (job.state, job.operation) == (JobState.SUBMITTED, Operation("op-1", "scene-1"))
