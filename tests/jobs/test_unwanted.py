"""Jobs that nobody wants any more: deleted by their owner, or called off by the operator."""

import asyncio
from collections.abc import AsyncIterator, Collection

import pytest

from adapter.domain.job import JobState
from adapter.domain.ports import Memory
from adapter.errors import StorageFailed
from adapter.jobs.poller import Poller
from adapter.media.store import ObjectMediaStore, open_media
from tests.fakes import FakeClock, FakeDownload, FakeVideoProvider, png
from tests.jobs.conftest import PACE
from tests.jobs.rounds import VIDEO, admit, admit_from_pictures, find, finish, poller_of, tick


async def delete(memory: Memory, clock: FakeClock, job_id: str) -> None:
    """Delete a job as its owner does."""
    assert await memory.jobs.delete(job_id, (await find(memory, job_id)).owner, now=clock.now())


async def stored(memory: Memory) -> set[str]:
    """Return the names of all files that are stored."""
    return {file.name async for page in memory.media.list() for file in page}


async def ended(memory: Memory, job_id: str) -> tuple[str | None, str]:
    """Return the code and the message of a job that was called off."""
    failure = (await find(memory, job_id)).failure
    assert failure is not None
    return failure.code, failure.message


def slow_provider(gate: asyncio.Event) -> FakeVideoProvider:
    """Return a provider whose first video is finished; its files come when the gate is opened."""

    class SlowDownload(FakeDownload):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            await gate.wait()
            async for piece in super().__aiter__():
                yield piece

    class Slow(FakeVideoProvider):
        def download_of(self, url: str) -> FakeDownload:
            data = self.files[url]
            return SlowDownload(data, len(data), self.piece)

    provider = Slow()
    finish(provider, 1)
    return provider


@pytest.mark.parametrize("deleted", [True, False])
async def test_a_job_that_was_not_sent_is_called_off_for_nothing(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock, *, deleted: bool
) -> None:
    """Nothing leaves, and the job says that it cost nothing."""
    [job_id] = await admit(memory, clock)
    if deleted:
        await delete(memory, clock, job_id)
    else:
        await memory.jobs.cancel(job_id, now=clock.now())
    await tick(poller, clock, 5)

    code, message = await ended(memory, job_id)
    assert (code, provider.given) == ("cancelled", [])
    assert "nothing was charged" in message


async def test_a_job_that_is_being_made_is_called_off_and_was_paid_for(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """It is not asked about any more; the others of its account are."""
    job_id, other = await admit(memory, clock, 2)
    await tick(poller, clock)
    await memory.jobs.cancel(job_id, now=clock.now())
    finish(provider, 1, 2)
    await tick(poller, clock, 5)

    code, message = await ended(memory, job_id)
    assert (code, "it was paid for" in message) == ("cancelled", True)
    assert (await find(memory, other)).state is JobState.COMPLETED
    assert provider.polls == [("first", ["op-2"])]


async def test_a_finished_video_that_nobody_wants_is_not_fetched(
    memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """It is upstream, and stays there."""
    poller = poller_of(memory, clock, fake=provider)
    [job_id] = await admit(memory, clock)
    finish(provider, 1)
    await tick(poller, clock, 2)
    assert (await find(memory, job_id)).state is JobState.READY
    await memory.jobs.cancel(job_id, now=clock.now())
    await tick(poller, clock, 3)

    assert ((await ended(memory, job_id))[0], await stored(memory)) == ("cancelled", set())


async def test_the_files_of_a_deleted_job_go(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """All of them: the video, its poster, and the pictures that it was made from. Then it is due no more."""
    job_id = await admit_from_pictures(memory, clock, png())
    finish(provider, 1)
    await tick(poller, clock, 4)
    assert len(await stored(memory)) == 3
    await delete(memory, clock, job_id)
    await tick(poller, clock)

    assert await stored(memory) == set()
    assert await memory.jobs.claim(now=clock.now() + 100.0, lease=1.0, limit=10) == []


async def test_the_pictures_of_a_job_that_was_deleted_before_it_was_sent_go_too(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """First it ends, then it is cleared away."""
    job_id = await admit_from_pictures(memory, clock, png())
    await delete(memory, clock, job_id)
    await tick(poller, clock, 3)

    assert (await stored(memory), provider.given) == (set(), [])


async def test_a_job_that_was_called_off_keeps_its_files(
    poller: Poller, memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """Its owner may still look at it."""
    job_id = await admit_from_pictures(memory, clock, png())
    await memory.jobs.cancel(job_id, now=clock.now())
    await tick(poller, clock, 5)

    assert ((await ended(memory, job_id))[0], len(await stored(memory))) == ("cancelled", 1)


async def test_a_job_that_is_deleted_while_it_is_fetched_leaves_nothing_behind(
    memory: Memory, clock: FakeClock
) -> None:
    """Whoever fetches it goes on and stores it; then it goes."""
    gate = asyncio.Event()
    provider = slow_provider(gate)
    poller = poller_of(memory, clock, fake=provider)
    [job_id] = await admit(memory, clock)
    await tick(poller, clock, 2)
    await poller.tick()
    await delete(memory, clock, job_id)
    gate.set()
    await poller.settle()
    job = await find(memory, job_id)
    assert (job.state, await stored(memory)) == (JobState.COMPLETED, {f"{job.stem}.mp4", f"{job.stem}.png"})
    await clock.advance(PACE.poll_seconds)
    await tick(poller, clock, 2)

    assert (provider.files[VIDEO] != b"", await stored(memory)) == (True, set())


async def test_a_video_that_is_stored_after_its_files_were_deleted_goes_too(memory: Memory, clock: FakeClock) -> None:
    """Its process stood still past its lease; another one fetched the video, and its owner deleted it."""
    gate = asyncio.Event()
    sleeping = poller_of(memory, clock, fake=slow_provider(gate))
    [job_id] = await admit(memory, clock)
    await tick(sleeping, clock, 2)
    await sleeping.tick()
    awake = FakeVideoProvider()
    finish(awake, 1)
    other = poller_of(memory, clock, fake=awake)
    await clock.advance(PACE.lease_seconds)
    await tick(other, clock)
    await delete(memory, clock, job_id)
    await tick(other, clock)
    assert await stored(memory) == set()

    gate.set()
    await sleeping.settle()
    assert len(await stored(memory)) == 2
    await tick(other, clock)
    assert await stored(memory) == set()
    assert await memory.jobs.claim(now=clock.now() + 100.0, lease=1.0, limit=10) == []


async def test_files_that_cannot_be_deleted_are_deleted_later(
    memory: Memory, provider: FakeVideoProvider, clock: FakeClock
) -> None:
    """A bucket that does not answer is asked again, and not at full speed."""

    class Sick:
        """A media store that fails to delete for a while."""

        def __init__(self, real: ObjectMediaStore) -> None:
            self.put, self.find, self.read, self.list = real.put, real.find, real.read, real.list
            self._real = real
            self.refused = 0

        async def delete(self, names: Collection[str]) -> None:
            if self.refused < 2:
                self.refused += 1
                raise StorageFailed("no answer")
            await self._real.delete(names)

    media = Sick(open_media("memory://"))
    sick = Memory(memory.jobs, memory.feed, media)
    poller = poller_of(sick, clock, fake=provider)
    [job_id] = await admit(sick, clock)
    finish(provider, 1)
    await tick(poller, clock, 4)
    await delete(sick, clock, job_id)
    await tick(poller, clock, 10)
    assert (media.refused, len(await stored(sick))) == (1, 2)
    await tick(poller, clock, 20)

    assert await stored(sick) == set()
