"""Pictures and clips are real, readable in any script, and functions of their orders."""

import msgspec
import pytest
from PIL import Image

from adapter.sandbox.memory.ledger import Ledger
from adapter.sandbox.renderer.clip import ClipOrder, Scene, encode_mp4
from adapter.sandbox.renderer.drawing import PictureOrder, draw_png
from adapter.sandbox.renderer.gallery import KEPT, Gallery
from adapter.sandbox.renderer.lettering import letter
from tests.sandbox.helpers import RULES, opened

ORDER = PictureOrder(prompt="a pig", seed=1, width=160, height=90)


@pytest.mark.parametrize(
    "prompt",
    [
        "一个美女",
        "Übermäßig naïve — “ok”…",
        "🎨👩‍👩‍👧",
        "مرحبا",
        "a\x00b\n\tc",
        "\ufffe\uffff",
        "word" * 2000,
        "",
        "   ",
    ],
)
@pytest.mark.parametrize("size", [(160, 90), (24, 192), (192, 24)])
def test_any_prompt_can_be_drawn(prompt: str, size: tuple[int, int]) -> None:
    """No script, emoji, control character or length breaks the drawing."""
    order = PictureOrder(prompt=prompt, seed=1, width=size[0], height=size[1], caption="caption")

    assert opened(draw_png(order)).size == size


def written(text: str) -> bytes:
    """Return the pixels of a text on black."""
    picture = Image.new("RGB", (200, 60))
    letter(picture, text, (0, 0, 200, 60))
    return picture.tobytes()


def test_characters_without_glyphs_are_told_apart() -> None:
    """What the built-in face lacks is drawn as its code point, not as one empty box for all."""
    assert written("美") != written("女")
    assert written("美") != written("")


def test_accents_are_dropped_rather_than_boxed() -> None:
    """A western prompt stays readable in a face that knows little more than ASCII."""
    assert written("Straße für 3 €") == written("Strasse fur 3 EUR")


def test_a_clip_is_the_same_when_it_is_encoded_again() -> None:
    """Equal orders give equal bytes, so that a clip can be made again after a restart."""
    order = ClipOrder(prompt="a pig", seed=1, width=160, height=90, seconds=0.5)

    assert encode_mp4(order) == encode_mp4(order)


def test_a_first_frame_is_the_picture_that_was_given() -> None:
    """A clip with a first frame starts on it, and with a last frame ends on that."""
    red, blue = (draw_png(msgspec.structs.replace(ORDER, prompt=word)) for word in ("red", "blue"))
    order = ClipOrder(prompt="go", seed=1, width=160, height=90, seconds=0.5, inputs=(red, blue), usage="start_end")

    scene = Scene(order)

    corner = (159, 0)
    assert scene.frame(0).getpixel(corner) == opened(red).getpixel(corner)
    assert scene.frame(scene.frames - 1).getpixel((0, 0)) == opened(blue).getpixel((0, 0))


async def test_the_gallery_forgets_the_oldest() -> None:
    """Drawn files are kept up to a bound, and drawn again when they are asked for later."""
    gallery = Gallery(RULES, Ledger(RULES))
    first = await gallery.png(ORDER)
    for seed in range(2, KEPT + 3):
        await gallery.png(msgspec.structs.replace(ORDER, seed=seed))

    assert await gallery.png(ORDER) == first
    assert gallery.kept == KEPT
