"""Whole lives of videos over HTTP: a POST, looks until it is made, and the content."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple, Self

import msgspec

from tests.bench.flow import ACTIVE, config_of
from tests.bench.load import IncompleteAnswer
from tests.bench.patience import run
from tests.bench.programs import SERVER_CORE, Program, free_port, is_healthy
from tests.bench.table import table
from tests.bench.wire import HOST, content_length, post
from tests.support import ROOT

#: Seconds that Flow takes for a video, between two polls, and between two looks of a client.
RENDER_SECONDS: Final = 3.0
BEAT_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 1.0
HEAD = ["", "videos", "CPU ms each", "p50 s"]

SUCCESSFUL = "MEDIA_GENERATION_STATUS_SUCCESSFUL"
FILES = "/files/"


def _box(kind: bytes, size: int) -> bytes:
    return (size + 8).to_bytes(4, "big") + kind + bytes(size)


#: A whole MP4 of 3 MB, and what looks like its poster.
VIDEO = _box(b"ftyp", 16) + _box(b"moov", 1000) + _box(b"mdat", 3_000_000)
POSTER = b"\xff\xd8\xff\xe0" + bytes(50_000)


class Cost(NamedTuple):
    """What some videos took."""

    videos: int
    #: Milliseconds of the adapter's computing for each.
    cpu: float
    #: Seconds from the POST to the last byte.
    seconds: Sequence[float]


def measure_videos(folder: Path, clients: Sequence[int], *, rounds: int) -> str:
    """Return a table, with a row for each number of clients; each client has so many videos made."""
    rows = []
    for count in clients:
        own = folder / f"videos{count}"
        own.mkdir()
        cost = run(f"videos of {count} clients", measured(own, count, rounds))
        rows.append(_row(f"{count} clients", cost))
    title = (
        f"A video of {len(VIDEO) / 1e6:.0f} MB, POST to content; Flow takes {RENDER_SECONDS:g} s, polled each second"
    )
    return table(title, [HEAD, *rows])


def _row(name: str, cost: Cost) -> list[str]:
    return [name, str(cost.videos), f"{cost.cpu:.1f}", f"{statistics.median(cost.seconds):.2f}"]


async def measured(folder: Path, clients: int, rounds: int, checkout: Path = ROOT) -> Cost:
    """Return what the videos of some clients cost the program of a checkout."""
    upstream = free_port()
    async with VideoFlow.serve(upstream):
        with maker(folder, f"http://{HOST}:{upstream}", checkout) as program:
            await asyncio.to_thread(program.wait_until, is_healthy)
            return await lives(program, clients, rounds)


async def lives(program: Program, clients: int, rounds: int) -> Cost:
    """Have videos made by clients side by side, one after the other by each; the first of each is not counted."""
    await asyncio.gather(*(_live(program.port, f"first {number}") for number in range(clients)))
    cpu = program.cpu_seconds()
    seconds = await asyncio.gather(*(_lives(program.port, number, rounds) for number in range(clients)))
    cpu, count = program.cpu_seconds() - cpu, clients * rounds
    return Cost(count, cpu / count * 1000, [each for those in seconds for each in those])


async def _lives(port: int, number: int, rounds: int) -> list[float]:
    return [await _live(port, f"client {number}, video {turn}") for turn in range(rounds)]


class _Video(msgspec.Struct):
    id: str
    status: str


_video_decoder = msgspec.json.Decoder(_Video)


async def _live(port: int, prompt: str) -> float:
    """Have one video made and read it; return how long it took."""
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection(HOST, port)

    async def ask(request: bytes) -> bytes:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(content_length(head))
        if not head.startswith(b"HTTP/1.1 200 "):
            raise IncompleteAnswer((head + body)[:1000].decode(errors="replace"))
        return body

    try:
        body = msgspec.json.encode({"model": "veo-3.1-fast", "prompt": prompt})
        video = _video_decoder.decode(await ask(post("/v1/videos", body)))
        while video.status in {"queued", "in_progress"}:
            await asyncio.sleep(LOOK_SECONDS)
            video = _video_decoder.decode(await ask(_get(f"/v1/videos/{video.id}")))
        if await ask(_get(f"/v1/videos/{video.id}/content")) != VIDEO:
            raise IncompleteAnswer(f"the content of a video that is {video.status}")
    finally:
        writer.close()
    return time.perf_counter() - began


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer sk-bench\r\n\r\n".encode()


@contextmanager
def maker(folder: Path, upstream: str, checkout: Path = ROOT) -> Iterator[Program]:
    """Run the adapter of a checkout, which knows Flow alone, at this address."""
    config = folder / "adapter.toml"
    jobs = f'[jobs]\nspool = "{folder}/spool"\npoll_seconds = {BEAT_SECONDS}\n'
    config.write_text(config_of(folder, upstream, checkout) + jobs)
    port = free_port()
    command = ["adapter", "serve", "--config", config, "--port", port]
    log = folder / "adapter.log"
    program = Program.start("adapter", command, port, core=SERVER_CORE, log=log, checkout=checkout)
    try:
        yield program
    finally:
        program.stop()


class _Name(msgspec.Struct):
    name: str


class _Place(msgspec.Struct, rename="camel"):
    fife_url: str
    serving_base_uri: str


class _Metadata(msgspec.Struct):
    video: _Place


class _Item(msgspec.Struct, omit_defaults=True):
    operation: _Name
    status: str = ""
    metadata: _Metadata | None = None


class _Batch(msgspec.Struct):
    operations: list[_Item]


_batch_decoder = msgspec.json.Decoder(_Batch)


class VideoFlow:
    """Flow from memory: it takes each video, makes it in `RENDER_SECONDS`, and hands it out."""

    def __init__(self, address: str) -> None:
        self._place = _Metadata(_Place(f"{address}{FILES}video.mp4", f"{address}{FILES}poster.jpg"))
        #: When each video was taken, in seconds of the performance counter.
        self._taken: list[float] = []

    @classmethod
    @asynccontextmanager
    async def serve(cls, port: int) -> AsyncIterator[Self]:
        """Listen for as long as the context is open."""
        flow = cls(f"http://{HOST}:{port}")
        async with await asyncio.start_server(flow._serve, HOST, port):
            yield flow

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                has_body = head.startswith(b"POST ") and b"content-length" in head.lower()
                body = await reader.readexactly(content_length(head) if has_body else 0)
                kind, data = self._answer(head.split(b" ", 2)[1].decode(), body)
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(data)}\r\n\r\n".encode())
                writer.write(data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, path: str, body: bytes) -> tuple[str, bytes]:
        if path.startswith(FILES):
            return ("video/mp4", VIDEO) if path.endswith(".mp4") else ("image/jpeg", POSTER)
        return "application/json", msgspec.json.encode(self._told(path, body))

    def _told(self, path: str, body: bytes) -> object:
        if path.startswith("/v1/credits"):
            return {"credits": 1_000_000}
        if path.startswith("/v1/video:batchCheck"):
            batch = _batch_decoder.decode(body)
            return _Batch([self._stands(item.operation.name) for item in batch.operations])
        self._taken.append(time.perf_counter())
        return _Batch([_Item(_Name(f"operations/{len(self._taken) - 1}"), ACTIVE)])

    def _stands(self, name: str) -> _Item:
        is_made = time.perf_counter() - self._taken[int(name.rpartition("/")[2])] >= RENDER_SECONDS
        return _Item(_Name(name), SUCCESSFUL, self._place) if is_made else _Item(_Name(name), ACTIVE)
