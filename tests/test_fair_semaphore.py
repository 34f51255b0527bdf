"""Who is admitted next."""

import asyncio

from adapter.fair_semaphore import FairSemaphore


class Queue:
    """Work of several owners that waits for one semaphore, and the order in which it is admitted."""

    def __init__(self, places: int) -> None:
        self.admitted: list[str] = []
        self._semaphore = FairSemaphore(places)
        self._over = asyncio.Semaphore(0)
        self._tasks: list[asyncio.Task[None]] = []

    async def ask(self, *names: str) -> list[asyncio.Task[None]]:
        """Let work ask for a place, one after the other. The first letter of its name is its owner's."""
        asking = [asyncio.ensure_future(self._work(name)) for name in names]
        self._tasks += asking
        await asyncio.sleep(0)
        return asking

    async def _work(self, name: str) -> None:
        async with self._semaphore.admit(name[0]):
            self.admitted.append(name)
            await self._over.acquire()

    async def end(self, count: int = 1) -> None:
        """Let so many pieces of work end, in the order of their admission."""
        for _ in range(count):
            self._over.release()
            for _ in range(5):
                await asyncio.sleep(0)

    async def close(self) -> None:
        """End all that is there."""
        await self.end(len(self._tasks))
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def test_a_lone_owner_has_all_places() -> None:
    """Nothing is kept free for owners that are not there."""
    queue = Queue(2)
    await queue.ask("a1", "a2", "a3")

    assert queue.admitted == ["a1", "a2"]
    await queue.close()


async def test_a_free_place_goes_to_the_owner_that_has_the_fewest() -> None:
    """Also if another owner waited first."""
    queue = Queue(2)
    await queue.ask("a1", "a2", "a3", "a4", "b1")
    await queue.end()

    assert queue.admitted == ["a1", "a2", "b1"]
    await queue.close()


async def test_owners_that_have_as_many_take_turns() -> None:
    """The order of asking counts inside of an owner only."""
    queue = Queue(1)
    await queue.ask("a1", "a2", "a3", "b1", "b2", "c1")
    await queue.end(5)

    assert queue.admitted == ["a1", "a2", "b1", "c1", "a3", "b2"]
    await queue.close()


async def test_who_gives_up_waiting_is_passed_over() -> None:
    """And the last of an owner's leaves no trace of it."""
    queue = Queue(1)
    _, gone, _ = await queue.ask("a1", "b1", "c1")
    gone.cancel()
    await queue.end()

    assert queue.admitted == ["a1", "c1"]
    await queue.close()


async def test_who_gives_up_at_the_moment_of_admission_gives_the_place_on() -> None:
    """Both may happen in one turn of the loop."""
    queue = Queue(1)
    first, gone, _ = await queue.ask("a1", "b1", "c1")
    first.cancel()
    await asyncio.sleep(0)
    gone.cancel()
    await queue.end(0)
    for _ in range(5):
        await asyncio.sleep(0)

    assert queue.admitted == ["a1", "c1"]
    await queue.close()
