"""Image requests into orders, struct in and struct out."""

from datetime import date
from decimal import Decimal

import msgspec
import pytest

from adapter.domain import memory_estimate
from adapter.domain.media import Frame, MediaFormat, Ratio, Resolution
from adapter.domain.orders import ImageOrder
from adapter.domain.prices import Quote
from adapter.domain.usage import Currency
from adapter.errors import InvalidRequest, RequestTooLarge, UnknownModel
from adapter.openai_api.read.images import WORDS_BYTES, image_order, read_generation
from adapter.openai_api.read.media import read_tree
from adapter.openai_api.wire.images import ImagesRequest
from tests.support import context

TERMS = context(longest_prompt=100)
PLAIN: dict[str, object] = {"model": "gemini-3.1-flash-image", "prompt": "a fox"}


def order(**changes: object) -> ImageOrder:
    """Read the plain request with changes."""
    return image_order(read_tree({**PLAIN, **changes}, ImagesRequest).media, TERMS)


@pytest.mark.parametrize(("size", "kind"), [("16384x16384", "png"), ("16384x2048", "webp")])
def test_an_exact_size_that_cannot_be_made_is_refused_before_it_is_paid_for(size: str, kind: str) -> None:
    """The one would take a gigabyte and half a minute of a core; the other no WebP can have."""
    with pytest.raises(InvalidRequest, match="too large") as caught:
        order(size=size, size_policy="exact", output_format=kind)
    assert caught.value.param == "size"
    assert order(size=size, output_format=kind).exact is None


def test_an_exact_size_is_weighed() -> None:
    """It may be larger than what the model draws."""
    assert memory_estimate.of_order(order(size="8000x5000", size_policy="exact")) == 6 * 8000 * 5000


def test_a_plain_request_leaves_the_frame_to_the_model() -> None:
    """Nothing is asked for that the client did not ask for."""
    assert order() == ImageOrder(
        model="gemini-3.1-flash-image",
        provider="gemini",
        upstream="gemini-3.1-flash-image",
        prompt="a fox",
        n=1,
        frame=Frame(),
        input_formats=(MediaFormat.PNG, MediaFormat.JPEG, MediaFormat.WEBP, MediaFormat.HEIC, MediaFormat.HEIF),
        quotes=(Quote(date(2026, 11, 1), Currency.USD, Decimal("0.0672"), search=Decimal("0.014")),),
    )


@pytest.mark.parametrize(
    ("fields", "amount"),
    [({}, "0.0672"), ({"size": "1K"}, "0.0672"), ({"size": "2K"}, None), ({"size": "512"}, None)],
)
def test_the_price_is_that_of_the_resolution(fields: dict[str, object], amount: str | None) -> None:
    """Google draws 1K where none is asked for; that of others is not known."""
    assert [quote.amount for quote in order(**fields).quotes] == [amount and Decimal(amount)]


@pytest.mark.parametrize(
    ("wish", "frame"),
    [
        ({"size": "auto"}, Frame()),
        ({"size": "1536x1024"}, Frame(Ratio.R3_2, Resolution.ONE)),
        ({"size": "16:9"}, Frame(Ratio.LANDSCAPE, None)),
        ({"size": "2K"}, Frame(None, Resolution.TWO)),
        ({"size": "2k"}, Frame(None, Resolution.TWO)),
        ({"size": "2K", "aspect_ratio": "4:3"}, Frame(Ratio.R4_3, Resolution.TWO)),
        ({"size": "2048x1536", "aspect_ratio": "4:3"}, Frame(Ratio.R4_3, Resolution.TWO)),
        ({"aspect_ratio": "21:9"}, Frame(Ratio.R21_9, None)),
        ({"quality": "hd"}, Frame(None, Resolution.TWO)),
        ({"quality": "low"}, Frame(None, Resolution.HALF)),
        ({"quality": "standard"}, Frame()),
        ({"quality": "high", "size": "1024x1024"}, Frame(Ratio.SQUARE, Resolution.ONE)),
        ({"model": "gemini-3.1-flash-image-portrait"}, Frame(Ratio.PORTRAIT, None)),
        ({"model": "gemini-3.1-flash-image-portrait", "size": "4K"}, Frame(Ratio.PORTRAIT, Resolution.FOUR)),
        ({"model": "gemini-3.1-flash-image-portrait", "size": "1024x1024"}, Frame(Ratio.SQUARE, Resolution.ONE)),
    ],
)
def test_every_way_to_ask_for_a_frame_is_understood(wish: dict[str, str], frame: Frame) -> None:
    """Pixels, ratios, resolutions, qualities and model names; the more explicit wish wins."""
    assert order(**wish).frame == frame


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": "  \n"}, "prompt"),
        ({"prompt": "x" * 101}, "prompt"),
        ({"n": 0}, "n"),
        ({"n": 11}, "n"),
        ({"size": "banana"}, "size"),
        ({"size": "7:3"}, "size"),
        ({"size": "8x8"}, "size"),
        ({"aspect_ratio": "wide"}, "aspect_ratio"),
        ({"aspect_ratio": "9:16", "size": "1536x1024"}, "size"),
        ({"aspect_ratio": "9:16", "size": "16:9"}, "size"),
        ({"quality": "superb"}, "quality"),
        ({"seed": 1.5}, "seed"),
        ({"seed": "seven"}, "seed"),
        ({"background": "transparent"}, "background"),
        ({"output_format": "svg"}, "output_format"),
        ({"moderation": "none"}, "moderation"),
        ({"moderation": "low", "model": "flow-gem-pix"}, "moderation"),
        ({"output_compression": 50}, "output_compression"),
        ({"output_compression": 101, "output_format": "jpeg"}, "output_compression"),
        ({"output_compression": -1, "output_format": "webp"}, "output_compression"),
        ({"style": "cubist"}, "style"),
        ({"partial_images": 4}, "partial_images"),
        ({"complexity": "huge"}, "complexity"),
        ({"complexity": "low", "model": "flow-gem-pix"}, "complexity"),
        ({"thinking_level": "high", "model": "gemini-3-pro-image"}, "thinking_level"),
        ({"web_search_options": {}, "model": "flow-gem-pix"}, "web_search_options"),
        ({"frame_count": 9}, "frame_count"),
        ({"frame_duration_ms": 200}, "frame_duration_ms"),
        ({"svg": {"model": "x"}}, "svg"),
        ({"image_size": "3K"}, "image_size"),
        ({"image_size": "2K", "size": "1024x1024"}, "image_size"),
        ({"image_size": "2K", "size": "4K"}, "image_size"),
        ({"image_config": {"aspect_ratio": "wide"}}, "image_config.aspect_ratio"),
        ({"image_config": {"image_size": "3K"}}, "image_config.image_size"),
        ({"size_policy": "stretch"}, "size_policy"),
        ({"image_config": {"aspect_ratio": "16:9"}, "aspect_ratio": "4:3"}, "aspect_ratio"),
        ({"image_config": {"aspect_ratio": "16:9"}, "size": "4:3"}, "size"),
        ({"image_config": {"aspect_ratio": "16:9"}, "size": "1024x1024"}, "size"),
        ({"image_config": {"image_size": "2K"}, "imageSize": "1K"}, "imageSize"),
        ({"image_config": {"image_size": "2K"}, "size": "1024x1024"}, "image_config.image_size"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(wish: dict[str, object], param: str) -> None:
    """No wish is dropped in silence: the picture costs money."""
    with pytest.raises(InvalidRequest) as caught:
        order(**wish)

    assert caught.value.param == param


@pytest.mark.parametrize(
    ("wish", "form", "compression"),
    [
        ({}, MediaFormat.PNG, 100),
        ({"output_format": "png", "output_compression": 100}, MediaFormat.PNG, 100),
        ({"output_format": "jpeg"}, MediaFormat.JPEG, 100),
        ({"output_format": "webp", "output_compression": 0}, MediaFormat.WEBP, 0),
    ],
)
def test_a_format_and_its_compression_are_ordered(wish: dict[str, object], form: MediaFormat, compression: int) -> None:
    """A PNG where nothing is said, as OpenAI's models answer."""
    read = order(**wish)

    assert (read.format, read.compression) == (form, compression)


def test_low_moderation_is_ordered_where_a_model_can_do_it() -> None:
    """Gemini's adjustable filters can be switched off, Flow's cannot."""
    assert order(moderation="low").lenient
    assert not order(moderation="auto").lenient


def test_an_unknown_model_is_an_error_of_its_own() -> None:
    """SDKs look for 404 `model_not_found`."""
    with pytest.raises(UnknownModel):
        order(model="imagen-4")


def test_a_generation_is_large_only_with_pictures() -> None:
    """Words alone are at most 2 MB, whatever field they stand in."""
    blanks = b" " * WORDS_BYTES
    picture = {"prompt": "a fox", "image": f"data:image/png;base64,{'A' * WORDS_BYTES}"}

    assert len(read_generation(msgspec.json.encode(picture)).media.pictures) == 1
    for body in (blanks + b'{"prompt": "a fox"}', blanks + b"{", msgspec.json.encode({"user": "a" * WORDS_BYTES})):
        with pytest.raises(RequestTooLarge, match="without pictures"):
            read_generation(body)
    with pytest.raises(InvalidRequest, match="not valid JSON"):
        read_generation(b"{")
