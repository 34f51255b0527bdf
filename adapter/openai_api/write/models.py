"""Translates the catalogue to `ModelList`."""

from collections.abc import Iterable

from msgspec import UNSET, UnsetType

from adapter.domain.catalogue import Card, Model
from adapter.domain.prices import in_force
from adapter.openai_api.wire.models import Architecture, ModelList, ModelObject, ModelPrice


def model_object(model: Model, now: float) -> ModelObject:
    """Describe one model, with the prices of that time."""
    return ModelObject(
        id=model.name,
        created=model.created,
        owned_by=model.card.provider,
        architecture=Architecture(input_modalities=model.card.takes, output_modalities=(model.card.kind,)),
        prices=_prices(model.card, now),
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


def model_list(models: Iterable[Model], now: float) -> ModelList:
    """Describe all of them, with the prices of that time."""
    return ModelList(data=tuple(model_object(model, now) for model in models))
