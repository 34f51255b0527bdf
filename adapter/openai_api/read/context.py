"""What requests are read against."""

import msgspec

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
