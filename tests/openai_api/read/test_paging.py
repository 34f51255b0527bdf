"""Pages of lists: one rule for videos, files and the entries of an input."""

import pytest

from adapter.domain.paging import Page
from adapter.errors import InvalidRequest
from adapter.openai_api.read.paging import read_page


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ({}, Page(limit=20, newest_first=True, after=None)),
        ({"limit": "0", "after": "file-1", "order": "asc"}, Page(limit=0, newest_first=False, after="file-1")),
        ({"limit": "100", "order": "desc", "anything": "else"}, Page(limit=100, newest_first=True, after=None)),
        ({"limit": "007"}, Page(limit=7, newest_first=True, after=None)),
    ],
)
def test_a_page_is_read(query: dict[str, str], page: Page[str]) -> None:
    """The usual one, the newest first, where the query does not say."""
    assert read_page(query, usual=20, most=100) == page


@pytest.mark.parametrize("limit", ["101", "-1", "+1", "1.5", "1e1", "ten", "²", "٣", " 1", "", "1" * 5000])
@pytest.mark.parametrize("most", [100, 10])
def test_a_limit_that_there_is_not_is_refused_with_its_range(limit: str, most: int) -> None:
    """Not turned into another one; an empty one is none."""
    with pytest.raises(InvalidRequest, match=f"'limit' has to be 0 to {most}") as caught:
        read_page({"limit": limit}, usual=10, most=most)

    assert caught.value.param == "limit"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"order": "newest"}, "Allowed: asc, desc"),
        ({"order": ""}, "Allowed: asc, desc"),
        ({"order": "ASC"}, "Allowed: asc, desc"),
        ({"after": ""}, "has to be the id of an entry"),
    ],
)
def test_an_order_and_a_place_that_there_are_not_are_refused(query: dict[str, str], says: str) -> None:
    """By name, as a limit is."""
    with pytest.raises(InvalidRequest, match=says) as caught:
        read_page(query, usual=20, most=100)

    assert caught.value.param == next(iter(query))
