"""The configured address of a provider, by which its links are told from foreign ones."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from adapter.errors import InvalidRequest
from adapter.network.links import Link, read_link

#: Characters of a link. Signed links are longer than addresses that people write.
LONGEST_LINK: Final = 8192


#: Configured addresses are few.
@lru_cache(maxsize=64)
def _own_link(base_url: str) -> Link | None:
    try:
        return read_link(base_url, longest=LONGEST_LINK)
    except InvalidRequest:
        return None


class OwnOrigin(msgspec.Struct, frozen=True):
    """The configured address of a provider, and the headers that its origin gets and no other one."""

    base_url: str
    credential: Mapping[str, str] = {}

    def has(self, link: Link) -> bool:
        """Return whether a link leads to this origin: same scheme, host and port."""
        own = _own_link(self.base_url)
        return own is not None and (link.scheme, link.origin) == (own.scheme, own.origin)

    def has_address(self, url: str) -> bool:
        """Return whether an address leads to this origin; False for what is no address."""
        try:
            return self.has(read_link(url, longest=LONGEST_LINK))
        except InvalidRequest:
            return False
