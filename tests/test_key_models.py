"""Models of keys that lead to none: what is said of them."""

from pathlib import Path

import msgspec
import pytest
import structlog

from adapter.access.keys import SqlKeyStore
from adapter.app import create_app
from adapter.database.engine import open_database
from adapter.domain.allowance import Allowance
from adapter.key_models import key_risks, unknown_models
from adapter.risks import Risk
from adapter.settings import AccessSettings, KeySettings, Settings, Storage
from tests.support import CONFIG, catalogue


def with_keys(**models: str) -> Settings:
    """Return settings with keys that may use one model each."""
    keys = {name: KeySettings(key=f"plain:{name}", models=(model,)) for name, model in models.items()}
    return msgspec.structs.replace(CONFIG, access=AccessSettings(keys=keys))


def test_names_aliases_and_patterns_that_lead_to_a_model_are_right() -> None:
    """Also those of other vendors, which are patterns themselves, and the variants."""
    right = [
        "*",
        "gemini-3*-image",
        "veo-3.1-fast",
        "nano-banana",
        "sora-2",
        "gpt-image-1",
        "gemini-3-pro-image-square",
    ]

    assert list(unknown_models(catalogue(), right)) == []


def test_a_name_that_leads_to_none_is_told_with_the_nearest() -> None:
    """Nothing is suggested where no name is alike."""
    assert key_risks(with_keys(ada="veo-3.1-fats", ben="veo-3.1-fast", cleo="xyz"), catalogue()) == [
        Risk("access.keys.ada.models", "there is no model 'veo-3.1-fats' here. Did you mean 'veo-3.1-fast'?"),
        Risk("access.keys.cleo.models", "there is no model 'xyz' here."),
    ]


@pytest.mark.filterwarnings("ignore:.*Inferred:litestar.exceptions.LitestarDeprecationWarning")
async def test_the_start_names_the_models_of_stored_keys_that_there_are_not(tmp_path: Path) -> None:
    """Not those of a key that was revoked."""
    address = f"sqlite:///{tmp_path}/keys.db"
    database = await open_database(address)
    try:
        store = SqlKeyStore(database)
        for name in ("ada", "ben"):
            await store.create(name, now=1.0, allowance=Allowance(models=(f"{name}-model",)))
        await store.revoke("ben", now=2.0)
    finally:
        await database.dispose()
    settings: Settings = msgspec.structs.replace(
        CONFIG,
        storage=Storage(database=address, media=f"file://{tmp_path}/media"),
        jobs=msgspec.structs.replace(CONFIG.jobs, spool=""),
    )
    with structlog.testing.capture_logs() as lines:
        async with create_app(settings, catalogue()).lifespan():
            pass

    warned = [(line["key"], line["message"]) for line in lines if line["event"] == "access.unknown_model"]
    assert warned == [("ada", "there is no model 'ada-model' here.")]
