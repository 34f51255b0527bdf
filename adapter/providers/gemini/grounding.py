"""What Gemini says of its searches, cleaned. Pure.

Titles, queries and addresses come from the web, so any page can write them.
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from adapter.domain.grounding import Grounding, WebSource, once
from adapter.providers.gemini import wire
from adapter.providers.salvage import salvaged
from adapter.redaction import SPACES, without_controls

#: Sources and queries that are kept, and characters of a title or a query, of an address, and of Google's suggestions.
MOST: Final = 50
LONGEST_LINE: Final = 300
LONGEST_URL: Final = 4096
LONGEST_SUGGESTIONS: Final = 64 * 1024
#: Characters of an address that stay as they are. Brackets and quotation marks would end a link in Markdown or HTML.
PLAIN: Final = "%-._~:/?#@!$&*+,;="
HOST: Final = re.compile(r"[A-Za-z0-9.-]+")


def grounding_of(answer: wire.GenerateContentAnswer) -> Grounding | None:
    """Return the searches of an answer; None if there were none, or they cannot be read."""
    for candidate in answer.candidates or ():
        told = candidate.grounding_metadata
        found = salvaged(told, wire.GroundingMetadata) if bytes(told) else None
        if found is not None:
            read = _cleaned(found)
            return read if read != Grounding() else None
    return None


def _cleaned(found: wire.GroundingMetadata) -> Grounding:
    entry = found.search_entry_point
    suggestions = (entry.rendered_content or "") if entry else ""
    queries = (_line(query) for query in found.web_search_queries or ())
    return Grounding(
        queries=tuple(filter(None, queries))[:MOST],
        sources=once(_sources(found))[:MOST],
        suggestions=without_controls(suggestions) if len(suggestions) <= LONGEST_SUGGESTIONS else "",
    )


def _sources(found: wire.GroundingMetadata) -> Iterator[WebSource]:
    for chunk in found.grounding_chunks or ():
        url = web_address(chunk.web.uri or "") if chunk.web else None
        if chunk.web and url:
            yield WebSource(url, _line(chunk.web.title or ""))


def _line(text: str) -> str:
    return SPACES.sub(" ", without_controls(SPACES.sub(" ", text[: 2 * LONGEST_LINE]))).strip()[:LONGEST_LINE]


def web_address(text: str) -> str | None:
    """Return an address that can stand in a link; None for anything but a plain http(s) address."""
    if len(text) > LONGEST_URL:
        return None
    try:
        parts = urlsplit(text.strip())
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not HOST.fullmatch(parts.hostname or "") or "@" in parts.netloc:
        return None
    host = f"{parts.hostname}{port}"
    rest = (quote(part, safe=PLAIN, errors="replace") for part in (parts.path, parts.query, parts.fragment))
    return SplitResult(parts.scheme, host, *rest).geturl()
