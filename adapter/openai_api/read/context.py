"""What requests are read against."""

from typing import Final

import msgspec

from adapter.domain.allowance import Allowance, SideCallAnswer
from adapter.domain.catalogue import Catalogue, LengthPolicy, Listing
from adapter.domain.media import SizePolicy
from adapter.domain.media_links import MediaLinks
from adapter.domain.side_calls import Phrasebook

NOTHING_KNOWN = Phrasebook({})


class ReadContext(msgspec.Struct, frozen=True, kw_only=True):
    """What is on offer, and what the operator allows."""

    catalogue: Catalogue
    #: Longest prompt, in characters.
    longest_prompt: int
    #: What a size in pixels is worth where the request does not say.
    size_policy: SizePolicy
    #: What a length is worth that a model does not make. None: the nearest one does for other vendors' names, whose
    #: client libraries send a default of their own, and for our own names it has to be exact.
    length_policy: LengthPolicy | None = None
    #: Our own links: a picture behind one is ours.
    media_links: MediaLinks
    #: By which words side calls are known. Without any they are prompts like others.
    phrasebook: Phrasebook = NOTHING_KNOWN
    #: Whether side calls are refused, not answered.
    refuse_side_calls: bool = False
    #: Which models `GET /v1/models` lists where the request does not say.
    listing: Listing = Listing.PLAIN


#: Different allowances for which a context is kept.
KEPT_CONTEXTS: Final = 256


class KeyContexts:
    """What the requests of keys with models or side calls of their own are read against."""

    def __init__(self, context: ReadContext, phrasebook: Phrasebook) -> None:
        """Take the context of other keys, and the words by which side calls are known where they are not made."""
        self._context = context
        self._phrasebook = phrasebook
        self._kept: dict[tuple[tuple[str, ...], SideCallAnswer | None], ReadContext] = {}

    def of(self, allowance: Allowance) -> ReadContext:
        """Return the context of a key."""
        asked = (allowance.models, allowance.side_calls)
        if asked not in self._kept:
            if len(self._kept) >= KEPT_CONTEXTS:
                self._kept.clear()
            self._kept[asked] = self._new(allowance)
        return self._kept[asked]

    def _new(self, allowance: Allowance) -> ReadContext:
        context = msgspec.structs.replace(self._context, catalogue=self._context.catalogue.allowed_to(allowance))
        if allowance.side_calls is None:
            return context
        phrasebook = NOTHING_KNOWN if allowance.side_calls == "generate" else self._phrasebook
        return msgspec.structs.replace(
            context, phrasebook=phrasebook, refuse_side_calls=allowance.side_calls == "refuse"
        )
