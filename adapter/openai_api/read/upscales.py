"""A request for a finished video in a finer resolution into the draft of an order."""

import msgspec

from adapter.domain.catalogue import VideoCard
from adapter.domain.job import Phase, VideoJob
from adapter.domain.orders import VideoDraft, VideoInput, VideoOrder, VideoSource
from adapter.errors import InvalidRequest, UnknownModel
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.wire.media import MediaRequest

#: Fields that may say the resolution, and what says nothing about a video.
_OWN = frozenset({"resolution", "size", "names"})


def upscale_draft(request: MediaRequest, source: VideoJob, context: ReadContext) -> VideoDraft:
    """Return the draft of a finished video in a finer resolution. It has the prompt and the seed of that video.

    Raises:
        InvalidRequest: the video is not finished or cannot be made finer, or the request asks for anything else.
    """
    if source.phase is not Phase.COMPLETED:
        raise InvalidRequest(
            f"Only a completed video can be made finer; this one is {source.phase}.",
            param="video_id",
            code="video_not_completed",
        )
    _refuse_other_than(request)
    order, card = source.order, _card(source.order, context)
    resolution = _resolution(request, card)
    found = card.upscales[resolution]
    if source.remote is None or not source.remote.name or source.account is None or order.ratio not in found.sizes:
        raise InvalidRequest(
            "Google's own name of this video is not known, so it cannot be made finer.", param="video_id"
        )
    return VideoDraft(
        order=msgspec.structs.replace(
            order,
            upstream=found.upstream,
            size=found.sizes[order.ratio],
            resolution=resolution,
            seed=source.seed,
            input=VideoInput.UPSCALE,
            pictures=(),
            remix_of=source.id,
            source=VideoSource(source.remote.name, source.account),
            video=None,
        ),
        quotes=card.quotes_of_upscale(resolution),
    )


def _card(order: VideoOrder, context: ReadContext) -> VideoCard:
    """Return the card of a video that can be made finer.

    Raises:
        InvalidRequest: it is finer already, or its model has nothing finer.
    """
    if order.input is VideoInput.UPSCALE:
        raise InvalidRequest(
            f"This video was made finer already; begin with the video '{order.remix_of}'.", param="video_id"
        )
    try:
        card, _ = context.catalogue.find_card(order.model, VideoCard)
    except (UnknownModel, InvalidRequest):
        card = None
    if card is None or card.provider != order.provider or not card.upscales:
        raise InvalidRequest(f"Videos of the model '{order.model}' cannot be made finer.", param="video_id")
    return card


def _resolution(request: MediaRequest, card: VideoCard) -> str:
    """Return the resolution that is asked for. A size in pixels means the resolution that has it.

    Raises:
        InvalidRequest: none is named, the model does not have it, or two fields ask for different ones.
    """
    spellings = {name: name for name in card.upscales}
    for name, each in card.upscales.items():
        spellings |= {f"{size.short}p": name for size in each.sizes.values()}
        spellings |= {str(size): name for size in each.sizes.values()}
    asked = {field: word for field in ("resolution", "size") if (word := getattr(request, field)) is not None}
    allowed = ", ".join(card.upscales)
    if not asked:
        raise InvalidRequest(f"'resolution' is missing. Allowed: {allowed}.", param="resolution")
    found = {field: spellings.get(word.lower()) for field, word in asked.items()}
    for field, resolution in found.items():
        if resolution is None or resolution != next(iter(found.values())):
            name = request.called(field)
            raise InvalidRequest(f"'{name}' cannot be '{asked[field]}' here. Allowed: {allowed}.", param=name)
    return next(iter(found.values())) or ""


def _refuse_other_than(request: MediaRequest) -> None:
    for field in request.__struct_fields__:
        if field not in _OWN and getattr(request, field) not in (None, (), ""):
            name = request.called(field)
            raise InvalidRequest(f"Nothing changes but the resolution; leave '{name}' out.", param=name)
