"""What is asked of a video, wherever it is asked, into a wish."""

import re
from collections.abc import Sequence

import msgspec

from adapter.domain.catalogue import Catalogue, VideoCard
from adapter.domain.job import Phase, Variant, VideoJob
from adapter.domain.media import MediaFormat
from adapter.domain.orders import Kept, Page, Source, VideoInput, VideoOrder, VideoWish
from adapter.errors import InvalidRequest
from adapter.openai_api.read.body import read_json
from adapter.openai_api.read.fields import one_of, prompt, required, seed
from adapter.openai_api.read.form import Part, read_fields
from adapter.openai_api.read.pictures import read_part, read_ref
from adapter.openai_api.read.roles import cast_pictures
from adapter.openai_api.read.shape import read_shape
from adapter.openai_api.read.terms import Terms
from adapter.openai_api.wire.videos import PictureRef, RemixRequest, VideosRequest

#: OpenAI's own default (reference: `openai.md` section 5).
DEFAULT_MODEL = "sora-2"

#: What is in OpenAI's document and in none of these models.
UNSUPPORTED = "unsupported"

#: Of a list (OpenAI's document, `GET /videos`; the default is the guide's).
MOST_LISTED, DEFAULT_LISTED = 100, 20

PARAM = "input_reference"
#: What clients call the pictures of a form; `[image_url]` is an address, which may be a long data: URL.
_PICTURE = re.compile(r"input_reference(\[\d*\])?(\[image_url\])?")


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """The words and pictures of a request, as they came."""

    model: str
    prompt: str
    size: str | None = None
    aspect_ratio: str | None = None
    #: As OpenAI's clients send it: a number, or digits.
    seconds: str | float | None = None
    resolution: str | None = None
    seed: int | None = None
    pictures: tuple[Source, ...] = ()
    roles: tuple[str | None, ...] = ()
    #: The field that the pictures came in.
    pictures_param: str


def film(script: Script, catalogue: Catalogue) -> VideoWish:
    """Return the wish that a script means.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: it asks for what the model cannot do.
    """
    card, by_name = catalogue.find_card(script.model, VideoCard)
    if script.seconds is not None and str(script.seconds).removesuffix(".0") != str(card.seconds):
        raise InvalidRequest(
            f"The model '{script.model}' makes videos of {card.seconds} seconds only.", param="seconds"
        )
    if script.resolution is not None:
        raise InvalidRequest(f"The model '{script.model}' has one resolution; leave it out.", param="resolution")
    kind, pictures = cast_pictures(script.pictures, script.roles, most=card.references, param=script.pictures_param)
    shape = read_shape(script.size, script.aspect_ratio, by_name)
    try:
        ratio, upstream = card.choose(shape, kind)
    except InvalidRequest as fault:
        if fault.param == "size" and script.size in {None, "auto"} and script.aspect_ratio is not None:
            fault.param = "aspect_ratio"
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
            seconds=card.seconds,
            seed=seed(script.seed),
            typical_seconds=card.typical_seconds,
            input=kind,
        ),
        sources=pictures,
        input_formats=tuple(MediaFormat[word.upper()] for word in card.input_formats),
        shapes=card.names(kind) if is_open else {},
        sizes=card.sizes,
    )


def read_video_json(body: bytes, terms: Terms) -> VideoWish:
    """Return the wish of a JSON body.

    Raises:
        UnknownModel, InvalidRequest: as `film`, or a field of the wrong type.
    """
    request = read_json(body, VideosRequest)
    return video_wish(request, _refs(request, terms.public_url), terms)


def read_video_form(parts: Sequence[Part], terms: Terms) -> VideoWish:
    """Return the wish of a form: the pictures are parts, or fields with addresses.

    Raises:
        UnknownModel, InvalidRequest: as `film`, or a field of the wrong type.
    """
    pictures = [part for part in parts if _PICTURE.fullmatch(part.name)]
    request = read_fields((part for part in parts if not _PICTURE.fullmatch(part.name)), VideosRequest)
    sources = tuple(read_part(part.data, terms.public_url, PARAM) for part in pictures)
    return video_wish(request, (*sources, *_refs(request, terms.public_url)), terms)


def _refs(request: VideosRequest, public_url: str) -> tuple[Source, ...]:
    return tuple(read_ref(ref, public_url, PARAM) for ref in _named(request))


def _named(request: VideosRequest) -> tuple[PictureRef | str, ...]:
    refs = request.input_reference
    if refs is None:
        return ()
    return refs if isinstance(refs, tuple) else (refs,)


def video_wish(request: VideosRequest, pictures: tuple[Source, ...], terms: Terms) -> VideoWish:
    """Return what a request wishes for, with what OpenAI assumes where it does not say.

    Raises:
        UnknownModel, InvalidRequest: as `film`, or for what none of the models does.
    """
    if request.characters not in (None, [], ""):
        raise InvalidRequest(
            "These models know no characters; show them in reference pictures.", param="characters", code=UNSUPPORTED
        )
    return film(
        Script(
            model=request.model or DEFAULT_MODEL,
            prompt=prompt(required(request.prompt, "prompt"), terms.longest_prompt),
            size=request.size,
            aspect_ratio=request.aspect_ratio,
            seconds=request.seconds,
            resolution=request.resolution,
            seed=request.seed,
            pictures=pictures,
            roles=_roles(request, len(pictures)),
            pictures_param=PARAM,
        ),
        terms.catalogue,
    )


def _roles(request: VideosRequest, count: int) -> tuple[str | None, ...]:
    """Return what each picture is said to be: by itself, or in a list beside them."""
    if request.roles is None:
        own = tuple(ref.role if isinstance(ref, PictureRef) else None for ref in _named(request))
        return (*(None for _ in range(count - len(own))), *own)
    roles = (request.roles,) if isinstance(request.roles, str) else request.roles
    if len(roles) != count:
        raise InvalidRequest(
            f"'roles' names {len(roles)} pictures and {count} came; it has to name each, in their order.", param="roles"
        )
    return roles


def read_page(limit: str | None, order: str | None, after: str | None) -> Page:
    """Return the page that a list's query asks for.

    Raises:
        InvalidRequest: a limit or an order that there is not.
    """
    if limit is not None and (re.fullmatch(r"[0-9]{1,3}", limit) is None or int(limit) > MOST_LISTED):
        raise InvalidRequest(f"'limit' has to be 0 to {MOST_LISTED}.", param="limit")
    newest_first = one_of(order or "desc", ["asc", "desc"], "order") == "desc"
    return Page(limit=DEFAULT_LISTED if limit is None else int(limit), newest_first=newest_first, after=after)


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


def remix_wish(request: RemixRequest, source: VideoJob, terms: Terms) -> VideoWish:
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
    order, said = source.order, prompt(required(request.prompt, "prompt"), terms.longest_prompt)
    return VideoWish(
        order=msgspec.structs.replace(order, prompt=said, seed=source.seed, remix_of=source.id, pictures=()),
        sources=tuple(Kept(picture.name, "video_id") for picture in order.pictures),
        # They were in a format that the provider takes when they were kept.
        input_formats=tuple(MediaFormat),
    )
