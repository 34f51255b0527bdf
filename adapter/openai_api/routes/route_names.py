"""Which route a path belongs to, for metrics. A path has ids in it; a route is one of a few."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from litestar.routes import BaseRoute, HTTPRoute
from litestar.types.internal_types import PathParameterDefinition

#: What is no route.
OTHER: Final = "other"
#: Paths that are remembered.
KNOWN_PATHS: Final = 4096
#: The prefix of the API, which clients repeat or leave out (`api.PREFIXES`).
PREFIX: Final = "/v1"

#: Returns the path that another address stands for; None: it stands for itself.
Rewrite = Callable[[str, str], str | None]


class RouteNames:
    """Names the routes of a routing table."""

    def __init__(self, routes: Iterable[BaseRoute], rewrites: Sequence[Rewrite] = ()) -> None:
        """Take the table, and what other addresses stand for, which is asked in this order."""
        found = sorted((each for each in routes if isinstance(each, HTTPRoute)), key=lambda each: each.path_format)
        # Of two that fit, the one with fewer parameters counts, as in the framework.
        found.sort(key=lambda each: len(each.path_parameters))
        self._patterns = [(re.compile(_pattern(each)), each.path_format) for each in found]
        self._rewrites = rewrites
        self.name: Callable[[str, str], str] = lru_cache(KNOWN_PATHS)(self._name)

    def _name(self, method: str, path: str) -> str:
        for rewrite in self._rewrites:
            if (rewritten := rewrite(method, path)) is not None:
                path = rewritten
                break
        bare = path
        while bare.startswith(f"{PREFIX}/"):
            bare = bare.removeprefix(PREFIX)
        candidates = (self._find(PREFIX + bare), self._find(path))
        return next((name for name in candidates if name), OTHER)

    def _find(self, path: str) -> str | None:
        return next((name for pattern, name in self._patterns if pattern.fullmatch(path)), None)


def _pattern(route: HTTPRoute) -> str:
    return "/" + "/".join(_component(each) for each in route.path_components)


def _component(component: str | PathParameterDefinition) -> str:
    if isinstance(component, str):
        return re.escape(component)
    return ".+" if component.type is Path else "[^/]+"
