"""What a changed configuration means for a server that runs: what it takes over, and what needs a restart. Pure."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final, TypeVar

import msgspec

from adapter.domain.catalogue import Catalogue
from adapter.settings import AccessSettings, Settings

_T = TypeVar("_T")

#: The settings that a running server takes over: keys, and tables as a whole. All others need a restart.
RELOADED: Final = frozenset(
    {
        "models",
        "server.log_level",
        "list_models",
        "access.keys",
        "access.owners",
        "access.anonymous",
        "access.admin_keys",
        "providers",
        "chat.images",
        "chat.video_markup",
        "chat.markup_by_key",
        "chat.opening_seconds",
        "chat.stream_errors",
        "chat.side_calls",
        "chat.side_call_model",
        "chat.side_call_patterns",
        "images",
        "videos",
        "limits.prompt_characters",
        "limits.failed_keys_per_minute",
    }
)
#: What belonged to the digest of a key belongs to a named owner after the next start. Jobs under way would write the
#: former owner again.
OWNERS: Final = frozenset({"access.owners", "access.keys"})


class Configuration(msgspec.Struct, frozen=True):
    """Everything that an operator configures."""

    settings: Settings
    catalogue: Catalogue


class ReloadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a reload does."""

    #: The configuration of the server after the reload.
    configuration: Configuration
    #: The keys whose values it takes over.
    changed: tuple[str, ...]
    #: The keys that differ from what the server goes on with.
    needs_restart: tuple[str, ...]
    #: Names of models.
    models_added: tuple[str, ...]
    models_removed: tuple[str, ...]
    models_changed: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the server stays as it is."""
        return not (self.changed or self.models_added or self.models_removed or self.models_changed)


def plan_reload(running: Configuration, wanted: Configuration) -> ReloadPlan:
    """Return how a server gets from one configuration to another."""
    reloaded = RELOADED - OWNERS if _renames(running.settings.access, wanted.settings.access) else RELOADED
    settings = _taken_over(running.settings, wanted.settings, reloaded)
    before, after = _models(running.catalogue), _models(wanted.catalogue)
    return ReloadPlan(
        configuration=Configuration(settings, wanted.catalogue),
        changed=tuple(changed_keys(running.settings, settings)),
        needs_restart=tuple(changed_keys(settings, wanted.settings)),
        models_added=tuple(name for name in after if name not in before),
        models_removed=tuple(name for name in before if name not in after),
        models_changed=tuple(name for name, card in after.items() if name in before and card != before[name]),
    )


def changed_keys(one: object, other: object, key: str = "") -> Iterator[str]:
    """Yield the settings that differ, in the order of the file. Their values are not shown, nor names in open tables.

    Such a name may be a key in the open.
    """
    if isinstance(one, msgspec.Struct) and type(one) is type(other):
        for name in one.__struct_fields__:
            yield from changed_keys(getattr(one, name), getattr(other, name), f"{key}.{name}".lstrip("."))
    elif key == "providers" and isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in {**one, **other}:
            yield from changed_keys(one.get(name), other.get(name), f"{key}.{name}")
    elif one != other:
        yield key


def _taken_over(running: _T, wanted: _T, reloaded: Collection[str], key: str = "") -> _T:
    """Return the settings that a server goes on with."""
    if key in reloaded:
        return wanted
    if not isinstance(running, msgspec.Struct) or not any(each.startswith(key and f"{key}.") for each in reloaded):
        return running
    members = {
        name: _taken_over(getattr(running, name), getattr(wanted, name), reloaded, f"{key}.{name}".lstrip("."))
        for name in running.__struct_fields__
    }
    return msgspec.structs.replace(running, **members)


def _renames(running: AccessSettings, wanted: AccessSettings) -> bool:
    """Return whether a key that stays gets another owner."""
    before, after = _owners(running), _owners(wanted)
    return any(before[key] != after[key] for key in before.keys() & after.keys())


def _owners(access: AccessSettings) -> Mapping[str, str | None]:
    """Return the owner of each key, by its reference; None: its digest."""
    named = {each.key: each.owner or name for name, each in access.named_keys.items()}
    return {**{key: access.owner_of(key) for key in access.listed_keys}, **named}


def _models(catalogue: Catalogue) -> Mapping[str, object]:
    """Return each row of a catalogue with all names that lead to it, by its own name."""
    return {card.name: (card, catalogue.names_of(card)) for card in catalogue.cards}
