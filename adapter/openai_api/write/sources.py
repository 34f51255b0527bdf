"""Pages that a model found on the web, as a list of links in Markdown."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from adapter.domain.grounding import WebSource

HEADING: Final = "Sources:\n"
#: What would end a link's text, or be more than text in it (CommonMark 2.4).
_MARKUP: Final = re.compile(r"([\\`*_\[\]<>~&])")


class SourceLink(msgspec.Struct, frozen=True):
    """A link in a text, and where it stands: from its first character to before the one behind its last."""

    source: WebSource
    start: int
    end: int


def source_list(sources: Sequence[WebSource]) -> str:
    """Return pages as a list of links; an empty text if there are none. Titles stay plain text."""
    if not sources:
        return ""
    return HEADING + "\n".join(f"- {_link(source)}" for source in sources)


def with_sources(text: str, sources: Sequence[WebSource]) -> str:
    """Return a text with the list of pages below it."""
    return "\n\n".join(part for part in (text, source_list(sources)) if part)


def source_links(text: str, sources: Sequence[WebSource]) -> Iterator[SourceLink]:
    """Yield where the links stand in the result of `with_sources` for a text. Characters are Unicode code points."""
    at = len(with_sources(text, sources)) - len(source_list(sources)) + len(HEADING)
    for source in sources:
        start, end = at + len("- "), at + len("- ") + len(_link(source))
        yield SourceLink(source, start, end)
        at = end + len("\n")


def _link(source: WebSource) -> str:
    title = source.title or source.url.split("/")[2]
    return f"[{_MARKUP.sub(_escaped, title)}]({source.url})"


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"
