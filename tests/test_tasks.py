"""The tasks of a process: who owns them, what becomes of one that fails, and how they end."""

import asyncio
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from adapter.tasks import Deadline, Tasks, all_of, beside


async def fail(after: asyncio.Event | None = None) -> None:
    """Break, perhaps later."""
    if after is not None:
        await after.wait()
    raise ZeroDivisionError


async def endless(ended: list[str]) -> None:
    """Go on until it is cancelled, and note that."""
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        ended.append("ended")


async def test_a_task_that_loses_its_cancellation_is_cancelled_again() -> None:
    """Else the process would never end."""
    begun = asyncio.Event()

    async def deaf_once() -> None:
        with suppress(asyncio.CancelledError):
            begun.set()
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    tasks = Tasks("test")
    running = tasks.begin(deaf_once())
    await begun.wait()
    async with asyncio.timeout(10):
        await tasks.cancel(again_after=0)
    assert running.cancelled()


async def test_a_task_that_crashes_is_logged_and_ends_no_other_one() -> None:
    """A mistake of ours is not passed over."""
    tasks, go_on = Tasks("test"), asyncio.Event()
    done: list[str] = []

    async def work() -> None:
        await go_on.wait()
        done.append("work")

    tasks.start(work())
    with capture_logs() as logs:
        tasks.start(fail())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        go_on.set()
        await tasks.finish()

    assert [(line["event"], line["owner"], type(line["exc_info"])) for line in logs] == [
        ("task.crashed", "test", ZeroDivisionError)
    ]
    assert done == ["work"]


async def test_a_group_is_finished_when_what_its_tasks_started_is_done_too() -> None:
    """The work of a task may begin more."""
    tasks = Tasks("test")
    done: list[str] = []

    async def second() -> None:
        done.append("second")

    async def first() -> None:
        await asyncio.sleep(0)
        tasks.start(second())

    tasks.start(first())
    await tasks.finish()

    assert (done, tasks.is_idle) == (["second"], True)


async def test_work_beside_a_body_has_ended_when_the_body_ends() -> None:
    """Not only been told to."""
    ended: list[str] = []
    async with beside(endless(ended)):
        await asyncio.sleep(0)

    assert ended == ["ended"]


async def test_of_works_side_by_side_the_first_failure_ends_the_others() -> None:
    """It is raised as it is, and nothing goes on behind it."""
    ended: list[str] = []
    with pytest.raises(ZeroDivisionError):
        await all_of([endless(ended), fail(), endless(ended)])

    assert ended == ["ended", "ended"]


async def test_works_side_by_side_give_their_results_in_order() -> None:
    """Whichever is done first."""
    gate = asyncio.Event()

    async def late() -> int:
        await gate.wait()
        return 1

    async def early() -> int:
        gate.set()
        return 2

    assert await all_of([late(), early()]) == [1, 2]
    assert await all_of([]) == []


async def test_a_deadline_that_is_set_ends_what_is_under_way_and_what_begins_later() -> None:
    """A second call does not move it."""
    deadline = Deadline()

    async def wait() -> str:
        try:
            async with deadline.limit():
                await asyncio.Event().wait()
        except TimeoutError:
            return "too late"
        return ""

    async with beside(wait()) as waiting:
        await asyncio.sleep(0)
        deadline.expire_in(0.0)
        deadline.expire_in(1000.0)
        async with asyncio.timeout(10):
            assert await waiting == "too late"
            assert await wait() == "too late"
