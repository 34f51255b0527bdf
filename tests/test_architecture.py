"""The import law of `adapter/__init__.py`, and the other rules that a reader relies on."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

#: Which rooms a room may import. The longest matching prefix counts.
LAW = {
    "adapter.errors": (),
    "adapter.domain": ("errors",),
    "adapter.clock": (),
    "adapter.drain": (),
    "adapter.logs": ("domain",),
    "adapter.credentials": ("domain", "errors"),
    "adapter.settings": ("domain", "errors", "sandbox.rules"),
    "adapter.welcome": ("settings",),
    "adapter.serving": ("",),
    "adapter.openai_api": ("generation", "domain", "errors"),
    "adapter.openai_api.wire": (),
    "adapter.openai_api.read": ("domain", "errors", "openai_api.wire"),
    "adapter.openai_api.write": ("domain", "errors", "openai_api.wire"),
    "adapter.openai_api.sse": (),
    "adapter.generation": ("domain", "errors"),
    "adapter.database": ("errors",),
    "adapter.jobs": ("domain", "errors", "database"),
    "adapter.access": ("domain", "errors", "database"),
    "adapter.media": ("domain", "errors"),
    "adapter.providers": ("domain", "errors", "providers.http", "providers.rpc_status"),
    "adapter.sandbox": ("errors",),
    "adapter.app": ("",),
    "adapter.cli": ("",),
    "adapter.__main__": ("cli",),
    "adapter": (),
}
#: Which foreign packages live in which files only.
FOREIGN = {
    "httpx": ("adapter.providers.http", "adapter.app"),
    "aiohttp": ("adapter.providers.http",),
    "httpx_aiohttp": ("adapter.providers.http",),
    "litestar": ("adapter.app", "adapter.openai_api.routes", "adapter.sandbox"),
    "sqlalchemy": ("adapter.database", "adapter.jobs.store", "adapter.access.keys"),
    "alembic": ("adapter.database",),
    "obstore": ("adapter.media",),
    "uvicorn": ("adapter.serving", "adapter.sandbox"),
    "av": ("adapter.sandbox",),
}

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "adapter").rglob("*.py"))
}


def imports(path: Path) -> Iterator[str]:
    """Yield the full names of what a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(module: str, room: str) -> bool:
    """Say whether a module is a room or lies in it."""
    return module == room or module.startswith(f"{room}.")


def room_of(module: str) -> str:
    """Return the room whose law holds for a module."""
    return max((room for room in LAW if within(module, room)), key=len)


@pytest.mark.parametrize("module", MODULES)
def test_a_room_imports_only_what_the_law_allows(module: str) -> None:
    """Left may import right, nothing else."""
    room = room_of(module)
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    own = package if room in {"adapter.providers", "adapter"} else room
    allowed = [own, *(f"adapter.{name}".rstrip(".") for name in LAW[room])]
    broken = [
        name
        for name in imports(MODULES[module])
        if within(name, "adapter") and not any(within(name, each) for each in allowed)
    ]

    assert not broken, f"{module} may import {', '.join(LAW[room]) or 'nothing of ours'}, and imports {broken}"


@pytest.mark.parametrize("module", MODULES)
def test_a_foreign_package_stays_in_its_files(module: str) -> None:
    """httpx, litestar, SQL and the like can be exchanged in one place."""
    broken = [
        (name, homes)
        for name in imports(MODULES[module])
        for package, homes in FOREIGN.items()
        if within(name, package) and not any(within(module, home) for home in homes)
    ]

    assert not broken, f"{module} imports {broken}"


def test_there_are_no_import_cycles() -> None:
    """Between any modules of ours."""
    edges = {
        module: {target for name in imports(path) for target in MODULES if within(name, target)} - {module}
        for module, path in MODULES.items()
    }
    edges = {module: {each for each in targets if each not in parents(module)} for module, targets in edges.items()}
    done: set[str] = set()
    while ready := {module for module, targets in edges.items() if targets <= done} - done:
        done |= ready

    assert set(edges) - done == set()


def parents(module: str) -> set[str]:
    """Return the packages around a module."""
    parts = module.split(".")
    return {".".join(parts[:length]) for length in range(1, len(parts))}


def test_everything_is_caught_only_in_the_last_resort() -> None:
    """The poller's round and the outermost layer of the server; both write it down."""
    broad = re.compile(r"except( Exception| BaseException)?\s*(as \w+)?:")
    found = [module for module, path in MODULES.items() for line in path.read_text().splitlines() if broad.search(line)]

    assert found == ["adapter.jobs.poller", "adapter.openai_api.routes.request_log"]


def test_no_untyped_bags_travel_between_rooms() -> None:
    """`dict[str, Any]` has no names and no law."""
    found = [module for module, path in MODULES.items() if "dict[str, Any]" in path.read_text()]

    assert found == []


def test_secrets_are_compared_in_constant_time() -> None:
    """`==` tells by its duration how much was right."""
    text = MODULES["adapter.access.keyring"].read_text()

    assert "hmac.compare_digest" in text
    assert not re.search(r"(key|token|digest|secret)\w* [!=]= ", text)


def test_the_map_in_the_package_names_every_room() -> None:
    """The docstring of `adapter` is the map; a room that is not on it gets lost."""
    text = MODULES["adapter"].read_text()
    top = {module.split(".")[1] for module in MODULES if "." in module} - {"__main__", "errors", "welcome"}

    assert [room for room in sorted(top) if room not in text] == []
