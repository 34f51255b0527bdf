"""The import law of `adapter/__init__.py`, and the other rules that a reader relies on."""

import ast
import re
from collections.abc import Collection, Iterator

import pytest

from tests.support import ROOT

#: Which rooms a room may import, beside itself. The longest matching prefix counts; every module needs a room.
LAW = {
    "adapter.errors": (),
    "adapter.redaction": (),
    "adapter.client": ("terminal", "version"),
    "adapter.terminal": (),
    "adapter.clock": (),
    "adapter.studio": ("errors",),
    "adapter.budget": ("domain", "errors"),
    "adapter.connections": ("connection_table", "errors", "exchange", "hang_up", "openai_api.write"),
    "adapter.exchange": (),
    "adapter.connection_table": (),
    "adapter.drain": (),
    "adapter.fair_semaphore": (),
    "adapter.hang_up": (),
    "adapter.commands": ("",),
    "adapter.commands.config_comments": ("shipped", "toml_file"),
    "adapter.commands.config_reference": (
        "commands.config_comments",
        "mistakes",
        "providers.registry",
        "reload_plan",
        "settings",
        "toml_file",
    ),
    "adapter.commands.config_schema": ("commands.config_comments", "providers.registry", "settings", "toml_file"),
    "adapter.commands.first_configuration": (),
    "adapter.commands.init": ("commands.first_configuration", "shipped"),
    "adapter.commands.key_options": ("access.keys", "commands.times", "domain"),
    "adapter.commands.listed_job": ("domain",),
    "adapter.commands.online_check": (
        "domain.telemetry",
        "clock",
        "settings",
        "wiring",
        "providers.description",
        "providers.probe",
        "providers.registry",
    ),
    "adapter.commands.options": ("errors", "shipped"),
    "adapter.commands.table": ("terminal",),
    "adapter.commands.times": (),
    "adapter.commands.usage_report": ("domain",),
    "adapter.commands.working_folder": ("settings", "shipped"),
    "adapter.accounts": ("database", "domain", "errors", "records", "settings"),
    "adapter.logs": ("redaction",),
    "adapter.credentials": ("domain", "errors", "google_credentials", "secret_program"),
    "adapter.secret_program": ("errors", "redaction", "tasks"),
    "adapter.google_credentials": ("domain.ports", "errors"),
    "adapter.settings": (
        "domain",
        "errors",
        "mistakes",
        "sandbox.rules",
        "shipped",
        "toml_file",
        "providers.registry",
        "providers.description",
        "providers.proxy",
    ),
    "adapter.mistakes": ("toml_file",),
    "adapter.toml_file": ("errors",),
    "adapter.settings_database": ("credentials", "database", "settings"),
    "adapter.shipped": (),
    "adapter.risks": ("settings",),
    "adapter.retirements": ("domain", "settings"),
    "adapter.reload_plan": ("domain", "settings"),
    "adapter.reload_signal": (),
    "adapter.allocator": ("domain",),
    "adapter.key_models": ("domain", "errors", "risks", "settings"),
    "adapter.reloading": ("errors", "key_models", "machine", "reload_plan", "risks", "settings"),
    "adapter.control": ("errors", "reloading", "tasks"),
    "adapter.live_providers": ("domain", "providers.description"),
    "adapter.machine": ("credentials", "database.address", "errors", "risks", "settings"),
    "adapter.tasks": (),
    "adapter.version": (),
    "adapter.welcome": ("settings",),
    "adapter.domain": ("errors",),
    "adapter.openai_api": ("generation", "domain", "errors", "fair_semaphore", "hang_up", "tasks"),
    "adapter.openai_api.openapi": ("domain", "errors", "openai_api.read", "openai_api.wire", "version"),
    "adapter.openai_api.wire": (),
    "adapter.openai_api.read": ("domain", "errors", "openai_api.wire"),
    "adapter.openai_api.write": ("domain", "errors", "openai_api.wire"),
    "adapter.openai_api.sse": (),
    "adapter.google_api": (
        "generation",
        "domain",
        "errors",
        # What two APIs share: these modules know nothing of OpenAI's answers.
        "openai_api.routes.access",
        "openai_api.routes.failures",
        "openai_api.routes.identity",
        "openai_api.routes.passing",
        "openai_api.routes.reservation",
        "openai_api.routes.services",
    ),
    "adapter.google_api.wire": ("openai_api.wire.media",),
    "adapter.google_api.read": ("domain", "errors", "google_api.wire", "openai_api.read", "openai_api.wire.media"),
    "adapter.google_api.write": ("domain", "errors", "google_api.wire"),
    "adapter.metrics": ("budget", "database", "domain", "errors", "jobs.census", "version"),
    "adapter.tracing": ("domain", "version"),
    "adapter.generation": ("domain", "errors", "tasks"),
    "adapter.database": ("domain", "errors"),
    "adapter.jobs": ("domain", "errors", "database", "tasks"),
    "adapter.records": ("domain", "errors", "database"),
    "adapter.access": ("domain", "errors", "database"),
    "adapter.media": ("domain", "errors", "fair_semaphore", "network", "version", "tasks"),
    "adapter.network": ("errors",),
    "adapter.providers.reply": ("domain.answer_memory", "errors"),
    "adapter.providers.framing": (),
    "adapter.providers.connection": ("providers.framing",),
    "adapter.providers.proxy": ("errors", "providers.framing"),
    "adapter.providers.dialer": (
        "errors",
        "providers.failures",
        "providers.framing",
        "providers.proxy",
        "providers.session",
    ),
    "adapter.providers.no_proxy": (),
    "adapter.providers.environment_routes": (
        "errors",
        "providers.no_proxy",
        "providers.proxy",
        "providers.session",
    ),
    "adapter.providers.reach": (
        "domain.ports",
        "errors",
        "providers.description",
        "providers.environment_routes",
        "providers.proxy",
        "providers.session",
    ),
    "adapter.providers.token_requests": (
        "domain.ports",
        "providers.description",
        "providers.http",
        "providers.limits",
        "providers.reach",
        "providers.reply",
        "providers.session",
    ),
    "adapter.providers.pool": ("providers.connection", "providers.dialer", "providers.reply"),
    "adapter.providers.turns": ("domain.answer_memory",),
    "adapter.providers.failures": (
        "errors",
        "providers.connection",
        "providers.framing",
        "providers.proxy",
        "providers.reply",
    ),
    "adapter.providers.origin": ("errors", "network"),
    "adapter.providers.session": ("domain.ports", "network", "providers.origin", "providers.proxy"),
    "adapter.providers.download": (
        "errors",
        "network",
        "providers.connection",
        "providers.dialer",
        "providers.failures",
        "providers.limits",
        "providers.origin",
        "providers.pool",
        "providers.reply",
        "providers.request",
        "providers.session",
    ),
    "adapter.providers.request": ("network", "providers.dialer", "providers.reply", "providers.session"),
    "adapter.providers.http": (
        "domain.answer_memory",
        "errors",
        "network",
        "providers.connection",
        "providers.dialer",
        "providers.download",
        "providers.failures",
        "providers.framing",
        "providers.limits",
        "providers.origin",
        "providers.pool",
        "providers.reply",
        "providers.request",
        "providers.session",
        "providers.turns",
    ),
    "adapter.providers.rpc_status": ("domain.numbers", "errors", "redaction", "providers.reply"),
    "adapter.providers.standing": ("errors",),
    "adapter.providers.renewal": ("domain",),
    "adapter.providers.credential_pool": ("domain", "errors", "providers.standing", "redaction"),
    "adapter.providers.credential_settings": ("domain", "providers.description", "providers.http"),
    "adapter.providers.keys": (
        "domain",
        "providers.credential_pool",
        "providers.credential_settings",
        "providers.description",
        "providers.http",
    ),
    "adapter.providers.uploads": ("domain", "tasks"),
    "adapter.providers.probe": ("domain.answer_memory", "errors", "providers.http", "providers.reply"),
    "adapter.providers.limits": (),
    "adapter.providers.description": ("domain", "providers.http", "providers.limits", "providers.probe"),
    "adapter.providers.registry": ("providers",),
    "adapter.providers.flow": (
        "providers.credential_settings",
        "providers.description",
        "providers.credential_pool",
        "providers.json_splice",
        "providers.salvage",
        "domain",
        "errors",
        "redaction",
        "providers.download",
        "providers.http",
        "providers.limits",
        "providers.origin",
        "providers.probe",
        "providers.renewal",
        "providers.reply",
        "providers.rpc_status",
        "providers.uploads",
        "tasks",
    ),
    "adapter.providers.json_splice": ("domain",),
    "adapter.providers.salvage": ("errors",),
    "adapter.providers.gemini": (
        "providers.credential_settings",
        "providers.description",
        "providers.keys",
        "providers.json_splice",
        "providers.salvage",
        "providers.uploads",
        "domain",
        "errors",
        "redaction",
        "providers.http",
        "providers.limits",
        "providers.origin",
        "providers.probe",
        "providers.renewal",
        "providers.reply",
        "providers.rpc_status",
        "tasks",
    ),
    "adapter.providers.omni": (
        "providers.credential_settings",
        "providers.description",
        "providers.keys",
        "providers.salvage",
        "domain",
        "errors",
        "redaction",
        "providers.http",
        "providers.limits",
        "providers.origin",
        "providers.probe",
        "providers.renewal",
        "providers.reply",
        "providers.rpc_status",
        "providers.uploads",
        "tasks",
    ),
    # The same APIs at another address: it builds their classes.
    "adapter.providers.vertex": (
        "providers.description",
        "providers.gemini",
        "providers.keys",
        "providers.omni",
        "domain",
        "errors",
        "providers.http",
        "providers.limits",
        "providers.origin",
        "providers.probe",
        "providers.reply",
        "tasks",
    ),
    "adapter.sandbox": (),
    "adapter.app": ("",),
    "adapter.wiring": ("",),
    "adapter.serving": ("",),
    "adapter.entry": ("client", "commands", "errors", "logs", "reload_signal", "version"),
    "adapter.__main__": ("entry",),
}
#: Docstrings, and nothing to import.
MAPS = ("adapter", "adapter.providers")
#: Which foreign packages live in which files only.
FOREIGN = {
    "google": ("adapter.google_credentials",),
    "httpcore": ("adapter.client.http", "adapter.google_credentials", "adapter.media.fetch"),
    "idna": ("adapter.network.links",),
    "aiohappyeyeballs": ("adapter.providers.dialer", "adapter.providers.session"),
    "yarl": ("adapter.providers.request",),
    "litestar": (
        "adapter.app",
        "adapter.openai_api.routes",
        "adapter.google_api.routes",
        "adapter.metrics.route",
        "adapter.tracing.requests",
        "adapter.studio.routes",
        "adapter.sandbox",
    ),
    "opentelemetry": ("adapter.tracing.open_telemetry",),
    "prometheus_client": ("adapter.metrics.prometheus",),
    "sqlalchemy": (
        "adapter.database",
        "adapter.jobs.store",
        "adapter.jobs.requests",
        "adapter.jobs.video_executions",
        "adapter.jobs.processes",
        "adapter.jobs.census",
        "adapter.records",
        "adapter.access.keys",
        "adapter.access.owners",
        "adapter.access.quotas",
    ),
    "alembic": ("adapter.database",),
    "asyncpg": ("adapter.database.postgres", "adapter.database.changes"),
    "obstore": ("adapter.media",),
    "uvicorn": ("adapter.serving", "adapter.connections", "adapter.exchange", "adapter.sandbox"),
    "httptools": ("adapter.connections",),
    "backports": ("adapter.openai_api.read.encodings",),
    "compression": ("adapter.openai_api.read.encodings",),
    "av": ("adapter.media.frames", "adapter.sandbox"),
}
#: What would make a translator impure: time, chance, waiting, the world.
IMPURE = ("asyncio", "random", "secrets", "time", "uuid", "os", "pathlib", "structlog")
PURE = (
    "adapter.domain.allowance",
    "adapter.domain.catalogue",
    "adapter.domain.job",
    "adapter.domain.json_pieces",
    "adapter.domain.markup",
    "adapter.domain.media",
    "adapter.domain.media_links",
    "adapter.domain.orders",
    "adapter.domain.paging",
    "adapter.domain.records",
    "adapter.domain.executions",
    "adapter.domain.stored_files",
    "adapter.domain.stored_response",
    "adapter.domain.side_calls",
    "adapter.domain.texts",
    "adapter.domain.usage",
    "adapter.domain.memory_estimate",
    "adapter.client.address",
    "adapter.client.event_lines",
    "adapter.client.wire",
    "adapter.commands.first_configuration",
    "adapter.google_api.read",
    "adapter.google_api.wire",
    "adapter.google_api.write",
    "adapter.metrics.instruments",
    "adapter.network.addresses",
    "adapter.network.links",
    "adapter.openai_api.openapi",
    "adapter.openai_api.read",
    "adapter.openai_api.sse",
    "adapter.openai_api.wire",
    "adapter.openai_api.write",
    "adapter.providers.flow.translate",
    "adapter.providers.flow.wire",
    "adapter.providers.gemini.translate",
    "adapter.providers.gemini.wire",
    "adapter.providers.omni.translate",
    "adapter.providers.standing",
    "adapter.providers.omni.wire",
    "adapter.providers.omni.faults",
    "adapter.providers.proxy",
    "adapter.providers.vertex.bucket",
    "adapter.providers.vertex.endpoint",
    "adapter.redaction",
)

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "adapter").rglob("*.py"))
}


def package_of(module: str) -> str:
    """Return the package that a module's relative imports start from."""
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


def imports(module: str) -> Iterator[str]:
    """Yield the full names of what a module imports, relative ones resolved."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package_of(module).split(".")[: 1 - node.level or None]
                base = ".".join([*above, *filter(None, [base])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def tree(module: str) -> ast.Module:
    """Return a module's syntax."""
    return ast.parse(MODULES[module].read_text())


def within(module: str, room: str) -> bool:
    """Say whether a module is a room or lies in it."""
    return module == room or module.startswith(f"{room}.")


def room_of(module: str) -> str:
    """Return the room whose law holds for a module."""
    rooms = [room for room in LAW if within(module, room)]
    assert rooms, f"{module} has no room in the law"
    return max(rooms, key=len)


@pytest.mark.parametrize("module", [module for module in MODULES if module not in MAPS])
def test_a_room_imports_only_what_the_law_allows(module: str) -> None:
    """Left may import right, nothing else."""
    room = room_of(module)
    allowed = [room, *(f"adapter.{name}".rstrip(".") for name in LAW[room])]
    broken = [
        name for name in imports(module) if within(name, "adapter") and not any(within(name, each) for each in allowed)
    ]

    assert not broken, f"{module} may import {', '.join(LAW[room]) or 'nothing of ours'}, and imports {broken}"


@pytest.mark.parametrize("module", [module for module in MODULES if not within(module, "adapter.domain.ports")])
def test_ports_have_one_address(module: str) -> None:
    """Which file a port stands in is nobody's business."""
    ports = [name for name in imports(module) if within(name, "adapter.domain.ports")]

    assert [name for name in ports if name.rpartition(".")[0] != "adapter.domain.ports"] == []


#: Names of foreign schemas: the modules that spell them out, and the other side.
FOREIGN_NAMES = ("adapter.sandbox", "adapter.google_api.wire", "adapter.openai_api.wire")


def test_a_public_class_has_its_name_for_itself() -> None:
    """A search for a name finds one class."""
    modules = [
        module
        for module in MODULES
        if not any(within(module, room) for room in FOREIGN_NAMES) and "wire" not in module.rpartition(".")[2]
    ]
    named = [node.name for module in modules for node in tree(module).body if isinstance(node, ast.ClassDef)]
    public = [name for name in named if not name.startswith("_")]

    assert {name for name in public if public.count(name) > 1} == set()


@pytest.mark.parametrize("module", MAPS)
def test_a_map_imports_nothing(module: str) -> None:
    """It is there to be read."""
    assert not list(imports(module))


@pytest.mark.parametrize("module", [module for module in MODULES if any(within(module, room) for room in PURE)])
def test_a_translator_is_pure(module: str) -> None:
    """It knows what it is given: no clock, no chance, no waiting."""
    broken = [name for name in imports(module) if any(within(name, each) for each in IMPURE)]
    waits = [node for node in ast.walk(tree(module)) if isinstance(node, ast.AsyncFunctionDef | ast.Await)]

    assert not broken
    assert not waits


@pytest.mark.parametrize("module", MODULES)
def test_a_foreign_package_stays_in_its_files(module: str) -> None:
    """aiohttp, litestar, SQL and the like can be exchanged in one place."""
    broken = [
        (name, homes)
        for name in imports(module)
        for package, homes in FOREIGN.items()
        if within(name, package) and not any(within(module, home) for home in homes)
    ]

    assert not broken, f"{module} imports {broken}"


def test_there_are_no_import_cycles() -> None:
    """Between any modules of ours."""
    edges = {
        module: {target for name in imports(module) for target in MODULES if within(name, target)} - {module}
        for module in MODULES
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


def catches_everything(node: ast.AST) -> bool:
    """Say whether a piece of syntax catches whatever comes."""
    broad = {"Exception", "BaseException"}
    match node:
        case ast.ExceptHandler(type=None):
            return True
        case ast.ExceptHandler(type=ast.expr() as kind):
            return any(isinstance(each, ast.Name) and each.id in broad for each in ast.walk(kind))
        case ast.Call(func=ast.Name(id="suppress"), args=kinds):
            return any(isinstance(each, ast.Name) and each.id in broad for each in kinds)
        case ast.keyword(arg="return_exceptions"):
            return True
        case _:
            return False


def test_everything_is_caught_only_in_the_last_resort() -> None:
    """The poller's round and the server's outermost layer; both write it down."""
    found = [module for module in MODULES for node in ast.walk(tree(module)) if catches_everything(node)]

    assert found == ["adapter.jobs.poller", "adapter.openai_api.routes.request_log"]


def test_tasks_are_started_in_one_module() -> None:
    """There they have an owner, who waits for their end."""
    starting = {"create_task", "ensure_future", "run_coroutine_threadsafe"}
    found = [
        module
        for module in MODULES
        if not within(module, "adapter.sandbox")
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute) and (node.attr in starting or is_gather_of_asyncio(node))
    ]

    assert set(found) == {"adapter.tasks"}


def test_no_cancellation_is_lost() -> None:
    """Before Python 3.12 `wait_for` may lose one that comes with its result (gh-86296); `timeout` does not."""
    paths = [*MODULES.values(), *(ROOT / "tests").rglob("*.py")]
    found = [
        path
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.alias)
        and "wait_for" in (getattr(node, "attr", ""), getattr(node, "name", ""))
    ]

    assert found == []


def is_gather_of_asyncio(node: ast.Attribute) -> bool:
    """Say whether a piece of syntax is `asyncio.gather` or `asyncio.TaskGroup`."""
    is_of_asyncio = isinstance(node.value, ast.Name) and node.value.id == "asyncio"
    return is_of_asyncio and node.attr in {"gather", "TaskGroup"}


def test_no_untyped_bags_travel_between_rooms() -> None:
    """`dict[str, Any]` has no names and no law."""
    found = [module for module, path in MODULES.items() if "dict[str, Any]" in path.read_text()]

    assert found == []


def test_secrets_are_compared_in_constant_time() -> None:
    """`==` tells by its duration how much was right; only `hmac.compare_digest` does not."""
    found = [
        f"{module}:{node.lineno}"
        for module in ("adapter.access.keyring", "adapter.metrics.route", "adapter.sandbox.storage.links")
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Compare) and any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)
        if any(map(_is_secret, (node.left, *node.comparators)))
    ]

    assert found == []


def _is_secret(value: ast.expr) -> bool:
    name = value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""
    return bool(re.search(r"(^|_)(key|token|digest|secret|signature)$", name))


def test_the_map_in_the_package_names_every_room() -> None:
    """The docstring of `adapter` is the map; a room that is not on it gets lost."""
    text = MODULES["adapter"].read_text()
    top = {module.split(".")[1] for module in MODULES if "." in module} - {"__main__"}

    assert [room for room in sorted(top) if not re.search(rf"\b{room}\b", text)] == []


def asserts(function: ast.AST, helpers: Collection[str]) -> bool:
    """Return whether a function can fail by an assertion, its own or that of a helper that it calls."""
    for node in ast.walk(function):
        called = node.func if isinstance(node, ast.Call) else None
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
        if isinstance(node, ast.Assert) or name in {"raises", "fail"} or name in helpers:
            return True
    return False


def test_every_test_has_an_assertion() -> None:
    """A test that only runs does not say what it expects."""
    functions = [
        (path, node)
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    helpers = {node.name for _, node in functions if not node.name.startswith("test_") and asserts(node, ())}
    tests = [(path, node) for path, node in functions if node.name.startswith("test_")]

    assert [f"{path.name}: {node.name}" for path, node in tests if not asserts(node, helpers)] == []
