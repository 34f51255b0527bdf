"""Where trials are put on, a few at a time: most of their time they wait."""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from adapter.database.engine import open_database
from tests.torture.arena import Arena
from tests.torture.nursery import Nursery
from tests.torture.runs import Outcome, judge

#: Runs a trial in an arena and returns the edges that it was to reach and did not.
Trial = Callable[[Arena], Awaitable[Sequence[str] | None]]
AT_ONCE = 4


class Stage:
    """For one event loop; each trial has a folder and a database of its own."""

    def __init__(self, nursery: Nursery, folder: Path, new_url: Callable[[], str] | None = None) -> None:
        self._nursery = nursery
        self._folder = folder
        self._new_url = new_url
        self._places = asyncio.Semaphore(AT_ONCE)
        #: Alembic migrates one database at a time: its context is global.
        self._migrating = asyncio.Lock()

    async def play(self, name: str, trial: Trial) -> Outcome:
        """Put a trial on and have it judged."""
        async with self._places:
            began = time.monotonic()
            folder = self._folder_of(name)
            folder.mkdir(parents=True)
            url = self._new_url() if self._new_url else f"sqlite:///{folder}/jobs.db"
            async with self._migrating:
                database = await open_database(url)
            try:
                async with Arena.open(self._nursery, folder, url, database) as arena:
                    missed = await trial(arena)
                    return await judge(arena, name, began, missed or ())
            finally:
                await database.dispose()

    async def play_all(self, trials: Iterable[tuple[str, Trial]], tell: Callable[[Outcome], None]) -> list[Outcome]:
        """Put many trials on, and tell of each as soon as it is over. One that breaks ends no other one."""

        async def play(name: str, trial: Trial) -> Outcome:
            [outcome] = await asyncio.gather(self.play(name, trial), return_exceptions=True)
            if isinstance(outcome, Exception):
                outcome = self._broken(name, outcome)
            if isinstance(outcome, BaseException):
                raise outcome
            tell(outcome)
            return outcome

        return await asyncio.gather(*(play(name, trial) for name, trial in trials))

    def _broken(self, name: str, error: Exception) -> Outcome:
        """Return what a trial came to that could not be judged. Its folder keeps the whole story."""
        story = self._folder_of(name) / "broken.log"
        story.write_text("".join(traceback.format_exception(error)))
        return Outcome.of_broken(name, f"{error!r}; see {story}")

    def _folder_of(self, name: str) -> Path:
        return self._folder / name.replace(" ", "-").replace("/", "-").replace(":", "-")

    async def edges(self, enumerate_edges: Callable[[Arena], Awaitable[list[str]]]) -> list[str]:
        """Return the edges that are found in an arena."""
        found: list[str] = []

        async def trial(arena: Arena) -> None:
            found.extend(await enumerate_edges(arena))

        await self.play("enumeration", trial)
        return found
