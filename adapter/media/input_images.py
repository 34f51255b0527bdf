"""Loads the input pictures of an order: reads or downloads them, checks them, converts them for the provider.

A picture that the provider takes as it is does not wait for conversions of others.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from io import BytesIO

import msgspec
from PIL import Image as Pillow
from PIL import ImageOps

from adapter.domain import memory_estimate
from adapter.domain.ids import no_such_file
from adapter.domain.media import UNREADABLE_PICTURE, Image, MediaFormat, image_from_bytes
from adapter.domain.orders import FileIdSource, InlineSource, LinkSource, Source, StoredSource
from adapter.domain.pieces import read_whole
from adapter.domain.ports import MediaStore, PictureFetcher, Work
from adapter.errors import InvalidRequest
from adapter.media.conversions import Conversions, Cut
from adapter.media.decoding import can_decode, opened
from adapter.tasks import all_of

#: Pictures that are checked at once, for all requests together. Each takes milliseconds.
CHECKS_AT_ONCE = 2
#: Pictures that are fetched from the web at once.
FETCHES_AT_ONCE = 16

#: Exif's note of how the camera was held, and what it says of a picture on its side (Exif 2.32 section 4.6.4).
ORIENTATION = 0x0112
ON_ITS_SIDE = frozenset({5, 6, 7, 8})
NOT_UPRIGHT = frozenset({2, 3, 4}) | ON_ITS_SIDE
#: The chunk that has this note (PNG specification 3 section 11.3.2.2, Google's WebP container document). It may stand
#: anywhere, and Pillow decodes a whole PNG to be sure that there is none.
NOTES = {MediaFormat.PNG: b"eXIf", MediaFormat.WEBP: b"EXIF"}

#: A file may have so many times the pixels that it shows: encoders fill up blocks, and a viewer cuts.
MOST_INSIDE = 2

TAKEN = "PNG, JPEG, WebP and GIF, also AVIF and HEIC"


class InputLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of input pictures."""

    #: Of one file.
    bytes: int
    #: Of all files of a request together.
    bytes_in_all: int
    #: Of one picture: a file of a few kilobytes may hold billions.
    pixels: int


class InputImageLoader:
    """Loads pictures from the request, from the media store, or from the web (the port `InputImages`)."""

    def __init__(self, fetcher: PictureFetcher, store: MediaStore, limits: InputLimits) -> None:
        self._fetcher = fetcher
        self._store = store
        self._limits = limits
        self._checks = asyncio.Semaphore(CHECKS_AT_ONCE)
        self._conversions = Conversions()
        self._fetches = asyncio.Semaphore(FETCHES_AT_ONCE)

    async def gather(self, sources: Sequence[Source], formats: Sequence[MediaFormat], work: Work) -> Sequence[Image]:
        """Load all of them at once, and convert one after the other (the port of that name)."""
        if not sources:
            return ()
        gathering = Gathering(formats, work, Scales(self._limits.bytes_in_all), asyncio.Lock())
        return await all_of([self._bring(source, gathering) for source in sources])

    async def _bring(self, source: Source, gathering: "Gathering") -> Image:
        try:
            data = await self._read(source)
            gathering.scales.add(len(data))
            async with self._checks:
                image, is_ready = await asyncio.to_thread(checked, data, gathering.formats, self._limits)
            if is_ready:
                return image
            async with gathering.turn:
                return await self._converted(image, data, gathering)
        except InvalidRequest as fault:
            words = f"{fault.message} {source.advice}".rstrip()
            raise InvalidRequest(words, param=source.param, code=fault.code) from fault

    async def _converted(self, image: Image, data: bytes, gathering: "Gathering") -> Image:
        work, size = gathering.work, memory_estimate.of_conversion(image.pixels.area)
        async with work.reservation.part(size) if work.reservation else nullcontext() as part:
            done = await self._conversions.run(lambda cut: converted(image, data, gathering.formats, cut), work)
            if part is not None:
                part.keep(len(memoryview(done.base64)))
        return done

    async def _read(self, source: Source) -> bytes:
        match source:
            case InlineSource():
                return source.data
            case LinkSource():
                async with self._fetches:
                    return await self._fetcher.fetch(source.url, limit=self._limits.bytes)
            case StoredSource():
                return await self._kept(source.name)
            case FileIdSource():  # the caller did not look it up
                raise no_such_file(source.file_id, source.param)

    async def _kept(self, name: str) -> bytes:
        found = await self._store.find(name)
        if found is None:
            raise InvalidRequest(f"The picture '{name}' is not stored here any more; attach it again.")
        _check_size(found.size, self._limits)
        return await read_whole(self._store, found)


class Gathering(msgspec.Struct, frozen=True):
    """One order's pictures."""

    formats: Sequence[MediaFormat]
    work: Work
    scales: "Scales"
    #: For one conversion at a time: more would keep memory from others.
    turn: asyncio.Lock


class Scales:
    """Adds up the file sizes of one request."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sum = 0

    def add(self, size: int) -> None:
        """Add one file.

        Raises:
            InvalidRequest: that is too much.
        """
        self._sum += size
        if self._sum > self._most:
            raise InvalidRequest(
                f"The pictures have more than {self._most} bytes together.", code="image_file_too_large"
            )


def checked(data: bytes, formats: Sequence[MediaFormat], limits: InputLimits) -> tuple[Image, bool]:
    """Return a file as a picture, and whether a provider takes it as it is. Else it can be converted.

    Raises:
        InvalidRequest: it is no picture, or too large.
    """
    _check_size(len(data), limits)
    image = image_from_bytes(data)
    if image is None:
        raise InvalidRequest(f"This is not a picture that can be read. Taken are {TAKEN}.", code="invalid_image")
    if image.pixels.area > limits.pixels:
        raise InvalidRequest(
            f"The picture has {image.pixels} pixels; at most {limits.pixels} in all are taken.",
            code="image_too_large",
        )
    if image.format is MediaFormat.JPEG and image.format in formats:
        return _as_seen(image, data), True
    if image.format not in formats and not can_decode(image.format):
        raise InvalidRequest(
            f"The picture is {image.format.name}. The model does not take that, and it cannot be converted here. "
            f"Send it as {_words(each for each in MediaFormat if each.is_picture and can_decode(each))}.",
            code="unsupported_image_media_type",
        )
    note = NOTES.get(image.format)
    return image, image.format in formats and (note is None or note not in data)


def converted(image: Image, data: bytes, formats: Sequence[MediaFormat], cut: Cut) -> Image:
    """Return a picture as a still PNG, upright; unchanged if a provider takes the format and it is upright already.

    Raises:
        InvalidRequest: it is broken.
        ClientLeft: it was cut off.
    """
    if image.format not in formats:
        return _as_png(data, image, cut)
    if _orientation(data, image.format) not in NOT_UPRIGHT:
        return image
    try:
        return _as_png(data, image, cut)
    except InvalidRequest:  # the Exif note is broken; the picture may be fine
        return image


def _words(formats: Iterable[MediaFormat]) -> str:
    *others, last = [each.name for each in formats]
    return f"{', '.join(others)} or {last}"


def _as_seen(image: Image, data: bytes) -> Image:
    """Return a JPEG with the width and height that are seen: a camera on its side only writes an Exif note.

    Every program reads the note of a JPEG, so the file stays as it is. Many programs do not read the note of a PNG or
    WebP, so `converted` rotates such a picture.
    """
    is_turned = _orientation(data, image.format) in ON_ITS_SIDE
    return msgspec.structs.replace(image, pixels=image.pixels.turned) if is_turned else image


def _orientation(data: bytes, kind: MediaFormat) -> object:
    """Return the Exif orientation; None if there is none that can be read."""
    try:
        with Pillow.open(BytesIO(data), formats=[kind.name]) as picture:
            return picture.getexif().get(ORIENTATION)
    except UNREADABLE_PICTURE:
        return None


def _check_size(size: int, limits: InputLimits) -> None:
    if size > limits.bytes:
        raise InvalidRequest(
            f"The picture has {size} bytes; at most {limits.bytes} are taken.", code="image_file_too_large"
        )


def _as_png(data: bytes, found: Image, cut: Cut) -> Image:
    written = BytesIO()
    try:
        with opened(data, found.format, MOST_INSIDE * found.pixels.area) as picture:
            picture.load()
            cut.check()
            upright = _upright(picture)
            mode = "RGBA" if upright.has_transparency_data else "RGB"
            plain = upright if upright.mode == mode else upright.convert(mode)
            cut.check()
            plain.save(written, "PNG")
    except UNREADABLE_PICTURE as error:
        raise InvalidRequest("The picture is broken.", code="invalid_image") from error
    image = image_from_bytes(written.getvalue())
    if image is None:
        raise InvalidRequest("The picture is broken.", code="invalid_image")
    return image


def _upright(picture: Pillow.Image) -> Pillow.Image:
    """Rotate a picture as a viewer would, by its note: our PNG does not carry it. An upright one is not copied."""
    return ImageOps.exif_transpose(picture) if picture.getexif().get(ORIENTATION) in NOT_UPRIGHT else picture
