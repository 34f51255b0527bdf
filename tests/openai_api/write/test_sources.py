"""Pages from the web as links in a text, by hand."""

import pytest

from adapter.domain.grounding import Grounding, WebSource, all_sources
from adapter.openai_api.write.sources import source_links, with_sources

FOX = WebSource("https://a.example/fox", "Foxes")
OWL = WebSource("https://b.example/owl", "Owls")


def test_pages_are_a_list_of_links_below_the_text() -> None:
    """Front-ends show Markdown."""
    assert with_sources("A fox.", [FOX, OWL]) == (
        "A fox.\n\nSources:\n- [Foxes](https://a.example/fox)\n- [Owls](https://b.example/owl)"
    )


@pytest.mark.parametrize(("text", "sources", "shown"), [("A fox.", (), "A fox."), ("", (), "")])
def test_without_pages_a_text_stays_as_it_is(text: str, sources: tuple[WebSource, ...], shown: str) -> None:
    """No heading without a list."""
    assert with_sources(text, sources) == shown


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("a](https://evil.example) [b", r"a\](https://evil.example) \[b"),
        ("![x](https://evil.example/pixel.png)", r"!\[x\](https://evil.example/pixel.png)"),
        ("<img src=x onerror=alert(1)>", r"\<img src=x onerror=alert(1)\>"),
        ("`code` *bold* _slanted_ ~~gone~~", r"\`code\` \*bold\* \_slanted\_ \~\~gone\~\~"),
        ("back\\", "back\\\\"),
        ("&lt;b&gt;", r"\&lt;b\&gt;"),
        ("", "a.example"),
    ],
)
def test_a_title_is_plain_text_in_its_link(title: str, shown: str) -> None:
    """Any page can write what it likes there."""
    assert with_sources("", [WebSource("https://a.example/x", title)]) == (
        f"Sources:\n- [{shown}](https://a.example/x)"
    )


@pytest.mark.parametrize("text", ["", "A fox.", "🦊 and ünïcode\n\nof two paragraphs"])
def test_each_link_is_found_again_where_it_is_said_to_stand(text: str) -> None:
    """The end is exclusive."""
    sources = [FOX, WebSource("https://c.example/", "a [b]"), OWL]
    whole = with_sources(text, sources)

    assert [whole[link.start : link.end] for link in source_links(text, sources)] == [
        "[Foxes](https://a.example/fox)",
        r"[a \[b\]](https://c.example/)",
        "[Owls](https://b.example/owl)",
    ]


def test_a_page_of_several_pictures_is_listed_once() -> None:
    """As it was found first."""
    again = WebSource(FOX.url, "Foxes again")

    assert all_sources([Grounding(sources=(FOX,)), None, Grounding(sources=(OWL, again))]) == (FOX, OWL)
