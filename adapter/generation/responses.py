"""Replies: answers with an id. They are remembered, followed up, and worked on in the background."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, aclosing
from functools import partial

import msgspec
import structlog

from adapter.domain.job import Failure
from adapter.domain.media import Image
from adapter.domain.ports import Clock, ResponseStore
from adapter.domain.stored_response import ResponseStatus, StoredResponse
from adapter.errors import AdapterError, InvalidRequest, NotFound, StillRunning, StorageFailed
from adapter.generation.execution import ResultHandle
from adapter.generation.heartbeats import heartbeats
from adapter.generation.image_files import ImageFiles
from adapter.generation.pictures import Pictures
from adapter.generation.timeouts import Timeouts
from adapter.tasks import Tasks, beside

log = structlog.get_logger()


class Responses:
    """Remembers replies and shows them to their owner."""

    def __init__(self, store: ResponseStore, image_files: ImageFiles, clock: Clock) -> None:
        self._store = store
        self._image_files = image_files
        self._clock = clock

    async def remember(self, stored: StoredResponse) -> bool:
        """Remember a new reply; return False if there is one of that key."""
        return await self._store.add(stored)

    async def remember_end(self, stored: StoredResponse, image: Image | None = None) -> None:
        """Remember a new reply that is over, with its picture, which is paid for: it is handed over even if not.

        Of several attempts of one request, which have one key, the first is remembered.
        """
        try:
            if image is not None:
                await self._image_files.keep(image, stored.name_of(image))
            if not await self._store.add(stored) and image is not None:
                await self._image_files.drop(stored.name_of(image))
        except StorageFailed as fault:
            log.error("responses.not_kept", key=stored.key, code=fault.code)  # noqa: TRY400 - the store said more

    async def save_with(self, stored: StoredResponse, image: Image) -> None:
        """Write the end of a live reply with its picture; if it was called off meanwhile nothing of it is kept."""
        await self._image_files.keep(image, stored.name_of(image))
        if not await self._store.save(stored):
            await self._image_files.drop(stored.name_of(image))

    async def save(self, stored: StoredResponse) -> bool:
        """Write the next state of a live reply; return whether it was live."""
        return await self._store.save(stored)

    async def find(self, key: str, owner: str) -> StoredResponse:
        """Return a reply to its owner.

        Raises:
            NotFound: this owner has none of that key.
        """
        stored = await self._store.find(key, owner, now=self._clock.now())
        if stored is None:
            raise _not_found(key)
        return stored

    async def picture(self, stored: StoredResponse) -> Image | None:
        """Return a reply's picture, if it has one.

        Raises:
            NotFound: its file is gone.
        """
        return None if stored.drawn is None else await self._image_files.bring(stored.drawn)

    async def cancel(self, key: str, owner: str) -> StoredResponse:
        """Call a reply off and return it; one that is over stays as it is.

        Raises:
            NotFound: this owner has none of that key.
            InvalidRequest: somebody waits for it: hanging up ends it.
        """
        stored = await self.find(key, owner)
        if not stored.background:
            raise InvalidRequest("Only a response that was made with 'background' can be cancelled.", param="id")
        now = self._clock.now()
        ended = msgspec.structs.replace(stored, status=ResponseStatus.CANCELLED, finished_at=now)
        if stored.is_over or not await self._store.save(ended):
            return await self.find(key, owner)
        return ended

    async def delete(self, key: str, owner: str) -> None:
        """Forget a reply and its picture for ever.

        Raises:
            NotFound: this owner has none of that key.
        """
        stored = await self._store.delete(key, owner, now=self._clock.now())
        if stored is None:
            raise _not_found(key)
        if stored.drawn is not None:
            await self._image_files.drop(stored.drawn.name)


def _not_found(key: str) -> NotFound:
    return NotFound(f"There is no response 'resp_{key}' here.", param="id")


class Background:
    """Works on replies while nobody waits. The work is the process's: what its end cuts off has failed."""

    def __init__(self, responses: Responses, pictures: Pictures, clock: Clock, timeouts: Timeouts) -> None:
        self._replies = responses
        self._pictures = pictures
        self._clock = clock
        self._timeouts = timeouts
        self._work_of: dict[str, asyncio.Task[None]] = {}
        self._tasks = Tasks("responses")

    async def start(self, handle: ResultHandle, draft: Callable[[], StoredResponse]) -> StoredResponse:
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
            stored = draft()
            if handle.is_known and (found := await self._of_another_process(handle, stored)):
                return found
            queued = self._alive(msgspec.structs.replace(stored, status=ResponseStatus.QUEUED), self._timeouts.queue)
            if not await self._replies.remember(queued):
                return await self._replies.find(stored.key, stored.owner)
            unless_followed.pop_all()
        task = self._tasks.begin(self._work(queued, following))
        self._work_of[stored.key] = task
        task.add_done_callback(lambda _: self._work_of.pop(stored.key, None))
        return queued

    async def _of_another_process(self, handle: ResultHandle, stored: StoredResponse) -> StoredResponse | None:
        try:
            return await self._replies.find(stored.key, stored.owner)
        except NotFound as fault:
            if handle.is_over_elsewhere:
                return None  # its picture is there, and no process is about to remember it
            raise StillRunning("The same request was just begun. Ask again shortly.", retry_after=1.0) from fault

    def _alive(self, stored: StoredResponse, more: float = 0.0) -> StoredResponse:
        return msgspec.structs.replace(stored, alive_until=self._clock.now() + self._timeouts.sign + more)

    async def _work(self, stored: StoredResponse, handle: ResultHandle) -> None:
        try:
            await self._follow(stored, handle)
        except AdapterError as fault:
            log.warning("responses.failed", key=stored.key, code=fault.code)
            await self._note_failure(stored.failed(Failure.of(fault), self._clock.now()))
        finally:
            handle.close(delivered=False)

    async def _follow(self, stored: StoredResponse, handle: ResultHandle) -> None:
        stored = self._alive(msgspec.structs.replace(stored, status=ResponseStatus.IN_PROGRESS))
        if not await self._replies.save(stored):
            return
        async with aclosing(handle.watch()) as states:
            async for batch in states:
                if batch:
                    image = batch.images[0]
                    await self._replies.save_with(stored.completed(image, self._clock.now()), image)
                elif not await self._replies.save(self._alive(stored)):
                    return

    async def _note_failure(self, stored: StoredResponse) -> None:
        try:
            await self._replies.save(stored)
        except StorageFailed as fault:
            # Its lease runs out, which says as much.
            log.error("responses.failure_not_noted", key=stored.key, code=fault.code)  # noqa: TRY400 - the store said more

    async def watch(self, key: str, owner: str) -> AsyncGenerator[StoredResponse, None]:
        """Yield a reply as it stands, after each spell of silence, and when it is over.

        A look that fails is tried again after the next spell: what is watched goes on.

        Raises:
            NotFound: this owner has none of that key, or it was deleted meanwhile.
        """
        task = self._work_of.get(key)  # before the look: what ends during it is seen as ended
        stored = await self._replies.find(key, owner)
        yield stored
        while not stored.is_over:
            has_ended = await self._has_ended(task)
            if not has_ended:
                yield stored  # before the look, which may take its time
            task = self._work_of.get(key)
            async with (
                beside(self._seen_again(stored)) as looking,
                aclosing(heartbeats(looking, self._clock, self._timeouts.heartbeat)) as spells,
            ):
                async for _ in spells:
                    yield stored
            stored = looking.result()
            if has_ended or stored.is_over:
                yield stored

    async def _has_ended(self, task: asyncio.Task[None] | None) -> bool:
        """Wait for a heartbeat at most; say whether a reply's work, where it is done here, has ended meanwhile."""
        if task is None:
            await self._clock.sleep(self._timeouts.heartbeat)
            return False
        ended = asyncio.Event()
        ring = partial(_ring, ended)
        task.add_done_callback(ring)
        try:
            return await self._clock.wait(ended, self._timeouts.heartbeat)
        finally:
            task.remove_done_callback(ring)

    async def _seen_again(self, stored: StoredResponse) -> StoredResponse:
        try:
            return await self._replies.find(stored.key, stored.owner)
        except StorageFailed as fault:
            log.warning("responses.not_followed", key=stored.key, code=fault.code)
            return stored

    def cancel(self, key: str) -> None:
        """Stop following a reply's picture, if it is this process that does. What Google was asked for goes on."""
        if task := self._work_of.get(key):
            task.cancel()

    async def finish(self) -> None:
        """Wait for the work under way; when the process is told to stop, pictures get a last while."""
        if not self._tasks.is_idle:
            self._pictures.drain()
            await self._tasks.finish()


def _ring(ended: asyncio.Event, _: asyncio.Task[None]) -> None:
    ended.set()
