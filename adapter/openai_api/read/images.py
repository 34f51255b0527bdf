"""A request for pictures into an order."""

from enum import Enum
from fnmatch import fnmatchcase

from adapter.domain.catalogue import ImageCard
from adapter.domain.media import MOST_ENCODED_PIXELS, MediaFormat, Pixels, Ratio, Resolution, Shape, SizePolicy
from adapter.domain.orders import ImageOrder, Source
from adapter.errors import InvalidRequest
from adapter.openai_api.read.fields import one_of, prompt, required, seed
from adapter.openai_api.read.shape import only_word, read_shape, with_image_size
from adapter.openai_api.read.terms import Terms
from adapter.openai_api.wire.images import GenerationsRequest, ImagesRequest

#: OpenAI's own default (reference: `openai.md` section 4).
DEFAULT_MODEL = "dall-e-2"

#: OpenAI's own limit (the same section).
MAX_IMAGES = 10

#: 14 bits (Google's WebP container document, "VP8").
LONGEST_WEBP_SIDE = 16_383

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

#: What DALL·E's `style` asks for; `vivid`, its default, is how these models draw.
STYLES = {"vivid": "", "natural": "\n\nStyle: natural and true to life, without dramatic light or exaggerated colours."}

#: Fields that mean something only for what is not drawn here.
FOREIGN = ("complexity", "frame_count", "frame_duration_ms", "svg")


class Delivery(Enum):
    """How a picture is handed over."""

    BASE64 = "b64_json"
    LINK = "url"


def image_order(body: ImagesRequest, terms: Terms, sources: tuple[Source, ...] = ()) -> ImageOrder:
    """Return the order that a request means; `sources` are the pictures that it brings along.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    name = body.model or DEFAULT_MODEL
    card, by_name = terms.catalogue.find_card(name, ImageCard)
    _refuse_what_is_not_done(body)
    _check_count(sources, card)
    shape, policy = _shape(body, by_name), _policy(body, terms)
    return ImageOrder(
        model=name,
        provider=card.provider,
        upstream=card.upstream,
        prompt=prompt(required(body.prompt, "prompt"), terms.longest_prompt) + _style(body.style),
        n=_count(body.n),
        frame=card.frame(shape, policy),
        exact=_exact(shape.pixels, _format(body.output_format)) if policy is SizePolicy.EXACT else None,
        sources=sources,
        input_formats=tuple(MediaFormat[word.upper()] for word in card.input_formats),
        seed=seed(body.seed),
        lenient=_is_lenient(body.moderation, card),
        format=_format(body.output_format),
        compression=_compression(body),
    )


def delivery(body: ImagesRequest) -> Delivery:
    """Say how the pictures are wanted: as asked, else as OpenAI's own models of that name would answer.

    DALL·E answers with links, everything younger with base64 (reference: `openai.md` section 4, `frontends.md` R12).
    A stream has room for base64 only.

    Raises:
        InvalidRequest: an unknown form, or one that a stream does not have.
    """
    if body.response_format is None:
        by_link = not body.stream and fnmatchcase(body.model or DEFAULT_MODEL, "dall-e-*")
        return Delivery.LINK if by_link else Delivery.BASE64
    asked = Delivery(one_of(body.response_format, [form.value for form in Delivery], "response_format"))
    if body.stream and asked is Delivery.LINK:
        raise InvalidRequest("A stream carries 'b64_json' only; leave 'url' out.", param="response_format")
    return asked


def refuse_pictures(body: GenerationsRequest) -> None:
    """Refuse what belongs to an edit: the words alone would make another picture, and a paid one.

    Raises:
        InvalidRequest: there is some.
    """
    for name in ("image", "images", "mask", "input_fidelity"):
        if getattr(body, name) is not None:
            raise InvalidRequest(f"'{name}' belongs to /v1/images/edits; here pictures are made of words.", param=name)


def _refuse_what_is_not_done(body: ImagesRequest) -> None:
    """Refuse wishes that would otherwise be dropped in silence; a paid answer is what was asked for.

    `partial_images` is none of them: OpenAI's document allows to send fewer, and these models show none on the way.
    """
    one_of(body.background or "auto", ["auto", "opaque"], "background")
    if not 0 <= (body.partial_images or 0) <= 3:
        raise InvalidRequest("'partial_images' has to be 0 to 3.", param="partial_images")
    for name in FOREIGN:
        if getattr(body, name) is not None:
            raise InvalidRequest(f"'{name}' means nothing to these models; leave it out.", param=name)


def _check_count(sources: tuple[Source, ...], card: ImageCard) -> None:
    if len(sources) > card.inputs:
        takes = f"at most {card.inputs} pictures" if card.inputs else "no pictures"
        first_surplus = sources[card.inputs]
        raise InvalidRequest(
            f"The model '{card.name}' takes {takes}; {len(sources)} were given.", param=first_surplus.param
        )


def _shape(body: ImagesRequest, by_name: Ratio | None) -> Shape:
    ratio = only_word(body.ratios, "aspect_ratio")
    shape = with_image_size(read_shape(body.size, ratio, by_name), only_word(body.image_sizes, "image_size"))
    wished = QUALITIES[one_of(body.quality or "auto", list(QUALITIES), "quality")]
    if wished is None or shape.resolution is not None or shape.pixels is not None:
        return shape
    return Shape(ratio=shape.ratio, fineness=wished)


def _policy(body: ImagesRequest, terms: Terms) -> SizePolicy:
    if body.size_policy is None:
        return terms.size_policy
    return SizePolicy(one_of(body.size_policy, [policy.value for policy in SizePolicy], "size_policy"))


def _exact(pixels: Pixels | None, kind: MediaFormat) -> Pixels | None:
    """Return what can be made to the pixel; what cannot be is refused before it is paid for."""
    if pixels is None:
        return None
    too_long = kind is MediaFormat.WEBP and max(pixels.width, pixels.height) > LONGEST_WEBP_SIDE
    if too_long or pixels.area > MOST_ENCODED_PIXELS:
        raise InvalidRequest(f"'{pixels}' is too large to be made exactly.", param="size")
    return pixels


def _style(style: str | None) -> str:
    return STYLES[one_of(style or "vivid", list(STYLES), "style")]


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
