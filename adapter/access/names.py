"""What a key is called where the configuration speaks of it."""

from collections.abc import Mapping

from adapter.access.keys import MADE, digest
from adapter.domain.ports import Secret
from adapter.errors import SecretUnreadable


class ConfiguredNames:
    """Names of keys (the port `KeyNames`): a made one's own, and the reference of one of the configuration."""

    def __init__(self, fixed: Mapping[str, Secret]) -> None:
        #: The keys of the configuration that it names elsewhere, by their references.
        self._fixed = fixed

    async def name_of(self, owner: str) -> str | None:
        """Return the name of an owner's key (the port of that name). A file is read again: its key may have changed."""
        if owner.startswith(MADE):
            return owner.removeprefix(MADE)
        for reference, fixed in self._fixed.items():
            try:
                if digest(await fixed.read()) == owner:
                    return reference
            except SecretUnreadable:
                continue  # the access check has logged it
        return None
