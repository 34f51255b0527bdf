"""Which page of a list is asked for."""

from collections.abc import Mapping

import msgspec

from adapter.errors import InvalidRequest
from adapter.openai_api.read.fields import one_of


class Paging(msgspec.Struct, frozen=True):
    """So many entries, beginning behind one of them."""

    limit: int
    after: str | None
    newest_first: bool


def read_paging(query: Mapping[str, str], *, usual: int, most: int) -> Paging:
    """Return the page that a query asks for; `limit=0` is legal (reference: `openai.md` section 5).

    Raises:
        InvalidRequest: a limit or an order that there is not.
    """
    limit = query.get("limit") or str(usual)
    if not limit.isdecimal() or not 0 <= int(limit[:9]) <= most:
        raise InvalidRequest(f"'limit' has to be 0 to {most}.", param="limit")
    order = one_of(query.get("order") or "desc", ["asc", "desc"], "order")
    return Paging(int(limit[:9]), query.get("after") or None, order == "desc")
