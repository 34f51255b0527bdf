"""One owner takes what it can get while another one edits: `python -m tests.bench.shares`, or a table of the bench."""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image as Pillow

from tests.bench.patience import run, within
from tests.bench.programs import LOAD_CORE, Program, free_port, is_healthy, listens, start_adapter
from tests.bench.table import table
from tests.bench.wire import HOST

GREEDY, OTHER = "sk-bench", "sk-other"
CONNECTIONS = 4
PICTURES = 14
#: 36 megapixels, in 27 KB as a GIF.
EDGE = 6000
ANNOUNCED = 134_000_000
EDITS = 5
#: So long the greedy owner is alone.
BEGIN_SECONDS = 1.0
SILENCE_SECONDS = 120.0
#: Less CPU in half a second is quiet.
QUIET_SECONDS, QUIET_CPU = 0.5, 0.1
HEAD = ["the greedy owner", "answers of the other", "p50 ms", "worst ms", "s until quiet", "peak MB"]


def measure_shares(folder: Path) -> str:
    """Return a table, one row for each kind of greed."""
    origin = free_port()
    upstream = Program.start("upstream", ["tests.bench.upstream", origin], origin, core=LOAD_CORE)
    try:
        upstream.wait_until(listens)
        rows = [_measured(folder, origin, name, requests) for name, requests in greed().items()]
    finally:
        upstream.stop()
    return table(f"{EDITS} edits, beside {CONNECTIONS} connections of another owner", [HEAD, *rows])


def _measured(folder: Path, origin: int, name: str, requests: Sequence[bytes]) -> list[str]:
    program = start_adapter(folder, origin)
    try:
        program.wait_until(is_healthy)
        return run(f"shares: {name}", _row(program, name, requests))
    finally:
        program.stop()


async def _row(program: Program, name: str, requests: Sequence[bytes]) -> list[str]:
    greedy = [await _sent(program.port, request) for request in requests]
    await asyncio.sleep(BEGIN_SECONDS)
    answers = [await _edit(program.port, number) for number in range(EDITS)]
    for writer in greedy:
        writer.close()
    left = time.monotonic()
    await _quiet(program)
    seconds = [taken for _, taken in answers]
    return [
        name,
        " ".join(sorted({status for status, _ in answers})),
        f"{statistics.median(seconds) * 1000:.0f}",
        f"{max(seconds) * 1000:.0f}",
        f"{time.monotonic() - left - QUIET_SECONDS:.1f}",
        f"{program.peak_megabytes():.0f}",
    ]


async def _sent(port: int, request: bytes) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection(HOST, port)
    writer.write(request)
    return writer


async def _edit(port: int, number: int) -> tuple[str, float]:
    """Edit a small PNG; return the answer's status, and the seconds until its head was there."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(edit(OTHER, [_picture("PNG", 16)], f"a small fox {number}"))
        async with within(SILENCE_SECONDS, "shares: an answer, or a quiet program"):
            line = await reader.readline()
        return line.split(b" ")[1].decode(), time.monotonic() - began
    finally:
        writer.close()


async def _quiet(program: Program) -> None:
    async with within(SILENCE_SECONDS, "shares: an answer, or a quiet program"):
        used = QUIET_CPU
        while used >= QUIET_CPU:
            before = program.cpu_seconds()
            await asyncio.sleep(QUIET_SECONDS)
            used = program.cpu_seconds() - before


def greed() -> Mapping[str, Sequence[bytes]]:
    """Return what the greedy owner sends, by its name."""
    gifs = [_picture("GIF", EDGE)] * PICTURES
    return {
        "nothing": [],
        "bodies of 134 MB that do not come": [_head(GREEDY, ANNOUNCED) + b"--B"] * CONNECTIONS,
        "edits of 14 GIFs of 36 megapixels": [edit(GREEDY, gifs, f"a small fox {at}") for at in range(CONNECTIONS)],
    }


def edit(key: str, pictures: Sequence[bytes], prompt: str) -> bytes:
    """Return a request."""
    fields = [b'name="model"\r\n\r\ngemini-3-pro-image', b'name="prompt"\r\n\r\n' + prompt.encode()]
    fields += [b'name="image[]"; filename="a"\r\n\r\n' + picture for picture in pictures]
    body = b"".join(b"--B\r\nContent-Disposition: form-data; " + field + b"\r\n" for field in fields) + b"--B--\r\n"
    return _head(key, len(body)) + body


def _head(key: str, length: int) -> bytes:
    return (
        f"POST /v1/images/edits HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {key}\r\n"
        f"content-type: multipart/form-data; boundary=B\r\ncontent-length: {length}\r\n\r\n"
    ).encode()


def _picture(kind: str, edge: int) -> bytes:
    file = BytesIO()
    Pillow.new("P", (edge, edge)).save(file, kind)
    return file.getvalue()


def main() -> Iterator[str]:
    """Yield the table."""
    with tempfile.TemporaryDirectory(prefix="adapter-bench-") as folder:
        yield measure_shares(Path(folder))


if __name__ == "__main__":
    os.sched_setaffinity(0, {LOAD_CORE})
    sys.stdout.writelines(main())
