"""Pictures have the format that was ordered, whatever the model drew."""

import threading
from collections.abc import Sequence
from io import BytesIO
from typing import ClassVar

import msgspec
import pytest
from PIL import Image as Pillow

from adapter.domain.grounding import Grounding
from adapter.domain.media import Frame, Image, MediaFormat, Pixels, image_from_bytes
from adapter.domain.orders import ImageOrder, Source
from adapter.domain.ports import Work
from adapter.domain.usage import Usage
from adapter.errors import UpstreamBroken
from adapter.media.convert import convert
from adapter.media.image_pipeline import ImagePipeline
from tests.fakes import png
from tests.pictures import opened

KINDS = [MediaFormat.PNG, MediaFormat.JPEG, MediaFormat.WEBP]


def drawn(kind: MediaFormat, mode: str = "RGB") -> Image:
    """Return a noisy picture of a kind."""
    file = BytesIO()
    noise = Pillow.effect_noise((64, 48), 90)
    noise.convert(mode).save(file, kind.name)
    image = image_from_bytes(file.getvalue())
    assert image is not None
    return image


class Draws:
    """A maker of pictures of one kind."""

    def __init__(self, image: Image) -> None:
        self._image = image

    async def make_images(self, order: ImageOrder, inputs: Sequence[Image]) -> Sequence[Image]:
        assert not inputs
        return [self._image] * order.n


class NoInputs:
    """Brings nothing."""

    async def gather(self, sources: Sequence[Source], formats: Sequence[MediaFormat], work: Work) -> Sequence[Image]:
        assert not sources
        assert not formats
        assert work.owner
        return ()


ADA = Work("ada")


def order(kind: MediaFormat, compression: int = 100, exact: Pixels | None = None) -> ImageOrder:
    """Return an order for two pictures of a format."""
    return ImageOrder(
        model="m",
        provider="p",
        upstream="m",
        prompt="a fox",
        n=2,
        frame=Frame(),
        format=kind,
        compression=compression,
        exact=exact,
    )


@pytest.mark.parametrize("to", KINDS)
@pytest.mark.parametrize("drawn_as", KINDS)
async def test_a_picture_comes_in_the_format_that_was_ordered(drawn_as: MediaFormat, to: MediaFormat) -> None:
    """Every pair; the size stays, and what has the format already is not touched."""
    image = drawn(drawn_as)
    made = await ImagePipeline(Draws(image), NoInputs()).make_images(order(to), ADA)

    assert [opened(each.decode()).format for each in made] == [to.name, to.name]
    assert {each.pixels for each in made} == {image.pixels}
    assert (made[0] is image) is (drawn_as is to)


@pytest.mark.parametrize("to", [MediaFormat.JPEG, MediaFormat.WEBP])
def test_compression_is_a_quality(to: MediaFormat) -> None:
    """Less of it, fewer bytes; the ends of the range are allowed."""
    sizes = [len(convert(drawn(MediaFormat.PNG), order(to, compression)).decode()) for compression in (0, 30, 80, 100)]

    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_transparency_becomes_white_in_a_jpeg() -> None:
    """Not black, as a plain conversion would have it."""
    file = BytesIO()
    Pillow.new("RGBA", (32, 32), (255, 0, 0, 0)).save(file, "PNG")
    clear = image_from_bytes(file.getvalue())
    assert clear is not None

    pixel = opened(convert(clear, order(MediaFormat.JPEG)).decode()).getpixel((16, 16))
    assert pixel == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA"])
@pytest.mark.parametrize("to", [MediaFormat.JPEG, MediaFormat.WEBP])
def test_pictures_of_every_colour_mode_are_converted(mode: str, to: MediaFormat) -> None:
    """Grey, palette, with alpha."""
    assert opened(convert(drawn(MediaFormat.PNG, mode), order(to, 90)).decode()).size == (64, 48)


def test_a_picture_that_is_cut_is_the_upstreams_fault() -> None:
    """Its head looked right."""
    whole = png(300, 300)
    cut = image_from_bytes(whole[: len(whole) // 2])
    assert cut is not None

    with pytest.raises(UpstreamBroken):
        convert(cut, order(MediaFormat.JPEG))


@pytest.mark.parametrize(
    ("asked", "corner"), [(Pixels(64, 32), (0, 8)), (Pixels(48, 48), (8, 0)), (Pixels(200, 100), None)]
)
def test_an_exact_size_is_cut_from_the_middle_and_scaled(asked: Pixels, corner: tuple[int, int] | None) -> None:
    """Nothing is squeezed: what is too much on either side goes."""
    image = drawn(MediaFormat.PNG)
    made = opened(convert(image, order(MediaFormat.PNG, exact=asked)).decode())

    assert made.size == (asked.width, asked.height)
    if corner:
        box = (*corner, corner[0] + asked.width, corner[1] + asked.height)
        assert made.tobytes() == opened(image.decode()).crop(box).tobytes()


async def test_a_picture_of_the_exact_size_is_not_touched() -> None:
    """Byte for byte."""
    image = drawn(MediaFormat.PNG)
    made = await ImagePipeline(Draws(image), NoInputs()).make_images(order(MediaFormat.PNG, exact=image.pixels), ADA)

    assert made[0] is image


class Noted(Image, frozen=True):
    """A picture that notes who decodes it."""

    threads: ClassVar[list[threading.Thread]] = []

    def decode(self) -> bytes:
        self.threads.append(threading.current_thread())
        return super().decode()


async def test_pictures_are_converted_beside_the_event_loop() -> None:
    """Others have their turn meanwhile."""
    plain = drawn(MediaFormat.PNG)
    noted = Noted(plain.base64, plain.format, plain.pixels)
    await ImagePipeline(Draws(noted), NoInputs()).make_images(order(MediaFormat.WEBP), ADA)

    assert Noted.threads
    assert threading.current_thread() not in Noted.threads


def test_what_is_known_of_a_picture_is_known_after_its_conversion() -> None:
    """Neither tokens nor the text beside it nor what was searched get lost on the way."""
    found = Grounding(queries=("fox",))
    paid = msgspec.structs.replace(
        drawn(MediaFormat.PNG), usage=Usage(output_image=1120), text="A fox.", grounding=found
    )
    converted = convert(paid, order(MediaFormat.WEBP))

    assert (converted.usage, converted.text, converted.grounding) == (Usage(output_image=1120), "A fox.", found)


def test_a_picture_of_monstrous_size_is_not_unpacked() -> None:
    """Four bytes a pixel would be more than a server has."""
    monster = msgspec.structs.replace(drawn(MediaFormat.PNG), pixels=Pixels(16_000, 16_000))

    with pytest.raises(UpstreamBroken):
        convert(monster, order(MediaFormat.JPEG))
