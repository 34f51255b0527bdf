"""Who may ask, with a real database behind it."""

from pathlib import Path

import msgspec
import pytest

from adapter.access.keyring import ANONYMOUS, Keyring
from adapter.access.keys import PREFIX, SqlKeyStore
from adapter.credentials import FixedSecret, secret
from adapter.database.engine import Database, reading
from adapter.database.tables import KEYS
from adapter.errors import InvalidRequest, NotFound, WrongKey
from adapter.jobs.store import SqlJobStore
from tests.fakes import video_job
from tests.postgres import BOTH_ENGINES

pytestmark = BOTH_ENGINES


@pytest.fixture
def made(database: Database) -> SqlKeyStore:
    """The keys that the operator handed out: none yet."""
    return SqlKeyStore(database)


@pytest.fixture
def keyring(made: SqlKeyStore) -> Keyring:
    """Two keys of the configuration, and those that are made."""
    return Keyring([FixedSecret("sk-one"), FixedSecret("sk-two")], made, anonymous=False)


async def test_each_key_of_the_configuration_has_its_own_owner(keyring: Keyring) -> None:
    """Jobs of one are not given to the other."""
    one, two = await keyring.owner(["sk-one"]), await keyring.owner(["sk-two"])

    assert one != two
    assert "sk-" not in one + two


@pytest.mark.parametrize("keys", [[], [""], ["sk-on"], ["sk-one2"], ["Bearer sk-one"], ["sk-on", "sk-tw"]])
async def test_anything_else_is_refused(keyring: Keyring, keys: list[str]) -> None:
    """Missing or nearly right."""
    with pytest.raises(WrongKey):
        await keyring.owner(keys)


async def test_of_several_keys_the_first_one_that_is_ours_counts(keyring: Keyring, made: SqlKeyStore) -> None:
    """A client that has to have a key of its own sends a dummy beside the real one."""
    one, two, ada = await keyring.owner(["sk-one"]), await keyring.owner(["sk-two"]), await made.create("ada", now=1.0)

    assert await keyring.owner(["dummy", "sk-two", "sk-one"]) == two
    assert await keyring.owner(["sk-one", "sk-two"]) == one
    assert await keyring.owner(["dummy", ada]) == "key:ada"


async def test_a_key_that_was_made_opens_until_it_is_revoked(keyring: Keyring, made: SqlKeyStore) -> None:
    """From the next request on, without a restart."""
    key = await made.create("ada", now=1.0)
    assert key.startswith(PREFIX)
    assert await keyring.owner([key]) == "key:ada"

    await made.revoke("ada", now=2.0)

    with pytest.raises(WrongKey):
        await keyring.owner([key])


async def test_only_the_digest_of_a_key_is_kept(made: SqlKeyStore, database: Database, tmp_path: Path) -> None:
    """Who reads the database cannot use what is in it."""
    key = await made.create("ada", now=1.0)
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    async with reading(database) as connection:
        [row] = (await connection.execute(KEYS.select())).all()

    assert row.name == "ada"
    assert key.removeprefix(PREFIX) not in str(row)
    assert key.removeprefix(PREFIX).encode() not in files


async def test_a_name_is_given_once(made: SqlKeyStore) -> None:
    """An owner's videos do not pass to somebody else under the same name."""
    await made.create("ada", now=1.0)
    await made.revoke("ada", now=2.0)

    with pytest.raises(InvalidRequest, match="already a key named 'ada'"):
        await made.create("ada", now=3.0)
    assert [(key.name, key.created_at, key.revoked_at) for key in await made.all()] == [("ada", 1.0, 2.0)]


async def test_a_name_is_as_long_as_an_owner_may_be(made: SqlKeyStore, keyring: Keyring, database: Database) -> None:
    """PostgreSQL counts the characters of a column, so a job of the longest name is remembered too."""
    key = await made.create("ä" * 60, now=1.0)
    owner = await keyring.owner([key])
    job = msgspec.structs.replace(video_job(), owner=owner)
    assert await SqlJobStore(database).admit(job, now=1.0) == job

    with pytest.raises(InvalidRequest, match="up to 60 characters"):
        await made.create("a" * 61, now=1.0)


async def test_what_is_not_there_cannot_be_revoked(made: SqlKeyStore) -> None:
    """A typing mistake is not taken for success."""
    with pytest.raises(NotFound, match="'bob'"):
        await made.revoke("bob", now=1.0)


async def test_without_keys_everybody_may_be_let_in(made: SqlKeyStore) -> None:
    """Only where the operator says so; who shows a key is still known by it."""
    keyring = Keyring([FixedSecret("sk-one")], made, anonymous=True)

    assert await keyring.owner([]) == ANONYMOUS
    assert await keyring.owner(["nonsense"]) == ANONYMOUS
    assert await keyring.owner(["sk-one"]) != ANONYMOUS


@pytest.mark.parametrize("text", ["", "\n", " \n", "two words\n", "schlüssel\n"])
async def test_an_empty_or_broken_key_file_opens_nothing(made: SqlKeyStore, tmp_path: Path, text: str) -> None:
    """Neither to who shows no key nor to who guesses what is in it."""
    file = tmp_path / "key"
    file.write_text("sk-file\n")
    keyring = Keyring([secret(f"file:{file}", key="k"), FixedSecret("sk-one")], made, anonymous=False)
    file.write_text(text)  # the key was never read before, so there is no older one to go on with

    for shown in ("", text, text.strip()):
        with pytest.raises(WrongKey):
            await keyring.owner([shown])
    assert await keyring.owner(["sk-one"])


async def test_a_key_file_that_is_being_written_anew_goes_on_with_the_old_key(
    made: SqlKeyStore, tmp_path: Path
) -> None:
    """Rotation truncates first."""
    file = tmp_path / "key"
    file.write_text("sk-old\n")
    keyring = Keyring([secret(f"file:{file}", key="k")], made, anonymous=False)
    await keyring.owner(["sk-old"])
    file.write_text("")
    assert await keyring.owner(["sk-old"])

    file.write_text("sk-new\n")

    assert await keyring.owner(["sk-new"])
