"""Mistakes with deletions, cancellations, keys, pictures and files."""

from collections.abc import AsyncIterator, Collection, Sequence

import msgspec
from sqlalchemy import delete

from adapter.database.engine import Database, open_database
from adapter.database.tables import EXECUTIONS
from adapter.domain.executions import (
    ConnectedProcess,
    ExecutionRecord,
    ExecutionStatus,
    LivingProcess,
    PriorExecution,
    RequestIdentity,
    RetryInfo,
)
from adapter.domain.job import VideoJob
from adapter.domain.ports import Claim
from adapter.domain.stored_files import StoredFile
from tests.torture.around import AroundMedia, AroundRequests, AroundStore


class LeavesFiles(AroundMedia):
    """Deletes a video and leaves its files."""

    async def delete(self, names: Collection[str]) -> None:
        await self.real.delete([name for name in names if not name.endswith(".mp4")])


class NamesLikeLinks(AroundMedia):
    """Stores an upload under a name like those behind links, which no sweep takes for a leftover."""

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        await self.real.put(_without_part(name), chunks)

    async def find(self, name: str) -> StoredFile | None:
        return await self.real.find(_without_part(name))

    async def delete(self, names: Collection[str]) -> None:
        await self.real.delete([_without_part(name) for name in names])


def _without_part(name: str) -> str:
    return name.replace("_upload.", ".")


class ShowsDeleted(AroundStore):
    """Shows a deleted video to whoever knows its name."""

    async def find(self, job_id: str, owner: str) -> VideoJob | None:
        job = await self.real.get(job_id)
        return job if job is not None and job.owner == owner else None


class IgnoresCancellation(AroundStore):
    """Does not hear of a cancellation."""

    async def claim(self, *, now: float, lease: float, limit: int, held: Collection[str] = ()) -> Sequence[Claim]:
        claims = await self.real.claim(now=now, lease=lease, limit=limit, held=held)
        return [msgspec.structs.replace(claim, unwanted=claim.unwanted and claim.job.is_over) for claim in claims]


class RecallsNothing(AroundStore):
    """Takes every order for a first attempt."""

    async def recall(
        self, identity: RequestIdentity, *, now: float, connected: ConnectedProcess | None = None
    ) -> VideoJob | None:
        return await self.real.recall(_first(identity), now=now, connected=connected)

    async def admit(
        self,
        job: VideoJob,
        *,
        now: float,
        identity: RequestIdentity | None = None,
        connected: ConnectedProcess | None = None,
    ) -> VideoJob:
        return await self.real.admit(job, now=now, identity=identity and _first(identity), connected=connected)


def _first(identity: RequestIdentity) -> RequestIdentity:
    return msgspec.structs.replace(identity, repeat=RetryInfo())


class PrunesLiveKeys(AroundStore):
    """Forgets keys while their jobs live."""

    def __init__(self, inner: object, url: str) -> None:
        super().__init__(inner)
        self._url = url
        self._database: Database | None = None

    async def claim(self, *, now: float, lease: float, limit: int, held: Collection[str] = ()) -> Sequence[Claim]:
        claims = await self.real.claim(now=now, lease=lease, limit=limit, held=held)
        self._database = self._database or await open_database(self._url)
        if claims:
            forgetting = delete(EXECUTIONS).where(EXECUTIONS.c.job_id.in_([claim.job.id for claim in claims]))
            await self._database.write(lambda connection: connection.execute(forgetting))
        return claims


class MakesAgain(AroundRequests):
    """Takes a picture whose process died for one that was never made."""

    async def begin(self, record: ExecutionRecord, *, now: float, holder: LivingProcess) -> PriorExecution | None:
        known = await self.real.begin(record, now=now, holder=holder)
        if known is None or known.status is not ExecutionStatus.LOST:
            return known
        await self.real.register(record, now=now, holder=holder)
        return None


class SkipsEvents(AroundStore):
    """Begins a history where the reader comes, and not where it left."""

    async def find(self, job_id: str, owner: str) -> VideoJob | None:
        job = await self.real.find(job_id, owner)
        return job and msgspec.structs.replace(job, history=job.history[-1:])
