"""A request for pictures into an order."""

from adapter.domain.catalogue import ImageCard
from adapter.domain.media import (
    MOST_ENCODED_PIXELS,
    Frame,
    MediaFormat,
    Pixels,
    Ratio,
    Resolution,
    Shape,
    SizePolicy,
    formats_named,
)
from adapter.domain.orders import ImageOrder, Source
from adapter.errors import InvalidRequest, RequestTooLarge
from adapter.openai_api.read.body import NOT_JSON
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.fields import one_of, seed
from adapter.openai_api.read.media import read_media_json
from adapter.openai_api.read.media_fields import card_of, prompt_of
from adapter.openai_api.read.names import FIRST, LAST
from adapter.openai_api.read.pictures import sources_of
from adapter.openai_api.read.searches import is_grounded
from adapter.openai_api.read.shape import frame_of, origin_of
from adapter.openai_api.read.thinking import thinking_of
from adapter.openai_api.wire.images import ImagesRequest
from adapter.openai_api.wire.media import MediaRequest

#: OpenAI's own default (reference: `openai.md` section 4).
DEFAULT_MODEL = "dall-e-2"

#: A generation that brings no pictures along is words only.
WORDS_BYTES = 2 * 1024 * 1024

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
FOREIGN = ("frame_count", "frame_duration_ms", "svg")


def image_order(request: MediaRequest, context: ReadContext) -> ImageOrder:
    """Return the order for pictures that a request means, whatever its route.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    sources = sources_of(request.pictures, context.media_links)
    name = request.model or DEFAULT_MODEL
    card, by_name = card_of(request, name, ImageCard, context)
    _refuse_what_is_not_done(request)
    _check_count(sources, card)
    policy = _policy(request, context)
    shape, frame = _framed(request, card, by_name, policy)
    return ImageOrder(
        model=name,
        provider=card.provider,
        upstream=card.upstream,
        prompt=prompt_of(request, context) + _style(request),
        n=_count(request),
        frame=frame,
        exact=_exact(shape.pixels, request) if policy is SizePolicy.EXACT else None,
        sources=sources,
        input_formats=formats_named(card.input_formats),
        seed=seed(request.seed),
        lenient=_is_lenient(request, card),
        thinking=thinking_of(request, card),
        grounded=is_grounded(request, card, context.catalogue),
        format=_format(request),
        compression=_compression(request),
        quotes=card.quotes(frame.resolution),
    )


def read_generation(body: bytes) -> ImagesRequest:
    """Return the JSON body of a generation.

    Raises:
        InvalidRequest: as `read_media_json`.
        RequestTooLarge: it is large and brings no pictures along; or it is no JSON, so that there are none in it.
    """
    try:
        request = read_media_json(body, ImagesRequest)
    except InvalidRequest as fault:
        if fault.code == NOT_JSON and len(body) > WORDS_BYTES:
            raise _too_many_words() from fault
        raise
    if len(body) > WORDS_BYTES and not request.media.pictures:
        raise _too_many_words()
    return request


def _too_many_words() -> RequestTooLarge:
    return RequestTooLarge(f"A request without pictures has at most {WORDS_BYTES} bytes.")


def generation_order(request: MediaRequest, context: ReadContext) -> ImageOrder:
    """Return the order that a generation means. Pictures that it brings along are worked from, as in an edit.

    Raises:
        UnknownModel, InvalidRequest: as `image_order`.
    """
    if request.input_fidelity is not None and not request.pictures:
        name = request.called("input_fidelity")
        raise InvalidRequest(f"'{name}' is for pictures to work from, and there are none.", param=name)
    return image_order(request, context)


def _refuse_what_is_not_done(request: MediaRequest) -> None:
    """Refuse wishes that would otherwise be dropped in silence; a paid answer is what was asked for.

    `partial_images` is none of them: OpenAI's document allows to send fewer, and these models show none on the way.
    """
    if request.background:
        one_of(request.background, ["auto", "opaque"], request.called("background"))
    if not 0 <= (request.partial_images or 0) <= 3:
        name = request.called("partial_images")
        raise InvalidRequest(f"'{name}' has to be 0 to 3.", param=name)
    if request.input_fidelity:  # `high`, the most, is how these models look at their inputs anyway
        one_of(request.input_fidelity, ["low", "high"], request.called("input_fidelity"))
    if request.seconds is not None:
        name = request.called("seconds")
        raise InvalidRequest(f"This model makes pictures, which have no length; leave '{name}' out.", param=name)
    for picture in request.pictures:
        if picture.role in {FIRST, LAST}:
            raise InvalidRequest(
                f"This model makes pictures, which have no frames; '{picture.name}' belongs to videos.",
                param=picture.name,
            )
    for field in FOREIGN:
        if getattr(request, field) is not None:
            name = request.called(field)
            raise InvalidRequest(f"'{name}' means nothing to these models; leave it out.", param=name)


def _check_count(sources: tuple[Source, ...], card: ImageCard) -> None:
    if len(sources) > card.inputs:
        takes = f"at most {card.inputs} pictures" if card.inputs else "no pictures"
        first_surplus = sources[card.inputs]
        raise InvalidRequest(
            f"The model '{card.name}' takes {takes}; {len(sources)} were given.", param=first_surplus.param
        )


def _framed(request: MediaRequest, card: ImageCard, by_name: Ratio | None, policy: SizePolicy) -> tuple[Shape, Frame]:
    """Return the frame that is asked for, and what the model makes of it."""
    shape = frame_of(request, by_name)
    wished = _fineness(request)
    if wished is not None and shape.resolution is None and shape.pixels is None:
        shape = Shape(ratio=shape.ratio, fineness=wished)
    try:
        return shape, card.frame(shape, policy)
    except InvalidRequest as fault:
        fault.param = origin_of(request, fault.param)
        raise


def _fineness(request: MediaRequest) -> Resolution | None:
    if not request.quality:
        return None
    return QUALITIES[one_of(request.quality, list(QUALITIES), request.called("quality"))]


def _policy(request: MediaRequest, context: ReadContext) -> SizePolicy:
    if request.size_policy is None:
        return context.size_policy
    policies = [policy.value for policy in SizePolicy]
    return SizePolicy(one_of(request.size_policy, policies, request.called("size_policy")))


def _exact(pixels: Pixels | None, request: MediaRequest) -> Pixels | None:
    """Return what can be made to the pixel; what cannot be is refused before it is paid for."""
    if pixels is None:
        return None
    kind = _format(request)
    too_long = kind is MediaFormat.WEBP and max(pixels.width, pixels.height) > LONGEST_WEBP_SIDE
    if too_long or pixels.area > MOST_ENCODED_PIXELS:
        raise InvalidRequest(f"'{pixels}' is too large to be made exactly.", param=request.called("size"))
    return pixels


def _style(request: MediaRequest) -> str:
    if not request.style:
        return ""
    return STYLES[one_of(request.style, list(STYLES), request.called("style"))]


def _is_lenient(request: MediaRequest, card: ImageCard) -> bool:
    if not request.moderation:
        return False
    allowed = ["auto", "low"] if card.lenient else ["auto"]
    return one_of(request.moderation, allowed, request.called("moderation")) == "low"


def _format(request: MediaRequest) -> MediaFormat:
    if not request.output_format:
        return MediaFormat.PNG
    return FORMATS[one_of(request.output_format, list(FORMATS), request.called("output_format"))]


def _compression(request: MediaRequest) -> int:
    asked = request.output_compression
    if asked is None:
        return 100
    name = request.called("output_compression")
    if not 0 <= asked <= 100:
        raise InvalidRequest(f"'{name}' has to be 0 to 100.", param=name)
    if asked < 100 and _format(request) is MediaFormat.PNG:
        raise InvalidRequest(f"A PNG is not compressed with losses; leave '{name}' out.", param=name)
    return asked


def _count(request: MediaRequest) -> int:
    count = 1 if request.n is None else request.n
    if not 1 <= count <= MAX_IMAGES:
        name = request.called("n")
        raise InvalidRequest(f"'{name}' has to be 1 to {MAX_IMAGES}.", param=name)
    return count
