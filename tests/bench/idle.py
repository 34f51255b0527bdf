"""Connections that had a picture each and are kept: what their server still holds. Linux only."""

import asyncio

from tests.bench.load import SILENCE_SECONDS, Line, ask_for_picture
from tests.bench.patience import run, within
from tests.bench.picture import Picture
from tests.bench.programs import REST_SECONDS, Program, Stage
from tests.bench.rounds import request
from tests.bench.table import table

#: Connections that ask at the same time; all of them would measure a burst.
ASKING = 8
#: How long after the last connection is closed memory is looked at: the server reads that they are gone.
CLOSED_SECONDS = 1.0
HEAD = ["", "MB before", "MB with all idle", "KB for each", "MB after all have closed"]


def measure_idle(stage: Stage, picture: Picture, *, connections: int) -> str:
    """Return a table."""
    rows = [
        run(f"idle connections to {program.name}", _row(program, picture, connections)) for program in stage.programs
    ]
    megabytes = len(picture.png) / 1e6
    return table(f"{connections} idle connections that had one picture of {megabytes:.2f} MB each", [HEAD, *rows])


async def _row(program: Program, picture: Picture, connections: int) -> list[str]:
    before = program.megabytes()
    async with within(connections * SILENCE_SECONDS / ASKING, f"{connections} pictures from {program.name}"):
        lines = [await Line.open(program.port) for _ in range(connections)]
        await _ask_each(lines, len(picture.base64))
    await asyncio.sleep(REST_SECONDS)
    idle = program.megabytes()
    for line in lines:
        line.close()
    await asyncio.sleep(CLOSED_SECONDS)
    each = (idle - before) * 1024 / connections
    return [program.name, f"{before:.0f}", f"{idle:.0f}", f"{each:.0f}", f"{program.megabytes():.0f}"]


async def _ask_each(lines: list[Line], picture: int) -> None:
    places = asyncio.Semaphore(ASKING)

    async def ask(line: Line) -> None:
        async with places:
            await ask_for_picture(line, request("large"), picture)

    async with asyncio.TaskGroup() as identity:
        for line in lines:
            identity.create_task(ask(line))
