"""Who may ask, with a real database behind it."""

from pathlib import Path

import msgspec
import pytest

from adapter.access.keyring import ANONYMOUS, ConfiguredKey, Keyring
from adapter.access.keys import PREFIX, KeyRecord, SqlKeyStore, digest
from adapter.access.owners import take_over
from adapter.credentials import FixedSecret, secret
from adapter.database.engine import Database
from adapter.database.tables import KEYS
from adapter.domain.allowance import UNLIMITED, Allowance, read_budget
from adapter.domain.principal import Principal
from adapter.errors import ExpiredKey, InvalidRequest, NotFound, WrongKey
from adapter.jobs.store import SqlJobStore
from adapter.records.files import SqlFileStore
from adapter.records.responses import SqlResponseStore
from tests.fakes import FakeClock, given_file, stored, video_job
from tests.postgres import BOTH_ENGINES

pytestmark = BOTH_ENGINES


def configured(key: str, owner: str | None = None) -> ConfiguredKey:
    """Return a key of the configuration."""
    return ConfiguredKey(secret=FixedSecret(key), id=f"env:{key}", owner=owner)


def from_file(file: Path) -> ConfiguredKey:
    """Return a key of the configuration that is in a file."""
    return ConfiguredKey(secret=secret(f"file:{file}", key="k"), id=f"file:{file}")


@pytest.fixture
def made(database: Database) -> SqlKeyStore:
    """The keys that the operator handed out: none yet."""
    return SqlKeyStore(database)


@pytest.fixture
def keyring(made: SqlKeyStore) -> Keyring:
    """Two keys of the configuration, and those that are made."""
    return Keyring([configured("sk-one"), configured("sk-two")], made, anonymous=False)


async def test_each_key_of_the_configuration_has_its_own_owner(keyring: Keyring) -> None:
    """Jobs of one are not given to the other."""
    one, two = (await keyring.principal(["sk-one"])).owner, (await keyring.principal(["sk-two"])).owner

    assert one != two
    assert "sk-" not in one + two


@pytest.mark.parametrize("keys", [[], [""], ["sk-on"], ["sk-one2"], ["Bearer sk-one"], ["sk-on", "sk-tw"]])
async def test_anything_else_is_refused(keyring: Keyring, keys: list[str]) -> None:
    """Missing or nearly right."""
    with pytest.raises(WrongKey):
        await keyring.principal(keys)


async def test_of_several_keys_the_first_one_that_is_ours_counts(keyring: Keyring, made: SqlKeyStore) -> None:
    """A client that has to have a key of its own sends a dummy beside the real one."""
    one, two, ada = (
        (await keyring.principal(["sk-one"])).owner,
        (await keyring.principal(["sk-two"])).owner,
        await made.create("ada", now=1.0),
    )

    assert (await keyring.principal(["dummy", "sk-two", "sk-one"])).owner == two
    assert (await keyring.principal(["sk-one", "sk-two"])).owner == one
    assert (await keyring.principal(["dummy", ada])).owner == "key:ada"


async def test_a_key_that_was_made_opens_until_it_is_revoked(keyring: Keyring, made: SqlKeyStore) -> None:
    """From the next request on, without a restart."""
    key = await made.create("ada", now=1.0)
    assert key.startswith(PREFIX)
    assert (await keyring.principal([key])).owner == "key:ada"

    await made.revoke("ada", now=2.0)

    with pytest.raises(WrongKey):
        await keyring.principal([key])


async def test_only_the_digest_of_a_key_is_kept(made: SqlKeyStore, database: Database, tmp_path: Path) -> None:
    """Who reads the database cannot use what is in it."""
    key = await made.create("ada", now=1.0)
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    [row] = await database.read(lambda connection: connection.execute(KEYS.select()).all())

    assert row.name == "ada"
    assert key.removeprefix(PREFIX) not in str(row)
    assert key.removeprefix(PREFIX).encode() not in files


async def test_a_name_is_given_once(made: SqlKeyStore) -> None:
    """An owner's videos do not pass to somebody else under the same name."""
    await made.create("ada", now=1.0)
    with pytest.raises(InvalidRequest, match="already a key named 'ada'"):
        await made.create("ada", now=1.0, owner="ada")
    await made.revoke("ada", now=2.0)

    with pytest.raises(InvalidRequest, match=r"was a key named 'ada', which is revoked.*--owner ada"):
        await made.create("ada", now=3.0)
    assert [(key.name, key.created_at, key.revoked_at) for key in await made.all()] == [("ada", 1.0, 2.0)]


async def test_a_revoked_name_is_given_again_to_an_owner_who_is_named(keyring: Keyring, made: SqlKeyStore) -> None:
    """Ada, whose key had leaked, goes on under her name. The leaked key opens nothing, nor does an earlier one."""
    first = await made.create("ada", now=1.0)
    leaked = await made.rotate("ada", now=2.0, keep_seconds=10**12)
    await made.revoke("ada", now=3.0)

    key = await made.create("ada", now=4.0, owner="ada", allowance=Allowance(rpm=5))

    assert await keyring.principal([key]) == Principal(owner="key:ada", key="ada", allowance=Allowance(rpm=5))
    for old in (first, leaked):
        with pytest.raises(WrongKey):
            await keyring.principal([old])
    assert [(each.created_at, each.revoked_at) for each in await made.all()] == [(4.0, None)]


@pytest.mark.parametrize("name", ["", " ", "ada ", "a\nb", "\x1b[31mada", "a\x00", "\u202eada"])
async def test_a_name_can_be_read_in_a_list(made: SqlKeyStore, name: str) -> None:
    """Nothing in it is invisible, or moves what stands beside it. An empty one would stand for no key in statistics."""
    for told, owner in ((name, None), ("ada", name)):
        with pytest.raises(InvalidRequest, match="1 to 60 characters, all visible"):
            await made.create(told, now=1.0, owner=owner)


async def test_a_name_is_as_long_as_an_owner_may_be(made: SqlKeyStore, keyring: Keyring, database: Database) -> None:
    """PostgreSQL counts the characters of a column, so a job of the longest name is remembered too."""
    key = await made.create("ä" * 60, now=1.0)
    owner = (await keyring.principal([key])).owner
    job = msgspec.structs.replace(video_job(), owner=owner)
    assert await SqlJobStore(database).admit(job, now=1.0) == job

    with pytest.raises(InvalidRequest, match="1 to 60 characters"):
        await made.create("a" * 61, now=1.0)


async def test_what_is_not_there_cannot_be_revoked(made: SqlKeyStore) -> None:
    """A typing mistake is not taken for success."""
    with pytest.raises(NotFound, match="'bob'"):
        await made.revoke("bob", now=1.0)


async def test_without_keys_everybody_may_be_let_in(made: SqlKeyStore) -> None:
    """Only where the operator says so; who shows a key is still known by it."""
    keyring = Keyring([configured("sk-one")], made, anonymous=True)

    assert (await keyring.principal([])).owner == ANONYMOUS.owner
    assert (await keyring.principal(["nonsense"])).owner == ANONYMOUS.owner
    assert (await keyring.principal(["sk-one"])).owner != ANONYMOUS.owner


@pytest.mark.parametrize("text", ["", "\n", " \n", "two words\n", "schlüssel\n"])
async def test_an_empty_or_broken_key_file_opens_nothing(made: SqlKeyStore, tmp_path: Path, text: str) -> None:
    """Neither to who shows no key nor to who guesses what is in it."""
    file = tmp_path / "key"
    file.write_text("sk-file\n")
    keyring = Keyring([from_file(file), configured("sk-one")], made, anonymous=False)
    file.write_text(text)  # the key was never read before, so there is no older one to go on with

    for shown in ("", text, text.strip()):
        with pytest.raises(WrongKey):
            await keyring.principal([shown])
    assert (await keyring.principal(["sk-one"])).owner


async def test_a_key_file_that_is_being_written_anew_goes_on_with_the_old_key(
    made: SqlKeyStore, tmp_path: Path
) -> None:
    """Rotation truncates first."""
    file = tmp_path / "key"
    file.write_text("sk-old\n")
    keyring = Keyring([from_file(file)], made, anonymous=False)
    await keyring.principal(["sk-old"])
    file.write_text("")
    assert (await keyring.principal(["sk-old"])).owner

    file.write_text("sk-new\n")

    assert (await keyring.principal(["sk-new"])).owner


async def test_a_principal_names_its_key_and_shows_no_secret(keyring: Keyring, made: SqlKeyStore) -> None:
    """By its reference, or by the name that the operator gave it; without a key there is none."""
    key = await made.create("open-webui", now=1.0)

    assert (await keyring.principal(["sk-one"])).key == "env:sk-one"
    assert (await keyring.principal([key])).key == "open-webui"
    assert (await Keyring([], made, anonymous=True).principal([])).key is None


async def test_several_keys_may_have_one_owner(made: SqlKeyStore) -> None:
    """Of the configuration and of the database."""
    phone = await made.create("phone", now=1.0, owner="ada")
    keyring = Keyring([configured("sk-desk", owner="key:ada")], made, anonymous=False)

    assert (await keyring.principal([phone])).owner == "key:ada"
    assert (await keyring.principal(["sk-desk"])).owner == "key:ada"


async def test_a_rotated_key_has_the_owner_of_the_old_one(database: Database) -> None:
    """The old one ends at once, or after the time that its clients get."""
    clock = FakeClock(at=100.0)
    made = SqlKeyStore(database, clock.now)
    keyring = Keyring([], made, anonymous=False)
    first = await made.create("ada", now=1.0)
    second = await made.rotate("ada", now=100.0, keep_seconds=60.0)
    owners = [(await keyring.principal([key])).owner for key in (first, second)]
    await clock.advance(60.0)

    assert owners == ["key:ada", "key:ada"]
    assert (await keyring.principal([second])).owner == "key:ada"
    with pytest.raises(WrongKey):
        await keyring.principal([first])

    third = await made.rotate("ada", now=160.0)
    with pytest.raises(WrongKey):
        await keyring.principal([second])
    assert (await keyring.principal([third])).owner == "key:ada"


async def test_a_revoked_key_ends_with_the_one_before_it_and_cannot_be_rotated(made: SqlKeyStore) -> None:
    """Nothing of it opens anything."""
    first = await made.create("ada", now=1.0)
    second = await made.rotate("ada", now=2.0, keep_seconds=1e9)
    await made.revoke("ada", now=3.0)
    keyring = Keyring([], made, anonymous=False)

    for key in (first, second):
        with pytest.raises(WrongKey):
            await keyring.principal([key])
    with pytest.raises(NotFound, match="'ada'"):
        await made.rotate("ada", now=4.0)


async def test_an_owner_that_gets_a_name_keeps_videos_files_and_responses(database: Database) -> None:
    """They belonged to the digest of its key. It may be done again, and others' stay as they are."""
    old, other = digest("sk-one"), digest("sk-two")
    jobs, files, responses = SqlJobStore(database), SqlFileStore(database), SqlResponseStore(database)
    for number, owner in enumerate((old, other), 1):
        await jobs.admit(msgspec.structs.replace(video_job(number), owner=owner), now=1.0)
        await files.add(given_file(number, owner=owner))
        await responses.add(stored(number, owner=owner))

    assert [await take_over(database, [old], "key:ada") for _ in range(2)] == [3, 0]
    [job] = await jobs.list("key:ada", after=None, limit=9, newest_first=True)
    assert (job.owner, job.id) == ("key:ada", video_job(1).id)
    assert await files.find(given_file(1).id, "key:ada", now=1.0) is not None
    found = await responses.find(stored(1).key, "key:ada", now=1.0)
    assert found is not None
    assert found.owner == "key:ada"
    assert await jobs.list(old, after=None, limit=9, newest_first=True) == []
    assert len(await jobs.list(other, after=None, limit=9, newest_first=True)) == 1


async def test_a_key_says_what_it_may_do(made: SqlKeyStore, database: Database) -> None:
    """As it was made, and as it was changed since."""
    allowance = Allowance(models=("gemini-*",), rpm=10, budget=read_budget("20USD/month"))
    key = await made.create("ada", now=1.0, owner="team", allowance=allowance)
    before = await SqlKeyStore(database).principal(key)
    await made.allow("ada", Allowance(rpm=20))
    after = await made.principal(key)

    assert before == Principal(owner="key:team", key="ada", allowance=allowance)
    assert after == Principal(owner="key:team", key="ada", allowance=Allowance(rpm=20))
    assert await made.find("ada") == KeyRecord("ada", 1.0, None, "team", Allowance(rpm=20))
    with pytest.raises(NotFound):
        await made.allow("ben", UNLIMITED)
    with pytest.raises(NotFound):
        await made.find("ben")


async def test_a_rotated_key_keeps_its_limits(made: SqlKeyStore) -> None:
    """They belong to its name."""
    await made.create("ada", now=1.0, allowance=Allowance(rpm=10))
    key = await made.rotate("ada", now=2.0)
    found = await made.principal(key)

    assert found is not None
    assert found.allowance.rpm == 10


async def test_an_expired_key_is_refused_until_it_is_prolonged(made: SqlKeyStore) -> None:
    """It is not taken for a wrong one: what is known of wrong keys stays for minutes."""
    clock = FakeClock(at=1000.0)
    keyring = Keyring([], made, anonymous=True, clock=clock.now)
    key = await made.create("ada", now=1.0, allowance=Allowance(expires_at=1010.0))
    assert (await keyring.principal([key])).key == "ada"
    await clock.advance(10.0)
    with pytest.raises(ExpiredKey, match="expired at 1970-01-01 00:16 UTC"):
        await keyring.principal([key])
    await made.allow("ada", UNLIMITED)

    assert (await keyring.principal([key])).key == "ada"


async def test_a_key_with_a_table_finds_what_belonged_to_its_digest(database: Database, made: SqlKeyStore) -> None:
    """The list had the key before. The table gives it a name, limits, and what it had made."""
    jobs = SqlJobStore(database)
    old = configured("sk-one")
    owner = (await Keyring([old], made, anonymous=False).principal(["sk-one"])).owner
    job = msgspec.structs.replace(video_job(), owner=owner)
    await jobs.admit(job, now=1.0)

    named = msgspec.structs.replace(old, id="ada", owner="key:ada", allowance=Allowance(rpm=1))
    await take_over(database, [digest("sk-one")], "key:ada")
    found = await Keyring([named], made, anonymous=False).principal(["sk-one"])

    assert found == Principal(owner="key:ada", key="ada", allowance=Allowance(rpm=1))
    assert await jobs.find(job.id, found.owner) == msgspec.structs.replace(job, owner="key:ada")
