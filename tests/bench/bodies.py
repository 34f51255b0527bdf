"""Hostile bodies, and how fast `/health` answers meanwhile: `python -m tests.bench.bodies`, or a table of the bench."""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.bench.load import probe
from tests.bench.patience import run, within
from tests.bench.programs import LOAD_CORE, Program, free_port, is_healthy, start_adapter
from tests.bench.rounds import percentile
from tests.bench.table import table
from tests.bench.wire import HOST

#: Clients that send the same body at the same moment, and how often each does.
CLIENTS = 4
TIMES = 3
#: The longest wait for an answer.
SILENCE_SECONDS = 120.0
#: `/health` is asked for at least so long beside each body.
PROBE_SECONDS = 1.0

CHATS, RESPONSES, EDITS = "/v1/chat/completions", "/v1/responses", "/v1/images/edits"
JSON, FORM = "application/json", "multipart/form-data; boundary=B"
HEAD = ["", "MB", "answer", "s each", "CPU ms each", "/health p50 ms", "p99 ms", "worst ms", "peak MB"]


def measure_bodies(folder: Path) -> str:
    """Return a table, one row for each body."""
    program = start_adapter(folder, free_port())
    try:
        program.wait_until(is_healthy)
        rows = [run(f"bodies: {name}", _row(program, name, *sent)) for name, sent in hostile().items()]
    finally:
        program.stop()
    title = f"Hostile bodies, {CLIENTS} clients {TIMES} times each; a request for `/health` every 20 ms beside them"
    return table(title, [HEAD, *rows])


async def _row(program: Program, name: str, path: str, kind: str, body: bytes) -> list[str]:
    pulse: list[float] = []
    probing = asyncio.create_task(probe(program.port, pulse))
    began, cpu = time.monotonic(), program.cpu_seconds()
    request = head_of(path, kind, len(body)) + body
    async with within(SILENCE_SECONDS, "answers to hostile bodies"):
        answers = await asyncio.gather(*(_ask_often(program.port, request) for _ in range(CLIENTS)))
    cpu = (program.cpu_seconds() - cpu) / (CLIENTS * TIMES)
    await asyncio.sleep(max(0.0, PROBE_SECONDS - (time.monotonic() - began)))
    probing.cancel()
    statuses = {status for each in answers for status, _ in each}
    seconds = [taken for each in answers for _, taken in each]
    return [
        name,
        f"{len(body) / 1e6:.1f}",
        " ".join(sorted(statuses)),
        f"{statistics.mean(seconds):.2f}",
        f"{cpu * 1000:.0f}",
        *(f"{value * 1000:.0f}" for value in (percentile(pulse, 50), percentile(pulse, 99), max(pulse))),
        f"{program.peak_megabytes():.0f}",
    ]


async def _ask_often(port: int, request: bytes) -> list[tuple[str, float]]:
    return [await _ask(port, request) for _ in range(TIMES)]


async def _ask(port: int, request: bytes) -> tuple[str, float]:
    """Send a request on a connection of its own; return the status of its answer, and the seconds that it took."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(request)
        line = await reader.readline()
        return line.split(b" ")[1].decode(), time.monotonic() - began
    finally:
        writer.close()


def head_of(path: str, kind: str, length: int) -> bytes:
    """Return the head of a request."""
    return (
        f"POST {path} HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer sk-bench\r\ncontent-type: {kind}\r\n"
        f"content-length: {length}\r\n\r\n"
    ).encode()


def hostile() -> Mapping[str, tuple[str, str, bytes]]:
    """Return bodies by what is odd about them: the path, the content type, and the bytes. None leads to a picture."""
    chats = {
        "240,000 messages": _of_messages(b'{"role":"a"}', 240_000),
        "33,000 messages": _of_messages(b'{"role":"user","content":"a"}', 33_000),
        "messages of 40,000 parts": _of_messages(
            b'{"role":"a","content":[' + b",".join([b'{"a":1}'] * 99) + b"]}", 400
        ),
        "2,000,000 numbers": _of_messages(b"1", 2_000_000),
        "lists, 900 deep": _of_messages(b"[" * 900 + b"]" * 900, 2000),
        "lists, 1,000,000 deep": _of_messages(b"[" * 1_000_000, 1),
        "100,000 fields": b"{" + b",".join(b'"a%d":1' % at for at in range(99_000)) + b"}",
        "4 MB of commas in a text": _of_messages(b'{"role":"user","content":"' + b"," * 4_000_000 + b'"}', 1),
        "4 MB of escaped quotes": _of_messages(b'{"role":"user","content":"' + b'\\"[' * 1_300_000 + b'"}', 1),
        "4 MB of backslashes": _of_messages(
            b'{"role":"user","content":"' + b"[" * 101 + b"\\\\" * 2_000_000 + b'"}', 1
        ),
        "4 MB of picture brackets": _of_messages(b'{"role":"assistant","content":"' + b"![a](" * 800_000 + b'"}', 1),
        "4 MB of flags": _of_messages(b'{"role":"user","content":"' + b"--a b " * 650_000 + b'"}', 1),
    }
    forms = {
        "60 fields of 2,000 brackets": _form(*(b"a%d" % at + b"[b]" * 2000 for at in range(60))),
        "60 names of one bracket": _form(*(b"a%d" % at + b"[" * 6000 for at in range(60))),
        "60 names of backslashes": _form(*(b'\\"' * 3000 + b"%d" % at for at in range(60))),
        "a field of 20 MB of JSON": _form(b"tools", value=b"[" + b",".join([b"{}"] * 6_000_000) + b"]"),
    }
    responses = _of_messages(b'{"role":"user","content":"a"}', 33_000).replace(b'"messages"', b'"input"')
    return {
        **{name: (CHATS, JSON, body) for name, body in chats.items()},
        "33,000 items of input": (RESPONSES, JSON, responses),
        **{name: (EDITS, FORM, body) for name, body in forms.items()},
    }


def _of_messages(message: bytes, count: int) -> bytes:
    return b'{"model":"gemini-2.5-flash-image","n":0,"messages":[' + b",".join([message] * count) + b"]}"


def _form(*names: bytes, value: bytes = b"a") -> bytes:
    parts = (b'--B\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n' + value + b"\r\n" for name in names)
    return b"".join(parts) + b"--B--\r\n"


def main() -> Iterator[str]:
    """Yield the table."""
    with tempfile.TemporaryDirectory(prefix="adapter-bench-") as folder:
        yield measure_bodies(Path(folder))


if __name__ == "__main__":
    os.sched_setaffinity(0, {LOAD_CORE})
    sys.stdout.writelines(main())
