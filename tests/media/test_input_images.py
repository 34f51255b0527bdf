"""The pictures that an order works from: where they come from, and what becomes of them."""

import asyncio
import random
import struct
import threading
from collections.abc import AsyncIterator
from io import BytesIO
from typing import ClassVar

import pytest
from PIL import Image as Pillow

from adapter.domain.media import Image, MediaFormat, Pixels
from adapter.domain.orders import InlineSource, LinkSource, StoredSource
from adapter.domain.ports import Work
from adapter.errors import InvalidRequest
from adapter.media.conversions import Cut
from adapter.media.decoding import can_decode
from adapter.media.input_images import InputImageLoader, InputLimits, checked, converted
from adapter.media.store import open_media
from tests.fakes import png
from tests.pictures import opened
from tests.support import GOLDEN

PHOTO = (GOLDEN / "pictures" / "photo.heic").read_bytes()
TURNED = (GOLDEN / "pictures" / "turned.heic").read_bytes()
ALL = (MediaFormat.PNG, MediaFormat.JPEG, MediaFormat.WEBP)
ADA = Work("ada")
LIMITS = InputLimits(bytes=1_000_000, bytes_in_all=1_500_000, pixels=250_000)


class Web:
    """Addresses and what lies there."""

    def __init__(self, **files: bytes) -> None:
        self._files = files
        self.limits: list[int] = []

    async def fetch(self, url: str, *, limit: int) -> bytes:
        self.limits.append(limit)
        if url not in self._files:
            raise InvalidRequest("It cannot be reached.", code="failed_to_download_image")
        return self._files[url]


def written(kind: str, mode: str = "RGB", **options: object) -> bytes:
    """Return a picture's file."""
    file = BytesIO()
    Pillow.effect_noise((64, 48), 90).convert(mode).save(file, kind, **options)
    return file.getvalue()


def prepared(data: bytes, formats: tuple[MediaFormat, ...], limits: InputLimits) -> Image:
    """Return a file as the picture that a provider gets."""
    image, is_ready = checked(data, formats, limits)
    return image if is_ready else converted(image, data, formats, Cut(lambda: True))


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Yield it."""
    yield data


async def test_pictures_come_from_everywhere_in_their_order() -> None:
    """From the request, from our own store, from the web: as the prompt counts them."""
    store = open_media("memory://")
    await store.put("ours.png", once(png(20, 20)))
    inputs = InputImageLoader(Web(there=png(30, 30)), store, LIMITS)

    brought = await inputs.gather(
        [
            InlineSource(png(10, 10), "image"),
            StoredSource("ours.png", "image"),
            LinkSource("there", "image"),
            InlineSource(png(40, 40), "x"),
        ],
        ALL,
        ADA,
    )

    assert [image.pixels.width for image in brought] == [10, 20, 30, 40]


async def test_a_picture_that_the_provider_takes_is_not_touched() -> None:
    """Byte for byte."""
    file = written("WEBP")
    [image] = await InputImageLoader(Web(), open_media("memory://"), LIMITS).gather(
        [InlineSource(file, "image")], ALL, ADA
    )

    assert (image.decode(), image.format, image.pixels) == (file, MediaFormat.WEBP, Pixels(64, 48))


@pytest.mark.parametrize(("kind", "mode"), [("WEBP", "RGB"), ("GIF", "P"), ("GIF", "L"), ("WEBP", "RGBA")])
def test_any_other_becomes_a_png(kind: str, mode: str) -> None:
    """Flow takes PNG and JPEG only; nobody takes a GIF."""
    image = prepared(written(kind, mode), (MediaFormat.PNG, MediaFormat.JPEG), LIMITS)

    assert (opened(image.decode()).format, opened(image.decode()).size) == ("PNG", (64, 48))


with_avif = pytest.mark.skipif(not can_decode(MediaFormat.AVIF), reason="this Pillow was built without AVIF")


@with_avif
@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_an_avif_becomes_a_png(mode: str) -> None:
    """No provider takes it, and browsers save it."""
    image = prepared(written("AVIF", mode), ALL, LIMITS)

    assert (image.format, image.pixels) == (MediaFormat.PNG, Pixels(64, 48))


@with_avif
def test_the_transparency_of_an_avif_survives() -> None:
    """It is a picture of its own in the file."""
    file = BytesIO()
    Pillow.new("RGBA", (32, 32), (255, 0, 0, 0)).save(file, "AVIF")

    pixel = opened(prepared(file.getvalue(), ALL, LIMITS).decode()).getpixel((16, 16))
    assert isinstance(pixel, tuple)
    assert pixel[3] == 0


@with_avif
@pytest.mark.parametrize(("note", "seen"), [(1, (64, 48)), (3, (64, 48)), (6, (48, 64)), (8, (48, 64))])
def test_an_avif_is_turned_when_it_is_converted(note: int, seen: tuple[int, int]) -> None:
    """The file notes that in boxes of its own."""
    turned = Pillow.Exif()
    turned[0x0112] = note

    assert prepared(written("AVIF", exif=turned), ALL, LIMITS).pixels == Pixels(*seen)


@with_avif
def test_of_a_moving_avif_the_still_picture_is_taken() -> None:
    """As of a GIF; only the still one was looked at."""
    file = BytesIO()
    frames = [Pillow.new("RGB", (32, 32), colour) for colour in ("red", "green")]
    frames[0].save(file, "AVIF", save_all=True, append_images=frames[1:])
    pixel = opened(prepared(file.getvalue(), ALL, LIMITS).decode()).getpixel((16, 16))

    assert isinstance(pixel, tuple)
    assert pixel[0] > 240


@with_avif
def test_an_avif_that_is_larger_inside_than_it_says_is_never_decoded() -> None:
    """A kilobyte that says 16x16 and would take hundreds of megabytes for a moment."""
    file = BytesIO()
    Pillow.new("L", (2000, 2000)).save(file, "AVIF", speed=10)
    small = file.getvalue().replace(struct.pack(">II", 2000, 2000), struct.pack(">II", 16, 16))

    with pytest.raises(InvalidRequest) as caught:
        prepared(small, ALL, LIMITS)
    assert caught.value.code == "invalid_image"


@pytest.mark.parametrize(("file", "seen"), [(PHOTO, (96, 64)), (TURNED, (64, 96))])
def test_a_heic_goes_untouched_where_it_is_taken(file: bytes, seen: tuple[int, int]) -> None:
    """Gemini takes what phones make; the shape is the one in which it is seen."""
    image = prepared(file, (*ALL, MediaFormat.HEIC), LIMITS)

    assert (image.decode(), image.format.mime, image.pixels) == (file, "image/heic", Pixels(*seen))


def test_a_heif_keeps_its_own_type() -> None:
    """Google refuses a type that is not the bytes'."""
    file = PHOTO.replace(b"ftypheic", b"ftypmif1")

    assert prepared(file, (MediaFormat.HEIC, MediaFormat.HEIF), LIMITS).format.mime == "image/heif"


@pytest.mark.skipif(can_decode(MediaFormat.HEIC), reason="pillow-heif is installed here")
def test_a_heic_that_nobody_here_can_convert_is_refused_with_what_is_taken() -> None:
    """Flow takes none, and Pillow alone reads none."""
    with pytest.raises(InvalidRequest, match=r"picture is HEIC\..*Send it as PNG, JPEG, WEBP, GIF") as caught:
        prepared(PHOTO, (MediaFormat.PNG, MediaFormat.JPEG), LIMITS)
    assert caught.value.code == "unsupported_image_media_type"


@pytest.mark.skipif(not can_decode(MediaFormat.HEIC), reason="pillow-heif is not installed here")
@pytest.mark.parametrize(("file", "seen"), [(PHOTO, (96, 64)), (TURNED, (64, 96))])
def test_a_heic_becomes_a_png_where_an_operator_installed_a_plugin(file: bytes, seen: tuple[int, int]) -> None:
    """Turned as it is seen."""
    image = prepared(file, (MediaFormat.PNG,), LIMITS)

    assert (image.format, image.pixels) == (MediaFormat.PNG, Pixels(*seen))


def test_of_an_animation_the_first_picture_is_taken() -> None:
    """A still is what these models work from."""
    file = BytesIO()
    frames = [Pillow.new("RGB", (32, 32), colour) for colour in ("red", "green")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])

    assert opened(prepared(file.getvalue(), ALL, LIMITS).decode()).getpixel((16, 16)) == (255, 0, 0)


def test_transparency_survives_the_conversion() -> None:
    """A cut-out stays one."""
    file = BytesIO()
    Pillow.new("RGBA", (32, 32), (255, 0, 0, 0)).save(file, "WEBP", lossless=True)

    pixel = opened(prepared(file.getvalue(), (MediaFormat.PNG,), LIMITS).decode()).getpixel((16, 16))
    assert isinstance(pixel, tuple)
    assert pixel[3] == 0


def test_a_picture_that_lies_on_its_side_is_turned_when_it_is_converted() -> None:
    """A PNG has no note of how the camera was held."""
    turned = Pillow.Exif()
    turned[0x0112] = 6
    image = prepared(written("JPEG", exif=turned), (MediaFormat.PNG,), LIMITS)

    assert image.pixels == Pixels(48, 64)


def test_a_picture_with_broken_camera_notes_is_the_clients_fault() -> None:
    """Lying on its side, beside a note of the wrong type: Pillow raises `struct.error`."""
    sideways, wrong = struct.pack("<HHII", 0x0112, 3, 1, 6), struct.pack("<HHII", 0xA005, 1, 1, 0)
    notes = b"".join((b"Exif\0\0II*\0\x08\0\0\0\x02\0", sideways, wrong, bytes(4)))

    with pytest.raises(InvalidRequest) as caught:
        prepared(written("WEBP", exif=notes), (MediaFormat.PNG,), LIMITS)
    assert caught.value.code == "invalid_image"


@pytest.mark.parametrize(("note", "seen"), [(1, (64, 48)), (3, (64, 48)), (6, (48, 64)), (8, (48, 64))])
def test_a_photograph_has_the_shape_in_which_it_is_seen(note: int, seen: tuple[int, int]) -> None:
    """Untouched, but a portrait where the camera says so: Flow is told the shape, and `auto` keeps it."""
    turned = Pillow.Exif()
    turned[0x0112] = note
    file = written("JPEG", exif=turned)
    image = prepared(file, ALL, LIMITS)

    assert (image.decode(), image.pixels) == (file, Pixels(*seen))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize(("note", "seen"), [(3, (64, 48)), (6, (48, 64)), (8, (48, 64))])
def test_a_png_or_webp_with_a_cameras_note_is_turned(kind: str, note: int, seen: tuple[int, int]) -> None:
    """Many programs overlook the note in these formats: the provider gets the picture as it is seen."""
    turned = Pillow.Exif()
    turned[0x0112] = note
    corner = Pillow.new("RGB", (64, 48), "white")
    corner.paste("red", (0, 0, 32, 24))
    file = BytesIO()
    corner.save(file, kind, exif=turned, **({"lossless": True} if kind == "WEBP" else {}))
    image = prepared(file.getvalue(), ALL, LIMITS)
    picture = opened(image.decode())

    assert (image.format, image.pixels) == (MediaFormat.PNG, Pixels(*seen))
    red = {3: (48, 36), 6: (36, 16), 8: (12, 48)}[note]
    assert picture.convert("RGB").getpixel(red) == (255, 0, 0)
    assert picture.getexif().get(0x0112) in {None, 1}


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_picture_that_is_upright_already_is_left_as_it_is(kind: str) -> None:
    """With such a note, without one, and with the letters of one in its pixels."""
    upright = Pillow.Exif()
    upright[0x0112] = 1
    for file in (written(kind, exif=upright), written(kind), written(kind) + b"eXIf EXIF"):
        assert prepared(file, ALL, LIMITS).decode() == file


async def test_a_fault_says_how_to_go_on_without_the_picture() -> None:
    """An earlier picture of a conversation comes again with every message."""
    inputs = InputImageLoader(Web(), open_media("memory://"), LIMITS)

    with pytest.raises(InvalidRequest, match=r"It cannot be reached\. Attach it again\.") as caught:
        await inputs.gather([LinkSource("gone", "messages", "Attach it again.")], ALL, ADA)
    assert (caught.value.param, caught.value.code) == ("messages", "failed_to_download_image")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "invalid_image"),
        (b"Example data", "invalid_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "invalid_image"),
        (b"\x00\x00\x00\x18ftypheic" + b"\x00" * 100, "invalid_image"),
        (b"\x00\x00\x00\x18ftypavif" + b"\x00" * 100, "invalid_image"),
        (PHOTO.replace(struct.pack(">II", 96, 64), struct.pack(">II", 9600, 6400)), "image_too_large"),
        (PHOTO.replace(struct.pack(">II", 96, 64), struct.pack(">II", 2**32 - 1, 2**32 - 1)), "image_too_large"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "invalid_image"),
        (png() + b"\x00" * 1_000_000, "image_file_too_large"),
        (png(501, 500), "image_too_large"),
    ],
)
def test_what_is_no_picture_or_too_large_is_the_clients_fault(data: bytes, code: str) -> None:
    """Told by its bytes, whatever the client calls it."""
    with pytest.raises(InvalidRequest) as caught:
        prepared(data, ALL, LIMITS)
    assert caught.value.code == code


def test_a_bomb_is_refused_by_its_header() -> None:
    """Twenty kilobytes that would unpack to half a gigabyte are never unpacked."""
    file = BytesIO()
    Pillow.new("1", (20_000, 20_000)).save(file, "PNG")

    with pytest.raises(InvalidRequest) as caught:
        prepared(file.getvalue(), (MediaFormat.JPEG,), LIMITS)
    assert caught.value.code == "image_too_large"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "HEIC"])
def test_a_damaged_picture_is_the_clients_fault_or_none(kind: str) -> None:
    """Cut anywhere, or with wrong bytes anywhere: a picture or an error that says so, nothing else."""
    chance = random.Random(7)
    whole = PHOTO if kind == "HEIC" else written(kind, "P" if kind == "GIF" else "RGB")
    for _ in range(300):
        damaged = bytearray(whole[: chance.randrange(1, len(whole))] if chance.random() < 0.5 else whole)
        for _ in range(chance.randrange(8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            prepared(bytes(damaged), (MediaFormat.PNG,) if kind != "PNG" else (MediaFormat.JPEG,), LIMITS)
        except InvalidRequest as fault:
            assert fault.code in {"invalid_image", "image_too_large", "unsupported_image_media_type"}  # noqa: PT017 - both outcomes are right


async def test_a_fault_names_the_field_that_it_came_in() -> None:
    """Of several pictures the client learns which."""
    inputs = InputImageLoader(Web(), open_media("memory://"), LIMITS)

    for source in (
        InlineSource(b"no", "image[1]"),
        LinkSource("nowhere", "image[1]"),
        StoredSource("gone.png", "image[1]"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            await inputs.gather([InlineSource(png(), "image[0]"), source], ALL, ADA)
        assert caught.value.param == "image[1]"


async def test_what_is_fetched_may_be_no_larger_than_what_is_sent() -> None:
    """The limit goes along, so that nothing larger is ever held."""
    web = Web(there=png())
    await InputImageLoader(web, open_media("memory://"), LIMITS).gather([LinkSource("there", "image")], ALL, ADA)

    assert web.limits == [LIMITS.bytes]


async def test_all_pictures_together_may_be_too_much() -> None:
    """Wherever they come from."""
    large = png() + b"\x00" * 800_000
    inputs = InputImageLoader(Web(there=large), open_media("memory://"), LIMITS)

    await inputs.gather([InlineSource(large, "image")], ALL, ADA)
    with pytest.raises(InvalidRequest) as caught:
        await inputs.gather([InlineSource(large, "image"), LinkSource("there", "image")], ALL, ADA)
    assert caught.value.code == "image_file_too_large"


class Noted(tuple[MediaFormat, ...]):
    """Formats that note who looks at them."""

    __slots__ = ()
    threads: ClassVar[list[threading.Thread]] = []

    def __contains__(self, kind: object) -> bool:
        self.threads.append(threading.current_thread())
        return super().__contains__(kind)


async def test_pictures_are_looked_at_beside_the_event_loop() -> None:
    """Others have their turn meanwhile."""
    await InputImageLoader(Web(), open_media("memory://"), LIMITS).gather(
        [InlineSource(png(), "image")], Noted(ALL), ADA
    )

    assert Noted.threads
    assert threading.current_thread() not in Noted.threads


async def test_one_bad_picture_ends_the_others() -> None:
    """Nothing goes on being fetched for an order that has failed."""
    ended = asyncio.Event()

    class Slow:
        async def fetch(self, url: str, *, limit: int) -> bytes:
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            return f"{url} {limit}".encode()

    with pytest.raises(InvalidRequest):
        await InputImageLoader(Slow(), open_media("memory://"), LIMITS).gather(
            [LinkSource("slow", "a"), InlineSource(b"no", "b")], ALL, ADA
        )
    async with asyncio.timeout(1):
        await ended.wait()
