"""Which page of a list is asked for: one rule for all lists."""

from collections.abc import Mapping

from adapter.domain.numbers import whole_number
from adapter.domain.paging import Page
from adapter.errors import InvalidRequest
from adapter.openai_api.read.fields import one_of


def read_page(query: Mapping[str, str], *, usual: int, most: int) -> Page[str]:
    """Return the page that a query asks for; `limit=0` is legal (reference: `openai.md` section 5).

    Raises:
        InvalidRequest: a limit, an order or a place that there is not. An empty one is none either.
    """
    limit = whole_number(query.get("limit", str(usual)), most=most)
    if limit is None:
        raise InvalidRequest(f"'limit' has to be 0 to {most}.", param="limit")
    after = query.get("after")
    if after == "":
        raise InvalidRequest("'after' has to be the id of an entry; leave it out for the first page.", param="after")
    order = one_of(query.get("order", "desc"), ["asc", "desc"], "order")
    return Page(limit=limit, newest_first=order == "desc", after=after)
