"""What a model searched on the web for a picture, and what it found there."""

from collections.abc import Iterable

import msgspec


class WebSource(msgspec.Struct, frozen=True):
    """A page that was found."""

    #: An http(s) address without blanks and control characters.
    url: str
    #: One line of plain text; it may be empty.
    title: str


class Grounding(msgspec.Struct, frozen=True, kw_only=True):
    """The searches for one picture. It is stored with the picture, so its names stay."""

    queries: tuple[str, ...] = ()
    sources: tuple[WebSource, ...] = ()
    #: Google's HTML for its suggestions of searches. Only clients that speak Gemini get it.
    suggestions: str = ""


def all_sources(groundings: Iterable[Grounding | None]) -> tuple[WebSource, ...]:
    """Return the pages of several pictures, each once, in the order in which they were found."""
    return once(source for grounding in groundings if grounding for source in grounding.sources)


def once(sources: Iterable[WebSource]) -> tuple[WebSource, ...]:
    """Return pages, each once, as it was found first."""
    known: dict[str, WebSource] = {}
    for source in sources:
        known.setdefault(source.url, source)
    return tuple(known.values())
