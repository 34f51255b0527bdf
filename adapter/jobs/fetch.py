"""Bringing a finished video home: whole and checked while it passes by, or not at all."""

import hashlib
import secrets
from collections.abc import AsyncIterator

import structlog

from adapter.domain.job import StoredVideo
from adapter.domain.media import MediaFormat, RemoteVideo, sniff
from adapter.domain.ports import Download, MediaStore, VideoProvider
from adapter.errors import AdapterError, UpstreamBroken

log = structlog.get_logger()


async def bring_home(remote: RemoteVideo, provider: VideoProvider, media: MediaStore) -> StoredVideo:
    """Fetch a video and its poster into the media store, under names that nobody can guess.

    Raises:
        UpstreamFault: the video could not be fetched whole; nothing of it is in the store.
    """
    stem = secrets.token_hex(16)
    video = f"{stem}.{MediaFormat.MP4.extension}"
    check = Check()
    async with provider.download(remote.url) as download:
        await media.put(video, check.passing(download))
    poster = await _bring_poster(remote.poster_url, stem, provider, media)
    return StoredVideo(video=video, poster=poster, size=check.size, sha256=check.sha256)


async def _bring_poster(url: str | None, stem: str, provider: VideoProvider, media: MediaStore) -> str | None:
    """Fetch the poster; a video without one is still a video."""
    if url is None:
        return None
    try:
        async with provider.download(url) as download:
            data = b"".join([chunk async for chunk in download])
    except AdapterError as fault:
        log.warning("jobs.poster_missed", error=fault.message)
        return None
    kind = sniff(data[:16])
    if kind is None or kind is MediaFormat.MP4:
        return None
    name = f"{stem}.{kind.extension}"
    await media.put(name, _once(data))
    return name


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


class Check:
    """Looks at a file while it passes by: it has to be an MP4 and as long as it was announced."""

    def __init__(self) -> None:
        self.size = 0
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The digest of everything that passed, in hex."""
        return self._digest.hexdigest()

    async def passing(self, download: Download) -> AsyncIterator[bytes]:
        """Yield the download's pieces.

        Raises:
            UpstreamBroken: at the first piece if it is not an MP4, at the end if the length is wrong or was not told.
        """
        async for chunk in download:
            if self.size == 0 and sniff(chunk[:16]) is not MediaFormat.MP4:
                raise UpstreamBroken("The link to the video leads to something else.")
            self.size += len(chunk)
            self._digest.update(chunk)
            yield chunk
        if self.size == 0 or self.size != download.length:
            raise UpstreamBroken(f"The video was cut: {self.size} of {download.length} bytes came.")
