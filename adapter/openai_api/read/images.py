"""A request for pictures into an order."""

from adapter.domain.catalogue import ImageCard
from adapter.domain.media import MOST_ENCODED_PIXELS, Frame, MediaFormat, Pixels, Ratio, Resolution, Shape, SizePolicy
from adapter.domain.orders import ImageOrder, Source
from adapter.errors import InvalidRequest, RequestTooLarge
from adapter.openai_api.read.body import NOT_JSON
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.fields import one_of, prompt, required, seed
from adapter.openai_api.read.media import read_media_json
from adapter.openai_api.read.names import FIRST, LAST
from adapter.openai_api.read.pictures import sources_of
from adapter.openai_api.read.shape import frame_of, origin_of
from adapter.openai_api.wire.images import ImagesRequest

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
FOREIGN = ("complexity", "frame_count", "frame_duration_ms", "svg")


def image_order(body: ImagesRequest, context: ReadContext, sources: tuple[Source, ...] = ()) -> ImageOrder:
    """Return the order that a request means; `sources` are the pictures that it brings along.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model or this server cannot do.
    """
    name = body.model or DEFAULT_MODEL
    card, by_name = context.catalogue.find_card(name, ImageCard)
    _refuse_what_is_not_done(body)
    _check_count(sources, card)
    policy = _policy(body, context)
    shape, frame = _framed(body, card, by_name, policy)
    return ImageOrder(
        model=name,
        provider=card.provider,
        upstream=card.upstream,
        prompt=prompt(required(body.prompt, "prompt"), context.longest_prompt) + _style(body.style),
        n=_count(body),
        frame=frame,
        exact=_exact(shape.pixels, body) if policy is SizePolicy.EXACT else None,
        sources=sources,
        input_formats=tuple(MediaFormat[word.upper()] for word in card.input_formats),
        seed=seed(body.seed),
        lenient=_is_lenient(body.moderation, card),
        format=_format(body),
        compression=_compression(body),
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
    if len(body) > WORDS_BYTES and not request.pictures:
        raise _too_many_words()
    return request


def _too_many_words() -> RequestTooLarge:
    return RequestTooLarge(f"A request without pictures has at most {WORDS_BYTES} bytes.")


def generation_order(body: ImagesRequest, context: ReadContext) -> ImageOrder:
    """Return the order that a generation means. Pictures that it brings along are worked from, as in an edit.

    Raises:
        UnknownModel, InvalidRequest: as `image_order`.
    """
    if body.input_fidelity is not None and not body.pictures:
        name = body.called("input_fidelity")
        raise InvalidRequest(f"'{name}' is for pictures to work from, and there are none.", param=name)
    return image_order(body, context, sources_of(body.pictures, context.public_url))


def _refuse_what_is_not_done(body: ImagesRequest) -> None:
    """Refuse wishes that would otherwise be dropped in silence; a paid answer is what was asked for.

    `partial_images` is none of them: OpenAI's document allows to send fewer, and these models show none on the way.
    """
    one_of(body.background or "auto", ["auto", "opaque"], "background")
    if not 0 <= (body.partial_images or 0) <= 3:
        name = body.called("partial_images")
        raise InvalidRequest(f"'{name}' has to be 0 to 3.", param=name)
    # `high`, the most, is how these models look at their inputs anyway.
    one_of(body.input_fidelity or "low", ["low", "high"], body.called("input_fidelity"))
    if body.seconds is not None:
        name = body.called("seconds")
        raise InvalidRequest(f"This model makes pictures, which have no length; leave '{name}' out.", param=name)
    for picture in body.pictures:
        if picture.role in {FIRST, LAST}:
            raise InvalidRequest(
                f"This model makes pictures, which have no frames; '{picture.name}' belongs to videos.",
                param=picture.name,
            )
    for field in FOREIGN:
        if getattr(body, field) is not None:
            name = body.called(field)
            raise InvalidRequest(f"'{name}' means nothing to these models; leave it out.", param=name)


def _check_count(sources: tuple[Source, ...], card: ImageCard) -> None:
    if len(sources) > card.inputs:
        takes = f"at most {card.inputs} pictures" if card.inputs else "no pictures"
        first_surplus = sources[card.inputs]
        raise InvalidRequest(
            f"The model '{card.name}' takes {takes}; {len(sources)} were given.", param=first_surplus.param
        )


def _framed(body: ImagesRequest, card: ImageCard, by_name: Ratio | None, policy: SizePolicy) -> tuple[Shape, Frame]:
    """Return the frame that is asked for, and what the model makes of it."""
    shape = frame_of(body, by_name)
    wished = QUALITIES[one_of(body.quality or "auto", list(QUALITIES), body.called("quality"))]
    if wished is not None and shape.resolution is None and shape.pixels is None:
        shape = Shape(ratio=shape.ratio, fineness=wished)
    try:
        return shape, card.frame(shape, policy)
    except InvalidRequest as fault:
        fault.param = origin_of(body, fault.param)
        raise


def _policy(body: ImagesRequest, context: ReadContext) -> SizePolicy:
    if body.size_policy is None:
        return context.size_policy
    return SizePolicy(one_of(body.size_policy, [policy.value for policy in SizePolicy], body.called("size_policy")))


def _exact(pixels: Pixels | None, body: ImagesRequest) -> Pixels | None:
    """Return what can be made to the pixel; what cannot be is refused before it is paid for."""
    if pixels is None:
        return None
    kind = _format(body)
    too_long = kind is MediaFormat.WEBP and max(pixels.width, pixels.height) > LONGEST_WEBP_SIDE
    if too_long or pixels.area > MOST_ENCODED_PIXELS:
        raise InvalidRequest(f"'{pixels}' is too large to be made exactly.", param=body.called("size"))
    return pixels


def _style(style: str | None) -> str:
    return STYLES[one_of(style or "vivid", list(STYLES), "style")]


def _is_lenient(moderation: str | None, card: ImageCard) -> bool:
    return one_of(moderation or "auto", ["auto", "low"] if card.lenient else ["auto"], "moderation") == "low"


def _format(body: ImagesRequest) -> MediaFormat:
    return FORMATS[one_of(body.output_format or "png", list(FORMATS), body.called("output_format"))]


def _compression(body: ImagesRequest) -> int:
    asked, name = body.output_compression, body.called("output_compression")
    if asked is None:
        return 100
    if not 0 <= asked <= 100:
        raise InvalidRequest(f"'{name}' has to be 0 to 100.", param=name)
    if asked < 100 and _format(body) is MediaFormat.PNG:
        raise InvalidRequest(f"A PNG is not compressed with losses; leave '{name}' out.", param=name)
    return asked


def _count(body: ImagesRequest) -> int:
    count, name = 1 if body.n is None else body.n, body.called("n")
    if not 1 <= count <= MAX_IMAGES:
        raise InvalidRequest(f"'{name}' has to be 1 to {MAX_IMAGES}.", param=name)
    return count
