"""An image request into an order."""

from enum import Enum
from fnmatch import fnmatchcase

from adapter.domain.catalogue import Catalogue, ImageCard
from adapter.domain.media import MediaFormat, Resolution, Shape
from adapter.domain.orders import ImageOrder
from adapter.errors import InvalidRequest
from adapter.openai_api.read.fields import one_of, prompt, required, seed
from adapter.openai_api.read.shape import read_shape
from adapter.openai_api.wire.images import ImagesRequest

#: OpenAI's own limit (reference: `openai.md` section 4).
MAX_IMAGES = 10

#: What each quality wishes for where `size` does not name a resolution (reference: `gemini.md` section 4).
QUALITIES = {
    "auto": None,
    "standard": None,
    "medium": None,
    "low": Resolution.HALF,
    "high": Resolution.TWO,
    "hd": Resolution.TWO,
    "xhigh": Resolution.FOUR,
    "max": Resolution.FOUR,
}


#: `output_format`. OpenAI's younger ones, gif and svg, are not drawn by these models.
FORMATS = {"png": MediaFormat.PNG, "jpeg": MediaFormat.JPEG, "webp": MediaFormat.WEBP}


class Delivery(Enum):
    """How a picture is handed over."""

    BASE64 = "b64_json"
    LINK = "url"


def image_order(body: ImagesRequest, catalogue: Catalogue, *, longest: int) -> ImageOrder:
    """Return the order that a request means. `longest` is the limit of a prompt in characters.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    card, by_name = catalogue.find_card(required(body.model, "model"), ImageCard)
    _refuse_what_is_not_done(body)
    shape = _with_quality(read_shape(body.size, body.aspect_ratio, by_name), body.quality)
    return ImageOrder(
        model=body.model or card.name,
        provider=card.provider,
        upstream=card.upstream,
        prompt=prompt(required(body.prompt, "prompt"), longest),
        n=_count(body.n),
        frame=card.frame(shape),
        seed=seed(body.seed),
        lenient=_is_lenient(body.moderation, card),
        format=_format(body.output_format),
        compression=_compression(body),
    )


def delivery(body: ImagesRequest) -> Delivery:
    """Say how the pictures are wanted: as asked, else as OpenAI's own models of that name would answer.

    DALL·E answers with links, everything younger with base64 (reference: `openai.md` section 4, `frontends.md` R12).

    Raises:
        InvalidRequest: an unknown form.
    """
    if body.response_format is None:
        return Delivery.LINK if fnmatchcase(body.model or "", "dall-e-*") else Delivery.BASE64
    return Delivery(one_of(body.response_format, [form.value for form in Delivery], "response_format"))


def _refuse_what_is_not_done(body: ImagesRequest) -> None:
    """Refuse wishes that would otherwise be dropped in silence; a paid answer is what was asked for.

    `style` is the exception: OpenAI's own younger models ignore it, and programs written for DALL·E always send one.
    """
    one_of(body.background or "auto", ["auto", "opaque"], "background")
    one_of(body.style or "vivid", ["vivid", "natural"], "style")
    if body.stream or body.partial_images:
        raise InvalidRequest("Pictures are not streamed; leave 'stream' and 'partial_images' out.", param="stream")


def _with_quality(shape: Shape, quality: str | None) -> Shape:
    wished = QUALITIES[one_of(quality or "auto", list(QUALITIES), "quality")]
    if wished is None or shape.resolution is not None or shape.pixels is not None:
        return shape
    return Shape(ratio=shape.ratio, fineness=wished)


def _is_lenient(moderation: str | None, card: ImageCard) -> bool:
    return one_of(moderation or "auto", ["auto", "low"] if card.lenient else ["auto"], "moderation") == "low"


def _format(name: str | None) -> MediaFormat:
    return FORMATS[one_of(name or "png", list(FORMATS), "output_format")]


def _compression(body: ImagesRequest) -> int:
    asked = body.output_compression
    if asked is None:
        return 100
    if not 0 <= asked <= 100:
        raise InvalidRequest("'output_compression' has to be 0 to 100.", param="output_compression")
    if asked < 100 and _format(body.output_format) is MediaFormat.PNG:
        raise InvalidRequest("A PNG is not compressed with losses; leave it out.", param="output_compression")
    return asked


def _count(n: int | None) -> int:
    count = 1 if n is None else n
    if not 1 <= count <= MAX_IMAGES:
        raise InvalidRequest(f"'n' has to be 1 to {MAX_IMAGES}.", param="n")
    return count
