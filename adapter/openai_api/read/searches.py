"""Words that ask a model to search the web first: fields, and tools of Google's and of OpenAI's kinds."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from adapter.domain.catalogue import Catalogue, ImageCard
from adapter.errors import InvalidRequest
from adapter.openai_api.read.fields import wrong_type
from adapter.openai_api.wire.media import MediaRequest

#: Tools that search, by the name that they have as a key or as a type. OpenAI dates some of its types.
TOOLS: Final = ("google_search", "googlesearch", "web_search", "websearch")
#: Members of a tool that narrow a search. None of them can be passed on.
NARROWER: Final = frozenset(
    {
        *("filters", "allowed_domains", "blocked_domains", "exclude_domains", "excludeDomains"),
        *("time_range_filter", "timeRangeFilter", "blocking_confidence", "blockingConfidence"),
    }
)
#: Google's kinds of searches, and the one that is asked for.
KINDS: Final = ("search_types", "searchTypes")
WEB: Final = frozenset({"web_search", "webSearch"})

YES: Final = frozenset({"true", "on", "1"})
NO: Final = frozenset({"false", "off", "0"})


class SearchTool(NamedTuple):
    """A tool that searches: what stands in it, and where it stands."""

    name: str
    value: object


def search_of(value: object, name: str) -> bool | None:
    """Return whether a field asks for a search; None if it does not.

    Raises:
        InvalidRequest: the search is narrowed in a way that cannot be passed on, or the field means nothing.
    """
    if isinstance(value, Mapping):
        _check_settings(value, name)
        return True
    if isinstance(value, bool):
        return value or None
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in NO:
        return None
    if word in YES or word.startswith("{"):  # forms have texts
        return True
    raise wrong_type(value, name, "an object, or true or false")


def _check_settings(settings: Mapping[str, object], name: str) -> None:
    kinds = next((settings[key] for key in KINDS if settings.get(key)), None)
    other = [kind for kind in kinds if kind not in WEB] if isinstance(kinds, Mapping) else []
    for key in (*(key for key in settings if key in NARROWER and settings[key]), *other):
        raise InvalidRequest(f"Only a plain search of the web can be asked for here; leave '{key}' out.", param=name)


def search_tools(tools: object, place: str) -> Iterator[SearchTool]:
    """Yield the tools that search. Others are tolerated: chat programs send theirs with every message."""
    for at, tool in enumerate(tools if isinstance(tools, list) else ()):
        if not isinstance(tool, dict):
            continue
        for key, value in tool.items():
            if _searches(key) and value is not None:
                yield SearchTool(f"{place}[{at}].{key}", value)
        kind = tool.get("type")
        if isinstance(kind, str) and _searches(kind):
            yield SearchTool(f"{place}[{at}].{kind}", {key: each for key, each in tool.items() if key != "type"})


def _searches(name: str) -> bool:
    return name.lower().startswith(TOOLS)


def is_grounded(request: MediaRequest, card: ImageCard, catalogue: Catalogue) -> bool:
    """Return whether a request asks a model that can search the web to do so.

    Raises:
        InvalidRequest: the model cannot.
    """
    if not request.search:
        return False
    if not card.grounding:
        name = request.called("search")
        able = ", ".join(each.name for each in catalogue.image_cards if each.grounding) or "none"
        raise InvalidRequest(
            f"The model '{card.name}' does not search the web; leave '{name}' out. Models that do: {able}.", param=name
        )
    return True
