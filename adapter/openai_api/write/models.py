"""Translates the catalogue to `ModelList`."""

from collections.abc import Iterable

from msgspec import UNSET, UnsetType

from adapter.domain.catalogue import Card, ImageCard, Model, TextCard, VideoCard
from adapter.domain.orders import VideoInput
from adapter.domain.prices import in_force
from adapter.openai_api.wire.models import Architecture, ModelList, ModelObject, ModelOptions, ModelPrice, VideoMode


def model_object(model: Model, now: float) -> ModelObject:
    """Describe one model, with the prices of that time."""
    return ModelObject(
        id=model.name,
        created=model.created,
        owned_by=model.card.provider,
        architecture=Architecture(input_modalities=model.card.takes, output_modalities=(model.card.kind,)),
        prices=_prices(model.card, now),
        options=_options(model.card),
        shutdown_date=model.card.retires.isoformat() if model.card.retires else UNSET,
    )


def _prices(card: Card, now: float) -> tuple[ModelPrice, ...] | UnsetType:
    price = in_force(card.prices, now)
    if price is None:
        return UNSET
    return tuple(
        ModelPrice(per=rate.per, of=rate.of or UNSET, amount=float(rate.cost.amount), currency=rate.cost.currency.value)
        for rate in price.rates()
    )


def _options(card: Card) -> ModelOptions | UnsetType:
    match card:
        case ImageCard():
            return ModelOptions(
                aspect_ratios=card.ratios,
                resolutions=card.resolutions,
                resolution=card.usual_resolution,
                images=card.inputs,
                thinking=card.thinking,
            )
        case VideoCard():
            return ModelOptions(
                aspect_ratios=card.ratios,
                resolutions=card.resolutions,
                resolution=card.usual_resolution,
                images=_most_pictures(card),
                seconds=card.seconds,
                typical_seconds=card.typical_seconds,
                modes=tuple(_mode(card, kind) for kind in card.upstream),
                upscales=tuple(card.upscales),
            )
        case TextCard():
            return UNSET


def _mode(card: VideoCard, kind: VideoInput) -> VideoMode:
    return VideoMode(input=kind.value, aspect_ratios=tuple(card.upstream[kind]), seconds=card.lengths_from(kind))


def _most_pictures(card: VideoCard) -> int:
    if VideoInput.REFERENCES in card.upstream:
        return card.references
    return 2 if VideoInput.FRAMES in card.upstream else int(VideoInput.FRAME in card.upstream)


def model_list(models: Iterable[Model], now: float) -> ModelList:
    """Describe all of them, with the prices of that time."""
    return ModelList(data=tuple(model_object(model, now) for model in models))
