"""The operator's Gemini keys."""

from collections.abc import Sequence

import msgspec

from adapter.domain.ports import Secret
from adapter.providers.rotation import Rotation


class Key(msgspec.Struct, frozen=True):
    """One key, with the name that a job remembers."""

    name: str
    secret: Secret


class Keys(Rotation[Key]):
    """All of them, taken in turn."""

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__("Gemini key", {key.name: key for key in keys}, keys)
