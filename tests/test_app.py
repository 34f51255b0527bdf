"""The composition root: what is set up because a setting says so."""

import asyncio
import os
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar
from structlog.testing import capture_logs

from adapter.app import Application, Outside
from adapter.media.janitor import FIRST_SECONDS
from adapter.settings import Settings, Storage
from tests.fakes import FakeClock
from tests.support import CONFIG, catalogue


def keeping(folder: Path, days: float) -> Settings:
    """Return settings with everything in one folder."""
    storage = Storage(database=f"sqlite:///{folder}/jobs.db", media=f"file://{folder}/media", retention_days=days)
    return msgspec.structs.replace(CONFIG, storage=storage)


def lay(folder: Path, letter: str, *, at: float) -> None:
    """Put a file there that was stored at that time."""
    file = folder / f"{letter * 32}.png"
    file.write_bytes(b"x")
    os.utime(file, (at, at))


@pytest.mark.parametrize(("days", "left"), [(0.5, ["b"]), (2.0, ["a", "b"])])
async def test_files_are_kept_for_as_long_as_the_setting_says(tmp_path: Path, days: float, left: list[str]) -> None:
    """And tidied up soon after the start."""
    clock = FakeClock(at=1_000_000.0)
    folder = tmp_path / "media"
    folder.mkdir()
    lay(folder, "a", at=clock.now() - 86_400)
    lay(folder, "b", at=clock.now() - 3600)
    with capture_logs() as logs:
        async with (
            Application(keeping(tmp_path, days), catalogue(), Outside(clock=clock)).open(Litestar([])),
            asyncio.timeout(10),
        ):
            await clock.advance(0)
            await clock.advance(FIRST_SECONDS)
            while "janitor.round" not in {log["event"] for log in logs}:
                await asyncio.sleep(0)

    assert sorted(file.name[0] for file in folder.iterdir()) == left


async def test_without_the_setting_everything_is_kept(tmp_path: Path) -> None:
    """Nobody waits for the time to tidy up."""
    for days, waits in ((0.0, False), (1.0, True)):
        clock = FakeClock(at=1_000_000.0)
        async with Application(keeping(tmp_path, days), catalogue(), Outside(clock=clock)).open(Litestar([])):
            await clock.advance(0)

            assert (clock.now() + FIRST_SECONDS in clock.alarms) is waits
