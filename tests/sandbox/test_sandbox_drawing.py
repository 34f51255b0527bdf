"""Pictures and clips are real, readable in any script, and functions of their orders."""

import msgspec
import pytest

from adapter.sandbox.clip import ClipOrder, Scene, encode_mp4
from adapter.sandbox.drawing import PictureOrder, draw_png
from adapter.sandbox.gallery import KEPT, Gallery
from adapter.sandbox.ledger import Ledger
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


def test_prompts_without_glyphs_differ_by_more_than_colour() -> None:
    """Characters that the built-in face lacks are drawn as their code points."""
    one, two = (ClipOrder(prompt=text, seed=1, width=320, height=180, seconds=1) for text in ("美", "女"))

    assert encode_mp4(one) != encode_mp4(two)
    assert Scene(one).frame(0).tobytes() == Scene(one).frame(0).tobytes()


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
