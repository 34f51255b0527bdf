"""The operator's accounts and keys, as `adapter accounts` shows and switches them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from adapter.database.engine import Database
from adapter.domain.credentials import CredentialName, CredentialSummary, Health, summary_of
from adapter.errors import InvalidRequest, NotFound
from adapter.records.credentials import SqlCredentialStore
from adapter.settings import Settings

HEADINGS: Final = ("account", "health", "credits", "tier", "calls", "rests", "last error")


async def summaries(settings: Settings, database: Database, *, now: float) -> Sequence[CredentialSummary]:
    """Return how every credential of the configuration stands in the servers that run now."""
    store = SqlCredentialStore(database)
    disabled, states = await store.disabled(), await store.states(now=now)
    return [
        summary_of(name, states, enabled=is_enabled and name not in disabled, now=now)
        for name, is_enabled in _configured(settings)
    ]


async def switch(settings: Settings, database: Database, text: str, *, is_on: bool, now: float) -> str:
    """Enable or disable a credential, and return what became of it, for the operator.

    `text` is its name, or PROVIDER/NAME.

    Raises:
        NotFound: the configuration has none of that name.
        InvalidRequest: it has several; or it is to be enabled, and the configuration disables it.
    """
    name, is_enabled = _found(settings, text)
    store, shown = SqlCredentialStore(database), f"{name.provider}/{name.name}"
    if not is_on:
        changed = await store.disable(name, now=now)
        return f"{shown} gets no new work{'' if changed else ', as before'}. Its videos are finished."
    changed = await store.enable(name)
    if not is_enabled:
        raise InvalidRequest(f"{shown} has `enabled = false` in the configuration. It gets work when that is changed.")
    return f"{shown} gets new work{'' if changed else ', as before'}."


def lines(found: Sequence[CredentialSummary], *, now: float) -> Iterator[str]:
    """Write a table for people."""
    rows = [HEADINGS, *(_row(each, now) for each in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if not any(each.processes for each in found):
        yield "No server with this database runs, so only names and switches are known."


def _row(each: CredentialSummary, now: float) -> tuple[str, ...]:
    rests = "" if each.rests_until is None else f"{max(0, round(each.rests_until - now))} s"
    if rests and each.rests_for:
        rests += f" ({', '.join(each.rests_for)})"
    told = "" if each.error_at is None else f"{_time(each.error_at)} {each.error_code}: {each.error}"
    return (
        f"{each.provider}/{each.name}",
        str(each.health),
        "" if each.credits is None else str(each.credits),
        each.tier or "",
        str(each.calls) if each.processes else "",
        rests if each.health is not Health.DISABLED else "",
        told,
    )


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _configured(settings: Settings) -> Iterator[tuple[CredentialName, bool]]:
    """Yield each credential once: a key that is listed twice has one name."""
    seen = set()
    for provider, section in settings.providers.items():
        for each in section.credentials():
            name = CredentialName(provider, each.name)
            if name not in seen:
                seen.add(name)
                yield name, each.enabled


def _found(settings: Settings, text: str) -> tuple[CredentialName, bool]:
    known = [*_configured(settings)]
    found = [each for each in known if text in {each[0].name, f"{each[0].provider}/{each[0].name}"}]
    if not found:
        names = ", ".join(f"{name.provider}/{name.name}" for name, _ in known) or "none"
        raise NotFound(f"There is no account or key named '{text}'. The configuration has: {names}.")
    if len(found) > 1:
        names = " or ".join(f"{name.provider}/{name.name}" for name, _ in found)
        raise InvalidRequest(f"'{text}' names several: say {names}.")
    return found[0]
