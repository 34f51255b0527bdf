"""Files that were given to Google, remembered so that the same one is not sent again."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from functools import partial

from adapter.domain.media import Image
from adapter.domain.ports import Clock
from adapter.tasks import Tasks, all_of

#: Names that are remembered, of all accounts together.
MOST = 4096

#: An account's name and a SHA-256: of a picture's base64, of a video's bytes.
_Key = tuple[str, bytes]
Send = Callable[[Image], Coroutine[None, None, str]]


class PictureUploads:
    """The names of uploads by account and content. Who asks while one is on its way waits for that one."""

    def __init__(self, clock: Clock, kept_seconds: float, *, tasks: str) -> None:
        """Take how long a name is used, and what the tasks are called in the log."""
        self._clock = clock
        self._kept_seconds = kept_seconds
        self._known: OrderedDict[_Key, tuple[float, asyncio.Task[str]]] = OrderedDict()
        self._tasks = Tasks(tasks)

    async def names(self, account: str, images: Sequence[Image], send: Send) -> Sequence[str]:
        """Return Google's names of pictures; those that are not remembered are sent, side by side.

        Raises:
            AdapterError: as `send`; the pictures that arrived stay remembered.
        """
        keys = await asyncio.to_thread(lambda: [(account, hashlib.sha256(image.base64).digest()) for image in images])
        tasks = [self._task(key, partial(send, image)) for key, image in zip(keys, images, strict=True)]
        return await all_of([_result(task) for task in tasks])

    async def name(self, account: str, digest: bytes, send: Callable[[], Coroutine[None, None, str]]) -> str:
        """Return Google's name of a file by the SHA-256 of its bytes; one that is not remembered is sent.

        Raises:
            AdapterError: as `send`.
        """
        return await _result(self._task((account, digest), send))

    async def close(self) -> None:
        """Cut off what is on its way: an upload costs nothing."""
        await self._tasks.cancel()

    def forget(self, names: Sequence[str]) -> None:
        """Drop names that Google no longer knows."""
        for key in [key for key, (_, task) in self._known.items() if _name(task) in names]:
            del self._known[key]

    def _task(self, key: _Key, send: Callable[[], Coroutine[None, None, str]]) -> asyncio.Task[str]:
        now = self._clock.now()
        begun, task = self._known.get(key, (0.0, None))
        if task is None or now - begun > self._kept_seconds:
            task = self._tasks.begin(send())
            self._known[key] = (now, task)
            task.add_done_callback(partial(self._drop_failed, key))
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return task

    def _drop_failed(self, key: _Key, task: asyncio.Task[str]) -> None:
        """Drop an upload that failed: its traceback holds the picture. Its error is read: its waiter may be gone."""
        if _name(task) is None and self._known.get(key, (0.0, None))[1] is task:
            del self._known[key]


async def _result(task: asyncio.Task[str]) -> str:
    """Wait for a task without cancelling it: a client that hangs up must not spoil it for another one.

    Not `shield`: from Python 3.14 on it reports the error of a task whose waiter was cancelled.
    """
    await asyncio.wait([task])
    return task.result()


def _name(task: asyncio.Task[str]) -> str | None:
    if not task.done() or task.cancelled() or task.exception():
        return None
    return task.result()
