"""What a running server takes over of a changed configuration, and what it only names."""

import msgspec
import pytest

from adapter.domain.catalogue import Catalogue, CatalogueFile
from adapter.domain.markup import Markup
from adapter.reload_plan import RELOADED, Configuration, ReloadPlan, plan_reload
from adapter.settings import AccessSettings, Chat, KeySettings, Server, Settings
from tests.support import CONFIG, catalogue


def plan(running: Settings, wanted: Settings) -> ReloadPlan:
    """Return the plan for settings with one catalogue."""
    return plan_reload(Configuration(running, catalogue()), Configuration(wanted, catalogue()))


def exists(key: str) -> bool:
    """Return whether there is such a setting, or such a table."""
    place: object = Settings()
    for name in key.split("."):
        if not hasattr(place, name):
            return False
        place = getattr(place, name)
    return True


@pytest.mark.parametrize("key", sorted(RELOADED))
def test_a_setting_that_is_taken_over_exists(key: str) -> None:
    """A renamed one would need a restart unnoticed."""
    assert exists(key)


def test_what_is_not_taken_over_stays_and_is_named() -> None:
    """Beside what is."""
    wanted = Settings(server=Server(port=9, host="::1"), chat=Chat(images="data", heartbeat_seconds=1.0))
    found = plan(Settings(), wanted)

    assert found.changed == ("chat.images",)
    assert found.needs_restart == ("server.host", "server.port", "chat.heartbeat_seconds")
    assert found.configuration.settings == Settings(chat=Chat(images="data"))


def test_a_value_is_never_shown() -> None:
    """Neither keys nor the names in tables, which may be keys."""
    wanted = Settings(
        access=AccessSettings(keys=("plain:secret",)), chat=Chat(markup_by_key={"plain:secret": Markup.HTML})
    )

    assert plan(Settings(), wanted).changed == ("access.keys", "chat.markup_by_key")


def test_a_changed_section_of_a_provider_is_named_by_its_key() -> None:
    """One that left is named as a whole."""
    flow = msgspec.structs.replace(CONFIG.providers["flow"], connect_seconds=1.0)
    wanted = msgspec.structs.replace(CONFIG, providers={"flow": flow})

    assert plan(CONFIG, wanted).changed == ("providers.gemini", "providers.flow.connect_seconds", "providers.omni")


def test_a_key_that_gets_another_owner_needs_a_restart() -> None:
    """What it made is moved at the start. A further key gets its owner at once."""
    before = Settings(access=AccessSettings(keys=("env:A",)))
    named = Settings(access=AccessSettings(keys=("env:A",), owners={"ada": ("env:A",)}))
    further = Settings(access=AccessSettings(keys=("env:A", "env:B"), owners={"bob": ("env:B",)}))

    assert plan(before, named).needs_restart == ("access.owners",)
    assert plan(before, further).changed == ("access.keys", "access.owners")


def test_a_key_that_moves_into_a_table_gets_its_owner_at_the_next_start() -> None:
    """A new table, and other limits of one that is there, are taken over."""
    listed = Settings(access=AccessSettings(keys=("env:A",)))
    table = Settings(access=AccessSettings(keys={"ada": KeySettings(key="env:A")}))
    more = Settings(
        access=AccessSettings(keys={"ada": KeySettings(key="env:A", rpm=1), "ben": KeySettings(key="env:B")})
    )

    assert plan(listed, table).needs_restart == ("access.keys",)
    assert plan(table, more).changed == ("access.keys",)


def test_models_that_come_go_and_change_are_named() -> None:
    """A price is a change, and a further name as well."""
    offered = catalogue()
    [first, second, third, *_] = offered.image_cards
    other = msgspec.structs.replace(second, aliases=("another-name",))
    running = Configuration(CONFIG, Catalogue(CatalogueFile(image=(first, second))))
    wanted = Configuration(CONFIG, Catalogue(CatalogueFile(image=(other, third))))
    found = plan_reload(running, wanted)

    assert (found.models_added, found.models_removed, found.models_changed) == (
        (third.name,),
        (first.name,),
        (second.name,),
    )
