"""Pictures to work from, at Google's Files API (`omni.md` section 2.4)."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from adapter.domain.media import Image
from adapter.domain.ports import Clock
from adapter.errors import InvalidRequest, UpstreamBusy, free_of_charge
from adapter.providers.keys import Key
from adapter.providers.omni import translate, wire
from adapter.providers.omni.api import OmniApi
from adapter.providers.uploads import PictureUploads

#: Google keeps a file for 48 hours. A video that waits for its turn still has its pictures after a day.
KEPT_SECONDS: Final = 24 * 3600.0
#: Shown in Google's list of files.
DISPLAY_NAME: Final = "adapter"
#: How often, and after how many seconds each time, a file is asked about until it can be used.
LOOKS: Final = 30
LOOK_SECONDS: Final = 2.0

_encoder = msgspec.json.Encoder()


class OmniFiles:
    """Uploads pictures, each once for all jobs of a key."""

    def __init__(self, api: OmniApi, clock: Clock, concurrency: int) -> None:
        self._api = api
        self._clock = clock
        self._places = asyncio.Semaphore(concurrency)
        self._uploads = PictureUploads(clock, KEPT_SECONDS, tasks="omni.uploads")

    async def addresses(self, key: Key, images: Sequence[Image]) -> Sequence[str]:
        """Return Google's addresses of pictures; those that it does not have are uploaded, side by side.

        Raises:
            AdapterError: a refusal, or no answer. An upload costs nothing.
        """

        async def send(image: Image) -> str:
            async with self._places:
                return await self._upload(key, image)

        with free_of_charge():
            return await self._uploads.names(key.name, images, send)

    def forget(self, addresses: Sequence[str]) -> None:
        """Drop addresses that Google no longer knows."""
        self._uploads.forget(addresses)

    async def close(self) -> None:
        """End the uploads that no request waits for."""
        await self._uploads.close()

    async def _upload(self, key: Key, image: Image) -> str:
        announced = _encoder.encode(translate.upload_request(image, DISPLAY_NAME))
        address = await self._api.begin_upload(key, announced, size=image.file_size, mime=image.format.mime)
        reply = await self._api.end_upload(address, await asyncio.to_thread(image.decode))
        file = await self._usable(key, translate.uploaded(reply))
        return file.uri or self._api.address(*file.name.split("/"))

    async def _usable(self, key: Key, file: wire.File) -> wire.File:
        """Wait until Google has looked at a file."""
        for _ in range(LOOKS):
            if file.state == "FAILED":
                raise InvalidRequest("Google cannot use the picture.")
            if file.state != "PROCESSING":
                return file
            await self._clock.sleep(LOOK_SECONDS)
            file = translate.file(await self._api.get(key, *file.name.split("/")))
        raise UpstreamBusy("Google is still looking at the uploaded picture.")
