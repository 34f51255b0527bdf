"""Which page of a list is asked for: one rule for all lists."""

import re
from collections.abc import Mapping

from adapter.domain.paging import Page
from adapter.errors import InvalidRequest
from adapter.openai_api.read.fields import one_of


def read_page(query: Mapping[str, str], *, usual: int, most: int) -> Page[str]:
    """Return the page that a query asks for; `limit=0` is legal (reference: `openai.md` section 5).

    Raises:
        InvalidRequest: a limit, an order or a place that there is not. An empty one is none either.
    """
    limit = query.get("limit", str(usual))
    if re.fullmatch(r"[0-9]{1,9}", limit) is None or int(limit) > most:
        raise InvalidRequest(f"'limit' has to be 0 to {most}.", param="limit")
    after = query.get("after")
    if after == "":
        raise InvalidRequest("'after' has to be the id of an entry; leave it out for the first page.", param="after")
    order = one_of(query.get("order", "desc"), ["asc", "desc"], "order")
    return Page(limit=int(limit), newest_first=order == "desc", after=after)
