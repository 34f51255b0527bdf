"""The catalogue into Google's list of models."""

from collections.abc import Sequence

from msgspec import UNSET

from adapter.domain.catalogue import Model, TextCard
from adapter.google_api.wire.models import ListModelsResponse, NativeModel


def native_model(model: Model) -> NativeModel:
    """Describe one model that makes pictures or texts."""
    card, takes = model.card, " and ".join(model.card.takes)
    name = f"models/{model.name}"
    if isinstance(card, TextCard):
        return NativeModel(
            name=name,
            display_name=model.name,
            description=f"Writes texts from {takes}.",
            supported_generation_methods=("generateContent", "streamGenerateContent"),
        )
    shapes = ", ".join(card.ratios)
    return NativeModel(
        name=name, display_name=model.name, description=f"Makes pictures from {takes}. Shapes: {shapes}."
    )


def native_list(models: Sequence[Model], next_token: str | None) -> ListModelsResponse:
    """Describe a part of the models."""
    return ListModelsResponse(models=tuple(map(native_model, models)), next_page_token=next_token or UNSET)
