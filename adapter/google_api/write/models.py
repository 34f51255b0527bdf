"""The catalogue into Google's list of models."""

from collections.abc import Sequence

from msgspec import UNSET

from adapter.domain.catalogue import Model
from adapter.google_api.wire.models import ListModelsResponse, NativeModel


def native_model(model: Model) -> NativeModel:
    """Describe one model that makes pictures."""
    return NativeModel(
        name=f"models/{model.name}",
        display_name=model.name,
        description=f"Makes pictures from {' and '.join(model.card.takes)}. Shapes: {', '.join(model.card.ratios)}.",
    )


def native_list(models: Sequence[Model], next_token: str | None) -> ListModelsResponse:
    """Describe a part of the models."""
    return ListModelsResponse(models=tuple(map(native_model, models)), next_page_token=next_token or UNSET)
