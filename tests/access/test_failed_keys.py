"""Wrong keys: what they cost, and how many one address may send."""

from collections.abc import Collection

import pytest

from adapter.access.failed_keys import REMEMBERED_ADDRESSES, REMEMBERED_KEYS, REMEMBERED_SECONDS
from adapter.access.keyring import ANONYMOUS, ConfiguredKey, Keyring
from adapter.access.keys import SqlKeyStore, digest
from adapter.credentials import FixedSecret
from adapter.database.engine import Database
from adapter.domain.principal import Principal
from adapter.errors import RateLimited, StorageFailed, WrongKey
from tests.fakes import FakeClock

ADDRESS = "203.0.113.7"
PER_MINUTE = 6


class CountedKeys:
    """Made keys, and how often the database was asked."""

    def __init__(self, *keys: str) -> None:
        self.keys = set(keys)
        self.look_ups = self.readings = 0
        self.fails = False

    async def principal(self, key: str) -> Principal | None:
        self.look_ups += 1
        return Principal(owner=f"key:{key}", key=key) if key in self.keys else None

    async def digests(self) -> Collection[str]:
        self.readings += 1
        if self.fails:
            raise StorageFailed("The database does not answer.")
        return {digest(key) for key in self.keys}


class Door:
    """A keyring, and what it says to requests."""

    def __init__(self, *made: str, anonymous: bool = False, per_minute: int = PER_MINUTE) -> None:
        self.clock = FakeClock()
        self.made = CountedKeys(*made)
        configured = ConfiguredKey(secret=FixedSecret("sk-configured"), id="configured")
        self.keyring = Keyring(
            [configured], self.made, anonymous=anonymous, clock=self.clock.now, failed_per_minute=per_minute
        )

    async def show(self, *keys: str, address: str | None = ADDRESS) -> str | int | None:
        """Return the name of the key, or the status of the refusal."""
        try:
            return (await self.keyring.principal(keys, address)).key
        except (WrongKey, RateLimited) as refusal:
            return refusal.status

    async def use_up(self, address: str = ADDRESS) -> None:
        """Fail as often as an address may."""
        for number in range(PER_MINUTE):
            assert await self.show(f"wrong-{number}", address=address) == 401


async def test_a_wrong_key_is_looked_up_once() -> None:
    """For a while: then it may be in the database after all."""
    door = Door()
    for _ in range(5):
        assert await door.show("wrong") == 401
    assert door.made.look_ups == 1

    await door.clock.advance(REMEMBERED_SECONDS)
    await door.show("wrong")

    assert door.made.look_ups == 2


async def test_a_right_key_is_looked_up_each_time() -> None:
    """It may be revoked at any moment."""
    door = Door("ada")
    assert await door.show("ada") == "ada"
    door.made.keys.clear()

    assert await door.show("ada") == 401


async def test_an_address_has_so_many_failures_a_minute() -> None:
    """Then it is told when it may try again. The allowance fills up evenly."""
    door = Door()
    await door.use_up()
    with pytest.raises(RateLimited) as refusal:
        await door.keyring.principal(["wrong"], ADDRESS)

    assert refusal.value.retry_after == pytest.approx(60 / PER_MINUTE)
    await door.clock.advance(60 / PER_MINUTE + 0.01)
    assert [await door.show("wrong") for _ in range(2)] == [401, 429]
    await door.clock.advance(60)
    await door.use_up()
    assert await door.show("wrong") == 429


async def test_the_failures_of_one_address_are_not_those_of_another() -> None:
    """Of IPv6 a network of 64 bits is one, and an IPv4 address is the same in both forms."""
    door = Door()
    await door.use_up()
    await door.use_up("2001:db8::1")

    assert await door.show("wrong", address="203.0.113.8") == 401
    assert await door.show("wrong", address="2001:db8:0:1::1") == 401
    assert await door.show("wrong", address=f"::ffff:{ADDRESS}") == 429
    assert await door.show("wrong", address="2001:db8::ffff:1") == 429
    assert await door.show("wrong", address="2001:db8::2%eth0") == 429


async def test_a_right_key_is_let_in_from_an_address_that_failed() -> None:
    """Made or configured, used before or never: others behind the same router lock out no key."""
    door = Door("ada")
    await door.use_up()

    assert await door.show("new") == 429
    assert await door.show("ada") == "ada"
    assert await door.show("sk-configured") == "configured"
    assert await door.show("wrong", "ada") == "ada"
    door.made.keys.add("bob")
    await door.clock.advance(1.0)
    assert await door.show("bob") == "bob"


async def test_wrong_keys_of_an_address_that_failed_cost_one_reading_a_second() -> None:
    """However many there are."""
    door = Door()
    await door.use_up()
    before = door.made.look_ups
    for second in range(3):
        for number in range(100):
            assert await door.show(f"wrong-{second}-{number}") == 429
        await door.clock.advance(1.0)

    assert (door.made.look_ups, door.made.readings) == (before, 3)


async def test_while_the_database_fails_an_address_that_failed_asks_it_once_a_second() -> None:
    """One request hears of the failure; the others are compared with the keys that were read last."""
    door = Door("ada")
    await door.use_up()
    assert await door.show("ada") == "ada"
    await door.clock.advance(1.0)
    door.made.fails = True
    with pytest.raises(StorageFailed):
        await door.show("new")

    assert await door.show("new") == 429
    assert await door.show("ada") == "ada"
    assert door.made.readings == 2


async def test_a_request_without_a_key_is_no_failure() -> None:
    """It costs nothing, and health checks of front ends do it all the time."""
    door = Door()
    for _ in range(2 * PER_MINUTE):
        assert await door.show() == 401

    assert await door.show("wrong") == 401


async def test_a_dummy_beside_a_right_key_is_no_failure() -> None:
    """The official clients insist on one."""
    door = Door("ada")
    for number in range(2 * PER_MINUTE):
        assert await door.show(f"dummy-{number}", "ada") == "ada"

    assert await door.show("wrong") == 401


async def test_there_is_no_limit_without_an_address_or_if_the_operator_says_so() -> None:
    """Behind a proxy that is not known all clients have one address."""
    for door, address in ((Door(), None), (Door(per_minute=0), ADDRESS)):
        for number in range(2 * PER_MINUTE):
            assert await door.show(f"wrong-{number}", address=address) == 401


async def test_where_everybody_is_let_in_wrong_keys_are_too() -> None:
    """They cost no more look-ups than elsewhere."""
    door = Door(anonymous=True)
    for number in range(3 * PER_MINUTE):
        assert await door.show(f"wrong-{number}") == ANONYMOUS.key

    assert door.made.look_ups == PER_MINUTE


async def test_no_more_than_so_many_wrong_keys_and_addresses_are_remembered() -> None:
    """The oldest ones are forgotten."""
    door = Door()
    await door.show("first")
    for number in range(REMEMBERED_KEYS):
        await door.show(f"wrong-{number}", address=None)
    before = door.made.look_ups
    await door.show("first", address=None)
    assert door.made.look_ups == before + 1

    await door.use_up("192.0.2.1")
    for number in range(REMEMBERED_ADDRESSES):
        await door.show("first", address=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert await door.show("first", address="192.0.2.1") == 401


async def test_addresses_that_never_failed_put_none_out_that_did() -> None:
    """A busy server has more clients than addresses are remembered."""
    door = Door()
    await door.use_up("192.0.2.1")
    for number in range(REMEMBERED_ADDRESSES):
        await door.show("sk-configured", address=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")

    assert await door.show("wrong", address="192.0.2.1") == 429


async def test_the_store_names_the_digests_that_may_be_valid(database: Database) -> None:
    """Not those of revoked keys; that a rotated one is over, its look-up says."""
    made = SqlKeyStore(database)
    ada, bob = await made.create("ada", now=1.0), await made.create("bob", now=1.0)
    new = await made.rotate("ada", now=2.0)
    await made.revoke("bob", now=2.0)

    assert await made.digests() == {digest(ada), digest(new)}
    assert digest(bob) not in await made.digests()
