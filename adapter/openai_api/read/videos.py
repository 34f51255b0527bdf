"""A request for a video into the draft of an order."""

from collections.abc import Sequence

from adapter.domain.catalogue import LengthPolicy, VideoCard
from adapter.domain.job import Variant, VideoJob
from adapter.domain.media import Ratio, Shape, formats_named
from adapter.domain.numbers import whole_number
from adapter.domain.orders import VideoDraft, VideoInput, VideoOrder
from adapter.errors import InvalidRequest
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.fields import one_of, seed
from adapter.openai_api.read.form import Part
from adapter.openai_api.read.media import read_media_form, read_media_json
from adapter.openai_api.read.media_fields import card_of, prompt_of
from adapter.openai_api.read.pictures import sources_of
from adapter.openai_api.read.roles import cast_pictures, check_roles
from adapter.openai_api.read.shape import origin_of, read_shape
from adapter.openai_api.wire.media import MediaRequest
from adapter.openai_api.wire.videos import VideosRequest

#: OpenAI's own default (reference: `openai.md` section 5).
DEFAULT_MODEL = "sora-2"

#: What is in OpenAI's document and in none of these models.
UNSUPPORTED = "unsupported"

#: Words of other vendors for what a video is anyway.
PLAIN_QUALITIES = ("auto", "standard")


def video_draft(request: MediaRequest, context: ReadContext) -> VideoDraft:
    """Return the draft of a video that a request means, whatever its route.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: a field is missing, or asks for what the model cannot do.
    """
    _refuse_characters(request)
    _refuse_thoughts(request)
    name, words = request.model or DEFAULT_MODEL, prompt_of(request, context)
    sources, roles = sources_of(request.pictures, context.media_links), _roles(request)
    card, by_name = card_of(request, name, VideoCard, context)
    _check_count(request)
    _check_fineness(request, card)
    _check_format(request)
    kind, sources = cast_pictures(sources, roles, most=card.references, param=request.called("pictures"))
    seconds = card.length(request.seconds, length_policy(request, name, context), request.called("seconds"), kind)
    shape, ratio, upstream = _shaped(request, card, by_name, kind, seconds)
    resolution = _resolution(request, card, shape)
    sizes = card.sizes_at(resolution)
    is_open = kind is not VideoInput.TEXT and shape.ratio is None and shape.pixels is None
    return VideoDraft(
        order=VideoOrder(
            model=name,
            provider=card.provider,
            upstream=upstream,
            prompt=words,
            ratio=ratio,
            size=sizes[ratio],
            resolution=resolution if card.other_sizes else "",
            seconds=seconds,
            seed=seed(request.seed),
            typical_seconds=card.typical_seconds,
            input=kind,
        ),
        sources=sources,
        input_formats=formats_named(card.input_formats),
        shapes=card.names(kind, seconds) if is_open else {},
        sizes=sizes,
        quotes=card.quotes(resolution, seconds),
    )


def _refuse_characters(request: MediaRequest) -> None:
    if request.characters not in (None, [], ""):
        name = request.called("characters")
        raise InvalidRequest(
            "These models know no characters; show them in reference pictures.", param=name, code=UNSUPPORTED
        )


def _refuse_thoughts(request: MediaRequest) -> None:
    """Refuse what only models for pictures do. OpenAI's words for effort are no wish: programs send them with all."""
    if request.thinking_level is not None:
        name = request.called("thinking_level")
        raise InvalidRequest(f"How models of videos think cannot be chosen; leave '{name}' out.", param=name)
    if request.search:
        name = request.called("search")
        raise InvalidRequest(f"Videos cannot be made from a web search here; leave '{name}' out.", param=name)


def _shaped(
    request: MediaRequest, card: VideoCard, by_name: Ratio | None, kind: VideoInput, seconds: int
) -> tuple[Shape, Ratio, str]:
    """Return the shape that is asked for, and the ratio and the provider's model that it comes to."""
    size = None if _is_resolution(request.size, card) else request.size
    shape = read_shape(size, request.aspect_ratio, by_name, request.names)
    try:
        return shape, *card.choose(shape, kind, seconds)
    except InvalidRequest as fault:
        fault.param = origin_of(request, fault.param)
        raise


def _roles(request: MediaRequest) -> tuple[str | None, ...]:
    """Return what each picture is said to be: by itself, or in a list beside them."""
    if request.roles is None:
        return tuple(picture.role for picture in request.pictures)
    name = request.called("roles")
    roles = (request.roles,) if isinstance(request.roles, str) else request.roles
    if len(roles) != (count := len(request.pictures)):
        raise InvalidRequest(
            f"'{name}' names {len(roles)} pictures and {count} came; it has to name each, in their order.", param=name
        )
    check_roles(roles, name)
    return roles


def _check_count(request: MediaRequest) -> None:
    if request.n not in {None, 1}:
        name = request.called("n")
        raise InvalidRequest(f"One request makes one video; '{name}' has to be 1.", param=name)


def _check_fineness(request: MediaRequest, card: VideoCard) -> None:
    """Refuse another resolution than the one that there is, under whatever name it is asked for."""
    for field, plain in (("resolution", ()), ("quality", PLAIN_QUALITIES)):
        word, name = getattr(request, field), request.called(field)
        if word is not None and word.lower() not in plain and not _is_resolution(word, card):
            raise InvalidRequest(f"{card.told_resolutions}; '{word}' cannot be had.", param=name)


def _resolution(request: MediaRequest, card: VideoCard, shape: Shape) -> str:
    """Return the resolution of a clip: the one that is named, else the nearest to a size in pixels, else the usual one.

    Raises:
        InvalidRequest: two fields ask for different ones.
    """
    asked: dict[str, str] = {}
    for field in ("size", "resolution", "quality"):
        word = getattr(request, field)
        if word is not None and (found := card.resolution(word)):
            asked[request.called(field)] = found
    if shape.pixels is not None and card.other_sizes:
        asked[request.called("size")] = card.nearest_resolution(shape.pixels)
    if len({*asked.values()}) > 1:
        told = " and ".join(f"'{name}' asks for {found}" for name, found in asked.items())
        raise InvalidRequest(f"{told}. Leave one of them out.", param=next(iter(asked)))
    return next(iter(asked.values()), card.usual_resolution)


def _check_format(request: MediaRequest) -> None:
    """Refuse another format than the one that there is."""
    name = request.called("output_format")
    if request.output_format not in {None, "mp4"}:
        raise InvalidRequest(f"Videos are MP4; '{request.output_format}' cannot be had.", param=name)
    if request.output_compression is not None:
        name = request.called("output_compression")
        raise InvalidRequest(f"The compression of a video cannot be chosen; leave '{name}' out.", param=name)


def _is_resolution(word: str | None, card: VideoCard) -> bool:
    return word is not None and card.resolution(word) is not None


def length_policy(request: MediaRequest, model: str, context: ReadContext) -> LengthPolicy:
    """Say what a length is worth. A flag was typed by a person, who wants that length."""
    if request.called("seconds").startswith("--"):
        return LengthPolicy.EXACT
    if context.length_policy is not None:
        return context.length_policy
    return LengthPolicy.NEAREST if context.catalogue.find(model).is_foreign else LengthPolicy.EXACT


def read_video_json(body: bytes, context: ReadContext) -> VideoDraft:
    """Return the draft of a JSON body.

    Raises:
        UnknownModel, InvalidRequest: as `video_draft`, or a field of the wrong type.
    """
    return video_draft(read_media_json(body, VideosRequest).media, context)


def read_video_form(parts: Sequence[Part], context: ReadContext) -> VideoDraft:
    """Return the draft of a form: the pictures are parts, or fields with addresses.

    Raises:
        UnknownModel, InvalidRequest: as `video_draft`, or a field of the wrong type.
    """
    return video_draft(read_media_form(parts, VideosRequest).media, context)


def read_variant(variant: str | None) -> Variant:
    """Return which of a video's files is asked for.

    Raises:
        InvalidRequest: there is none such.
    """
    return Variant(one_of(variant or Variant.VIDEO, [*Variant], "variant"))


def read_place(last_event_id: str | None, starting_after: str | None, job: VideoJob) -> int:
    """Return how many of a job's changes a reader knows; a browser that comes back names the last one in a header.

    Raises:
        InvalidRequest: that is no number of a change.
    """
    told, param = (last_event_id, "Last-Event-ID") if last_event_id else (starting_after, "starting_after")
    if not told:
        return 0
    number = whole_number(told, most=len(job.history))
    if number is None:
        raise InvalidRequest(f"'{param}' has to be the number of an event of this video, or 0.", param=param)
    return number
