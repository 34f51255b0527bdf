"""Slow and rude clients: `python -m tests.torture.rude_clients`. Linux only.

Four kinds have a thousand connections each. The fifth asks 300 times for a picture of 20 MB and reads none.

A healthy client asks for `/health` every 20 ms, each other time on a new connection. Printed are its latencies from the
first rude connection until all of them are closed, and the time until then. A request that was due while another one
waited counts from the moment at which it was due: else one long silence would be one latency of thousands.
"""

import argparse
import asyncio
import os
import random
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import uvloop

from tests.bench.load import PULSE_SECONDS, IncompleteAnswer, Line
from tests.bench.picture import Picture, gemini_answer
from tests.bench.programs import LOAD_CORE, Program, free_port, is_healthy, listens, start_adapter
from tests.bench.rounds import percentile
from tests.bench.table import table
from tests.bench.wire import HOST, ok, read_request

#: Patience with the server: what is open then counts as never closed.
PATIENCE = 150.0
#: And with its unread pictures, of which some wait for the memory of others.
PICTURES_PATIENCE = 700.0
DRIP_SECONDS = 1.0
GET = f"GET /health HTTP/1.1\r\nhost: {HOST}\r\n"
POST = f"POST /v1/images/generations HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer sk-bench\r\n"
#: A file of the media store that is asked for again and again, and never read.
LARGE = "0123456789abcdef0123456789abcdef.png"
LARGE_BYTES = 20 * 1024 * 1024
FETCH = f"GET /media/{LARGE} HTTP/1.1\r\nhost: {HOST}\r\n\r\n"
#: An order of a picture. The upstream answers with one of 20 MB of noise.
ORDER = '{"model": "gemini-2.5-flash-image", "prompt": "noise"}'
DRAW = f"{POST}content-type: application/json\r\ncontent-length: {len(ORDER)}\r\n\r\n{ORDER}"
NOISE_EDGE = 2640


class Rude(NamedTuple):
    """One kind of client."""

    name: str
    begin: bytes
    #: What it sends once a second.
    drip: bytes = b""
    #: Whether it leaves its answers unread.
    is_deaf: bool = False
    #: How many there are at the most.
    most: int = 1_000_000
    patience: float = PATIENCE


KINDS = [
    Rude("says nothing", b""),
    Rude("drips a header", f"{GET}x-slow: ".encode(), b"a"),
    Rude("drips a body", f"{POST}content-length: 100000\r\n\r\n".encode(), b"a"),
    Rude("never reads", FETCH.encode(), is_deaf=True),
    Rude("takes no picture", DRAW.encode(), is_deaf=True, most=300, patience=PICTURES_PATIENCE),
]


class Found(NamedTuple):
    """How it went."""

    latencies: list[float]
    failures: int
    seconds: float
    left: int
    cpu: float
    megabytes: float


async def attack(program: Program, kind: int, connections: int) -> Found:
    """Let so many clients of one kind come, and wait until the server has closed all of them."""
    latencies: list[float] = []
    failures: list[str] = []
    probing = asyncio.create_task(probe(program.port, latencies, failures))
    await asyncio.sleep(1.0)
    cpu = program.cpu_seconds()
    # Another process: the healthy client would wait for the rude ones, and not for the server.
    command = ["-m", "tests.torture.rude_clients", "--attack", str(kind), "--port", str(program.port)]
    rude = await asyncio.create_subprocess_exec(
        sys.executable, *command, "--connections", str(connections), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await rude.communicate()
    seconds, left = said.split()
    probing.cancel()
    await asyncio.wait([probing])
    for failure, times in Counter(failures).items():
        sys.stderr.write(f"{KINDS[kind].name}: {times} x {failure}\n")
    cpu = program.cpu_seconds() - cpu
    return Found(latencies, len(failures), float(seconds), int(left), cpu, program.peak_megabytes())


async def be_rude(port: int, rude: Rude, connections: int) -> None:
    """Open the connections, and print after how many seconds all are closed, and how many never were."""
    started = time.monotonic()
    clients = [asyncio.create_task(misbehave(port, rude)) for _ in range(connections)]
    _, left = await asyncio.wait(clients, timeout=rude.patience)
    sys.stdout.write(f"{time.monotonic() - started} {len(left)}\n")
    for task in left:
        task.cancel()
    await asyncio.gather(*clients, return_exceptions=True)


async def misbehave(port: int, rude: Rude) -> None:
    """Be one rude client until the server closes the connection."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setblocking(False)
        await again_if_refused(lambda: loop.sock_connect(connection, (HOST, port)))
        with suppress(ConnectionError):
            await loop.sock_sendall(connection, rude.begin)
            if rude.is_deaf:
                await until_reset(connection)
            else:
                await until_closed(connection, rude.drip)


async def again_if_refused(connect: Callable[[], Awaitable[None]]) -> None:
    """Connect, again if the server's queue is full."""
    while True:
        try:
            return await connect()
        except (ConnectionError, TimeoutError):
            await asyncio.sleep(0.1)


async def until_closed(connection: socket.socket, drip: bytes) -> None:
    """Drip until the server closes."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(random.random() * DRIP_SECONDS)
    while True:
        try:
            async with asyncio.timeout(DRIP_SECONDS):
                if not await loop.sock_recv(connection, 65_536):
                    return
        except TimeoutError:
            await loop.sock_sendall(connection, drip)


async def until_reset(connection: socket.socket) -> None:
    """Read nothing until the server gives up. The kernel says so by the state of the connection."""
    while connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == b"\x01":  # TCP_ESTABLISHED
        await asyncio.sleep(0.2)


async def probe(port: int, latencies: list[float], failures: list[str]) -> None:
    """Be the healthy client, on a kept connection and on a new one in turn."""
    kept = await Line.open(port)
    due, is_kept = time.perf_counter(), False
    while True:
        is_kept = not is_kept
        if not kept.is_open:  # an idle connection may be closed for another; every client opens a new one then
            kept = await Line.open(port)
        try:
            await timed(kept if is_kept else None, port)
            latencies.append(time.perf_counter() - due)
        except (OSError, IncompleteAnswer) as error:
            failures.append(str(error).partition("\r\n")[0])
            kept = await Line.open(port)
        due += PULSE_SECONDS
        await asyncio.sleep(max(due - time.perf_counter(), 0))


async def timed(kept: Line | None, port: int) -> None:
    """Ask, on a new connection if none is kept."""
    line = kept or await Line.open(port)
    try:
        await line.ask(f"{GET}\r\n".encode())
    finally:
        if kept is None:
            line.close()


@contextmanager
def adapter(descriptors: int) -> Iterator[Program]:
    """Run the adapter, with so many file descriptors at most."""
    with tempfile.TemporaryDirectory(prefix="adapter-rude-") as name:
        folder = Path(name)
        (folder / "media").mkdir()
        (folder / "media" / LARGE).write_bytes(bytes(LARGE_BYTES))
        origin = free_port()
        command = ["tests.torture.rude_clients", "--upstream", origin]
        upstream = Program.start("upstream", command, origin, core=LOAD_CORE)
        upstream.wait_until(listens)
        program = start_adapter(folder, origin)
        program.allow_descriptors(descriptors)
        program.wait_until(is_healthy)
        try:
            yield program
        finally:
            program.stop()
            upstream.stop()


async def draw(port: int) -> None:
    """Stand for Gemini: answer every order with the same large picture."""
    body = gemini_answer(Picture.draw(NOISE_EDGE, 256))
    head = ok(len(body))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while await read_request(reader) is not None:
                writer.write(head)
                writer.write(body)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, HOST, port, backlog=1024)
    await server.serve_forever()


def measure(connections: int, descriptors: int, only: str) -> str:
    """Return a table."""
    rows = [["", "p50 ms", "p99 ms", "most ms", "failed", "all closed after s", "never closed", "CPU s", "peak MB"]]
    for kind, rude in enumerate(KINDS):
        if only not in rude.name:
            continue
        with adapter(descriptors) as program:
            found = uvloop.run(attack(program, kind, min(connections, rude.most)))
        asked = len(found.latencies) + found.failures
        times = [f"{percentile(found.latencies, share) * 1000:.1f}" for share in (50, 99)]
        closed = [f"{found.seconds:.1f}", f"{found.left}", f"{found.cpu:.1f}", f"{found.megabytes:.0f}"]
        rows.append([rude.name, *times, f"{max(found.latencies) * 1000:.1f}", f"{found.failures} of {asked}", *closed])
    load = os.getloadavg()[0]
    return table(f"{connections} rude clients, {descriptors} file descriptors, load {load:.1f}", rows)


def main() -> None:
    """Print what was measured."""
    reader = argparse.ArgumentParser(prog="python -m tests.torture.rude_clients", description=__doc__)
    reader.add_argument("--connections", type=int, default=1000)
    reader.add_argument("--only", default="", help="kinds whose name contains this")
    reader.add_argument("--attack", type=int, help=argparse.SUPPRESS)
    reader.add_argument("--upstream", type=int, help=argparse.SUPPRESS)
    reader.add_argument("--port", type=int, help=argparse.SUPPRESS)
    reader.add_argument("--descriptors", type=int, nargs="*", default=[20_000, 1024])
    told = reader.parse_args()
    if told.upstream is not None:
        uvloop.run(draw(told.upstream))
        return
    if told.attack is not None:
        os.nice(5)
        uvloop.run(be_rude(told.port, KINDS[told.attack], told.connections))
        return
    for descriptors in told.descriptors:
        sys.stdout.write(measure(told.connections, descriptors, told.only) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
