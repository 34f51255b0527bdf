"""The operator, who calls jobs off from a process of their own, which may die of it."""

import asyncio
import time
from typing import TYPE_CHECKING

from adapter.domain.job import JobState
from tests.torture.edges import Arm
from tests.torture.files import hits_of, write_arm
from tests.torture.nursery import Task

if TYPE_CHECKING:
    from tests.torture.arena import Arena

LOOK_SECONDS = 0.03


class Operator:
    """Insists, as the clients do."""

    name = "operator"

    def __init__(self, arena: "Arena") -> None:
        self._arena = arena
        self._tasks: set[asyncio.Task[None]] = set()
        #: How each job stood just after it was called off.
        self.called_off: dict[str, JobState] = {}

    def arm(self, arm: Arm | None) -> None:
        """Change what shall happen to the next process that calls a job off."""
        write_arm(self._arena.folder, self.name, arm)

    async def death(self, seconds: float) -> bool:
        """Wait until such a process died at its edge; say whether it did within that time."""
        before = len(hits_of(self._arena.folder, self.name))
        until = time.monotonic() + seconds
        while len(hits_of(self._arena.folder, self.name)) == before and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)
        return len(hits_of(self._arena.folder, self.name)) > before

    def send(self, prompt: str) -> None:
        """Have the job of a wish called off as soon as there is one."""
        self._tasks.add(asyncio.create_task(self._call_off(prompt)))

    async def _call_off(self, prompt: str) -> None:
        while (job := await self._arena.live_job(prompt)) is None:
            if any(wish.prompt == prompt and wish.is_over for wish in self._arena.clients.wishes):
                return  # it was over before anybody looked
            await asyncio.sleep(LOOK_SECONDS)
        while (state := await self._arena.called_off(job.id)) is None:
            if await self._arena.live_job(prompt) is None:
                return
            child = self._arena.nursery.fork(
                Task(
                    role="operator",
                    log=str(self._arena.folder / "operator.log"),
                    config=self._arena.config_of_any(),
                    name=self.name,
                    job_id=job.id,
                )
            )
            await child.gone.wait()
        self.called_off[job.id] = state

    @property
    def is_done(self) -> bool:
        """Whether all is called off that was to be."""
        return all(task.done() for task in self._tasks)

    async def close(self) -> None:
        """End what is left.

        Raises:
            Exception: a mistake of the operator's own.
        """
        for task in self._tasks:
            task.cancel()
        for each in await asyncio.gather(*self._tasks, return_exceptions=True):
            if each is not None and not isinstance(each, asyncio.CancelledError):
                raise each
