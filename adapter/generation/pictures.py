"""Pictures, which are made while their requests wait: once, whoever hangs up and whoever asks again."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import ExitStack, asynccontextmanager

import structlog

from adapter.domain import weight
from adapter.domain.media import Image
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Clock, JobFeed, Room, Workshop
from adapter.domain.repeats import Asking
from adapter.errors import AdapterError, Draining, OwnFault, StorageFailed, already_paid
from adapter.generation.patience import Patience
from adapter.generation.repeats import Repeats
from adapter.generation.undertaking import Album, Undertaking, Undertakings, Viewing

log = structlog.get_logger()

#: Between two rounds of what has to be done beside requests.
ROUND_SECONDS = 1.0


class Pictures:
    """Makes pictures and keeps those that are handed out as links, or that nobody was there to take."""

    def __init__(self, workshop: Workshop, repeats: Repeats, feed: JobFeed, clock: Clock, patience: Patience) -> None:
        self._workshop = workshop
        self._repeats = repeats
        self._feed = feed
        self._clock = clock
        self._patience = patience
        self._undertakings = Undertakings(patience.afterglow)
        self._tasks: set[asyncio.Task[None]] = set()
        #: The time limits of the pictures under way; none until the process is told to stop.
        self._limits: set[asyncio.Timeout] = set()

    async def open(self, order: ImageOrder, asking: Asking, room: Room, *, linked: bool) -> Viewing:
        """Have pictures made, or join who is at it; `linked` ones are stored. The caller closes what it gets.

        The work belongs to nobody's connection: once begun it goes on, in the room that it takes, and what nobody was
        there to take is kept for who asks again.

        Raises:
            InvalidRequest: the key of the request stood for another one.
            StillRunning, OutcomeUnknown, AnswerLost: as `Repeats.begin` and `Undertakings.find`.
            ServerBusy: there is no room for it.
            Draining: the process is shutting down, and they were not begun.
        """
        self._feed.check_open()
        one = self._undertakings.find(asking, self._clock.now())
        if one is None:
            one = Undertaking(asking, self._clock.now())
            self._undertakings.add(one)
            one.holding.enter_context(room.keep())
            self._start(self._carry_out(one, order, room, linked=linked))
        viewing = Viewing(one, self._leave, self._wait)
        with ExitStack() as unless_opened:
            unless_opened.callback(viewing.close, delivered=False)
            await viewing.opened()
            unless_opened.pop_all()
        return viewing

    async def _carry_out(self, one: Undertaking, order: ImageOrder, room: Room, *, linked: bool) -> None:
        try:
            await room.wait_for_more(weight.of_order(order))
            if one.asking.is_repetition:
                one.known = await self._repeats.begin(one)
            one.opened.set()
            one.album = await self._result(one, order, linked=linked)
        except AdapterError as fault:
            one.fault = fault.copy()  # it is kept for retries, and its frames hold the order's pictures
            if not fault.spent:
                self._undertakings.remove(one)
            if one.known is None:
                await self._repeats.fail(one, fault)
        finally:
            if one.album is None and one.fault is None:  # a mistake of ours, which the task's end writes down
                one.fault = OwnFault("The pictures could not be made.")
                self._undertakings.remove(one)
            one.opened.set()
            one.over.set()
            self._settle(one)

    async def _result(self, one: Undertaking, order: ImageOrder, *, linked: bool) -> Album:
        if one.known:
            return await self._repeats.answer(one.known)
        self._feed.check_open()
        album = Album(await self._make(order))
        if linked:
            with already_paid():
                album = Album(album.images, await self._repeats.keep(album.images))
        if one.asking.has_key:
            await self._repeats.remember(one, album, linked=linked)
        return album

    async def _make(self, order: ImageOrder) -> Sequence[Image]:
        try:
            async with self._until_the_end():
                return await self._workshop.image_makers[order.provider].make_images(order)
        except TimeoutError as error:
            with already_paid():
                raise Draining("The server is shutting down and could not wait for the pictures.") from error

    @asynccontextmanager
    async def _until_the_end(self) -> AsyncIterator[None]:
        async with asyncio.timeout(None) as limit:
            self._limits.add(limit)
            try:
                yield
            finally:
                self._limits.discard(limit)

    async def _wait(self, event: asyncio.Event) -> bool:
        return await self._clock.wait(event, self._patience.heartbeat)

    def _leave(self, one: Undertaking) -> None:
        if one.over.is_set():
            self._settle(one)

    def _settle(self, one: Undertaking) -> None:
        """Decide what becomes of the pictures, once they are made and everybody has left."""
        if one.readers or one.settled_at is not None:
            return
        one.kept = not one.answered
        self._undertakings.settle(one, self._clock.now())
        if one.album is None or one.known or one.asking.has_key:
            one.holding.close()
        elif one.answered:
            one.holding.close()
            if one.written:
                self._start(self._repeats.hand_over(one))
        else:
            self._start(self._keep_for_later(one, one.album))

    async def _keep_for_later(self, one: Undertaking, album: Album) -> None:
        with one.holding:
            await self._repeats.remember(one, album, linked=bool(album.names))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("pictures.crashed", exc_info=error)

    def drain(self) -> None:
        """Give the pictures under way a last while: they are paid for."""
        self._repeats.close()
        end = asyncio.get_running_loop().time() + self._patience.farewell
        for limit in self._limits:
            if limit.when() is None:  # a second signal does not make it longer
                limit.reschedule(end)

    async def finish(self) -> None:
        """Wait for what is under way with nobody waiting for it, and for what is being kept."""
        self.drain()
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def run(self) -> None:
        """Tend what has to be known beyond this process, until cancelled."""
        while True:
            await self._clock.sleep(ROUND_SECONDS)
            await self.tend()

    async def tend(self) -> None:
        """Do one round of that."""
        try:
            await self._repeats.tend(self._undertakings.under_way)
        except StorageFailed as fault:
            log.warning("requests.round_failed", code=fault.code)
