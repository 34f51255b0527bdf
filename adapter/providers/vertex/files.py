"""What a video is made from, and where it lies when it is made: inline, or in a bucket of Google Cloud.

There is no Files API here (`google-cloud.md` section 3). Pictures go inside of the request.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from adapter.domain.job import Operation
from adapter.domain.media import Image, RemoteFile, RemoteVideo
from adapter.domain.ports import Download, Empty, Finished, Refused, Report, VideoFile
from adapter.errors import InvalidRequest, UpstreamBroken
from adapter.providers.http import Http
from adapter.providers.keys import Key
from adapter.providers.omni.wire import Delivery
from adapter.providers.origin import OwnOrigin
from adapter.providers.vertex.bucket import VideoBucket
from adapter.providers.vertex.endpoint import CloudEndpoint

#: The code of an interaction that is called completed and has no video (`omni/translate.py`).
NO_VIDEO: Final = "no_media_generated"


class CloudFiles:
    """Inputs and results of videos on Google Cloud (the protocol `VideoFiles`)."""

    def __init__(self, http: Http, endpoint: CloudEndpoint, bucket: VideoBucket | None) -> None:
        self._http = http
        self._endpoint = endpoint
        self._bucket = bucket

    async def picture_addresses(self, key: Key, images: Sequence[Image]) -> Sequence[str]:  # noqa: ARG002 - of a protocol
        """Return pictures as addresses that hold them (the protocol's method)."""
        return [f"data:{image.format.mime};base64,{bytes(memoryview(image.base64)[1:-1]).decode()}" for image in images]

    async def video_address(self, key: Key, video: VideoFile) -> str:  # noqa: ARG002 - of a protocol
        """Refuse a video (the protocol's method).

        Raises:
            InvalidRequest: always.
        """
        raise InvalidRequest(
            "On Google Cloud only videos that were made there can be edited or extended.", param="video"
        )

    def forget(self, addresses: Sequence[str]) -> None:
        """Forget nothing: nothing was uploaded."""

    async def close(self) -> None:
        """Close nothing."""

    def delivery(self, mark: str) -> Delivery:
        """Return where the video of a job is to be left."""
        if self._bucket is None:
            return Delivery("inline")
        return Delivery("uri", self._bucket.address(self._bucket.folder_of(mark)))

    async def checked(self, key: Key, operation: Operation, found: Report | None) -> Report | None:
        """Return how a job stands. One that is finished without a video may have it in the bucket."""
        if self._bucket is None or not _has_no_video(found):
            return found
        url, headers = self._bucket.list_url(self._bucket.folder_of(operation.mark)), await self._credential(key)
        reply = await key.client(self._http).get(url, headers=headers, body=b"", seconds=self._http.limits.question)
        videos = self._bucket.videos(reply)
        return Finished(RemoteVideo(name=videos[-1])) if videos else found

    @asynccontextmanager
    async def opened(self, key: Key, file: RemoteFile) -> AsyncIterator[Download]:
        """Open a file of the bucket, with the same token.

        Raises:
            UpstreamFault: it cannot be opened, or lies elsewhere.
        """
        if self._bucket is None:
            raise UpstreamBroken("Google names a file, and no bucket is configured.")
        own = OwnOrigin(self._bucket.base_url, await self._credential(key))
        async with key.client(self._http).download(self._bucket.file_url(file.name), own) as download:
            yield download

    async def _credential(self, key: Key) -> dict[str, str]:
        secret = await key.secret.read()
        return {**self._endpoint.credential(key, secret)}


def _has_no_video(found: Report | None) -> bool:
    match found:
        case Empty():
            return True
        case Refused(failure):
            return failure.code == NO_VIDEO
        case _:
            return False
