"""Names of models that keys may use, and that lead to none. They are warned of: the key makes less than was meant."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from adapter.domain.allowance import Allowance
from adapter.domain.catalogue import Catalogue, Listing
from adapter.errors import UnknownModel
from adapter.risks import Risk
from adapter.settings import Settings

#: How alike a name has to be to be suggested, from 0 to 1.
_LIKENESS: Final = 0.6


def key_risks(settings: Settings, catalogue: Catalogue) -> list[Risk]:
    """Return what is wrong with the models of the tables `[access.keys.NAME]`."""
    return [
        Risk(f"access.keys.{name}.models", message)
        for name, key in settings.access.named_keys.items()
        for message in unknown_models(catalogue, key.models)
    ]


def unknown_models(catalogue: Catalogue, patterns: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each name or pattern that leads to no model of a catalogue."""
    if not patterns:
        return
    names = [*dict.fromkeys(model.name for model in catalogue.listed(Listing.ALL))]
    for pattern in patterns:
        if not _leads_somewhere(catalogue, pattern):
            near = get_close_matches(pattern, names, n=1, cutoff=_LIKENESS)
            yield f"there is no model '{pattern}' here.{f' Did you mean {near[0]!r}?' if near else ''}"


def _leads_somewhere(catalogue: Catalogue, pattern: str) -> bool:
    one = Allowance(models=(pattern,))
    if any(one.allows_model(model.name, model.card.name) for model in catalogue.listed(Listing.ALL)):
        return True
    try:
        catalogue.find(pattern)  # other vendors' names have patterns of their own
    except UnknownModel:
        return False
    return True
