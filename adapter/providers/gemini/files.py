"""Large pictures to work from: Google's Files API gets them, and a request their addresses (`omni.md` section 2.4).

A relay may have no Files API. Then the pictures stay inside of the request.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from adapter.domain.media import Image, size_of
from adapter.domain.ports import Clock
from adapter.errors import InvalidRequest, UpstreamBroken, UpstreamBusy, free_of_charge
from adapter.providers.gemini import translate, wire
from adapter.providers.gemini.credential import keyed
from adapter.providers.http import Http
from adapter.providers.keys import Key
from adapter.providers.origin import OwnOrigin
from adapter.providers.reply import Reply
from adapter.providers.uploads import PictureUploads

log = structlog.get_logger()

#: Google keeps a file for 48 hours.
KEPT_SECONDS: Final = 24 * 3600.0
#: How often, and after how many seconds each time, a file is asked about until it can be used.
LOOKS: Final = 30
LOOK_SECONDS: Final = 2.0
#: Shown in Google's list of files.
DISPLAY_NAME: Final = "adapter"
#: Statuses by which a server says that it has no such route.
NO_ROUTE: Final = frozenset({404, 405, 501})

_encoder = msgspec.json.Encoder()


class FilesEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where the Files API is, how it wants its key, and when it is used."""

    base_url: str
    api_version: str
    #: As of `GeminiEndpoint`.
    auth: str
    #: A request's pictures go there if they are more bytes of base64 than this.
    inline_bytes: int
    #: Uploads under way at once.
    concurrency: int


class GeminiFiles:
    """Uploads pictures, each once for all requests with a key."""

    def __init__(self, http: Http, endpoint: FilesEndpoint, clock: Clock) -> None:
        self._http = http
        self._endpoint = endpoint
        self._clock = clock
        self._places = asyncio.Semaphore(endpoint.concurrency)
        self._uploads = PictureUploads(clock, KEPT_SECONDS, tasks="gemini.uploads")
        #: Whether the server was seen to have no Files API.
        self._is_missing = False

    def takes(self, images: Sequence[Image]) -> bool:
        """Return whether the pictures of a request go there."""
        return not self._is_missing and size_of(images) > self._endpoint.inline_bytes

    async def addresses(self, key: Key, secret: str, images: Sequence[Image]) -> Sequence[str]:
        """Return Google's addresses of pictures; those that it does not have are uploaded, side by side.

        An empty list means that the server has no Files API.

        Raises:
            AdapterError: a refusal, or no answer. An upload costs nothing.
        """

        async def send(image: Image) -> str:
            async with self._places:
                return await self._upload(key, secret, image)

        try:
            with free_of_charge():
                return await self._uploads.names(key.name, images, send)
        except _NoFilesApiError:
            return ()

    def forget(self, addresses: Sequence[str]) -> None:
        """Drop addresses that Google no longer knows."""
        self._uploads.forget(addresses)

    async def close(self) -> None:
        """End the uploads that no request waits for."""
        await self._uploads.close()

    async def _upload(self, key: Key, secret: str, image: Image) -> str:
        address = await self._begin(key, secret, image)
        data = await asyncio.to_thread(image.decode)
        headers = {
            "content-type": "application/octet-stream",
            "x-goog-upload-command": "upload, finalize",
            "x-goog-upload-offset": "0",
        }
        # The address is the permission, so no key goes with the bytes.
        reply = await key.client(self._http).post(address, headers=headers, body=data, seconds=self._http.limits.upload)
        file = await self._usable(key, secret, translate.uploaded(reply))
        return file.uri or self._address(file.name)

    async def _begin(self, key: Key, secret: str, image: Image) -> str:
        """Announce a picture and return the address that takes it."""
        if self._is_missing:
            raise _no_files_api()
        url = f"{self._endpoint.base_url}/upload/{self._endpoint.api_version}/files"
        url, headers = keyed(url, self._endpoint.auth, secret)
        announced = {
            "x-goog-upload-protocol": "resumable",
            "x-goog-upload-command": "start",
            "x-goog-upload-header-content-length": str(image.file_size),
            "x-goog-upload-header-content-type": image.format.mime,
        }
        body = _encoder.encode(translate.upload_request(image, DISPLAY_NAME))
        reply, address = await key.client(self._http).post_for_header(
            url, "x-goog-upload-url", headers={**headers, **announced}, body=body, seconds=self._http.limits.upload
        )
        if reply.status in NO_ROUTE or (reply.status == 200 and not address):
            self._note_missing()
            raise _no_files_api()
        if reply.status != 200:
            raise translate.fault(reply)
        if not OwnOrigin(self._endpoint.base_url).has_address(address):
            raise UpstreamBroken("Google names an address for an upload that is not of its configured origin.")
        return address

    def _note_missing(self) -> None:
        if not self._is_missing:
            log.warning("gemini.no_files_api", base_url=self._endpoint.base_url)
        self._is_missing = True

    async def _usable(self, key: Key, secret: str, file: wire.File) -> wire.File:
        """Wait until Google has looked at a file."""
        for _ in range(LOOKS):
            if file.state == "FAILED":
                raise InvalidRequest("Google cannot use the picture.")
            if file.state != "PROCESSING":
                return file
            await self._clock.sleep(LOOK_SECONDS)
            file = translate.file(await self._ask(key, secret, file.name))
        raise UpstreamBusy("Google is still looking at the uploaded picture.")

    async def _ask(self, key: Key, secret: str, name: str) -> Reply:
        url, headers = keyed(self._address(name), self._endpoint.auth, secret)
        return await key.client(self._http).get(url, headers=headers, body=b"", seconds=self._http.limits.question)

    def _address(self, name: str) -> str:
        return f"{self._endpoint.base_url}/{self._endpoint.api_version}/{name}"


class _NoFilesApiError(UpstreamBroken):
    """The server has no such route."""


def _no_files_api() -> _NoFilesApiError:
    return _NoFilesApiError("This server has no Files API.")
