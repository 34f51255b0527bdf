"""Makers of pictures and texts, and loaders of their inputs."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from adapter.domain.job import StoredVideo
from adapter.domain.media import Clip, Image, MediaFormat
from adapter.domain.orders import ImageOrder, Source
from adapter.domain.ports.budget import Work
from adapter.domain.texts import TextLimits, TextReply, TextRequest, Turn


class ImageProvider(Protocol):
    """A maker of pictures."""

    async def make_images(self, order: ImageOrder, inputs: Sequence[Image]) -> Sequence[Image]:
        """Return exactly `order.n` pictures, or raise. `inputs` are the pictures of `order.sources`.

        Raises:
            ContentRefused: the provider declined the content.
            UpstreamFault: anything else that kept it from making all of them.
        """
        ...


class TextMaker(Protocol):
    """A writer of a few words."""

    async def make_text(self, model: str, turns: Sequence[Turn], limits: TextLimits) -> str:
        """Return a text, which is not empty.

        Raises:
            ContentRefused: the provider declined the content.
            UpstreamFault: anything else that kept it from writing, its time included.
        """
        ...


class TextProvider(Protocol):
    """Passes requests for texts to the provider's own routes."""

    def open_text(self, request: TextRequest) -> AbstractAsyncContextManager[TextReply]:
        """Send a request on, and open the answer. The request ends at the provider when this does.

        A text is cheap: no error says that money was spent, and a request that found its connection closed is sent
        again.

        Raises:
            InvalidRequest: the provider refused it.
            UpstreamFault: anything else that kept it from answering. It may come while the pieces are read.
        """
        ...


class ImageMaker(Protocol):
    """A maker of pictures with all that is done before and after."""

    async def make_images(self, order: ImageOrder, work: Work) -> Sequence[Image]:
        """Return exactly `order.n` pictures in the order's format and size, or raise.

        Raises:
            InvalidRequest: a picture to work from cannot be had or used.
            ServerBusy: there is no memory for one.
            ClientLeft: the work is not wanted any more, and the provider was not called.
            ContentRefused: the provider declined the content.
            UpstreamFault: anything else that kept it from making all of them.
        """
        ...


class PictureFetcher(Protocol):
    """The way to addresses that clients give us."""

    async def fetch(self, url: str, *, limit: int) -> bytes:
        """Return the file at an address, of up to `limit` bytes, whole and as it was sent.

        Raises:
            InvalidRequest: with the code `failed_to_download_image`: it is not fetched, cannot be, or is too long.
        """
        ...


class InputImages(Protocol):
    """Brings the pictures that an order works from."""

    async def gather(self, sources: Sequence[Source], formats: Sequence[MediaFormat], work: Work) -> Sequence[Image]:
        """Return pictures in their order, each in one of the formats.

        Raises:
            ServerBusy: there is no memory to convert one.
            ClientLeft: the work is not wanted any more.
            InvalidRequest: one of them is no picture, is too large, or cannot be had.
        """
        ...


class ClipMeasurer(Protocol):
    """Measures videos that clients send."""

    async def measure(self, data: bytes) -> Clip:
        """Return the size of a video's picture, and its length. Nothing is decoded for it.

        Raises:
            InvalidRequest: it is no MP4 that can be read.
        """
        ...


class Thumbnailer(Protocol):
    """Makes pictures of stored videos."""

    async def thumbnail(self, media: StoredVideo) -> bytes | None:
        """Return a small WebP of a video's poster, else of its first frame; None if its files are gone.

        Raises:
            UpstreamBroken: it cannot be decoded.
            ServerBusy: there is no memory to decode it.
        """
        ...

    async def spritesheet(self, media: StoredVideo) -> bytes | None:
        """Return a JPEG of frames from all over a video, in a grid; None if its file is gone.

        Raises:
            UpstreamBroken, ServerBusy: as `thumbnail`.
        """
        ...


class ImageMakers(msgspec.Struct, frozen=True):
    """What media are made with."""

    #: By the name of the provider.
    image_makers: Mapping[str, ImageMaker]
    inputs: InputImages
