"""An operator's credentials for one provider, taken in turn."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from adapter.errors import UpstreamCredential

_Credential = TypeVar("_Credential")


class Rotation(Generic[_Credential]):
    """Credentials by name. A job remembers the name, and stays with the credential that submitted it."""

    def __init__(self, what: str, known: Mapping[str, _Credential], in_turn: Iterable[_Credential]) -> None:
        self._what = what
        self._known = known
        self._turn = itertools.cycle([*in_turn])

    def choose(self) -> _Credential:
        """Return the next one that takes new work.

        Raises:
            UpstreamCredential: none does.
        """
        for chosen in self._turn:
            return chosen
        raise UpstreamCredential(f"No {self._what} takes new work at the moment.")

    def find(self, name: str) -> _Credential:
        """Return one by its name.

        Raises:
            UpstreamCredential: it is no longer configured.
        """
        if name not in self._known:
            raise UpstreamCredential(f"The {self._what} '{name}' is no longer configured.")
        return self._known[name]
