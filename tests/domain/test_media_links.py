"""Links to our own files, written and read again."""

import pytest

from adapter.domain.media_links import MediaLinks

LINKS = MediaLinks(public_url="https://here:8000")


def test_a_link_that_we_wrote_names_its_file_when_it_comes_back() -> None:
    """The one that shows a file and the one that saves it."""
    assert LINKS.link("a.png") == "https://here:8000/media/a.png"
    assert LINKS.download_link("a.png") == "https://here:8000/media/a.png?download=1"
    assert LINKS.name_in(LINKS.link("a.png")) == LINKS.name_in(LINKS.download_link("a.png")) == "a.png"


@pytest.mark.parametrize(
    "url",
    [
        "http://here:8000/media/a.png",
        "https://here:8000.evil.example/media/a.png",
        "https://here:80001/media/a.png",
        "https://here:8000/v1/media/a.png",
        "https://there/https://here:8000/media/a.png",
        "a.png",
        "",
    ],
)
def test_an_address_of_another_server_names_no_file_of_ours(url: str) -> None:
    """It is fetched, or refused."""
    assert LINKS.name_in(url) is None
