"""The files of a finished video: the clip, its thumbnail and its spritesheet. The last two are made on demand."""

import asyncio
from weakref import WeakValueDictionary

from adapter.domain.job import Phase, StoredVideo, Variant, VideoJob
from adapter.domain.pieces import write_whole
from adapter.domain.ports import Memory, Thumbnailer
from adapter.domain.stored_files import StoredFile
from adapter.errors import NotFound
from adapter.generation.files import check_whole


class VideoContents:
    """Finds the files of finished videos, and has those made that are not there yet."""

    def __init__(self, memory: Memory, thumbnailer: Thumbnailer) -> None:
        self._memory = memory
        self._thumbnailer = thumbnailer
        #: Of the pictures that are being made, by name: two requests at once cost one decoding.
        self._making: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def find(self, job: VideoJob, variant: Variant) -> StoredFile:
        """Return a file that is stored.

        Raises:
            NotFound: the video is not finished, or will never be, or its files are gone.
            FileDamaged: it is shorter than it was.
            UpstreamBroken: the video cannot be decoded.
            ServerBusy: there is no memory to decode it.
        """
        media = _finished(job)
        if variant is Variant.VIDEO:
            return check_whole(await self._stored(media.video), media.size)
        name = job.thumbnail if variant is Variant.THUMBNAIL else job.spritesheet
        lock = self._making.setdefault(name, asyncio.Lock())
        async with lock:
            found = await self._memory.media.find(name)
            return found or await self._make(job, media, variant, name)

    async def _stored(self, name: str) -> StoredFile:
        found = await self._memory.media.find(name)
        if found is None:
            raise _gone()
        return found

    async def _make(self, job: VideoJob, media: StoredVideo, variant: Variant, name: str) -> StoredFile:
        if variant is Variant.THUMBNAIL:
            picture = await self._thumbnailer.thumbnail(media)
        else:
            picture = await self._thumbnailer.spritesheet(media)
        if picture is None:
            raise _gone()
        await write_whole(self._memory.media, name, picture)
        # A deletion of the job deletes its files; a file that is written later would stay for ever.
        if await self._memory.jobs.find(job.id, job.owner) is None:
            await self._memory.media.delete([name])
            raise NotFound(f"There is no video '{job.id}'.", param="video_id")
        return await self._stored(name)


def _gone() -> NotFound:
    return NotFound("The video's files are not stored here any more.", code="video_expired")


def _finished(job: VideoJob) -> StoredVideo:
    """Return the files of a job that has some.

    The statuses are not 409, which OpenAI's SDKs would repeat (`openai.md` section 2).
    """
    if job.phase is Phase.FAILED:
        why = job.failure.message if job.failure else "It failed."
        raise NotFound(f"The video could not be made, so it has no content. {why}", code="video_failed")
    if job.media is None:
        raise NotFound(
            f"The video is not ready yet: {job.phase}, {job.progress} %. GET /v1/videos/{job.id} tells when it is.",
            code="video_not_ready",
        )
    return job.media
