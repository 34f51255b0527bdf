"""Orders for videos that are made from an earlier video: remixes, edits and extensions."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from adapter.domain.catalogue import VideoCard
from adapter.domain.job import Phase, VideoJob
from adapter.domain.media import Clip, MediaFormat, Ratio, Shape
from adapter.domain.orders import (
    FROM_VIDEOS,
    InlineSource,
    StoredSource,
    VideoDraft,
    VideoInput,
    VideoOrder,
    VideoSource,
)
from adapter.errors import InvalidRequest, UnknownModel
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.fields import seed
from adapter.openai_api.read.given_videos import FIELD
from adapter.openai_api.read.media_fields import card_of, prompt_of
from adapter.openai_api.read.videos import UNSUPPORTED, length_policy
from adapter.openai_api.wire.media import MediaRequest

#: Fields that a remix may have: its own, and what makes no other video.
NOT_OF_A_REMIX = frozenset({"prompt", "names", "output_format", "output_compression", "complexity", "reasoning_effort"})
#: What each kind of work is called in messages, and what its models do.
WORKS: Mapping[VideoInput, tuple[str, str]] = {
    VideoInput.EDIT: ("An edit", "edit"),
    VideoInput.EXTEND: ("An extension", "extend"),
}


class GivenClip(msgspec.Struct, frozen=True):
    """A video that came with a request, and what is known of it."""

    source: InlineSource
    clip: Clip


def remix_draft(request: MediaRequest, source: VideoJob, context: ReadContext) -> VideoDraft:
    """Return the draft of a finished video with another prompt: all else is the same, its seed too.

    A model that can edit a video changes this one. Any other makes it once more.

    Raises:
        InvalidRequest: there is no prompt, the video is not finished, or it was made from a video and its model edits
            none now.
    """
    _check_completed(source, "remixed", "video_id")
    _check_not_finer(source, "remix", "video_id")
    _refuse_others(request, "A remix has another prompt and nothing else", _same_as(source))
    order = _varied(source, prompt_of(request, context))
    if card := _working_card(VideoInput.EDIT, source, context):
        return _priced(_edit(order, source, card, "video_id"), card)
    if order.input in FROM_VIDEOS:
        raise InvalidRequest(
            f"This video was made of another one, and its model '{order.model}' edits no videos.", param="video_id"
        )
    return msgspec.structs.replace(
        _priced(msgspec.structs.replace(order, pictures=()), _card_of(order, context)),
        sources=tuple(StoredSource(picture.name, "video_id") for picture in order.pictures),
        # They were in a format that the provider takes when they were kept.
        input_formats=tuple(MediaFormat),
    )


def draft_from_job(kind: VideoInput, request: MediaRequest, source: VideoJob, context: ReadContext) -> VideoDraft:
    """Return the draft of an edit or an extension of one of our finished videos.

    Raises:
        InvalidRequest: there is no prompt, the video is not finished, or its model does not do this with it.
    """
    what, verb = WORKS[kind]
    _check_completed(source, f"{verb}ed", FIELD)
    _check_not_finer(source, verb, FIELD)
    card = _working_card(kind, source, context)
    if card is None:
        words = f"This video was made by '{source.order.model}', which does not {verb} videos"
        raise _unable(words, context.catalogue.able(kind))
    own = {"seconds"} if kind is VideoInput.EXTEND else set[str]()
    _refuse_others(request, f"{what} keeps the model and the form of its video", _same_as(source), own)
    order = _varied(source, prompt_of(request, context))
    if kind is VideoInput.EDIT:
        return _priced(_edit(order, source, card, FIELD), card)
    if card.next_clips:
        return _next_clip(request, order, source, card, context)
    before = source.order.whole_seconds
    seconds = _extension(request, order.model, card, before, context)
    extended = msgspec.structs.replace(order, seconds=seconds, seconds_before=before)
    return _priced(_with_source(extended, kind, source, card), card)


def draft_from_file(kind: VideoInput, request: MediaRequest, file: GivenClip, context: ReadContext) -> VideoDraft:
    """Return the draft of an edit or an extension of a video that came with the request.

    Without a model it is the first one of the catalogue that does this.

    Raises:
        UnknownModel: no such model.
        InvalidRequest: there is no prompt, or the model does not do this, or not with this video.
    """
    name, card = _card_for(kind, request, context)
    own = {"model", "seed", *(("seconds",) if kind is VideoInput.EXTEND else ())}
    _refuse_others(request, f"{WORKS[kind][0]} keeps the form of its video", {"n": {1}}, own)
    resolution = card.nearest_resolution(file.clip.pixels)
    ratio, upstream = _chosen(file.clip, card, kind)
    length = max(1, round(file.clip.seconds))
    is_edit = kind is VideoInput.EDIT
    order = VideoOrder(
        model=name,
        provider=card.provider,
        upstream=upstream,
        prompt=prompt_of(request, context),
        ratio=ratio,
        size=card.sizes_at(resolution)[ratio],
        resolution=resolution if card.other_sizes else "",
        seconds=_edit_length(length, card, FIELD) if is_edit else _extension(request, name, card, length, context),
        seconds_before=0 if is_edit else length,
        seed=seed(request.seed),
        typical_seconds=card.typical_seconds,
        input=kind,
    )
    return msgspec.structs.replace(_priced(order, card), video=file.source)


def _next_clip(
    request: MediaRequest, order: VideoOrder, source: VideoJob, card: VideoCard, context: ReadContext
) -> VideoDraft:
    """Return the draft of a clip that begins where a finished one ends (`VideoCard.next_clips`).

    Raises:
        InvalidRequest: the model does not make that length, or the provider's names of the video are not known.
    """
    kind, remote, operation = VideoInput.EXTEND, source.remote, source.operation
    policy, name = length_policy(request, order.model, context), request.called("seconds")
    seconds = card.length(request.seconds, policy, name, kind)
    if remote is None or not remote.name or operation is None or not operation.workflow:
        raise InvalidRequest(
            "Google's names of this video are not known, so it cannot be extended. They are known of videos of an "
            "account with the dialect 'media', and of no older video.",
            param=FIELD,
            code=UNSUPPORTED,
        )
    clip = _with_source(msgspec.structs.replace(order, seconds=seconds, seconds_before=0), kind, source, card)
    video = VideoSource(remote.name, source.account or "", operation.workflow)
    return VideoDraft(order=msgspec.structs.replace(clip, source=video), quotes=card.quotes_of_next_clip())


def _priced(order: VideoOrder, card: VideoCard | None) -> VideoDraft:
    """Return the draft of an order, with what its seconds cost; of an extension these are the new ones."""
    quotes = card.quotes(order.resolution or card.usual_resolution, order.seconds) if card else ()
    return VideoDraft(order=order, quotes=quotes)


def _check_completed(source: VideoJob, done: str, param: str) -> None:
    if source.phase is not Phase.COMPLETED:
        raise InvalidRequest(
            f"Only a completed video can be {done}; this one is {source.phase}.",
            param=param,
            code="video_not_completed",
        )


def _check_not_finer(source: VideoJob, verb: str, param: str) -> None:
    if source.order.input is VideoInput.UPSCALE:
        raise InvalidRequest(
            f"This video was made finer; {verb} the video '{source.order.remix_of}' instead.", param=param
        )


def _varied(source: VideoJob, words: str) -> VideoOrder:
    """Return the order of a video with another prompt, without the video that it was made from itself."""
    return msgspec.structs.replace(
        source.order, prompt=words, seed=source.seed, remix_of=source.id, source=None, video=None
    )


def _working_card(kind: VideoInput, source: VideoJob, context: ReadContext) -> VideoCard | None:
    """Return the card of a video's model; None if it does not do that work, or is served by another provider now."""
    card = _card_of(source.order, context)
    if card is None or source.operation is None or source.account is None:
        return None
    return card if source.order.ratio in card.upstream.get(kind, {}) else None


def _card_of(order: VideoOrder, context: ReadContext) -> VideoCard | None:
    """Return the card of an order's model; None if the catalogue has it no longer, or from another provider."""
    try:
        card, _ = context.catalogue.find_card(order.model, VideoCard)
    except (UnknownModel, InvalidRequest):
        return None
    return card if card.provider == order.provider else None


def _edit(order: VideoOrder, source: VideoJob, card: VideoCard, param: str) -> VideoOrder:
    seconds = _edit_length(order.whole_seconds, card, param)
    edited = msgspec.structs.replace(order, seconds=seconds, seconds_before=0)
    return _with_source(edited, VideoInput.EDIT, source, card)


def _with_source(order: VideoOrder, kind: VideoInput, source: VideoJob, card: VideoCard) -> VideoOrder:
    """Return the order with the video as the provider knows it."""
    operation = source.operation.name if source.operation else ""
    return msgspec.structs.replace(
        order,
        upstream=card.upstream[kind][order.ratio],
        input=kind,
        pictures=(),
        source=VideoSource(operation, source.account or ""),
    )


def _edit_length(length: int, card: VideoCard, param: str) -> int:
    """Return how long an edited video will be: as long as it is, or as short as the model makes videos."""
    lengths = card.lengths_from(VideoInput.EDIT)
    if length > max(lengths):
        raise InvalidRequest(
            f"The model '{card.name}' edits videos of up to {max(lengths)} seconds; this one has {length}.", param=param
        )
    return min(each for each in lengths if each >= length)


def _extension(request: MediaRequest, name: str, card: VideoCard, before: int, context: ReadContext) -> int:
    policy = length_policy(request, name, context)
    return card.extension(before, request.seconds, policy, request.called("seconds"))


def _card_for(kind: VideoInput, request: MediaRequest, context: ReadContext) -> tuple[str, VideoCard]:
    """Return the model for a video that came with the request, and its card."""
    verb = WORKS[kind][1]
    able = context.catalogue.able(kind, from_files=True)
    name = request.model or next(iter(able), None)
    if name is None:
        raise InvalidRequest(f"No model here can {verb} a video that comes as a file.", param=FIELD, code=UNSUPPORTED)
    card, _ = card_of(request, name, VideoCard, context)
    if card.name not in able:
        # A model may do it with its own videos, which are named by their ids.
        what = "a video that comes as a file" if kind in card.upstream else "videos"
        raise _unable(f"The model '{name}' does not {verb} {what}", able, request.called("model"))
    return name, card


def _chosen(clip: Clip, card: VideoCard, kind: VideoInput) -> tuple[Ratio, str]:
    """Return the shape of a file as the model has it."""
    try:
        return card.choose(Shape(pixels=clip.pixels), kind)
    except InvalidRequest as fault:
        fault.param = FIELD
        raise


def _unable(words: str, able: Sequence[str], param: str = FIELD) -> InvalidRequest:
    others = f" These do: {', '.join(able)}." if able else ""
    return InvalidRequest(f"{words}.{others}", param=param, code=UNSUPPORTED)


def _same_as(source: VideoJob) -> Mapping[str, Collection[object]]:
    """Return the values of fields with which a request repeats what a video is."""
    order = source.order
    return {
        "model": {order.model},
        "n": {1},
        "size": {str(order.size), str(order.ratio)},
        "aspect_ratio": {str(order.ratio)},
        "seconds": {order.whole_seconds},
        "seed": {source.seed, order.seed},
    }


def _refuse_others(
    request: MediaRequest, law: str, same: Mapping[str, Collection[object]], own: Collection[str] = ()
) -> None:
    """Refuse wishes that are not granted: it would be paid for and not be what was asked for."""
    for field in request.__struct_fields__:
        value = getattr(request, field)
        if field in NOT_OF_A_REMIX or field in own or value in (None, ()):
            continue
        if value not in (*same.get(field, ()),):
            name = request.called(field)
            raise InvalidRequest(f"{law}; leave '{name}' out, or make a new video.", param=name)
