"""Turns of answers: a few at once, until they have gone out."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from adapter.budget import MemoryBudget
from adapter.domain.answer_memory import counted
from adapter.providers.turns import Turns
from tests.fakes import FakeClock

#: Longer than any test.
LONG = 1000.0
SOON = 0.01


class Client:
    """A request: reads an answer in turn, and has it until the answer has gone out."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.stack = AsyncExitStack()
        self.is_reading = asyncio.Event()
        self.may_end = asyncio.Event()

    async def read(self, answers: int = 1) -> None:
        """Read."""
        budget = MemoryBudget(FakeClock(), capacity=1, wait_seconds=LONG)
        reservation = await self.stack.enter_async_context(budget.reserve(0))
        with counted(reservation, 0, is_single=answers == 1):
            for _ in range(answers):
                async with self.turns.turn():
                    self.is_reading.set()
                    await self.may_end.wait()

    async def send(self) -> None:
        """Let the answer have gone out."""
        await self.stack.aclose()


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_turn_ends_when_the_answer_has_gone_out() -> None:
    """Not when it was read: it would be in memory beside those that are read then."""
    turns = Turns(1, LONG)
    first, second = Client(turns), Client(turns)
    second.may_end.set()
    first.may_end.set()
    await first.read()
    waiting = asyncio.ensure_future(second.read())
    await settle()
    assert not second.is_reading.is_set()

    await first.send()
    await waiting
    assert second.is_reading.is_set()


async def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    """The first answer of a burst is the first that goes out."""
    turns = Turns(1, LONG)
    clients = [Client(turns) for _ in range(4)]
    reading = [asyncio.ensure_future(client.read()) for client in clients]
    began = []
    for number, client in enumerate(clients):
        await settle()
        began += [number] if [one.is_reading.is_set() for one in clients].count(True) == number + 1 else []
        client.may_end.set()
        await settle()
        await client.send()
    await asyncio.gather(*reading)

    assert began == [0, 1, 2, 3]


async def test_a_slow_reader_holds_up_no_other_for_long() -> None:
    """Its turn ends while its answer is still going out."""
    turns = Turns(1, SOON)
    slow, other = Client(turns), Client(turns)
    slow.may_end.set()
    other.may_end.set()
    await slow.read()

    async with asyncio.timeout(5):
        await other.read()
    assert other.is_reading.is_set()


async def test_answers_that_come_slowly_keep_no_other_waiting_for_a_turn() -> None:
    """Those that wait begin beside them."""
    turns = Turns(1, SOON)
    slow, others = Client(turns), [Client(turns) for _ in range(3)]
    reading = asyncio.ensure_future(slow.read())
    await settle()
    for other in others:
        other.may_end.set()

    async with asyncio.timeout(5):
        await asyncio.gather(*(other.read() for other in others))
    slow.may_end.set()
    await reading


async def test_many_answers_of_one_request_do_not_wait_for_each_other() -> None:
    """They go out together. One after the other is read, and none has gone out."""
    client = Client(Turns(1, LONG))
    client.may_end.set()

    async with asyncio.timeout(5):
        await client.read(answers=3)


@pytest.mark.parametrize("is_granted", [False, True])
async def test_who_no_longer_waits_leaves_its_turn_to_the_next(*, is_granted: bool) -> None:
    """Also when it had just been given it."""
    turns = Turns(1, LONG)
    first, cancelled, last = Client(turns), Client(turns), Client(turns)
    for client in (first, cancelled, last):
        client.may_end.set()
    await first.read()
    leaving = asyncio.ensure_future(cancelled.read())
    await settle()
    waiting = asyncio.ensure_future(last.read())
    await settle()
    if is_granted:
        await first.send()
        leaving.cancel()
    else:
        leaving.cancel()
        await settle()
        await first.send()

    async with asyncio.timeout(5):
        await waiting
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_a_read_that_fails_ends_its_turn() -> None:
    """The connection broke, for example."""
    turns = Turns(1, LONG)
    failing, other = Client(turns), Client(turns)
    other.may_end.set()
    reading = asyncio.ensure_future(failing.read())
    await settle()
    reading.cancel()

    async with asyncio.timeout(5):
        await other.read()
