"""Bytes of media: uploads from their files, pictures and clips drawn when they are first asked for."""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Final

from adapter.sandbox.memory.ledger import Ledger
from adapter.sandbox.memory.records import Medium
from adapter.sandbox.renderer.clip import ClipOrder, encode_mp4, poster_jpeg
from adapter.sandbox.renderer.drawing import PictureOrder, draw_png
from adapter.sandbox.rules import SandboxRules

#: Drawn files that are kept in memory; older ones are drawn again.
KEPT: Final = 64


class Gallery:
    """Draws in threads, each file once for all who wait for it."""

    def __init__(self, rules: SandboxRules, ledger: Ledger) -> None:
        self._folder = Path(rules.state, "uploads") if rules.state else None
        self._clip_seconds = rules.clip_seconds
        self._ledger = ledger
        self._uploads: dict[str, bytes] = {}
        self._drawn: OrderedDict[Hashable, asyncio.Task[bytes]] = OrderedDict()

    @property
    def kept(self) -> int:
        """How many drawn files are in memory, `KEPT` at most."""
        return len(self._drawn)

    async def keep_upload(self, media_id: str, data: bytes) -> None:
        """Store the file of an upload; on the disk before this returns, if there is a folder."""
        if self._folder is None:
            self._uploads[media_id] = data
        else:
            await asyncio.to_thread(_write, self._folder / media_id, data)

    async def png(self, order: PictureOrder) -> bytes:
        """Return the picture of an order."""
        return await self._once(order, lambda: draw_png(order))

    async def file(self, medium: Medium) -> bytes:
        """Return the file of a medium: the upload, a PNG, or an MP4."""
        if medium.kind == "upload":
            return await self._upload(medium.id)
        if medium.kind == "image":
            return await self.png(await self._picture_order(medium))
        order = await self._clip_order(medium)
        return await self._once(order, lambda: encode_mp4(order))

    async def poster(self, medium: Medium) -> bytes:
        """Return the first frame of a clip as JPEG."""
        order = await self._clip_order(medium)
        return await self._once(("poster", order), lambda: poster_jpeg(order))

    async def _once(self, key: Hashable, draw: Callable[[], bytes]) -> bytes:
        task = self._drawn.get(key)
        if task is None:
            task = self._drawn[key] = asyncio.create_task(asyncio.to_thread(draw))
            while len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
        self._drawn.move_to_end(key)
        try:
            await asyncio.wait([task])  # unlike `await task`: a reader that hangs up does not spoil it for the others
            return task.result()
        except OSError:  # a full disk may be empty next time
            self._drawn.pop(key, None)
            raise

    async def _upload(self, media_id: str) -> bytes:
        if self._folder is None:
            return self._uploads[media_id]
        return await asyncio.to_thread((self._folder / media_id).read_bytes)

    async def _inputs(self, medium: Medium) -> tuple[bytes, ...]:
        return tuple([await self.file(self._ledger.medium_named(name)) for name in medium.inputs])

    async def _picture_order(self, medium: Medium) -> PictureOrder:
        return PictureOrder(
            prompt=medium.prompt,
            seed=medium.seed,
            width=medium.width,
            height=medium.height,
            caption=f"sandbox  {medium.model}  {medium.width}x{medium.height}  seed {medium.seed}",
            inputs=await self._inputs(medium),
        )

    async def _clip_order(self, medium: Medium) -> ClipOrder:
        return ClipOrder(
            prompt=medium.prompt,
            seed=medium.seed,
            width=medium.width,
            height=medium.height,
            seconds=self._clip_seconds,
            caption=f"sandbox  {medium.model}  {medium.width}x{medium.height}  seed {medium.seed}",
            inputs=await self._inputs(medium),
            usage=medium.usage,
        )


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
