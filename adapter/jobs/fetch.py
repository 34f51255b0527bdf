"""Stores finished videos. A file is checked while it arrives, and stored whole or not at all."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import structlog

from adapter.domain.job import StoredVideo, VideoJob
from adapter.domain.media import MediaFormat, RemoteFile, RemoteVideo, sniff
from adapter.domain.pieces import one_piece, write_whole
from adapter.domain.ports import Download, MediaStore, VideoProvider
from adapter.domain.stored_files import file_name
from adapter.errors import AdapterError, NoMedia, UpstreamBroken
from adapter.jobs.boxes import Boxes

log = structlog.get_logger()

#: What is needed to know a file by its magic bytes.
HEAD_BYTES = 12
MAX_POSTER_BYTES = 32 * 1024 * 1024
#: A finished video does not wait longer for its poster.
POSTER_SECONDS = 20.0


#: Bytes of a video, unless the operator says otherwise. Eight seconds in 1080p are about 30 MB.
LONGEST_VIDEO = 1024 * 1024 * 1024


async def fetch_video(
    job: VideoJob, provider: VideoProvider, media: MediaStore, *, longest: int = LONGEST_VIDEO
) -> StoredVideo:
    """Fetch a finished job's video, of up to `longest` bytes, and its poster into the media store.

    Raises:
        NoMedia: the provider does not hand the video over, or it is too long; nothing of it is in the store.
        UpstreamFault: the video could not be fetched whole; nothing of it is in the store.
        StorageFailed: the media store does not take it.
    """
    remote = job.remote or RemoteVideo()
    async with provider.download(remote.file, account=job.account or "") as download:
        stored = await store_video(job, download, media, longest=longest)
    poster = await _fetch_poster(remote.poster, job, provider, media) if remote.poster else None
    return msgspec.structs.replace(stored, poster=poster)


async def store_video(job: VideoJob, file: Download, media: MediaStore, *, longest: int = LONGEST_VIDEO) -> StoredVideo:
    """Store a job's video; it is checked on the way.

    Raises:
        NoMedia: it is longer than `longest` bytes; nothing of it is in the store.
        UpstreamFault: it is no whole MP4; nothing of it is in the store.
        StorageFailed: the media store does not take it.
    """
    video = file_name(job.stem, MediaFormat.MP4)
    check = Check(longest)
    await media.put(video, check.passing(file))
    return StoredVideo(video=video, poster=None, size=check.size)


class InlineFile:
    """A file that came with a provider's answer (the port `Download`)."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def is_whole(self, size: int) -> bool:
        """Return whether so many bytes are all of it (the port of that name)."""
        return size == len(self._data)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield it as one piece (the port of that name)."""
        return one_piece(self._data)

    async def read(self, limit: int) -> bytes:
        """Return it (the port of that name)."""
        if len(self._data) > limit:
            raise UpstreamBroken("The file in the provider's answer is too long.")
        return self._data


async def _fetch_poster(file: RemoteFile, job: VideoJob, provider: VideoProvider, media: MediaStore) -> str | None:
    """Fetch the poster; a video without one is still a video."""
    try:
        opening = provider.download(file, account=job.account or "")
        async with asyncio.timeout(POSTER_SECONDS), opening as download:
            data = await download.read(MAX_POSTER_BYTES)
        kind = sniff(data[:HEAD_BYTES])
        if kind is None or not kind.is_picture:
            return None
        name = file_name(job.stem, kind)
        await write_whole(media, name, data)
    except (AdapterError, TimeoutError) as error:
        log.warning("jobs.poster_missed", error=type(error).__name__)
        return None
    return name


class Check:
    """Checks a file while it arrives: it has to be an MP4 of the announced length, with the needed boxes, all whole.

    A proxy may cut a file and announce the length of the rest, so the boxes are checked too. A body may be longer than
    it announced, or never end, so the bytes are counted as they come.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self.size = 0
        self._boxes = Boxes()

    async def passing(self, download: Download) -> AsyncIterator[bytes]:
        """Yield the download's pieces.

        Raises:
            NoMedia: at the piece with which it becomes too long. That piece is not yielded.
            UpstreamBroken: at the first piece if it is not an MP4, at the end if it is cut or its length was not told.
        """
        head: bytes | None = b""
        async for piece in download:
            self.size += len(piece)
            if self.size > self._longest:
                raise too_long(self._longest)
            self._boxes.pass_by(piece)
            if head is None:
                yield piece
                continue
            head += piece
            if len(head) >= HEAD_BYTES:  # the first piece of a connection may be a few bytes
                if sniff(head) is not MediaFormat.MP4:
                    raise UpstreamBroken("The link to the video leads to something else.")
                yield head
                head = None
        if head is not None or not download.is_whole(self.size) or not self._boxes.are_whole:
            without = f" It has no {' and no '.join(missing)}." if (missing := self._boxes.missing) else ""
            raise UpstreamBroken(f"The video was cut after {self.size} bytes.{without}")


def too_long(longest: int) -> NoMedia:
    """Return the fault of a video that is not stored."""
    return NoMedia(
        f"Google made the video, and it is longer than the {longest} bytes that this server stores. It was paid for.",
        code="video_too_long",
    )
