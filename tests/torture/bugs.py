"""Mistakes that an engine like ours has been seen to make, to prove that the checker finds them.

Each is a part of the real engine with one thing wrong, which a server of a trial is dressed with.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Final, cast

import msgspec
from sqlalchemy import Connection, update

from adapter.app import Ports
from adapter.database.engine import Database, open_database
from adapter.database.tables import JOBS
from adapter.domain.executions import ConnectedProcess, RequestIdentity, RetryInfo
from adapter.domain.image_job import ImageJob
from adapter.domain.job import Failure, JobState, Operation, VideoJob
from adapter.domain.ports import (
    Claim,
    Finished,
    JobStore,
    MediaStore,
    Memory,
    Refused,
    Report,
    RequestStore,
    VideoProvider,
    Write,
)
from adapter.errors import AdapterError, JobFailed, StorageFailed, UpstreamBroken, UpstreamRejected, UpstreamSilent
from adapter.settings import Settings
from tests.torture.around import Around, AroundFlow, AroundMedia, AroundStore
from tests.torture.bugs_rest import (
    IgnoresCancellation,
    LeavesFiles,
    MakesAgain,
    NamesLikeLinks,
    PrunesLiveKeys,
    RecallsNothing,
    ShowsDeleted,
    SkipsEvents,
)
from tests.torture.edges import kind_of_file


class Resends(AroundFlow):
    """Sends a job again when the answer did not come or could not be read."""

    async def submit(self, job: VideoJob, pictures: Sequence[str]) -> Operation:
        try:
            return await self.real.submit(job, pictures)
        except (UpstreamSilent, UpstreamBroken):
            return await self.real.submit(job, pictures)


class ResendsRefused(AroundFlow):
    """Takes a 5xx for a promise that nothing was executed: the engine then sends again by itself."""

    async def submit(self, job: VideoJob, pictures: Sequence[str]) -> Operation:
        for _ in range(3):
            try:
                return await self.real.submit(job, pictures)
            except UpstreamBroken:
                continue
        raise UpstreamRejected("Google cannot do it at the moment.")


class SendsFirst(AroundStore):
    """Keeps the intent in memory: it is on the disk only together with what came of it."""

    async def save(self, writes: Sequence[Write]) -> Sequence[VideoJob]:
        late = [write.job for write in writes if write.job.state is JobState.SUBMITTING]
        kept = [write for write in writes if write.job.state is not JobState.SUBMITTING]
        return [*late, *(await self.real.save(kept) if kept else ())]


class Unfenced(AroundStore):
    """Writes whoever holds the claim by now."""

    def __init__(self, inner: object, url: str) -> None:
        super().__init__(inner)
        self._url = url
        self._database: Database | None = None

    async def save(self, writes: Sequence[Write]) -> Sequence[VideoJob]:
        self._database = self._database or await open_database(self._url)

        def take(connection: Connection) -> None:
            for write in writes:
                taking = update(JOBS).where(JOBS.c.id == write.job.id).values(claim=write.claim.token)
                connection.execute(taking)

        await self._database.write(take)
        return await self.real.save(writes)


class FailsOnPoll(AroundFlow):
    """Takes a refused status call for the end of the video. It asks about each by itself: no batch hides a refusal."""

    async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
        found: dict[str, Report] = {}
        for operation in operations:
            try:
                found |= await self.real.poll([operation], account=account)
            except AdapterError as fault:
                found[operation.name] = Refused(Failure.of(fault))
        return found


class PollsWithFirst(AroundFlow):
    """Asks with whichever account comes first, and not with the one that submitted."""

    async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
        return await self.real.poll(operations, account="first" if account else "")


class KnowsNoRepeat(AroundStore):
    """Recognises a repeated request by something that each attempt has of its own."""

    async def admit(
        self,
        job: VideoJob,
        *,
        now: float,
        identity: RequestIdentity | None = None,
        connected: ConnectedProcess | None = None,
    ) -> VideoJob:
        own = identity and msgspec.structs.replace(identity, content=secrets.token_hex(16), repeat=RetryInfo())
        return await self.real.admit(job, now=now, identity=own, connected=connected)

    async def recall(
        self, identity: RequestIdentity, *, now: float, connected: ConnectedProcess | None = None
    ) -> VideoJob | None:
        own = msgspec.structs.replace(identity, content=secrets.token_hex(16), repeat=RetryInfo())
        return await self.real.recall(own, now=now, connected=connected)


class LeavesSubmitting(AroundStore):
    """Never looks at a job again whose sender died."""

    async def claim(self, *, now: float, lease: float, limit: int, held: Collection[str] = ()) -> Sequence[Claim]:
        claims = await self.real.claim(now=now, lease=lease, limit=limit, held=held)
        return [claim for claim in claims if claim.job.state is not JobState.SUBMITTING]


class DropsEvents(AroundStore):
    """Leaves a change out of the history."""

    async def save(self, writes: Sequence[Write]) -> Sequence[VideoJob]:
        return await self.real.save([msgspec.structs.replace(write, job=_dropped(write.job)) for write in writes])


def _dropped(job: VideoJob) -> VideoJob:
    history = job.history
    return msgspec.structs.replace(job, history=(*history[:1], *history[2:])) if len(history) > 2 else job


class Hasty(AroundMedia):
    """Says that a file is stored while it is still being written."""

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        data = b"".join([chunk async for chunk in chunks])
        self._later = asyncio.create_task(self._put(name, data))

    async def _put(self, name: str, data: bytes) -> None:
        await asyncio.sleep(5.0)
        await self.real.put(name, _once(data))


class Visible(AroundMedia):
    """Writes a file under its own name while it still comes in."""

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        data = b""
        async for chunk in chunks:
            data += chunk
            await self.real.put(name, _once(data))


class SwallowsFullDisk(AroundMedia):
    """Writes a line into the log when the disk is full, and goes on."""

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        try:
            await self.real.put(name, chunks)
        except StorageFailed:
            return


class Garbles(AroundMedia):
    """Loses the last piece of a file."""

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        data = b"".join([chunk async for chunk in chunks])
        await self.real.put(name, _once(data[:-1]))


class Discards(AroundMedia):
    """Deletes a job's pictures as soon as they were read; a job that has to upload them again has none."""

    async def read(self, name: str, start: int, end: int) -> AsyncIterator[bytes]:
        async for piece in self.real.read(name, start, end):
            yield piece
        if kind_of_file(name) == "picture":
            await self.real.delete([name])


class GivesUpOnLink(AroundFlow):
    """Takes a video whose link has expired for lost."""

    def __init__(self, inner: object) -> None:
        super().__init__(inner)
        self._finished: set[str] = set()

    async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
        reports = await self.real.poll(operations, account=account)
        lost = dict.fromkeys(self._finished & {*reports}, Refused(Failure.of(JobFailed("The link has expired."))))
        self._finished |= {name for name, report in reports.items() if isinstance(report, Finished)}
        return {**reports, **lost}


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


Bug = Callable[[Ports, Settings], Ports]


def _store(made: Callable[[JobStore, Settings], Around]) -> Bug:
    def dressed(ports: Ports, settings: Settings) -> Ports:
        memory = ports.memory
        jobs = cast(JobStore, made(memory.jobs, settings))
        return msgspec.structs.replace(ports, memory=Memory(jobs, memory.feed, memory.media))

    return dressed


def _image_store(made: Callable[[JobStore[ImageJob]], Around]) -> Bug:
    def dressed(ports: Ports, _: Settings) -> Ports:
        return msgspec.structs.replace(ports, image_jobs=cast("JobStore[ImageJob]", made(ports.image_jobs)))

    return dressed


def _requests(made: Callable[[RequestStore], Around]) -> Bug:
    def dressed(ports: Ports, _: Settings) -> Ports:
        return msgspec.structs.replace(ports, requests=cast(RequestStore, made(ports.requests)))

    return dressed


def _media(made: Callable[[MediaStore], Around]) -> Bug:
    def dressed(ports: Ports, _: Settings) -> Ports:
        memory = ports.memory
        media = cast(MediaStore, made(memory.media))
        return msgspec.structs.replace(ports, memory=Memory(memory.jobs, memory.feed, media))

    return dressed


def _flow(made: Callable[[VideoProvider], Around]) -> Bug:
    def dressed(ports: Ports, _: Settings) -> Ports:
        providers = {name: cast(VideoProvider, made(flow)) for name, flow in ports.video_providers.items()}
        return msgspec.structs.replace(ports, video_providers=providers)

    return dressed


BUGS: Final[Mapping[str, Bug]] = {
    "resends on a read time-out": _flow(Resends),
    "resends after a 5xx": _flow(ResendsRefused),
    "resends an interaction": _flow(Resends),
    "fails on a question to Omni that is refused": _flow(FailsOnPoll),
    "sends before the intent is committed": _store(lambda store, _: SendsFirst(store)),
    "writes without a fence": _store(lambda store, told: Unfenced(store, told.storage.database)),
    "fails on a poll that is refused": _flow(FailsOnPoll),
    "polls with another account": _flow(PollsWithFirst),
    "knows no repeated request": _store(lambda store, _: KnowsNoRepeat(store)),
    "leaves a dead sender's job": _store(lambda store, _: LeavesSubmitting(store)),
    "drops an event": _store(lambda store, _: DropsEvents(store)),
    "completes before the file is whole": _media(Hasty),
    "shows a file that still comes in": _media(Visible),
    "swallows a full disk": _media(SwallowsFullDisk),
    "loses the end of a file": _media(Garbles),
    "discards a live job's file": _media(Discards),
    "takes an expired link for the end": _flow(GivesUpOnLink),
    "leaves a deleted video's files": _media(LeavesFiles),
    "shows a deleted video": _store(lambda store, _: ShowsDeleted(store)),
    "does not hear of a cancellation": _store(lambda store, _: IgnoresCancellation(store)),
    "recalls nothing": _store(lambda store, _: RecallsNothing(store)),
    "forgets a live job's key": _store(lambda store, told: PrunesLiveKeys(store, told.storage.database)),
    "makes a lost picture again": _requests(MakesAgain),
    "forgets the intent of a picture": _image_store(SendsFirst),
    "names uploads like pictures behind links": _media(NamesLikeLinks),
    "loses events over a break": _store(lambda store, _: SkipsEvents(store)),
}
