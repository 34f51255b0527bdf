"""Requests for pictures in the database: for other processes, and for the time after a restart."""

import asyncio
import secrets
from collections.abc import Sequence

import msgspec
import structlog

from adapter.domain.executions import (
    ExecutionRecord,
    ExecutionStatus,
    PriorExecution,
    StoredAnswer,
    StoredFault,
    StoredImageBatch,
    is_same_content,
)
from adapter.domain.job import Failure
from adapter.domain.media import Image
from adapter.domain.pieces import read_whole, write_paid, write_whole
from adapter.domain.ports import Clock, MediaStore, RequestStore
from adapter.domain.stored_files import StoredImage, file_name
from adapter.errors import AdapterError, AnswerLost, OutcomeUnknown, StillRunning, StorageFailed, key_reused
from adapter.generation.execution import Execution, ImageBatch, replayed
from adapter.generation.files import check_whole
from adapter.generation.liveness import Liveness
from adapter.generation.timeouts import Timeouts

log = structlog.get_logger()

#: Between two looks at the execution of another process, in seconds.
LOOK_SECONDS = 0.5
#: Between two times that old entries are forgotten, and how many batches of them each time.
PRUNE_SECONDS = 600.0
PRUNE_BATCHES = 20
#: `Retry-After` while another process works on the request, in seconds.
COME_BACK_SECONDS = 5.0


class End(msgspec.Struct, frozen=True):
    """How an execution ended."""

    record: ExecutionRecord
    #: None: it is not kept.
    answer: StoredAnswer | None
    #: When a client was given the answer.
    answered_at: float | None
    #: Whether it cost nothing, and is forgotten.
    is_void: bool = False

    async def write(self, store: RequestStore) -> bool:
        """Store it; return whether the execution was still known.

        Raises:
            StorageFailed: the store does not take it at the moment.
        """
        if self.is_void:
            await store.forget(self.record)
            return True
        return await store.finish(self.record, self.answer, answered_at=self.answered_at)


class PriorExecutions:
    """The executions in the database."""

    def __init__(
        self, store: RequestStore, media: MediaStore, clock: Clock, timeouts: Timeouts, liveness: Liveness
    ) -> None:
        self._store = store
        self._media = media
        self._clock = clock
        self._timeouts = timeouts
        self._liveness = liveness
        #: The executions that run for other processes, by id …
        self._running: set[str] = set()
        #: … and those of them that are over, with an end that the database did not take yet.
        self._unwritten: dict[str, End] = {}
        liveness.keep_while(lambda: bool(self._running))
        self._pruned_at = clock.now()
        self._closed = asyncio.Event()

    def close(self) -> None:
        """Stop waiting for other processes and for the media store."""
        self._closed.set()

    async def begin(self, one: Execution) -> PriorExecution | None:
        """Store a new execution, or return the finished earlier one that answers the request.

        Raises:
            InvalidRequest: with the code `idempotency_key_reused`.
            StillRunning: another process works on it and does not finish in time.
            OutcomeUnknown: the process that worked on it died.
        """
        until = self._clock.now() + self._timeouts.elsewhere
        while True:
            now = self._clock.now()
            prior = await self._store.begin(one.record, now=now, holder=self._liveness.process)
            if prior is None:
                self._note_running(one)
                return None
            if not is_same_content(prior.content, one.record.content):
                raise key_reused()
            if prior.status is ExecutionStatus.LOST:
                raise OutcomeUnknown("The server that worked on this request was cut off. It may have been paid for.")
            if prior.status is not ExecutionStatus.RUNNING:
                return prior
            if now >= until or self._closed.is_set():
                raise _still_running()
            await self._clock.sleep(LOOK_SECONDS)

    async def answer(self, prior: PriorExecution) -> ImageBatch:
        """Return the answer of an earlier execution.

        Raises:
            AdapterError: the answer was an error.
            AnswerLost: it is not there any more.
            FileDamaged: the file of a picture is shorter than it was.
        """
        match prior.answer:
            case StoredFault(failure):
                raise replayed(failure)
            case StoredImageBatch(images, linked):
                found = [image.with_file(await self._read(image)) for image in images]
                return ImageBatch(found, tuple(image.name for image in images) if linked else ())
            case None:
                raise AnswerLost("This request was answered before, and its pictures are not kept.")

    async def _read(self, image: StoredImage) -> bytes:
        found = await self._media.find(image.name)
        if found is None:
            raise AnswerLost("The pictures of this request were deleted meanwhile.")
        return await read_whole(self._media, check_whole(found, image.known_size))

    async def keep(self, images: Sequence[Image]) -> tuple[str, ...]:
        """Store pictures that are paid for and return the names under which they can be fetched.

        Raises:
            StorageFailed: as `write_paid`.
        """
        named = [(image, file_name(secrets.token_hex(16), image.format)) for image in images]
        return await self._store_all(named)

    async def keep_now(self, images: Sequence[Image]) -> tuple[str, ...]:
        """Store pictures as `keep`, and try it once.

        Raises:
            StorageFailed: the media store does not take them.
        """
        named = [(image, file_name(secrets.token_hex(16), image.format)) for image in images]
        for image, name in named:
            await write_whole(self._media, name, await asyncio.to_thread(image.decode))
        return tuple(name for _, name in named)

    async def _keep_for_repetitions(self, one: Execution, images: Sequence[Image]) -> tuple[str, ...]:
        """Store pictures for a repetition. No client gets a link to them. Their names have the id of the execution."""
        stem = one.record.execution_id
        named = [(image, file_name(stem, image.format, f"answer{at}")) for at, image in enumerate(images)]
        return await self._store_all(named)

    async def _store_all(self, named: Sequence[tuple[Image, str]]) -> tuple[str, ...]:
        for image, name in named:
            await write_paid(self._media, name, image, self._clock, given_up=self._closed)
        return tuple(name for _, name in named)

    async def remember(self, one: Execution, batch: ImageBatch, *, linked: bool) -> None:
        """Store the result of an execution with its pictures. If that fails, a repetition gets an error."""
        try:
            names = batch.names or await self._keep_for_repetitions(one, batch.images)
        except AdapterError as fault:
            log.warning("pictures.not_kept", code=fault.code)
            await self.hand_over(one)
            return
        pairs = zip(batch.images, names, strict=True)
        answer = StoredImageBatch(tuple(StoredImage.of(*pair) for pair in pairs), linked)
        if not await self._finish(one, answer) and not linked:
            await self._media.delete(names)

    async def fail(self, one: Execution, fault: AdapterError) -> None:
        """Store the error of an execution. An execution that cost nothing is deleted instead."""
        async with one.alone:
            if one.written:
                answer = StoredFault(Failure.of(fault)) if fault.spent else None
                await self._end(End(one.record, answer, self._answered_at(one), is_void=not fault.spent))

    async def hand_over(self, one: Execution) -> None:
        """Note that a request was answered and that the answer is not kept."""
        async with one.alone:
            if one.written:
                await self._end(End(one.record, None, self._answered_at(one)))

    async def note_answer(self, one: Execution) -> None:
        """Write down that the client that came back received its pictures. An equal request after that is a new one."""
        try:
            await self._store.mark_answered(
                one.prior.execution_id if one.prior else one.record.execution_id, now=self._clock.now()
            )
        except StorageFailed as fault:
            # The worst case is that the same pictures are delivered twice.
            log.warning("requests.answer_not_noted", code=fault.code)

    async def _finish(self, one: Execution, answer: StoredImageBatch) -> bool:
        async with one.alone:
            try:
                await self._register(one, self._clock.now())
            except StorageFailed as fault:
                log.warning("requests.not_written", code=fault.code)
                return False
            return await self._end(End(one.record, answer, self._answered_at(one)))

    def _answered_at(self, one: Execution) -> float | None:
        return self._clock.now() if one.answered else None

    async def _end(self, end: End) -> bool:
        """Write an end; return False if the execution is not known any more.

        Until it is written, the execution runs for other processes. So what the database does not take now is written
        in a later round.
        """
        execution_id = end.record.execution_id
        try:
            is_known = await end.write(self._store)
        except StorageFailed as fault:
            log.warning("requests.not_written", code=fault.code)
            self._unwritten[execution_id] = end
            return True
        self._running.discard(execution_id)
        self._unwritten.pop(execution_id, None)
        return is_known

    async def tend(self, under_way: Sequence[Execution]) -> None:
        """Store executions that take long, and ends that are not stored yet; delete old executions.

        Raises:
            StorageFailed: the store takes nothing at the moment.
        """
        now = self._clock.now()
        for end in [*self._unwritten.values()]:
            await self._end(end)
        for one in under_way:
            # What looks back is written down by `begin`, or stands for an execution that is written down already.
            if one.record.began_at <= now - self._timeouts.unwritten and not one.looks_back:
                await self._write_down(one, now)
        if self._pruned_at <= now - PRUNE_SECONDS:
            self._pruned_at = now
            await self._prune(now)

    async def _write_down(self, one: Execution, now: float) -> None:
        async with one.alone:
            if not one.over.is_set():
                await self._register(one, now)

    async def _register(self, one: Execution, now: float) -> None:
        if not one.written:
            await self._store.register(one.record, now=now, holder=self._liveness.process)
            self._note_running(one)

    def _note_running(self, one: Execution) -> None:
        one.written = True
        self._running.add(one.record.execution_id)

    async def _prune(self, now: float) -> None:
        for _ in range(PRUNE_BATCHES):
            old = await self._store.prune(now=now)
            spare = [batch for batch in old if isinstance(batch, StoredImageBatch) and not batch.linked]
            names = [image.name for batch in spare for image in batch.images]
            if names:
                await self._media.delete(names)
            if not old:
                return


def _still_running() -> StillRunning:
    return StillRunning("The same request is still being worked on. Ask again shortly.", retry_after=COME_BACK_SECONDS)
