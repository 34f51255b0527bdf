"""New jobs of videos."""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from uuid import uuid4

import msgspec

from adapter.domain.ids import Id
from adapter.domain.job import VideoJob
from adapter.domain.media import Image, MediaFormat
from adapter.domain.orders import MAX_SEED, StoredInput, VideoDraft, VideoOrder
from adapter.domain.pieces import write_whole
from adapter.domain.ports import Clock, InputImages, Memory, Tracer, Work
from adapter.domain.prices import Quote, cost_of
from adapter.domain.stored_files import file_name
from adapter.generation.timeouts import Timeouts


class NewVideos:
    """Makes a job of a draft, and stores the files that it is made from."""

    def __init__(self, inputs: InputImages, memory: Memory, clock: Clock, timeouts: Timeouts, tracer: Tracer) -> None:
        self._inputs = inputs
        self._memory = memory
        self._clock = clock
        self._timeouts = timeouts
        self._tracer = tracer

    async def create(self, draft: VideoDraft, work: Work) -> VideoJob:
        """Return a new job. It is not in the store yet.

        Raises:
            InvalidRequest: a picture to work from cannot be had or used.
            ServerBusy, ClientLeft: as `InputImages.gather`.
        """
        stem = secrets.token_hex(16)
        order = draft.order
        if images := await self._inputs.gather(draft.sources, draft.input_formats, work):
            kept = [await self._keep_picture(f"{stem}_{number}", image) for number, image in enumerate(images)]
            order = draft.with_pictures(kept, images[0].pixels)
        if draft.video is not None:
            video = await self._keep(file_name(stem, MediaFormat.MP4, "source"), draft.video.data)
            order = msgspec.structs.replace(order, video=video)
        return await self._job(order, draft.quotes, work.owner, stem)

    async def _keep_picture(self, stem: str, image: Image) -> StoredInput:
        return await self._keep(file_name(stem, image.format), await asyncio.to_thread(image.decode))

    async def _keep(self, name: str, data: bytes) -> StoredInput:
        await write_whole(self._memory.media, name, data)
        return StoredInput(name, await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest()))

    async def _job(self, order: VideoOrder, quotes: Sequence[Quote], owner: str, stem: str) -> VideoJob:
        measured = await self._memory.jobs.measured_seconds(order.upstream)
        now = self._clock.now()
        return VideoJob(
            id=Id.VIDEO.new(),
            owner=owner,
            order=order,
            # Chosen before anything is sent, so that the job's record has the real seed.
            seed=secrets.randbelow(MAX_SEED + 1) if order.seed is None else order.seed,
            mark=str(uuid4()),
            stem=stem,
            created_at=now,
            expected_seconds=measured or self._timeouts.typical or order.typical_seconds,
            cost=cost_of(quotes, now),
            trace=self._tracer.current(),
        )
