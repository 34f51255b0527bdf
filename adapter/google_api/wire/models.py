"""`models.list` and `models.get` (reference: `gemini-native-routes.md` section 3)."""

import msgspec
from msgspec import UNSET, UnsetType


class NativeModel(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One model. Google's token limits are left out: none is known for all of these models."""

    name: str
    display_name: str
    description: str
    supported_generation_methods: tuple[str, ...] = ("generateContent",)


class ListModelsResponse(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A page of them."""

    models: tuple[NativeModel, ...]
    next_page_token: str | UnsetType = UNSET
