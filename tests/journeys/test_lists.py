"""Lists, page by page: one rule for videos, files and the entries of an input."""

import httpx
import pytest

from tests.journeys.server import KEY, Server

LISTS = {"/v1/videos": 100, "/v1/files": 10_000, "/v1/responses/resp_none/input_items": 100}


@pytest.mark.parametrize(("path", "most"), LISTS.items())
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("limit=", "'limit' has to be 0 to {most}."),
        ("limit=-1", "'limit' has to be 0 to {most}."),
        ("limit=10001", "'limit' has to be 0 to {most}."),
        ("limit=many", "'limit' has to be 0 to {most}."),
        ("order=", "Allowed: asc, desc."),
        ("order=newest", "Allowed: asc, desc."),
        ("after=", "'after' has to be the id of an entry"),
    ],
)
def test_a_page_that_there_is_not_is_refused_by_every_list(
    http: httpx.Client, server: Server, path: str, most: int, query: str, says: str
) -> None:
    """With the parameter and what it may be."""
    reply = http.get(f"{server.url}{path}?{query}", headers={"authorization": f"Bearer {KEY}"})
    error = reply.json()["error"]

    assert (reply.status_code, error["param"]) == (400, query.partition("=")[0])
    assert says.format(most=most) in error["message"]


@pytest.mark.parametrize("path", ["/v1/videos", "/v1/files"])
def test_a_page_behind_an_entry_that_there_never_was_is_refused(http: httpx.Client, server: Server, path: str) -> None:
    """Beginning anew would show everything again."""
    reply = http.get(f"{server.url}{path}?after=nothing", headers={"authorization": f"Bearer {KEY}"})

    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "after")


@pytest.mark.parametrize("path", ["/v1/videos", "/v1/files"])
def test_a_page_of_nothing_does_not_go_on(http: httpx.Client, server: Server, path: str) -> None:
    """It has no last entry to go on from."""
    page = http.get(f"{server.url}{path}?limit=0", headers={"authorization": f"Bearer {KEY}"}).json()

    assert (page["data"], page["has_more"]) == ([], False)
