"""The poller: it asks the store which jobs are due, and moves each one step.

It keeps nothing that the store does not know, so the ordinary query is also the resume after a restart.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, Generic, Protocol

import msgspec
import structlog

from adapter.domain.job_kinds import J
from adapter.domain.ports import Claim, Clock, JobStore, Span, Tracer
from adapter.domain.telemetry import NoTracer
from adapter.errors import StorageFailed
from adapter.jobs.poll_schedule import PollSchedule
from adapter.tasks import Tasks

log = structlog.get_logger()

#: Jobs taken at once; the status call for as many is one request.
CLAIM_LIMIT = 100
#: Jobs under way at once; what is due beyond waits in the store.
MAX_HELD = 500
#: Rounds begin this much after their tick: a timer may fire a moment early, and would then find nothing due.
LATE_SECONDS = 0.01
#: The part of their lease for which claims are not renewed again: every new job and every finished step begins a round.
FRESH_SHARE = 0.2
#: How long a submission that is on its way may still take when the process is told to stop, in seconds: longer than a
#: provider waits for an answer, because what is cut off here may be paid for and is never asked about.
FINISH_SECONDS = 100.0


class Step(msgspec.Struct, Generic[J], frozen=True):
    """What is done next with some claimed jobs."""

    work: Coroutine[Any, Any, None]
    claims: Sequence[Claim[J]]
    #: Whether it sends something that costs money: then it is not cut off when the process is told to stop.
    is_sending: bool = False

    @property
    def name(self) -> str:
        """The name of the function that does it, for traces."""
        return str(getattr(self.work, "__name__", "step"))


class Steps(Protocol[J]):
    """What the engine asks of a kind of job."""

    async def replay(self) -> None:
        """Commit what an earlier process was told and could not commit.

        Raises:
            StorageFailed: the database does not answer.
        """
        ...

    def plan(self, claims: Sequence[Claim[J]]) -> Iterator[Step[J]]:
        """Yield the next step of each claimed job; one step may serve many."""
        ...

    async def count_failure(self, claims: Sequence[Claim[J]]) -> None:
        """Count a step that broke by a mistake of ours, so that it is not repeated at full speed for ever."""
        ...


class Poller(Generic[J]):
    """Claims due jobs of one kind and runs their steps side by side, holding each claim while its step runs."""

    def __init__(
        self,
        store: JobStore[J],
        steps: Steps[J],
        *,
        clock: Clock,
        schedule: PollSchedule,
        tracer: Tracer | None = None,
    ) -> None:
        self._store = store
        self._tracer = tracer or NoTracer()
        self._steps = steps
        self._clock = clock
        self._schedule = schedule
        self._woken = asyncio.Event()
        self._stopping = False
        self._held: dict[str, Claim[J]] = {}
        #: When all claims that were held were renewed.
        self._renewed_at = 0.0
        self._sending = Tasks("poller.sending")
        self._steps_running = Tasks("poller")

    def wake(self) -> None:
        """Look now and not at the next tick: a job was added."""
        self._woken.set()

    async def run(self) -> None:
        """Keep on until `stop`, then wind down.

        First of all, what an earlier process was told and could not commit is committed. One failed round is logged
        and the next one tries again: jobs are paid for.
        """
        replayed = False
        while not self._stopping:
            self._woken.clear()
            try:
                if not replayed:
                    replayed = True  # whatever a mistake of ours makes of it, the jobs go on
                    replayed = await self._replay()
                if replayed:
                    await self.tick()
            except StorageFailed as fault:
                log.warning("poller.round_put_off", code=fault.code)
            except Exception:  # the loop must survive whatever mistake of ours a round meets
                log.exception("poller.round_failed")
            await self._clock.wait(self._woken, self._schedule.until_next_tick(self._clock.now()) + LATE_SECONDS)
        await self._wind_down()

    async def _replay(self) -> bool:
        try:
            await self._steps.replay()
        except StorageFailed as fault:
            log.warning("poller.replay_put_off", code=fault.code)
            return False
        return True

    def stop(self) -> None:
        """Let `run` end: nothing more is claimed."""
        self._stopping = True
        self.wake()

    async def tick(self) -> None:
        """Renew the claims of steps that are still under way, claim what is due, and start its steps."""
        await self._keep_claims()
        if len(self._held) >= MAX_HELD:
            return
        now, lease = self._clock.now(), self._schedule.lease_seconds
        claims = await self._store.claim(now=now, lease=lease, limit=CLAIM_LIMIT, held=list(self._held))
        if self._stopping:  # told so meanwhile
            await self._give_back(claims)
            return
        for step in self._steps.plan(claims):
            self._start(step)
        if len(claims) == CLAIM_LIMIT:
            self.wake()

    async def _keep_claims(self) -> None:
        now, lease = self._clock.now(), self._schedule.lease_seconds
        if 0.0 <= now - self._renewed_at < FRESH_SHARE * lease:
            return
        try:
            await self._store.renew(list(self._held.values()), due_at=now + lease)
            self._renewed_at = now
        except StorageFailed as fault:
            log.warning("poller.claims_not_renewed", jobs=len(self._held), code=fault.code)

    async def settle(self) -> None:
        """Wait until every step that was started is done."""
        await self._sending.finish()
        await self._steps_running.finish()

    async def _wind_down(self) -> None:
        """Let submissions that are on their way be recorded, and drop the rest: it is repeatable.

        Their claims are kept meanwhile, or the process that takes over would give them up. What is dropped is due at
        once, for another process to take up.
        """
        until = self._clock.now() + FINISH_SECONDS
        while not self._sending.is_idle and self._clock.now() < until:
            await self._sending.settle(self._schedule.poll_seconds)
            await self._keep_claims()
        dropped = list(self._held.values())
        await self._sending.cancel()
        await self._steps_running.cancel()
        await self._give_back(dropped)

    async def _give_back(self, claims: Sequence[Claim[J]]) -> None:
        try:
            await self._store.renew(claims, due_at=self._clock.now())
        except StorageFailed as fault:  # they run out by themselves
            log.warning("poller.claims_not_given_back", jobs=len(claims), code=fault.code)

    def _start(self, step: Step[J]) -> None:
        held = {claim.job.id: claim for claim in step.claims}
        self._held |= held
        span = self._begin_span(step)
        with span.active():
            task = (self._sending if step.is_sending else self._steps_running).begin(step.work)
        task.add_done_callback(lambda done: self._finish(done, held))
        task.add_done_callback(lambda done: span.end({}, is_failed=done.cancelled() or done.exception() is not None))

    def _begin_span(self, step: Step[J]) -> Span:
        """Begin a span that belongs to the request of its job; of a poll, one with links to those of all its jobs."""
        jobs = [claim.job for claim in step.claims]
        attributes = {"adapter.jobs": len(jobs)} if len(jobs) > 1 else {"adapter.job.id": jobs[0].id}
        parents = [job.trace for job in jobs if job.trace]
        return self._tracer.begin(f"job {step.name}", "internal", attributes, parents)

    def _finish(self, task: asyncio.Task[None], held: dict[str, Claim[J]]) -> None:
        for job_id, claim in held.items():
            if self._held.get(job_id) is claim:
                del self._held[job_id]
        error = None if task.cancelled() else task.exception()
        if isinstance(error, StorageFailed):  # its jobs are due again when their leases end
            log.warning("poller.step_put_off", job_ids=list(held), code=error.code)
        elif error is not None:
            log.error("poller.step_failed", job_ids=list(held), exc_info=error)
            # A mistake of ours must not be repeated at full speed for ever: it counts as a fruitless look.
            self._steps_running.start(self._steps.count_failure(list(held.values())))
        self.wake()
