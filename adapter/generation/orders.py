"""The sequence of every order: find its pictures, reserve memory, check the connection, start or join the work.

The end of the connection releases the work. Nothing is begun for a request that fails on the way.
"""

import msgspec

from adapter.domain import memory_estimate
from adapter.domain.executions import RequestIdentity
from adapter.domain.image_job import ImageJob
from adapter.domain.job import VideoJob
from adapter.domain.orders import ImageOrder, VideoDraft
from adapter.domain.ports import Connection
from adapter.generation.admission import Waiting
from adapter.generation.execution import ResultHandle
from adapter.generation.pictures import Pictures
from adapter.generation.responses import Background
from adapter.generation.uploads import Uploads
from adapter.generation.videos import Videos


class MediaCall(msgspec.Struct, frozen=True):
    """The identity of a request for media, and its connection."""

    identity: RequestIdentity
    connection: Connection


class ImageOrders:
    """Takes orders for pictures."""

    def __init__(self, uploads: Uploads, pictures: Pictures) -> None:
        self._uploads = uploads
        self._pictures = pictures

    async def start(self, order: ImageOrder, call: MediaCall, *, linked: bool) -> ResultHandle:
        """Have pictures made, or join an earlier request for them, until the connection ends.

        Raises:
            InvalidRequest: a picture to work from is unknown; or as `Pictures.join`.
            AnswerLost, Draining: as `Pictures.join`.
            ServerBusy: there is no memory.
            ClientLeft: the client hung up before anything was begun.
        """
        connection = call.connection
        order = await self._uploads.resolved(order, call.identity.owner)
        reservation = await connection.reserve(0)
        await connection.check_connected()
        handle = self._pictures.join(order, call.identity, reservation, linked=linked)
        await connection.call_at_end(handle.close)
        return handle

    async def open(self, order: ImageOrder, call: MediaCall, *, linked: bool) -> ResultHandle:
        """Have pictures made as `start`, and wait until it is certain that they will be.

        Raises:
            AdapterError: as `start` and `ResultHandle.opened`.
        """
        handle = await self.start(order, call, linked=linked)
        await handle.opened()
        return handle


class BackgroundOrders:
    """Takes orders for pictures that are made in the background."""

    def __init__(self, uploads: Uploads, background: Background) -> None:
        self._uploads = uploads
        self._background = background

    async def start(self, order: ImageOrder, call: MediaCall) -> Waiting[ImageJob]:
        """Have a picture made as a job, or join an earlier request for it. The answer is the job's id.

        Raises:
            InvalidRequest: a picture to work from is unknown; or as `Background.join`.
            Draining: as `Background.join`.
            ClientLeft: the client hung up before anything was begun.
        """
        order = await self._uploads.resolved(order, call.identity.owner)
        await call.connection.check_connected()
        waiting = self._background.join(order, call.identity)
        await call.connection.call_at_end(waiting.close)
        return waiting


class VideoOrders:
    """Takes orders for videos."""

    def __init__(self, uploads: Uploads, videos: Videos) -> None:
        self._uploads = uploads
        self._videos = videos

    async def start(self, draft: VideoDraft, call: MediaCall, *, is_shown: bool) -> Waiting[VideoJob]:
        """Have a video made, or join an earlier request for it, until the connection ends.

        The answer is the video where that `is_shown`, and else the job's id.

        Raises:
            InvalidRequest: a picture to work from is unknown; or as `Videos.join`.
            Draining: as `Videos.join`.
            ServerBusy: there is no memory for the pictures to work from.
            ClientLeft: the client hung up before anything was begun.
        """
        connection = call.connection
        draft = await self._uploads.resolved(draft, call.identity.owner)
        reservation = await connection.reserve(memory_estimate.of_sources(draft.sources)) if draft.sources else None
        await connection.check_connected()
        waiting = self._videos.join(draft, call.identity, reservation)
        await connection.call_at_end(waiting.close_stream if is_shown else waiting.close)
        return waiting
