"""Pictures that are made while their requests wait. A retried request joins the execution of its first attempt."""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from adapter.domain import memory_estimate
from adapter.domain.allowance import Charge
from adapter.domain.executions import RequestIdentity
from adapter.domain.finished_work import failed_work, finished_pictures
from adapter.domain.media import Image
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Clock, ImageMakers, JobFeed, Quotas, Reservation, Work
from adapter.domain.prices import priced, total_cost
from adapter.domain.quotas import NoQuotas
from adapter.domain.spending import Spending
from adapter.domain.telemetry import COMPLETED, Telemetry, labels_of
from adapter.errors import AdapterError, Draining, OutcomeUnknown, OwnFault, StorageFailed, already_paid
from adapter.generation.execution import Execution, ImageBatch, InFlight, ResultHandle
from adapter.generation.prior_executions import PriorExecutions
from adapter.generation.timeouts import Timeouts
from adapter.tasks import Deadline, Tasks

log = structlog.get_logger()

#: Between two rounds of `tend`, in seconds.
ROUND_SECONDS = 1.0


class Pictures:
    """Makes pictures. Stores those that are delivered as links, and those that no client received."""

    def __init__(  # noqa: PLR0913 - each is a port
        self,
        image_makers: ImageMakers,
        repeats: PriorExecutions,
        feed: JobFeed,
        clock: Clock,
        timeouts: Timeouts,
        *,
        telemetry: Telemetry | None = None,
        quotas: Quotas | None = None,
    ) -> None:
        self._quotas = quotas or NoQuotas()
        self._telemetry = telemetry or Telemetry()
        self._image_makers = image_makers
        self._repeats = repeats
        self._feed = feed
        self._clock = clock
        self._timeouts = timeouts
        self._in_flight = InFlight(timeouts.recent_results_bytes)
        self._tasks = Tasks("pictures")
        self._last_while = Deadline()

    def join(
        self, order: ImageOrder, identity: RequestIdentity, reservation: Reservation, *, linked: bool
    ) -> ResultHandle:
        """Have pictures made, or join an earlier request for them. The caller closes what it gets.

        `linked` ones are stored. Once begun the work goes on with its reservation, whether a connection waits for it or
        not. Pictures that no client took are kept for the client that comes back.

        Raises:
            InvalidRequest: the key of the request stood for another one.
            AnswerLost: as `InFlight.find`.
            Draining: the process is shutting down, and they were not begun.
        """
        self._feed.check_open()
        now = self._clock.now()
        one = self._in_flight.find(identity, now)
        if one is None or one.is_refused:
            one = self._new(identity, now, refused=one)
            one.hold(reservation)
            self._tasks.start(self._carry_out(one, order, reservation, linked=linked))
        return ResultHandle(one, self._leave, self._wait, link=self._link if linked else None)

    def _new(self, identity: RequestIdentity, now: float, *, refused: Execution | None) -> Execution:
        one = Execution(identity, now)
        one.looks_back = self._in_flight.may_be_on_disk(identity, now)
        if refused is not None:
            self._in_flight.remove(refused)
            # Nothing was executed for what it repeats. Only a key may have come to another process meanwhile.
            one.looks_back = identity.has_key
        self._in_flight.add(one)
        return one

    async def _carry_out(self, one: Execution, order: ImageOrder, reservation: Reservation, *, linked: bool) -> None:
        try:
            if one.looks_back:
                one.prior = await self._repeats.begin(one)
            one.is_own = one.prior is None
            one.identified.set()
            await reservation.wait_for_more(memory_estimate.of_order(order))
            if one.prior is None:
                await self._take(one, order)
            one.opened.set()
            one.batch = await self._result(one, order, reservation, linked=linked)
        except AdapterError as fault:
            one.fault = fault.copy()  # it is kept for retries, and its frames hold the order's pictures
            if not (fault.spent or one.is_refused):
                self._in_flight.remove(one)
            if one.prior is None:
                await self._give(one, None if fault.spent else one.charge and one.charge.given_back)
                await self._repeats.fail(one, fault)
        finally:
            if one.batch is None and one.fault is None:  # a mistake of ours, which the task's end writes down
                one.fault = OwnFault("The pictures could not be made.")
                self._in_flight.remove(one)
                if one.prior is None:  # else it would run for other processes as long as this one lives
                    unknown = OutcomeUnknown("The server failed while it made the pictures. They may be paid for.")
                    self._tasks.start(self._repeats.fail(one, unknown))
            one.identified.set()
            one.opened.set()
            one.over.set()
            self._settle(one)

    async def _take(self, one: Execution, order: ImageOrder) -> None:
        """Take what the pictures need of the limits of their key. Nothing waits for it where there are none."""
        allowance = one.identity.allowance
        if allowance.is_limited:
            spending = order.spending(one.identity.owner, one.identity.key, self._clock.now())
            one.charge = await self._quotas.take(spending, allowance)

    async def _give(self, one: Execution, excess: Charge | None) -> None:
        """Give back what was taken too much. If that fails, the key has a little less until its limit is reset."""
        if excess is None:
            return
        try:
            await self._quotas.give(excess)
        except StorageFailed as fault:
            log.warning("access.not_given_back", key=excess.key, code=fault.code)
        one.charge = None

    async def _result(self, one: Execution, order: ImageOrder, reservation: Reservation, *, linked: bool) -> ImageBatch:
        if one.prior:
            return await self._repeats.answer(one.prior)
        self._feed.check_open()
        spending = order.spending(one.identity.owner, one.identity.key, self._clock.now())
        await self._telemetry.usage.record(spending)
        work = Work(one.identity.owner, reservation, lambda: one.is_waited_for)
        batch = ImageBatch(await self._measured(order, work, spending))
        if one.charge is not None:
            await self._give(one, one.charge.excess(total_cost(batch.images)))
        if linked:
            batch = await self._stored(one, batch)
        if one.unstored:
            await self._repeats.hand_over(one)
        elif one.identity.has_key:
            await self._repeats.remember(one, batch, linked=linked)
        return batch

    async def _stored(self, one: Execution, batch: ImageBatch) -> ImageBatch:
        """Return pictures with their links. If they cannot be stored, they stay in memory for a repetition."""
        try:
            return ImageBatch(batch.images, await self._repeats.keep(batch.images))
        except StorageFailed:
            one.unstored = _unstored()
            return batch

    async def _link(self, one: Execution) -> None:
        """Store pictures that have no links yet. A stream is silent meanwhile, so it is tried once."""
        async with one.alone:
            if one.batch is None or one.batch.names:
                return
            try:
                one.batch = ImageBatch(one.batch.images, await self._repeats.keep_now(one.batch.images))
            except StorageFailed as fault:
                raise _unstored() from fault
            was_unstored, one.unstored = one.unstored is not None, None
        if was_unstored and one.identity.has_key:
            await self._repeats.remember(one, one.batch, linked=True)

    async def _measured(self, order: ImageOrder, work: Work, spending: Spending) -> Sequence[Image]:
        """Make pictures, and measure how long it took and how it ended."""
        began, outcome = self._clock.now(), "crashed"
        ended = failed_work(spending, began, may_be_paid=True, source=order.origin)
        try:
            made = await self._make(order, work)
        except AdapterError as fault:
            outcome = fault.code or fault.type
            ended = failed_work(spending, began, may_be_paid=fault.spent, source=order.origin)
            raise
        else:
            outcome = COMPLETED
            images = priced(made, order.quotes, began)
            ended = finished_pictures(spending, began, images, source=order.origin)
            cost, seconds = ended.cost, round(self._clock.now() - began, 3)
            log.info("pictures.finished", model=order.model, n=order.n, cost=cost and str(cost), seconds=seconds)
            return images
        finally:
            now = self._clock.now()
            self._telemetry.metrics.observe("execution_seconds", now - began, labels_of(spending, outcome))
            await self._telemetry.usage.finished(msgspec.structs.replace(ended, at=now))

    async def _make(self, order: ImageOrder, work: Work) -> Sequence[Image]:
        try:
            async with self._last_while.limit():
                return await self._image_makers.image_makers[order.provider].make_images(order, work)
        except TimeoutError as error:
            with already_paid():
                raise Draining("The server is shutting down and could not wait for the pictures.") from error

    async def _wait(self, event: asyncio.Event) -> bool:
        return await self._clock.wait(event, self._timeouts.heartbeat)

    def _leave(self, one: Execution) -> None:
        if not one.over.is_set():
            return
        self._settle(one)
        if one.answered and (one.kept or one.prior) and not one.noted:
            one.noted = True
            self._tasks.start(self._repeats.note_answer(one))

    def _settle(self, one: Execution) -> None:
        """Decide what becomes of the pictures, once they are made and all readers have left."""
        if one.connections or one.settled_at is not None:
            return
        one.kept = not one.answered
        self._in_flight.settle(one, self._clock.now())
        if one.batch is None or one.prior or (one.identity.has_key and not one.unstored):
            one.let_go()
        elif not one.kept:
            one.let_go()
            if one.written or one.alone.locked():  # it may be just being written down
                self._tasks.start(self._repeats.hand_over(one))
        else:
            self._tasks.start(self._keep_for_later(one, one.batch))

    async def _keep_for_later(self, one: Execution, batch: ImageBatch) -> None:
        try:
            await self._repeats.remember(one, batch, linked=bool(batch.names))
        finally:
            one.let_go()

    def drain(self) -> None:
        """Limit the time of the running pictures. They are paid for, so they get some."""
        self._repeats.close()
        self._last_while.expire_in(self._timeouts.drain_seconds)

    async def finish(self) -> None:
        """Wait for pictures that no connection waits for any more, and for what is being stored."""
        self.drain()
        await self._tasks.finish()

    async def run(self) -> None:
        """Keep the database up to date, until cancelled."""
        while True:
            await self._clock.sleep(ROUND_SECONDS)
            await self.tend()

    async def tend(self) -> None:
        """Do it once."""
        try:
            await self._repeats.tend(self._in_flight.under_way)
        except StorageFailed as fault:
            log.warning("requests.round_failed", code=fault.code)


def _unstored() -> StorageFailed:
    fault = StorageFailed(
        "The pictures were made and are paid for, but the server cannot store them at the moment. "
        "The same request gets them if it is sent again within some minutes."
    )
    fault.should_retry, fault.spent = False, True
    return fault
