"""New jobs of videos."""

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from uuid import uuid4

from adapter.domain.ids import Id
from adapter.domain.job import VideoJob
from adapter.domain.media import Image
from adapter.domain.orders import MAX_SEED, StoredInput, VideoDraft, VideoOrder
from adapter.domain.pieces import write_whole
from adapter.domain.ports import Clock, InputImages, Memory, Work
from adapter.domain.prices import Quote, cost_of
from adapter.domain.stored_files import file_name
from adapter.generation.timeouts import Timeouts


class NewVideos:
    """Makes a job of a draft, and stores its pictures."""

    def __init__(self, inputs: InputImages, memory: Memory, clock: Clock, timeouts: Timeouts) -> None:
        self._inputs = inputs
        self._memory = memory
        self._clock = clock
        self._timeouts = timeouts

    async def create(self, draft: VideoDraft, work: Work) -> VideoJob:
        """Return a new job. It is not in the store yet.

        Raises:
            InvalidRequest: a picture to work from cannot be had or used.
            ServerBusy, ClientLeft: as `InputImages.gather`.
        """
        stem = secrets.token_hex(16)
        images = await self._inputs.gather(draft.sources, draft.input_formats, work)
        if not images:
            return await self._job(draft.order, draft.quotes, work.owner, stem)
        kept = [await self._keep(f"{stem}_{number}", image) for number, image in enumerate(images)]
        return await self._job(draft.with_pictures(kept, images[0].pixels), draft.quotes, work.owner, stem)

    async def _keep(self, stem: str, image: Image) -> StoredInput:
        data = await asyncio.to_thread(image.decode)
        name = file_name(stem, image.format)
        await write_whole(self._memory.media, name, data)
        return StoredInput(name, hashlib.sha256(data).hexdigest())

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
        )
