"""Requests for pictures that come again: who joins, who is replayed, who begins anew, who is told that it is lost."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from adapter.database.engine import Database
from adapter.domain.executions import (
    KEY_SECONDS,
    RETRY_SECONDS,
    ExecutionRecord,
    LivingProcess,
    PriorExecution,
    RequestIdentity,
    StoredAnswer,
)
from adapter.domain.media import Image
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Memory, Work
from adapter.domain.stored_files import is_a_part, is_ours, stem_of
from adapter.errors import (
    AdapterError,
    AnswerLost,
    InvalidRequest,
    OutcomeUnknown,
    OwnFault,
    StillRunning,
    StorageFailed,
    UpstreamBusy,
    UpstreamSilent,
)
from adapter.generation.execution import STAY_SECONDS, Execution, ImageBatch, InFlight, ResultHandle
from adapter.generation.pictures import Pictures
from adapter.jobs.requests import SqlRequestStore
from adapter.records.registry import SqlFileRegistry
from tests.fakes import FakeClock, made_image
from tests.generation.conftest import LEASE, PATIENCE, Studio, identity

DEAD = LivingProcess(process="dead", lease=LEASE)


class Maker:
    """Makes pictures, each of another size, when it is let to."""

    def __init__(self, *faults: AdapterError | None, ready: bool = True) -> None:
        self.calls = 0
        self.ready = asyncio.Event()
        self._faults = [*faults]
        if ready:
            self.ready.set()

    async def make_images(self, order: ImageOrder, work: Work) -> Sequence[Image]:
        assert work.owner
        self.calls += 1
        size = 16 + self.calls
        await self.ready.wait()
        if self._faults and (fault := self._faults.pop(0)):
            raise fault
        return [made_image(size, size) for _ in range(order.n)]


async def taken(handle: ResultHandle, *, delivered: bool = True) -> ImageBatch:
    """Take what a request is answered with, or be gone when it is there."""
    try:
        return await handle.batch()
    finally:
        handle.close(delivered=delivered)


async def asked(studio: Studio, pictures: Pictures, asks: RequestIdentity, *, delivered: bool = True) -> ImageBatch:
    """Ask and wait."""
    return await taken(await studio.open(pictures, asks), delivered=delivered)


async def test_equal_requests_side_by_side_get_pictures_of_their_own(studio: Studio) -> None:
    """Their connections are all alive: that is how programs ask for variations."""
    maker = Maker(ready=False)
    pictures = studio.pictures(maker)
    handles = [await studio.open(pictures, identity()) for _ in range(3)]
    maker.ready.set()
    batches = [await taken(handle) for handle in handles]

    assert maker.calls == 3
    assert len({batch.images[0].pixels.width for batch in batches}) == 3
    assert len({handle.execution_id for handle in handles}) == 3
    assert [handle.is_replay for handle in handles] == [False] * 3


@pytest.mark.parametrize("is_made", [False, True])
async def test_a_client_that_comes_back_joins_what_it_left(studio: Studio, *, is_made: bool) -> None:
    """Under way or made meanwhile; once, and the next one of the same words is a new wish."""
    maker = Maker(ready=is_made)
    pictures = studio.pictures(maker)
    left = await studio.open(pictures, identity())
    left.close(delivered=False)
    if is_made:
        await pictures.finish()
    back, third = await studio.open(pictures, identity()), await studio.open(pictures, identity())
    maker.ready.set()

    assert (await taken(back)).images[0].pixels.width == 17
    assert (await taken(third)).images[0].pixels.width == 18
    assert (maker.calls, back.execution_id == left.execution_id) == (2, True)
    await taken(await studio.open(pictures, identity()))
    assert maker.calls == 3
    await pictures.finish()


async def test_a_client_that_comes_back_finds_its_pictures_on_disk(studio: Studio) -> None:
    """When others took their place in memory; handed over, they are nobody's any more."""
    maker = Maker()
    pictures = studio.pictures(maker, recent_results_bytes=0)
    (await studio.open(pictures, identity())).close(delivered=False)
    await pictures.finish()

    assert (await asked(studio, pictures, identity())).images[0].pixels.width == 17
    await pictures.finish()
    assert (await asked(studio, pictures, identity())).images[0].pixels.width == 18
    assert maker.calls == 2


async def test_what_failed_is_not_what_a_client_comes_back_for(studio: Studio) -> None:
    """It gets another try."""
    maker = Maker(UpstreamSilent("no answer"), ready=False)
    pictures = studio.pictures(maker)
    (await studio.open(pictures, identity())).close(delivered=False)
    maker.ready.set()
    await pictures.finish()

    await asked(studio, pictures, identity())
    assert maker.calls == 2


async def test_the_retries_of_two_equal_requests_get_the_pictures_of_both(studio: Studio) -> None:
    """Both connections broke; neither picture is lost, and none is given twice."""
    maker = Maker(ready=False)
    pictures = studio.pictures(maker)
    both = [await studio.open(pictures, identity()) for _ in range(2)]
    for handle in both:
        handle.close(delivered=False)
    maker.ready.set()
    again = [await asked(studio, pictures, identity(count=1)) for _ in range(2)]
    await pictures.finish()

    assert {batch.images[0].pixels.width for batch in again} == {17, 18}
    assert maker.calls == 2


async def test_a_repetition_that_wants_links_gets_them_of_pictures_that_had_none(studio: Studio) -> None:
    """A setting changed between them, or the program that asks; bytes and links are of the same picture."""
    maker = Maker()
    pictures = studio.pictures(maker)
    first = await asked(studio, pictures, identity(key="k"))
    here = await taken(await studio.open(pictures, identity(key="k"), linked=True))
    elsewhere = await taken(await studio.open(studio.pictures(maker), identity(key="k"), linked=True))
    plain = await taken(await studio.open(studio.pictures(maker), identity(key="k")))

    assert (first.names, len(here.names), len(elsewhere.names), maker.calls) == ((), 1, 1, 1)
    assert {*here.names, *elsewhere.names} <= {*await studio.files()}
    assert first.images == here.images == elsewhere.images == plain.images


async def test_who_was_answered_and_asks_again_gets_new_pictures(studio: Studio) -> None:
    """And nothing of the first ones is written anywhere."""
    maker = Maker()
    pictures = studio.pictures(maker)
    first, second = [await asked(studio, pictures, identity()) for _ in range(2)]
    await pictures.finish()

    assert maker.calls == 2
    assert first != second
    assert await studio.files() == []
    assert await studio.requests.prune(now=1e12) == []


@pytest.mark.parametrize(
    "other",
    [
        identity("a wolf"),
        identity(owner="bob"),
        identity(key="k"),
        msgspec.structs.replace(identity(), route="/images/edits"),
    ],
)
async def test_another_request_is_another_one(studio: Studio, other: RequestIdentity) -> None:
    """Of another content, owner or route; a key stands for itself."""
    maker = Maker(ready=False)
    pictures = studio.pictures(maker)
    first = await studio.open(pictures, identity())
    second = await studio.open(pictures, other)
    maker.ready.set()
    await taken(first)
    await taken(second)

    assert maker.calls == 2


@pytest.mark.parametrize("delivered", [True, False])
async def test_a_retry_gets_what_its_first_attempt_had_made(studio: Studio, *, delivered: bool) -> None:
    """Whether the connection broke before the answer, or in it."""
    maker = Maker()
    pictures = studio.pictures(maker)
    first = await asked(studio, pictures, identity(), delivered=delivered)
    handle = await studio.open(pictures, identity(count=1))
    again = await taken(handle)
    await pictures.finish()

    assert maker.calls == 1
    assert again.images == first.images
    assert handle.is_replay


async def test_a_retry_is_as_good_as_any_first_attempt(studio: Studio) -> None:
    """If nobody knows of an earlier one."""
    maker = Maker()
    await asked(studio, studio.pictures(maker), identity(count=2))

    assert maker.calls == 1


async def test_a_retry_finds_what_nobody_took_in_another_process(studio: Studio) -> None:
    """On disk, under names that the janitor knows, until a quarter of an hour has passed."""
    maker = Maker()
    first = studio.pictures(maker)
    left = await studio.open(first, identity())
    left.close(delivered=False)
    await first.finish()
    handle = await studio.open(studio.pictures(maker), identity(count=1))
    again = await taken(handle)

    assert maker.calls == 1
    assert [image.pixels.width for image in again.images] == [17]
    assert (handle.execution_id, handle.began_at, handle.is_replay) == (left.execution_id, left.began_at, True)
    [name] = await studio.files()
    assert is_ours(name)

    await studio.clock.advance(RETRY_SECONDS)
    await asked(studio, studio.pictures(maker), identity(count=1))
    assert maker.calls == 2


async def test_old_pictures_that_nobody_asked_for_again_are_deleted(studio: Studio) -> None:
    """Nobody has a link to them."""
    pictures = studio.pictures(Maker())
    (await studio.open(pictures, identity())).close(delivered=False)
    await pictures.finish()
    assert len(await studio.files()) == 1

    await studio.clock.advance(RETRY_SECONDS)
    await pictures.tend()
    assert await studio.files() == []


async def test_old_pictures_that_are_linked_are_not_deleted(studio: Studio) -> None:
    """Their links are the client's."""
    pictures = studio.pictures(Maker())
    await taken(await studio.open(pictures, identity(key="k"), linked=True))
    await studio.clock.advance(KEY_SECONDS)
    await pictures.tend()

    assert len(await studio.files()) == 1


async def test_the_same_key_gets_the_same_pictures_for_a_day(studio: Studio) -> None:
    """In any process, delivered or not."""
    maker = Maker()
    first = await asked(studio, studio.pictures(maker), identity(key="k"))
    await studio.clock.advance(KEY_SECONDS - 1)
    handle = await studio.open(studio.pictures(maker), identity(key="k"))
    again = await taken(handle)

    assert maker.calls == 1
    assert (again, handle.is_replay) == (first, True)

    await studio.clock.advance(1)
    await asked(studio, studio.pictures(maker), identity(key="k"))
    assert maker.calls == 2


async def test_linked_pictures_keep_their_links(studio: Studio) -> None:
    """A replay stores nothing again."""
    maker = Maker()
    links = [
        (await taken(await studio.open(studio.pictures(maker), identity(key="k"), linked=True))).names for _ in "ab"
    ]

    assert links[0] == links[1]
    assert sorted(links[0]) == await studio.files()


@pytest.mark.parametrize("same_process", [True, False])
async def test_a_key_that_stood_for_something_else_is_refused(studio: Studio, *, same_process: bool) -> None:
    """Nothing is made for it."""
    maker = Maker()
    pictures = studio.pictures(maker)
    await asked(studio, pictures, identity(key="k"))

    with pytest.raises(InvalidRequest) as caught:
        await studio.open(pictures if same_process else studio.pictures(maker), identity("a wolf", key="k"))
    assert (caught.value.code, caught.value.should_retry, maker.calls) == ("idempotency_key_reused", False, 1)


async def test_a_hundred_requests_with_one_key_in_two_processes_are_one(studio: Studio) -> None:
    """One makes, the others wait: here for its task, elsewhere by looking again."""
    maker = Maker(ready=False)
    both = [studio.pictures(maker), studio.pictures(maker)]
    opening = [asyncio.create_task(asked(studio, both[number % 2], identity(key="k"))) for number in range(100)]
    await called(maker)
    maker.ready.set()
    while not all(task.done() for task in opening):
        await asyncio.sleep(0.001)
        await studio.clock.advance(0.01)

    batches = [await task for task in opening]
    assert maker.calls == 1
    assert all(batch.images == batches[0].images for batch in batches)


async def called(maker: Maker) -> None:
    """Wait until the maker is asked."""
    async with asyncio.timeout(10):
        while not maker.calls:
            await asyncio.sleep(0.001)


async def passing(clock: FakeClock, work: "asyncio.Task[object]", step: float = 0.5) -> None:
    """Let time pass until something is done."""
    async with asyncio.timeout(10):
        while not work.done():
            await clock.advance(step)
            await asyncio.sleep(0.001)


async def elsewhere(studio: Studio, maker: Maker, asks: RequestIdentity) -> ImageBatch:
    """Ask in another process, which has to answer without waiting for this one."""
    asking = asyncio.create_task(asked(studio, studio.pictures(maker), asks))
    async with asyncio.timeout(10):
        while not (asking.done() or studio.clock.alarms):
            await asyncio.sleep(0.001)
    waits = not asking.done()
    await passing(studio.clock, asking, step=10.0)
    assert not waits
    return await asking


async def test_another_process_is_not_waited_for_for_ever(studio: Studio, clock: FakeClock) -> None:
    """It is alive, and takes too long: 409, to be asked again."""
    maker = Maker(ready=False)
    first = studio.pictures(maker)
    handle = await studio.open(first, identity(key="k"))
    timeouts = msgspec.structs.replace(PATIENCE, elsewhere=5.0)
    waiting = asyncio.create_task(studio.open(studio.pictures(maker, timeouts), identity(key="k")))
    await passing(clock, waiting)

    with pytest.raises(StillRunning) as caught:
        await waiting
    assert (caught.value.status, caught.value.should_retry, caught.value.retry_after) == (409, True, 5.0)
    maker.ready.set()
    await taken(handle)
    assert maker.calls == 1


async def test_what_takes_long_is_written_down_and_kept_as_long_as_it_lives(studio: Studio, clock: FakeClock) -> None:
    """A retry that lands in another process waits for it, minutes if need be."""
    maker = Maker(ready=False)
    first, second = studio.pictures(maker), studio.pictures(maker)
    handle = await studio.open(first, identity())
    await clock.advance(PATIENCE.unwritten)
    await first.tend()
    waiting = asyncio.create_task(studio.open(second, identity(count=1)))
    for _ in range(12):
        await clock.advance(LEASE / 2)
        await studio.beat()
        await asyncio.sleep(0.01)
    handle.close(delivered=False)
    maker.ready.set()
    await first.finish()
    await passing(clock, waiting)

    assert (await taken(await waiting)).images[0].pixels.width == 17
    assert maker.calls == 1


async def test_a_key_whose_holder_died_is_not_blocked_and_not_paid_twice(studio: Studio, clock: FakeClock) -> None:
    """An error says that it may be paid for; a first attempt without a key begins anew."""
    held = Execution(identity(key="k"), clock.now())
    retried = Execution(identity(), clock.now())
    for one in (held, retried):
        await studio.requests.begin(one.record, now=clock.now(), holder=DEAD)
    maker = Maker()
    for asks in (identity(key="k"), identity(count=1)):
        waiting = asyncio.create_task(studio.open(studio.pictures(maker), asks))
        await passing(clock, waiting)
        with pytest.raises(OutcomeUnknown) as caught:
            await waiting
        assert (caught.value.code, caught.value.should_retry) == ("outcome_unknown", False)
    assert maker.calls == 0

    await asked(studio, studio.pictures(maker), identity())
    assert maker.calls == 1


async def test_an_end_that_the_database_does_not_take_is_written_later(
    memory: Memory, database: Database, clock: FakeClock
) -> None:
    """Its process lives, so others would take the execution for running: the answer, or that it cost nothing."""
    requests, maker = AwayRequests(database), Maker(None, UpstreamBusy("later"))
    studio = Studio(memory, requests, clock)
    pictures = studio.pictures(maker)
    requests.is_away = True
    made = await asked(studio, pictures, identity(key="k"))
    with pytest.raises(UpstreamBusy):
        await asked(studio, pictures, identity(key="l"))
    requests.is_away = False
    await clock.advance(LEASE / 2)
    await studio.beat()
    await pictures.tend()

    assert (await elsewhere(studio, maker, identity(key="k"))).images == made.images
    await elsewhere(studio, maker, identity(key="l"))
    assert maker.calls == 3


async def test_a_mistake_of_ours_is_the_unknown_end_of_a_key(studio: Studio) -> None:
    """At once, although its process lives: the pictures may be paid for."""
    maker = Mistaken()
    with pytest.raises(OwnFault):
        await asked(studio, studio.pictures(maker), identity(key="k"))
    await studio.close()

    with pytest.raises(AdapterError) as caught:
        await elsewhere(studio, maker, identity(key="k"))
    assert (caught.value.code, caught.value.should_retry, maker.calls) == ("outcome_unknown", False, 1)


async def test_what_ends_while_it_is_written_down_is_ended_in_the_database_too(
    memory: Memory, database: Database, clock: FakeClock
) -> None:
    """Else it would run for other processes as long as this one lives."""
    requests, maker = SlowRequests(database), Maker(UpstreamBusy("later"), ready=False)
    studio = Studio(memory, requests, clock)
    pictures = studio.pictures(maker)
    handle = await studio.open(pictures, identity())
    await clock.advance(PATIENCE.unwritten)
    requests.ready.clear()
    tending = asyncio.create_task(pictures.tend())
    await asyncio.sleep(0)
    maker.ready.set()
    failing = asyncio.create_task(taken(handle))
    for _ in range(10):
        await asyncio.sleep(0)
    requests.ready.set()
    await tending
    with pytest.raises(UpstreamBusy):
        await failing
    await pictures.finish()

    await elsewhere(studio, maker, identity(count=1))
    assert maker.calls == 2


async def test_a_process_says_that_it_is_alive_while_others_know_of_its_pictures(
    memory: Memory, database: Database, clock: FakeClock
) -> None:
    """Not before, and not after: an idle process writes nothing."""
    requests, maker = CountedRequests(database), Maker(ready=False)
    studio = Studio(memory, requests, clock)
    pictures = studio.pictures(maker)
    handle = await studio.open(pictures, identity())
    renewals = []
    for _ in range(3):
        await studio.beat()
        renewals.append(requests.renewals)
        await clock.advance(PATIENCE.unwritten)
        await pictures.tend()
    maker.ready.set()
    await taken(handle)
    await pictures.finish()
    await studio.beat()

    assert [*renewals, requests.renewals] == [0, 1, 2, 2]


async def test_a_failure_that_cost_nothing_is_forgotten(studio: Studio) -> None:
    """The next attempt is a new one, of the same key too."""
    maker = Maker(UpstreamBusy("later"), UpstreamBusy("later"))
    for asks in (identity(key="k"), identity(count=1)):
        pictures = studio.pictures(maker)
        with pytest.raises(UpstreamBusy):
            await asked(studio, pictures, asks)
    for asks in (identity(key="k"), identity(count=1)):
        await asked(studio, studio.pictures(maker), asks)

    assert maker.calls == 4


@pytest.mark.parametrize("same_process", [True, False])
async def test_a_failure_that_may_have_cost_something_is_replayed(studio: Studio, *, same_process: bool) -> None:
    """For the key; and the SDK is told to stop."""
    maker = Maker(UpstreamSilent("no answer"))
    pictures = studio.pictures(maker)
    with pytest.raises(UpstreamSilent):
        await asked(studio, pictures, identity(key="k"))
    await pictures.finish()
    with pytest.raises(AdapterError) as caught:
        await asked(studio, pictures if same_process else studio.pictures(maker), identity(key="k"))

    assert maker.calls == 1
    assert (caught.value.status, caught.value.code, caught.value.should_retry) == (504, "upstream_timeout", False)
    assert caught.value.headers == {"idempotent-replayed": "true"}


async def test_the_retry_of_what_was_answered_and_is_gone_makes_nothing(studio: Studio) -> None:
    """Too many others were answered since; a deleted file is as good as that."""
    maker = Maker()
    pictures = studio.pictures(maker, recent_results_bytes=0)
    await asked(studio, pictures, identity())

    with pytest.raises(AnswerLost) as caught:
        await studio.open(pictures, identity(count=1))
    assert (caught.value.should_retry, maker.calls) == (False, 1)

    await asked(studio, pictures, identity(key="k"))
    await studio.memory.media.delete(await studio.files())
    with pytest.raises(AdapterError) as caught_too:
        await asked(studio, studio.pictures(maker), identity(key="k"))
    assert (caught_too.value.code, caught_too.value.should_retry, maker.calls) == ("answer_lost", False, 2)


async def test_pictures_of_the_past_have_a_place_of_so_many_bytes() -> None:
    """The oldest go first, once they have been there for a while; that they were there is known on."""
    size = Execution(identity(), 0.0)
    size.batch = ImageBatch([made_image()])
    in_flight = InFlight(2 * size.size)
    late = 1.0 + STAY_SECONDS
    for number, at in enumerate((1.0, 1.0, 1.5, late)):
        one = Execution(identity(str(number)), 0.0)
        in_flight.add(one)
        one.batch, one.answered = ImageBatch([made_image()]), True
        in_flight.settle(one, at)

    for number in (0, 2):  # the oldest, and the one that came while all were young
        with pytest.raises(AnswerLost):
            in_flight.find(identity(str(number), count=1), late)
        assert in_flight.find(identity(str(number), count=1), late + RETRY_SECONDS) is None
    for number in (1, 3):
        assert in_flight.find(identity(str(number), count=1), late) is not None
        assert in_flight.find(identity(str(number), count=1), late + RETRY_SECONDS) is None
        assert in_flight.find(identity(str(number)), late) is None


async def test_pictures_that_nobody_took_are_found_on_disk_when_their_place_in_memory_is_taken(studio: Studio) -> None:
    """Lost is only what was handed over."""
    maker = Maker()
    pictures = studio.pictures(maker, recent_results_bytes=0)
    (await studio.open(pictures, identity())).close(delivered=False)
    await pictures.finish()

    assert (await asked(studio, pictures, identity(count=1))).images[0].pixels.width == 17
    assert (await asked(studio, pictures, identity(count=2))).images[0].pixels.width == 17
    assert maker.calls == 1


class Mistaken(Maker):
    """Breaks by a mistake of ours."""

    async def make_images(self, order: ImageOrder, work: Work) -> Sequence[Image]:
        await super().make_images(order, work)
        raise ZeroDivisionError


class AwayRequests(SqlRequestStore):
    """A database that takes the beginning of an execution, and not its end."""

    is_away = False

    async def finish(self, record: ExecutionRecord, answer: StoredAnswer | None, *, answered_at: float | None) -> bool:
        if self.is_away:
            raise StorageFailed("away")
        return await super().finish(record, answer, answered_at=answered_at)

    async def forget(self, record: ExecutionRecord) -> None:
        if self.is_away:
            raise StorageFailed("away")
        await super().forget(record)


class CountedRequests(SqlRequestStore):
    """A database that counts how often a process says that it is alive."""

    renewals = 0

    async def keep_alive(self, process: LivingProcess, *, now: float) -> None:
        self.renewals += 1
        await super().keep_alive(process, now=now)


class SlowRequests(SqlRequestStore):
    """A memory that takes its time to look back."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.ready = asyncio.Event()
        self.ready.set()

    async def begin(self, record: ExecutionRecord, *, now: float, holder: LivingProcess) -> PriorExecution | None:
        await self.ready.wait()
        return await super().begin(record, now=now, holder=holder)

    async def register(self, record: ExecutionRecord, *, now: float, holder: LivingProcess) -> None:
        await self.ready.wait()
        await super().register(record, now=now, holder=holder)


async def test_a_client_that_comes_back_is_written_down_once_by_a_slow_memory(
    memory: Memory, database: Database, clock: FakeClock
) -> None:
    """Its pictures are found, and no execution is left behind that looks as if its process had died."""
    requests, maker = SlowRequests(database), Maker()
    studio = Studio(memory, requests, clock)
    pictures = studio.pictures(maker, recent_results_bytes=0)
    (await studio.open(pictures, identity())).close(delivered=False)
    await pictures.finish()
    requests.ready.clear()
    back = asyncio.create_task(studio.open(pictures, identity()))
    await asyncio.sleep(0)
    await clock.advance(PATIENCE.unwritten)
    await pictures.tend()
    requests.ready.set()
    await taken(await back)
    await pictures.finish()
    await clock.advance(2 * LEASE)

    again = await asked(studio, studio.pictures(maker), identity(count=1))
    assert again.images[0].pixels.width == 17
    assert maker.calls == 1


async def test_the_retry_of_what_was_refused_does_not_get_the_pictures_of_another(studio: Studio) -> None:
    """Of equal requests side by side one was refused. Its retry is a wish of its own, and the next one is not."""
    maker = Maker(UpstreamBusy("too many"))
    pictures = studio.pictures(maker)
    with pytest.raises(UpstreamBusy):
        await asked(studio, pictures, identity())
    maker.ready.clear()
    other = await studio.open(pictures, identity())
    await pass_time_to_be_written(studio, pictures)
    again = await studio.open(pictures, identity(count=1))
    once_more = await studio.open(pictures, identity(count=2))
    maker.ready.set()

    assert len({(await taken(handle)).images[0].pixels.width for handle in (other, again)}) == 2
    assert (await taken(once_more)).images[0].pixels.width == 19
    assert maker.calls == 3


async def pass_time_to_be_written(studio: Studio, pictures: Pictures) -> None:
    """Let the database know of what is under way."""
    await studio.clock.advance(PATIENCE.unwritten)
    await pictures.tend()


async def test_the_retry_of_what_was_refused_takes_what_another_left(studio: Studio) -> None:
    """It may be paid for. Two wishes have two executions, whoever gets which."""
    maker = Maker(UpstreamBusy("too many"))
    pictures = studio.pictures(maker)
    with pytest.raises(UpstreamBusy):
        await asked(studio, pictures, identity())
    (await studio.open(pictures, identity())).close(delivered=False)
    await pictures.finish()
    both = [await asked(studio, pictures, identity(count=1)) for _ in range(2)]

    assert {batch.images[0].pixels.width for batch in both} == {18, 19}
    assert maker.calls == 3


async def test_a_picture_that_is_kept_for_repetitions_belongs_to_its_execution(
    studio: Studio, database: Database
) -> None:
    """Its name says so. A picture behind a link has no such name, and stays without a row."""
    await asked(studio, studio.pictures(Maker()), identity(key="k"))
    [kept] = await studio.files()
    await taken(await studio.open(studio.pictures(Maker()), identity(key="other"), linked=True))
    [link] = {*await studio.files()} - {kept}
    stems = {stem_of(kept), stem_of(link)}

    assert (is_a_part(kept), is_a_part(link)) == (True, False)
    assert {*(await SqlFileRegistry(database).ownership(stems)).owned} == {stem_of(kept)}
