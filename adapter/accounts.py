"""The operator's accounts and keys, as `adapter accounts` shows and switches them."""

from collections.abc import Iterator, Sequence

from adapter.database.engine import Database
from adapter.domain.credentials import CredentialName, CredentialSummary, summary_of
from adapter.errors import InvalidRequest, NotFound
from adapter.records.credentials import SqlCredentialStore
from adapter.settings import Settings


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
