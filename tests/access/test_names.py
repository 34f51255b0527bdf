"""What keys are called in the configuration."""

from pathlib import Path

from adapter.access.keyring import ANONYMOUS, Keyring
from adapter.access.keys import SqlKeyStore
from adapter.access.names import ConfiguredNames
from adapter.credentials import FixedSecret, secret
from adapter.database.engine import Database
from tests.postgres import BOTH_ENGINES

pytestmark = BOTH_ENGINES


async def test_a_key_is_called_by_its_name_or_by_its_reference(database: Database, tmp_path: Path) -> None:
    """What the operator gave it, or what stands in `access.keys`; the others have no name."""
    file = tmp_path / "key"
    file.write_text("sk-file\n")
    fixed = {"env:ONE": FixedSecret("sk-one"), f"file:{file}": secret(f"file:{file}", key="k")}
    made = SqlKeyStore(database)
    keyring = Keyring([*fixed.values(), FixedSecret("sk-two")], made, anonymous=True)
    names = ConfiguredNames(fixed)

    async def called(key: str) -> str | None:
        return await names.name_of(await keyring.owner([key]))

    assert await called("sk-one") == "env:ONE"
    assert await called("sk-file") == f"file:{file}"
    assert await called("sk-two") is None
    assert await called(await made.create("open-webui", now=1.0)) == "open-webui"
    assert await names.name_of(ANONYMOUS) is None

    file.write_text("sk-newer\n")
    assert await called("sk-newer") == f"file:{file}"
    file.write_text("")  # nobody's for the moment: the old key goes on
    assert await called("sk-one") == "env:ONE"
