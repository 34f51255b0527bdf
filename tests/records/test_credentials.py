"""What processes tell each other of credentials, on both engines."""

import pytest

from adapter.database.engine import Database
from adapter.database.tables import CREDENTIAL_STATES
from adapter.domain.credentials import Balance, CredentialName, CredentialRefusal, CredentialState, Rest
from adapter.records.credentials import STALE_SECONDS, SqlCredentialStore
from tests.postgres import BOTH_ENGINES

pytestmark = BOTH_ENGINES

ADA = CredentialName("flow", "ada")
STATE = CredentialState(
    provider="flow",
    name="ada",
    calls=3,
    is_failing=True,
    rests=(Rest(1060.0, "videos"),),
    refusal=CredentialRefusal(at=1000.0, code="upstream_quota", message="füchse 🦊"),
    balance=Balance(credits=680, at=990.0),
    tier="PAYGATE_TIER_TWO",
)


@pytest.fixture
def store(database: Database) -> SqlCredentialStore:
    """The store, empty."""
    return SqlCredentialStore(database)


async def test_a_state_comes_back_as_it_was_told(store: SqlCredentialStore) -> None:
    """The newest one of each process."""
    await store.publish("one", [CredentialState(provider="flow", name="ada")], now=1000.0)
    await store.publish("one", [STATE], now=1002.0)
    await store.publish("two", [CredentialState(provider="gemini", name="main")], now=1003.0)

    found = await store.states(now=1004.0)

    assert sorted(found, key=lambda state: state.provider) == [STATE, CredentialState(provider="gemini", name="main")]


async def test_a_process_that_ended_is_forgotten(store: SqlCredentialStore) -> None:
    """At once where it says so, else after a minute."""
    await store.publish("one", [STATE], now=1000.0)
    await store.withdraw("one")
    assert await store.states(now=1000.0) == []

    await store.publish("dead", [STATE], now=1000.0)
    assert await store.states(now=1000.0 + STALE_SECONDS - 1) == [STATE]
    assert await store.states(now=1000.0 + STALE_SECONDS + 1) == []


async def test_no_rows_of_dead_processes_gather(store: SqlCredentialStore, database: Database) -> None:
    """Each process that tells something removes them."""
    for number in range(3):
        await store.publish(f"p{number}", [STATE], now=1000.0 + number * (STALE_SECONDS + 1))

    rows = await database.read(lambda connection: connection.execute(CREDENTIAL_STATES.select()).all())
    assert [row.process for row in rows] == ["p2"]


async def test_a_state_of_another_version_hides_no_other(store: SqlCredentialStore, database: Database) -> None:
    """It is left out."""
    odd = CREDENTIAL_STATES.insert().values(process="odd", written_at=1e12, document=b'[{"name": 5}]')
    await database.write(lambda connection: connection.execute(odd))
    await store.publish("one", [STATE], now=1000.0)

    assert await store.states(now=1000.0) == [STATE]


async def test_a_credential_is_disabled_until_it_is_enabled(store: SqlCredentialStore) -> None:
    """Both say whether they changed something."""
    assert await store.disable(ADA, now=1000.0)
    assert not await store.disable(ADA, now=1001.0)
    assert await store.disabled() == {ADA}

    assert await store.enable(ADA)
    assert not await store.enable(ADA)
    assert await store.disabled() == set()
