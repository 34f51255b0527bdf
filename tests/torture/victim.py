"""What is tormented: the server as `adapter serve` runs it, with edges and perhaps a bug; `adapter jobs cancel`.

By hand, to see what became of one edge: `python -m tests.torture.victim adapter.toml --edge flow.submit:after`.
"""

import argparse
import asyncio
from functools import partial
from pathlib import Path
from typing import cast

import msgspec

from adapter import serving
from adapter.app import Ports
from adapter.clock import SystemClock
from adapter.domain.ports import JobStore
from adapter.entry import adapter
from adapter.jobs.store import SqlJobStore
from adapter.logs import configure_logs
from adapter.reload_plan import Configuration
from adapter.settings import Settings, load_catalogue, load_settings
from adapter.settings_database import build_database
from tests.torture.bugs import BUGS
from tests.torture.edges import Arm, Edged, Script, laid_open


def serve(config: Path, name: str, bug: str = "") -> None:
    """Serve with that configuration; the script lies beside it under that name."""
    configure_logs()
    settings = load_settings(config, {})
    override = partial(_overridden, settings=settings, script=Script(config.parent, name), bug=bug)
    serving.serve(lambda: Configuration(settings, load_catalogue(config, settings)), override)


def cancel(config: Path, name: str, job_id: str) -> None:
    """Do with the database what `adapter jobs cancel` does."""
    asyncio.run(_call_off(load_settings(config, {}), Script(config.parent, name), job_id))


def check_media(config: Path) -> None:
    """Run `adapter media check`; its report is the last line."""
    adapter.main(["media", "check", "--json", "--config", str(config)], standalone_mode=False)


async def _call_off(settings: Settings, script: Script, job_id: str) -> None:
    database = await build_database(settings)
    try:
        store = cast(JobStore, Edged(SqlJobStore(database), "jobs", script))
        await store.cancel(job_id, now=SystemClock().now())
    finally:
        await database.dispose()


def _overridden(ports: Ports, *, settings: Settings, script: Script, bug: str) -> Ports:
    return laid_open(BUGS[bug](ports, settings) if bug else ports, script)


def main() -> None:
    """Run one from the command line."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("config", type=Path)
    reader.add_argument("--name", default="victim")
    reader.add_argument("--edge", default="")
    reader.add_argument("--nth", type=int, default=1)
    reader.add_argument("--do", choices=["kill", "raise", "pause"], default="kill")
    reader.add_argument("--bug", choices=["", *BUGS], default="")
    told = reader.parse_args()
    if told.edge:
        arm = Arm(edge=told.edge, nth=told.nth, do=told.do)
        (told.config.parent / f"{told.name}.arm").write_bytes(msgspec.json.encode(arm))
    serve(told.config, told.name, told.bug)


if __name__ == "__main__":
    main()
