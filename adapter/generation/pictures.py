"""Pictures, which are made while their request waits."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapter.domain.media import Image
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Clock, Memory, Workshop
from adapter.errors import Draining, already_paid
from adapter.generation.patience import Patience


class Pictures:
    """Makes pictures and keeps those that are handed out as links."""

    def __init__(self, workshop: Workshop, memory: Memory, clock: Clock, patience: Patience) -> None:
        self._workshop = workshop
        self._memory = memory
        self._clock = clock
        self._patience = patience
        #: The time limits of the pictures under way; none until the process is told to stop.
        self._limits: set[asyncio.Timeout] = set()

    async def make_images(self, order: ImageOrder) -> Sequence[Image]:
        """Return exactly the pictures that were ordered.

        Raises:
            InvalidRequest: a picture to work from cannot be had or used.
            ContentRefused, UpstreamFault: none of them is handed out if one could not be made.
            Draining: the process is shutting down, and they were not begun, or not made in time.
        """
        self._memory.feed.check_open()
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

    def drain(self) -> None:
        """Give the pictures under way a last while: they are paid for, and nobody keeps them."""
        end = asyncio.get_running_loop().time() + self._patience.farewell
        for limit in self._limits:
            if not limit.expired():  # a second signal comes while the first one's end is told
                limit.reschedule(end)

    async def watch_images(self, order: ImageOrder) -> AsyncGenerator[Sequence[Image] | None, None]:
        """Yield None after each spell of silence, and at the end the pictures.

        Raises:
            ContentRefused, UpstreamFault: as `make_images`.
        """
        made = asyncio.Event()
        work = asyncio.create_task(self.make_images(order))
        work.add_done_callback(lambda _: made.set())
        try:
            while not await self._clock.wait(made, self._patience.heartbeat):
                yield None
            yield work.result()
        finally:
            work.cancel()

    async def keep_images(self, images: Sequence[Image]) -> list[str]:
        """Store pictures and return the names under which they can be fetched.

        Raises:
            StorageFailed: the media store does not take them, though they are paid for.
        """
        with already_paid():
            return [await self._keep(image) for image in images]

    async def _keep(self, image: Image) -> str:
        name = f"{secrets.token_hex(16)}.{image.format.extension}"
        await self._memory.media.put(name, _once(await asyncio.to_thread(image.decode)))
        return name


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
