"""Flow's status call, from memory: all jobs are at it until told that they failed. In the process of the clients."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import msgspec

from tests.bench.wire import HOST, ok, read_request
from tests.support import ROOT

CONFIG = """
models = "{catalogue}"
[access]
keys = ["plain:sk-bench"]
[storage]
database = "sqlite:///{folder}/adapter.db"
media = "file://{folder}/media"
[sandbox]
enabled = false
[providers.flow]
base_url = "{upstream}"
[[providers.flow.accounts]]
name = "main"
token = "plain:token"
project_id = "project"
tier = "PAYGATE_TIER_ONE"
"""
ACTIVE = "MEDIA_GENERATION_STATUS_ACTIVE"
FAILED = "MEDIA_GENERATION_STATUS_FAILED"


def config_of(folder: Path, upstream: str, checkout: Path = ROOT) -> str:
    """Return the configuration of an adapter that keeps all in a folder, and that knows Flow alone."""
    return CONFIG.format(catalogue=checkout / "config" / "models.toml", folder=folder, upstream=upstream)


class _Name(msgspec.Struct):
    name: str


class _Item(msgspec.Struct):
    operation: _Name
    status: str = ACTIVE


class _Batch(msgspec.Struct):
    operations: list[_Item]


_decoder = msgspec.json.Decoder(_Batch)


class Flow:
    """Counts what it is asked, and notes when it answered of which operation."""

    def __init__(self) -> None:
        self.calls = 0
        self.asked = 0
        self.status = ACTIVE
        #: By the name of the operation, in seconds of the performance counter.
        self.answered: dict[str, float] = {}

    @classmethod
    @asynccontextmanager
    async def serve(cls, port: int) -> AsyncIterator[Self]:
        """Listen for as long as the context is open."""
        flow = cls()
        async with await asyncio.start_server(flow._answer, HOST, port):
            yield flow

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await read_request(reader)) is not None:
            batch = _decoder.decode(request)
            self.calls += 1
            self.asked += len(batch.operations)
            for item in batch.operations:
                item.status = self.status
            body = msgspec.json.encode(batch)
            writer.write(ok(len(body)) + body)
            now = time.perf_counter()
            self.answered |= {item.operation.name: now for item in batch.operations}
        writer.close()
