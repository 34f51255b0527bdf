"""Replies: answers with an id. They are remembered, followed up, and worked on in the background."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, aclosing
from functools import partial

import msgspec
import structlog

from adapter.domain.job import Failure
from adapter.domain.media import Image
from adapter.domain.ports import Clock, ReplyStore
from adapter.domain.replies import Reply, ReplyStatus
from adapter.errors import AdapterError, InvalidRequest, NotFound, StillRunning, StorageFailed
from adapter.generation.cabinet import Cabinet
from adapter.generation.execution import ResultHandle
from adapter.generation.patience import Patience
from adapter.generation.pictures import Pictures
from adapter.generation.silence import silences

log = structlog.get_logger()


class Replies:
    """Remembers replies and shows them to their owner."""

    def __init__(self, store: ReplyStore, cabinet: Cabinet, clock: Clock) -> None:
        self._store = store
        self._cabinet = cabinet
        self._clock = clock

    async def remember(self, reply: Reply) -> bool:
        """Remember a new reply; return False if there is one of that key."""
        return await self._store.add(reply)

    async def remember_end(self, reply: Reply, image: Image | None = None) -> None:
        """Remember a new reply that is over, with its picture, which is paid for: it is handed over even if not.

        Of several attempts of one request, which have one key, the first is remembered.
        """
        try:
            if image is not None:
                await self._cabinet.keep(image, reply.name_of(image))
            if not await self._store.add(reply) and image is not None:
                await self._cabinet.drop(reply.name_of(image))
        except StorageFailed as fault:
            log.error("replies.not_kept", key=reply.key, code=fault.code)  # noqa: TRY400 - the store said more

    async def save_with(self, reply: Reply, image: Image) -> None:
        """Write the end of a live reply with its picture; if it was called off meanwhile nothing of it is kept."""
        await self._cabinet.keep(image, reply.name_of(image))
        if not await self._store.save(reply):
            await self._cabinet.drop(reply.name_of(image))

    async def save(self, reply: Reply) -> bool:
        """Write the next state of a live reply; return whether it was live."""
        return await self._store.save(reply)

    async def find(self, key: str, owner: str) -> Reply:
        """Return a reply to its owner.

        Raises:
            NotFound: this owner has none of that key.
        """
        reply = await self._store.find(key, owner, now=self._clock.now())
        if reply is None:
            raise _not_found(key)
        return reply

    async def picture(self, reply: Reply) -> Image | None:
        """Return a reply's picture, if it has one.

        Raises:
            NotFound: its file is gone.
        """
        return None if reply.drawn is None else await self._cabinet.bring(reply.drawn)

    async def cancel(self, key: str, owner: str) -> Reply:
        """Call a reply off and return it; one that is over stays as it is.

        Raises:
            NotFound: this owner has none of that key.
            InvalidRequest: somebody waits for it: hanging up ends it.
        """
        reply = await self.find(key, owner)
        if not reply.background:
            raise InvalidRequest("Only a response that was made with 'background' can be cancelled.", param="id")
        now = self._clock.now()
        ended = msgspec.structs.replace(reply, status=ReplyStatus.CANCELLED, finished_at=now)
        if reply.is_over or not await self._store.save(ended):
            return await self.find(key, owner)
        return ended

    async def delete(self, key: str, owner: str) -> None:
        """Forget a reply and its picture for ever.

        Raises:
            NotFound: this owner has none of that key.
        """
        reply = await self._store.delete(key, owner, now=self._clock.now())
        if reply is None:
            raise _not_found(key)
        if reply.drawn is not None:
            await self._cabinet.drop(reply.drawn.name)


def _not_found(key: str) -> NotFound:
    return NotFound(f"There is no response 'resp_{key}' here.", param="id")


class Background:
    """Works on replies while nobody waits. The work is the process's: what its end cuts off has failed."""

    def __init__(self, replies: Replies, pictures: Pictures, clock: Clock, patience: Patience) -> None:
        self._replies = replies
        self._pictures = pictures
        self._clock = clock
        self._patience = patience
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, handle: ResultHandle, draft: Callable[[], Reply]) -> Reply:
        """Remember the reply to a request, follow its picture, and return it as it stands.

        All attempts of one request have one reply, whose key is the name of the execution: `draft` makes it once that
        is known. The caller closes the handle.

        Raises:
            AdapterError: as `ResultHandle.identified`.
            StillRunning: another process is about to remember it.
        """
        following = handle.follower()
        with ExitStack() as unless_followed:
            unless_followed.callback(following.close, delivered=False)
            await handle.identified()
            reply = draft()
            if handle.is_known and (found := await self._of_another_process(handle, reply)):
                return found
            queued = self._alive(msgspec.structs.replace(reply, status=ReplyStatus.QUEUED), self._patience.queue)
            if not await self._replies.remember(queued):
                return await self._replies.find(reply.key, reply.owner)
            unless_followed.pop_all()
        task = asyncio.create_task(self._work(queued, following))
        self._tasks[reply.key] = task
        task.add_done_callback(lambda _: self._tasks.pop(reply.key, None))
        return queued

    async def _of_another_process(self, handle: ResultHandle, reply: Reply) -> Reply | None:
        try:
            return await self._replies.find(reply.key, reply.owner)
        except NotFound as fault:
            if handle.is_over_elsewhere:
                return None  # its picture is there, and no process is about to remember it
            raise StillRunning("The same request was just begun. Ask again shortly.", retry_after=1.0) from fault

    def _alive(self, reply: Reply, more: float = 0.0) -> Reply:
        return msgspec.structs.replace(reply, alive_until=self._clock.now() + self._patience.sign + more)

    async def _work(self, reply: Reply, handle: ResultHandle) -> None:
        try:
            await self._follow(reply, handle)
        except AdapterError as fault:
            log.warning("replies.failed", key=reply.key, code=fault.code)
            await self._note_failure(reply.failed(Failure.of(fault), self._clock.now()))
        finally:
            handle.close(delivered=False)

    async def _follow(self, reply: Reply, handle: ResultHandle) -> None:
        reply = self._alive(msgspec.structs.replace(reply, status=ReplyStatus.IN_PROGRESS))
        if not await self._replies.save(reply):
            return
        async with aclosing(handle.watch()) as states:
            async for batch in states:
                if batch:
                    image = batch.images[0]
                    await self._replies.save_with(reply.completed(image, self._clock.now()), image)
                elif not await self._replies.save(self._alive(reply)):
                    return

    async def _note_failure(self, reply: Reply) -> None:
        try:
            await self._replies.save(reply)
        except StorageFailed as fault:
            # Its lease runs out, which says as much.
            log.error("replies.failure_not_noted", key=reply.key, code=fault.code)  # noqa: TRY400 - the store said more

    async def watch(self, key: str, owner: str) -> AsyncGenerator[Reply, None]:
        """Yield a reply as it stands, after each spell of silence, and when it is over.

        A look that fails is tried again after the next spell: what is watched goes on.

        Raises:
            NotFound: this owner has none of that key, or it was deleted meanwhile.
        """
        task = self._tasks.get(key)  # before the look: what ends during it is seen as ended
        reply = await self._replies.find(key, owner)
        yield reply
        while not reply.is_over:
            has_ended = await self._has_ended(task)
            if not has_ended:
                yield reply  # before the look, which may take its time
            task = self._tasks.get(key)
            looking = asyncio.ensure_future(self._seen_again(reply))
            async with aclosing(silences(looking, self._clock, self._patience.heartbeat)) as spells:
                async for _ in spells:
                    yield reply
            reply = looking.result()
            if has_ended or reply.is_over:
                yield reply

    async def _has_ended(self, task: asyncio.Task[None] | None) -> bool:
        """Wait for a heartbeat at most; say whether a reply's work, where it is done here, has ended meanwhile."""
        if task is None:
            await self._clock.sleep(self._patience.heartbeat)
            return False
        ended = asyncio.Event()
        ring = partial(_ring, ended)
        task.add_done_callback(ring)
        try:
            return await self._clock.wait(ended, self._patience.heartbeat)
        finally:
            task.remove_done_callback(ring)

    async def _seen_again(self, reply: Reply) -> Reply:
        try:
            return await self._replies.find(reply.key, reply.owner)
        except StorageFailed as fault:
            log.warning("replies.not_followed", key=reply.key, code=fault.code)
            return reply

    def call_off(self, key: str) -> None:
        """Stop following a reply's picture, if it is this process that does. What Google was asked for goes on."""
        if task := self._tasks.get(key):
            task.cancel()

    async def finish(self) -> None:
        """Wait for the work under way; when the process is told to stop, pictures get a last while."""
        if self._tasks:
            self._pictures.drain()
            await asyncio.wait([*self._tasks.values()])


def _ring(ended: asyncio.Event, _: asyncio.Task[None]) -> None:
    ended.set()
