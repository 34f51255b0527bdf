"""Submitting: sent once, never blindly again, and the answer is never given up."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from adapter.database.engine import Database
from adapter.domain.job import Failure, JobState, Operation, VideoJob
from adapter.domain.orders import StoredInput, VideoInput, VideoSource
from adapter.domain.ports import Memory, Write
from adapter.errors import (
    AdapterError,
    ContentRefused,
    StorageFailed,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamForgot,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamSilent,
    UpstreamUnreachable,
)
from adapter.jobs.poller import Poller
from adapter.jobs.step_context import StepContext
from adapter.jobs.steps import VideoSteps
from adapter.jobs.store import SqlJobStore
from tests.fakes import CLIP, FakeClock, FakeVideoProvider, png, video_job, video_order
from tests.jobs.conftest import PACE
from tests.jobs.rounds import admit, admit_from_pictures, find, keep, poller_of, tick
from tests.postgres import BOTH_ENGINES


@pytest.mark.parametrize(
    "fault",
    [
        ContentRefused("unsafe"),
        UpstreamBusy("later", retry_after=31.0),
        UpstreamRejected("no"),
        UpstreamQuota("no more"),
    ],
)
async def test_a_refused_job_fails_with_the_providers_reason(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock, fault: AdapterError
) -> None:
    """A well-formed refusal cost nothing and is final for this job."""
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = fault
    await tick(poller, clock)

    job = await find(memory, job_id)
    assert (job.state, job.failure) == (JobState.FAILED, Failure.of(fault))


def elsewhere(fault: AdapterError) -> AdapterError:
    """Return a refusal of one account, where another one takes work."""
    fault.another_takes_it = True
    return fault


@pytest.mark.parametrize("fault", [UpstreamBusy("later", retry_after=31.0), UpstreamQuota("no more")])
async def test_a_job_that_one_account_refuses_goes_on_with_another(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock, fault: AdapterError
) -> None:
    """Nothing was executed, so it is sent at once."""
    provider.accounts = ["ada", "bob"]
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = elsewhere(fault)
    await tick(poller, clock)
    provider.refuse_submit = None
    await tick(poller, clock)

    job = await find(memory, job_id)
    assert (job.state, job.account, provider.executed) == (JobState.SUBMITTED, "bob", [job_id])


async def test_a_job_whose_pictures_one_account_refuses_goes_on_with_another(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """They are uploaded to the account that takes it."""
    provider.accounts = ["ada", "bob"]
    job_id = await admit_from_pictures(memory, clock, png())
    provider.refuse_upload = elsewhere(UpstreamQuota("no more"))
    await tick(poller, clock)
    provider.refuse_upload = None
    await tick(poller, clock)

    assert (await find(memory, job_id)).account == "bob"


async def test_a_job_that_is_tied_to_an_account_fails_with_its_refusal(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """No other account knows its video."""
    order = msgspec.structs.replace(video_order(), input=VideoInput.EDIT, source=VideoSource("op-0", "bob"))
    job = video_job(order=order, at=clock.now())
    await memory.jobs.admit(job, now=clock.now())
    provider.refuse_submit = elsewhere(UpstreamQuota("no more"))
    await tick(poller, clock)

    assert (await find(memory, job.id)).state is JobState.FAILED


async def test_a_job_that_is_tied_to_an_account_waits_while_that_rests(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Nothing was sent: its picture was not even uploaded."""
    picture = await keep(memory, "0.png", png())
    source = VideoSource("op-0", "first")
    order = msgspec.structs.replace(video_order(), input=VideoInput.EDIT, source=source, pictures=(picture,))
    job = video_job(order=order, at=clock.now())
    await memory.jobs.admit(job, now=clock.now())
    provider.refuse_upload = elsewhere(UpstreamQuota("no more"))
    await tick(poller, clock)
    provider.refuse_upload = None
    await tick(poller, clock, 3)

    assert (await find(memory, job.id)).state is JobState.SUBMITTED


async def test_a_job_that_every_account_refuses_fails_in_the_end(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """It does not go around for ever."""
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = elsewhere(UpstreamQuota("no more"))
    await tick(poller, clock, 30)

    assert (await find(memory, job_id)).state is JobState.FAILED


@pytest.mark.parametrize("fault", [UpstreamSilent("silence"), UpstreamBroken("cut")])
async def test_an_ambiguous_submission_is_never_sent_again(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock, fault: AdapterError
) -> None:
    """It may have been paid for: the job ends and says so, and the client's SDK is told to leave it."""
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = fault
    await tick(poller, clock)
    provider.refuse_submit = None
    await tick(poller, clock, 5)

    failure = (await find(memory, job_id)).failure
    assert failure is not None
    assert (failure.code, failure.should_retry) == ("upstream_submit_unknown", False)
    assert provider.executed == []


async def test_an_edit_is_sent_with_the_account_that_has_the_video(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Also if it is another one's turn: no other account knows that video."""
    provider.accounts = ["ada", "bob"]
    order = msgspec.structs.replace(video_order(), input=VideoInput.EDIT, source=VideoSource("op-0", "bob"))
    job = video_job(order=order, at=clock.now())
    await memory.jobs.admit(job, now=clock.now())
    await tick(poller, clock)

    assert (await find(memory, job.id)).account == "bob"


async def test_a_video_to_work_on_is_uploaded_behind_the_pictures(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """With the account that carries the job."""
    kept = await keep(memory, "source.mp4", CLIP), await keep(memory, "0.png", png())
    order = msgspec.structs.replace(video_order(), input=VideoInput.EDIT, video=kept[0], pictures=kept[1:])
    job = video_job(order=order, at=clock.now())
    await memory.jobs.admit(job, now=clock.now())
    await tick(poller, clock)

    assert provider.uploads == [("first", [png()]), ("first", [CLIP])]
    assert provider.given == [["first-upload-0", "first-video"]]
    assert set(job.input_files) == {"source.mp4", "0.png"}


async def test_a_job_whose_video_to_work_on_is_gone_fails(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Nothing is sent for it."""
    order = msgspec.structs.replace(video_order(), input=VideoInput.EDIT, video=StoredInput("source.mp4", "00"))
    job = video_job(order=order, at=clock.now())
    await memory.jobs.admit(job, now=clock.now())
    await tick(poller, clock)

    failure = (await find(memory, job.id)).failure
    assert failure is not None
    assert (failure.code, provider.executed) == ("video_gone", [])


async def test_a_job_of_which_nothing_was_sent_is_sent_later(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """No connection means no execution, so trying again is free."""
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = UpstreamUnreachable("no route")
    await tick(poller, clock, 2)
    assert (await find(memory, job_id)).state is JobState.ACCEPTED

    provider.refuse_submit = None
    await tick(poller, clock)

    assert provider.executed == [job_id]


async def test_an_upstream_that_stays_unreachable_fails_the_job_in_the_end(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Four tries; nothing was spent, so the client may ask again."""
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = UpstreamUnreachable("no route")
    await tick(poller, clock, 6)

    failure = (await find(memory, job_id)).failure
    assert failure is not None
    assert (failure.code, failure.should_retry) == ("upstream_unreachable", True)


async def test_a_busy_google_is_asked_again_as_late_as_it_wishes(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Nothing was executed; a job can wait, and the client need not ask again."""
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = UpstreamBusy("later", retry_after=20.0)
    await tick(poller, clock)
    provider.refuse_submit = None
    await tick(poller, clock, 3)
    assert provider.executed == []

    await tick(poller, clock, 2)
    assert provider.executed == [job_id]


async def test_a_google_that_stays_busy_fails_the_job_in_the_end(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Four tries, and Google's own words."""
    [job_id] = await admit(memory, clock)
    provider.refuse_submit = UpstreamBusy("later", retry_after=20.0)
    await tick(poller, clock, 30)

    job = await find(memory, job_id)
    assert (job.failure, len(provider.given)) == (Failure.of(UpstreamBusy("later", retry_after=20.0)), 4)


async def test_a_job_whose_sender_died_is_not_sent_again(
    memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """The intent was on disk before the first byte: a new process finds it, waits for the lease, and gives it up."""

    class Dies(FakeVideoProvider):
        async def submit(self, job: VideoJob, pictures: Sequence[str]) -> Operation:
            raise SystemError(f"killed with {job.id} and {pictures} on its way")

    [job_id] = await admit(memory, clock)
    dead = poller_of(memory, clock, fake=Dies())
    await tick(dead, clock)
    assert (await find(memory, job_id)).state is JobState.SUBMITTING

    alive = poller_of(memory, clock, fake=provider)
    await tick(alive, clock, 5)

    failure = (await find(memory, job_id)).failure
    assert failure is not None
    assert (failure.code, provider.executed) == ("upstream_submit_unknown", [])


async def test_a_wish_from_before_a_long_downtime_is_not_paid_for(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Accepted and never sent: past its deadline nobody waits for it any more."""
    [job_id] = await admit(memory, clock)
    await clock.advance(PACE.deadline_seconds)
    await tick(poller, clock)

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


async def test_a_slow_step_keeps_its_job(memory: Memory, clock: FakeClock) -> None:
    """Each beat renews the claims of steps that are under way, so nobody takes the job over."""
    gate = asyncio.Event()

    class Slow(FakeVideoProvider):
        async def submit(self, job: VideoJob, pictures: Sequence[str]) -> Operation:
            await gate.wait()
            return await super().submit(job, pictures)

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
    """By the time the intent is written somebody else may hold the job; it goes out with a later claim.

    However often that happens, it is no try: Google was never asked.
    """

    class SlowDisk(SqlJobStore):
        async def save(self, writes: Sequence[Write]) -> Sequence[VideoJob]:
            await clock.advance(PACE.lease_seconds)
            return await super().save(writes)

    slow = Memory(SlowDisk(database), memory.feed, memory.media)
    [job_id] = await admit(memory, clock)
    await tick(poller_of(slow, clock, fake=provider), clock, 5)
    assert (provider.executed, (await find(memory, job_id)).misses) == ([], 0)

    await tick(poller_of(memory, clock, fake=provider), clock)
    assert provider.executed == [job_id]


async def test_stopping_lets_a_submission_be_recorded(memory: Memory, clock: FakeClock) -> None:
    """What Google has accepted is written down before the process ends."""
    gate = asyncio.Event()

    class Slow(FakeVideoProvider):
        async def submit(self, job: VideoJob, pictures: Sequence[str]) -> Operation:
            await gate.wait()
            return await super().submit(job, pictures)

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


@BOTH_ENGINES
async def test_who_slept_past_its_lease_before_sending_sends_nothing(
    memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Another process has the job by then, and pays for it."""
    [job_id] = await admit(memory, clock)
    [stale] = await memory.jobs.claim(now=clock.now(), lease=PACE.lease_seconds, limit=1)
    await clock.advance(PACE.lease_seconds)
    await tick(poller_of(memory, clock, fake=provider), clock)
    taken = await find(memory, job_id)
    await VideoSteps(
        StepContext(providers={"fake": provider.at(clock)}, memory=memory, clock=clock, schedule=PACE)
    ).submit(stale)

    assert provider.executed == [job_id]
    assert await find(memory, job_id) == taken


async def test_pictures_are_uploaded_to_the_jobs_account_before_it_is_sent(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """The very files, in their order; the submission names them as the account does."""
    await admit_from_pictures(memory, clock, png(10, 10), png(20, 20))
    await tick(poller, clock)

    assert provider.uploads == [("first", [png(10, 10), png(20, 20)])]
    assert provider.given == [["first-upload-0", "first-upload-1"]]


@pytest.mark.parametrize(
    "fault", [UpstreamUnreachable("no"), UpstreamSilent("?"), UpstreamBroken("cut"), UpstreamBusy("later")]
)
async def test_an_upload_that_fails_is_tried_again(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock, fault: AdapterError
) -> None:
    """It costs nothing: what would leave a submission in doubt leaves an upload merely undone."""
    job_id = await admit_from_pictures(memory, clock, png())
    provider.refuse_upload = fault
    await tick(poller, clock)
    assert (await find(memory, job_id)).state is JobState.ACCEPTED

    provider.refuse_upload = None
    await tick(poller, clock, 5)
    assert provider.executed == [job_id]


async def test_uploads_are_not_tried_for_ever(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Somebody waits for the video."""
    job_id = await admit_from_pictures(memory, clock, png())
    provider.refuse_upload = UpstreamBroken("cut")
    await tick(poller, clock, 200)

    job = await find(memory, job_id)
    assert (job.state, job.failure, provider.executed) == (JobState.FAILED, Failure.of(UpstreamBroken("cut")), [])


async def test_a_refused_picture_fails_the_job(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """With the provider's reason, and nothing is sent."""
    job_id = await admit_from_pictures(memory, clock, png())
    provider.refuse_upload = ContentRefused("a known person")
    await tick(poller, clock)

    job = await find(memory, job_id)
    assert (job.failure, provider.executed) == (Failure.of(ContentRefused("a known person")), [])


async def test_a_picture_that_the_provider_forgot_is_uploaded_again(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """The submission was refused before anything was executed."""
    job_id = await admit_from_pictures(memory, clock, png())
    provider.refuse_submit = UpstreamForgot("not found")
    await tick(poller, clock)
    provider.refuse_submit = None
    await tick(poller, clock, 5)

    assert (len(provider.uploads), provider.executed) == (2, [job_id])


async def test_a_job_whose_picture_is_gone_fails(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Before anything is paid for."""
    job_id = await admit_from_pictures(memory, clock, png())
    await memory.media.delete(["input_0.png"])
    await tick(poller, clock)

    failure = (await find(memory, job_id)).failure
    assert failure is not None
    assert (failure.code, provider.executed) == ("picture_gone", [])
