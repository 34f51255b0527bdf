"""What is asked of a video, wherever it is asked, into a wish."""

import re
from collections.abc import Sequence

import msgspec

from adapter.domain.catalogue import LengthPolicy, VideoCard
from adapter.domain.job import Phase, Variant, VideoJob
from adapter.domain.media import MediaFormat
from adapter.domain.orders import Page, Source, StoredSource, VideoInput, VideoOrder, VideoWish
from adapter.errors import InvalidRequest
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.fields import one_of, prompt, required, seed
from adapter.openai_api.read.form import Part
from adapter.openai_api.read.media import read_media_form, read_media_json
from adapter.openai_api.read.picture_sets import field_of
from adapter.openai_api.read.pictures import sources_of
from adapter.openai_api.read.roles import cast_pictures, check_roles
from adapter.openai_api.read.shape import origin_of, read_shape
from adapter.openai_api.wire.media import MediaRequest
from adapter.openai_api.wire.videos import RemixRequest, VideosRequest

#: OpenAI's own default (reference: `openai.md` section 5).
DEFAULT_MODEL = "sora-2"

#: What is in OpenAI's document and in none of these models.
UNSUPPORTED = "unsupported"

#: Of a list (OpenAI's document, `GET /videos`; the default is the guide's).
MOST_LISTED, DEFAULT_LISTED = 100, 20

PARAM = "input_reference"

#: Words of other vendors for what a video is anyway.
PLAIN_QUALITIES = ("auto", "standard")


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """What a video is made of beside the fields of its request."""

    model: str
    prompt: str
    pictures: tuple[Source, ...] = ()
    roles: tuple[str | None, ...] = ()
    #: The field that the pictures came in.
    pictures_param: str


def film(request: MediaRequest, script: Script, context: ReadContext) -> VideoWish:
    """Return the wish that a request means.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: it asks for what the model cannot do.
    """
    card, by_name = context.catalogue.find_card(script.model, VideoCard)
    _check_count(request)
    _check_fineness(request, card)
    _check_format(request)
    kind, pictures = cast_pictures(script.pictures, script.roles, most=card.references, param=script.pictures_param)
    size = None if _is_resolution(request.size, card) else request.size
    shape = read_shape(size, request.aspect_ratio, by_name, request.names)
    try:
        ratio, upstream = card.choose(shape, kind)
    except InvalidRequest as fault:
        fault.param = origin_of(request, fault.param)
        raise
    is_open = kind is not VideoInput.TEXT and shape.ratio is None and shape.pixels is None
    return VideoWish(
        order=VideoOrder(
            model=script.model,
            provider=card.provider,
            upstream=upstream,
            prompt=script.prompt,
            ratio=ratio,
            size=card.sizes[ratio],
            seconds=card.length(
                request.seconds, _length_policy(request, script.model, context), request.called("seconds")
            ),
            seed=seed(request.seed),
            typical_seconds=card.typical_seconds,
            input=kind,
        ),
        sources=pictures,
        input_formats=tuple(MediaFormat[word.upper()] for word in card.input_formats),
        shapes=card.names(kind) if is_open else {},
        sizes=card.sizes,
    )


def _check_count(request: MediaRequest) -> None:
    if request.n not in {None, 1}:
        name = request.called("n")
        raise InvalidRequest(f"One request makes one video; '{name}' has to be 1.", param=name)


def _check_fineness(request: MediaRequest, card: VideoCard) -> None:
    """Refuse another resolution than the one that there is, under whatever name it is asked for."""
    for field, plain in (("resolution", ()), ("quality", PLAIN_QUALITIES)):
        word, name = getattr(request, field), request.called(field)
        if word is not None and word.lower() not in plain and not _is_resolution(word, card):
            raise InvalidRequest(
                f"The model '{card.name}' has one resolution, {' or '.join(card.resolutions)}; '{word}' cannot be had.",
                param=name,
            )


def _check_format(request: MediaRequest) -> None:
    """Refuse another format than the one that there is."""
    name = request.called("output_format")
    if request.output_format not in {None, "mp4"}:
        raise InvalidRequest(f"Videos are MP4; '{request.output_format}' cannot be had.", param=name)
    if request.output_compression is not None:
        name = request.called("output_compression")
        raise InvalidRequest(f"The compression of a video cannot be chosen; leave '{name}' out.", param=name)


def _is_resolution(word: str | None, card: VideoCard) -> bool:
    return word is not None and word.lower().removesuffix("p") + "p" in card.resolutions


def _length_policy(request: MediaRequest, model: str, context: ReadContext) -> LengthPolicy:
    """Say what a length is worth. A flag was typed by a person, who wants that length."""
    if request.called("seconds").startswith("--"):
        return LengthPolicy.EXACT
    if context.length_policy is not None:
        return context.length_policy
    return LengthPolicy.NEAREST if context.catalogue.find(model).is_foreign else LengthPolicy.EXACT


def read_video_json(body: bytes, context: ReadContext) -> VideoWish:
    """Return the wish of a JSON body.

    Raises:
        UnknownModel, InvalidRequest: as `film`, or a field of the wrong type.
    """
    return video_wish(read_media_json(body, VideosRequest), context)


def read_video_form(parts: Sequence[Part], context: ReadContext) -> VideoWish:
    """Return the wish of a form: the pictures are parts, or fields with addresses.

    Raises:
        UnknownModel, InvalidRequest: as `film`, or a field of the wrong type.
    """
    return video_wish(read_media_form(parts, VideosRequest), context)


def video_wish(request: VideosRequest, context: ReadContext) -> VideoWish:
    """Return what a request wishes for, with what OpenAI assumes where it does not say.

    Raises:
        UnknownModel, InvalidRequest: as `film`, or for what none of the models does.
    """
    if request.characters not in (None, [], ""):
        raise InvalidRequest(
            "These models know no characters; show them in reference pictures.", param="characters", code=UNSUPPORTED
        )
    return film(
        request,
        Script(
            model=request.model or DEFAULT_MODEL,
            prompt=prompt(required(request.prompt, "prompt"), context.longest_prompt),
            pictures=sources_of(request.pictures, context.public_url),
            roles=_roles(request),
            pictures_param=field_of(request.pictures, PARAM),
        ),
        context,
    )


def _roles(request: VideosRequest) -> tuple[str | None, ...]:
    """Return what each picture is said to be: by itself, or in a list beside them."""
    if request.roles is None:
        return tuple(picture.role for picture in request.pictures)
    roles = (request.roles,) if isinstance(request.roles, str) else request.roles
    if len(roles) != (count := len(request.pictures)):
        raise InvalidRequest(
            f"'roles' names {len(roles)} pictures and {count} came; it has to name each, in their order.", param="roles"
        )
    check_roles(roles, "roles")
    return roles


def read_page(limit: str | None, order: str | None, after: str | None) -> Page:
    """Return the page that a list's query asks for.

    Raises:
        InvalidRequest: a limit or an order that there is not.
    """
    if limit and (re.fullmatch(r"[0-9]{1,3}", limit) is None or int(limit) > MOST_LISTED):
        raise InvalidRequest(f"'limit' has to be 0 to {MOST_LISTED}.", param="limit")
    newest_first = one_of(order or "desc", ["asc", "desc"], "order") == "desc"
    return Page(limit=int(limit) if limit else DEFAULT_LISTED, newest_first=newest_first, after=after or None)


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
    if re.fullmatch(r"[0-9]{1,6}", told) is None or int(told) > len(job.history):
        raise InvalidRequest(f"'{param}' has to be the number of an event of this video, or 0.", param=param)
    return int(told)


def remix_wish(request: RemixRequest, source: VideoJob, context: ReadContext) -> VideoWish:
    """Return the wish for a finished video once more with another prompt: all else is the same, its seed too.

    Raises:
        InvalidRequest: there is no prompt, or the video is not finished.
    """
    if source.phase is not Phase.COMPLETED:
        raise InvalidRequest(
            f"Only a completed video can be remixed; this one is {source.phase}.",
            param="video_id",
            code="video_not_completed",
        )
    _refuse_other_than(source, request)
    order, said = source.order, prompt(required(request.prompt, "prompt"), context.longest_prompt)
    return VideoWish(
        order=msgspec.structs.replace(order, prompt=said, seed=source.seed, remix_of=source.id, pictures=()),
        sources=tuple(StoredSource(picture.name, "video_id") for picture in order.pictures),
        # They were in a format that the provider takes when they were kept.
        input_formats=tuple(MediaFormat),
    )


def _refuse_other_than(source: VideoJob, request: RemixRequest) -> None:
    """Refuse wishes that a remix does not grant: it would be paid for and not be what was asked for."""
    order = source.order
    same: dict[str, set[object]] = {
        "model": {order.model},
        "n": {1},
        "size": {str(order.size), str(order.ratio)},
        "aspect_ratio": {str(order.ratio)},
        "seconds": {order.seconds},
        "seed": {source.seed, order.seed},
    }
    for field in (*same, "resolution", "quality", "pictures"):
        value = getattr(request, field)
        if value not in (None, (), *same.get(field, ())):
            name = field_of(request.pictures, PARAM) if field == "pictures" else request.called(field)
            raise InvalidRequest(
                f"A remix has another prompt and nothing else; leave '{name}' out, or make a new video.", param=name
            )
