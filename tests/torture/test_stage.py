"""What a trial depends on, on a busy machine: processes that end early, ports, and other trials."""

import asyncio
import socket
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.journeys.server import free_port
from tests.torture.arena import Arena
from tests.torture.nursery import Child, Nursery, Task
from tests.torture.runs import pass_faults
from tests.torture.stage import Stage, Trial
from tests.torture.wishes import TEXT

PATIENCE = 30.0


async def test_a_child_that_ended_before_it_has_a_handle_is_seen_to_be_gone(nursery: Nursery, tmp_path: Path) -> None:
    """A busy machine may let it end first, and its number must not be free by then."""
    log = tmp_path / "log"
    number = nursery.spawn(Task(role="media check", log=str(log), config=str(tmp_path / "missing.toml")))
    until = asyncio.get_running_loop().time() + PATIENCE
    while not has_ended(number):
        assert asyncio.get_running_loop().time() < until
        await asyncio.sleep(0)

    async with asyncio.timeout(PATIENCE):
        await Child(number).gone.wait()


def has_ended(number: int) -> bool:
    """Say whether a process runs no more."""
    status = Path(f"/proc/{number}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets another process listen on a port that is bound")
def test_a_free_port_is_kept_for_the_server_that_shall_listen_on_it() -> None:
    """An outgoing connection or a server without `SO_REUSEADDR` does not get it."""
    port = free_port()

    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    for _ in range(2):  # a server that starts again
        with socket.create_server(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)):
            pass


async def test_a_trial_that_breaks_ends_no_other_one(nursery: Nursery, tmp_path: Path) -> None:
    """It is told of like a broken promise, with what broke it."""

    async def breaks(_: Arena) -> None:
        raise ZeroDivisionError

    trials: list[tuple[str, Trial]] = [("breaks", breaks), ("goes well", partial(pass_faults, kinds=[TEXT]))]

    told = await Stage(nursery, tmp_path).play_all(trials, lambda _: None)

    assert [[violation.rule for violation in outcome.violations] for outcome in told] == [["broken"], []]
    assert "ZeroDivisionError" in (tmp_path / "breaks" / "broken.log").read_text()
