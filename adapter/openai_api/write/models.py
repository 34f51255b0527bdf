"""Translates the catalogue to `ModelList`."""

from collections.abc import Iterable

from msgspec import UNSET

from adapter.domain.catalogue import Model
from adapter.openai_api.wire.models import Architecture, ModelList, ModelObject


def model_object(model: Model) -> ModelObject:
    """Describe one model."""
    return ModelObject(
        id=model.name,
        created=model.created,
        owned_by=model.card.provider,
        architecture=Architecture(input_modalities=model.card.takes, output_modalities=(model.card.kind,)),
        shutdown_date=model.card.retires.isoformat() if model.card.retires else UNSET,
    )


def model_list(models: Iterable[Model]) -> ModelList:
    """Describe all of them."""
    return ModelList(data=tuple(model_object(model) for model in models))
