"""The credentials of a process and the database are kept alike."""

from collections.abc import Collection, Sequence

import msgspec

from adapter.domain.credentials import CredentialName, CredentialState
from adapter.errors import StorageFailed
from adapter.generation.credential_watch import LOOK_SECONDS, TELL_SECONDS, CredentialWatch
from adapter.tasks import Tasks
from tests.fakes import FakeClock, let_others_run

ADA = CredentialState(provider="flow", name="ada")


class Pool:
    """Credentials that can be looked at (the port `Credentials`)."""

    def __init__(self) -> None:
        self.told: Sequence[CredentialState] = [ADA]
        self.off: Collection[CredentialName] = ()

    def states(self) -> Sequence[CredentialState]:
        return self.told

    def disable(self, names: Collection[CredentialName]) -> None:
        self.off = names


class Store:
    """What processes told (the port `CredentialStore`)."""

    def __init__(self) -> None:
        self.off: Collection[CredentialName] = {ADA.full_name}
        self.written: list[Sequence[CredentialState]] = []
        self.withdrawn: list[str] = []
        self.fails = False

    def _check(self) -> None:
        if self.fails:
            raise StorageFailed("The database is away.")

    async def disabled(self) -> Collection[CredentialName]:
        self._check()
        return self.off

    async def publish(self, process: str, states: Sequence[CredentialState], *, now: float) -> None:  # noqa: ARG002
        self._check()
        self.written.append(states)

    async def withdraw(self, process: str) -> None:
        self._check()
        self.withdrawn.append(process)


async def test_a_state_is_told_when_it_changes_and_now_and_then() -> None:
    """An idle server writes every twenty seconds."""
    clock, store, pool = FakeClock(), Store(), Pool()
    watch = CredentialWatch(store, lambda: [pool], clock)
    await watch.look()
    await watch.look()
    assert store.written == [[ADA]]

    pool.told = [msgspec.structs.replace(ADA, calls=1)]
    await watch.look()
    assert store.written == [[ADA], pool.told]

    await clock.advance(TELL_SECONDS)
    await watch.look()
    assert len(store.written) == 3


async def test_a_switch_of_the_operator_is_heard_of_within_seconds() -> None:
    """The first look comes before the first request; the others by themselves."""
    clock, store, pool = FakeClock(), Store(), Pool()
    watch, tasks = CredentialWatch(store, lambda: [pool], clock), Tasks("test")
    await watch.look()
    assert pool.off == {ADA.full_name}

    tasks.start(watch.run())
    await let_others_run()
    store.off = set()
    await clock.advance(LOOK_SECONDS)
    await let_others_run()
    await tasks.cancel()

    assert pool.off == set()


async def test_a_database_that_fails_changes_nothing() -> None:
    """What was disabled stays so, and what was not told is told later."""
    store, pool = Store(), Pool()
    watch = CredentialWatch(store, lambda: [pool], FakeClock())
    await watch.look()
    pool.told, store.fails = [msgspec.structs.replace(ADA, calls=1)], True
    await watch.look()
    await watch.close()
    assert pool.off == {ADA.full_name}

    store.fails = False
    await watch.look()
    await watch.close()
    assert store.written[-1] == pool.told
    assert len(store.withdrawn) == 1
