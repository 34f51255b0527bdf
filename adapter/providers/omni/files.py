"""Pictures and videos to work from, at Google's Files API (`omni.md` section 2.4)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Protocol

import msgspec

from adapter.domain.job import Operation
from adapter.domain.media import Image, MediaFormat, RemoteFile
from adapter.domain.ports import Clock, Download, Finished, Report, VideoFile
from adapter.errors import InvalidRequest, UpstreamBusy, free_of_charge
from adapter.providers.keys import Key
from adapter.providers.omni import translate, wire
from adapter.providers.omni.api import OmniApi
from adapter.providers.omni.faults import fault
from adapter.providers.uploads import PictureUploads

#: Google keeps a file for 48 hours. A video that waits for its turn still has its pictures after a day.
KEPT_SECONDS: Final = 24 * 3600.0
#: Shown in Google's list of files.
DISPLAY_NAME: Final = "adapter"
#: How often, and after how many seconds each time, a file is asked about until it can be used.
LOOKS: Final = 30
LOOK_SECONDS: Final = 2.0
#: A video goes in parts of so many bytes, a multiple of 256 KiB, and two videos at once. Google's clients do so too.
PART_BYTES: Final = 8 * 1024 * 1024
VIDEOS_AT_ONCE: Final = 2

_encoder = msgspec.json.Encoder()


class VideoFiles(Protocol):
    """Where the inputs and results of videos lie: the Files API, or Google Cloud (`providers/vertex`)."""

    async def picture_addresses(self, key: Key, images: Sequence[Image]) -> Sequence[str]:
        """Return the addresses of pictures for a request.

        Raises:
            AdapterError: a refusal, or no answer. It costs nothing.
        """
        ...

    async def video_address(self, key: Key, video: VideoFile) -> str:
        """Return the address of a video for a request.

        Raises:
            AdapterError: as `picture_addresses`.
        """
        ...

    def forget(self, addresses: Sequence[str]) -> None:
        """Drop addresses that Google no longer knows."""
        ...

    async def close(self) -> None:
        """End what no request waits for."""
        ...

    def delivery(self, mark: str) -> wire.Delivery:
        """Return where the video of a job with this mark is to be left."""
        ...

    async def checked(self, key: Key, operation: Operation, found: Report | None) -> Report | None:
        """Return how a job stands, when its interaction stands so: its file may be elsewhere, or not be whole yet.

        Raises:
            AdapterError: no answer.
        """
        ...

    def opened(self, key: Key, file: RemoteFile) -> AbstractAsyncContextManager[Download]:
        """Open a finished file.

        Raises:
            UpstreamFault: it cannot be opened.
        """
        ...


class OmniFiles:
    """Uploads pictures and videos, each once for all jobs of a key, and hands over what was made."""

    def __init__(self, api: OmniApi, clock: Clock, concurrency: int) -> None:
        self._api = api
        self._clock = clock
        self._places = asyncio.Semaphore(concurrency)
        self._video_places = asyncio.Semaphore(VIDEOS_AT_ONCE)
        self._uploads = PictureUploads(clock, KEPT_SECONDS, tasks="omni.uploads")

    async def picture_addresses(self, key: Key, images: Sequence[Image]) -> Sequence[str]:
        """Return Google's addresses of pictures; those that it does not have are uploaded, side by side.

        Raises:
            AdapterError: a refusal, or no answer. An upload costs nothing.
        """

        async def send(image: Image) -> str:
            async with self._places:
                return await self._upload(key, image)

        with free_of_charge():
            return await self._uploads.names(key.name, images, send)

    async def video_address(self, key: Key, video: VideoFile) -> str:
        """Return Google's address of a video; one that it does not have is uploaded.

        Raises:
            AdapterError: as `picture_addresses`.
        """

        async def send() -> str:
            async with self._video_places:
                return await self._upload_video(key, video)

        with free_of_charge():
            return await self._uploads.name(key.name, bytes.fromhex(video.sha256), send)

    def forget(self, addresses: Sequence[str]) -> None:
        """Drop addresses that Google no longer knows."""
        self._uploads.forget(addresses)

    async def close(self) -> None:
        """End the uploads that no request waits for."""
        await self._uploads.close()

    def delivery(self, mark: str) -> wire.Delivery:  # noqa: ARG002 - of a protocol
        """Return that a video is left at Google."""
        return translate.AT_GOOGLE

    async def checked(self, key: Key, operation: Operation, found: Report | None) -> Report | None:  # noqa: ARG002
        """Return how a job stands. A file that is still worked on makes it an unfinished one."""
        match found:
            case Finished(video, None):
                file = translate.file(await self._api.file(key, f"files/{video.name}"))
                return translate.report_of_file(file, found)
            case _:
                return found

    @asynccontextmanager
    async def opened(self, key: Key, file: RemoteFile) -> AsyncIterator[Download]:
        """Open a file by its id, at the configured address."""
        own = await self._api.origin(key)
        url = f"{self._api.address('files', f'{file.name}:download')}?alt=media"
        async with self._api.client(key).download(url, own) as download:
            yield download

    async def _upload(self, key: Key, image: Image) -> str:
        address = await self._announce(key, image.format, image.file_size)
        data = await asyncio.to_thread(image.decode)
        reply = await self._api.send_part(key, address, data, offset=0, is_last=True)
        return await self._usable(key, translate.uploaded(reply), "picture")

    async def _upload_video(self, key: Key, video: VideoFile) -> str:
        address = await self._announce(key, MediaFormat.MP4, video.size)
        last = (video.size - 1) // PART_BYTES * PART_BYTES
        for offset in range(0, last, PART_BYTES):
            data = await video.read(offset, offset + PART_BYTES)
            reply = await self._api.send_part(key, address, data, offset=offset, is_last=False)
            if reply.status != 200:
                raise fault(reply)
        data = await video.read(last, video.size)
        reply = await self._api.send_part(key, address, data, offset=last, is_last=True)
        return await self._usable(key, translate.uploaded(reply), "video")

    async def _announce(self, key: Key, kind: MediaFormat, size: int) -> str:
        announced = _encoder.encode(translate.upload_request(kind, size, DISPLAY_NAME))
        return await self._api.begin_upload(key, announced, size=size, mime=kind.mime)

    async def _usable(self, key: Key, file: wire.File, what: str) -> str:
        """Wait until Google has looked at a file, and return its address."""
        for _ in range(LOOKS):
            if file.state == "FAILED":
                raise InvalidRequest(f"Google cannot use the {what}.")
            if file.state != "PROCESSING":
                return file.uri or self._api.address(*file.name.split("/"))
            await self._clock.sleep(LOOK_SECONDS)
            file = translate.file(await self._api.file(key, file.name))
        raise UpstreamBusy(f"Google is still looking at the uploaded {what}.")
