"""The kinds of trials. Each leaves its arena at rest, with the evidence in it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Self

import msgspec

from tests.torture.arena import BOUND_SECONDS, IN_PEACE, TOGETHER, Arena, Victim
from tests.torture.checker import check
from tests.torture.edges import QUIET, Arm, Doing
from tests.torture.evidence import Disturbance, Violation
from tests.torture.files import edges_of
from tests.torture.wishes import BACKGROUND, EVERYTHING, FEW, HOUSE, OMNI, PLAIN, TEXT, UNKNOWN, Kind

#: How long a server may take from its boot to an edge that its jobs lead to; then they are ordered again.
EDGE_SECONDS = 10.0
#: Jobs in flight when somebody is killed at random.
CROWD = 20
#: The longest time after which that happens: most of them are over by then.
RANDOM_SECONDS = 1.2
#: What the other one of two servers gets to finish all jobs.
TAKE_OVER_SECONDS = 8.0
#: What a sleeper gets to do what it was about to do, after it answers again: so many edges if it slept at one, which
#: takes it about eight rounds and longer on a busy machine, and at least that many seconds.
SECOND_WIND = 0.5
WOKEN_EDGES = 8
#: How often jobs are ordered until a server comes to an edge: of two servers the other one may be quicker, some edges
#: are met by whoever waits at the right moment, and a machine may be busy.
ROUNDS = 4
#: What is printed of a violation.
LONGEST = 400
#: Where the process of the operator dies, and no server.
OPERATORS = "jobs.cancel:"
#: An edge that only a process sees which comes after one that died here.
AFTER_DEATH = {
    "jobs.claim.submitting:after": "flow.submit:after",
    "image_jobs.claim.submitting:after": "image_makers.make_images:after",
    **{
        f"{call}:{moment}": "spool.note:after"
        for call in ("jobs.replace", "spool.drop")
        for moment in ("before", "after")
    },
}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a trial came to."""

    #: Enough to run it again.
    name: str
    violations: Sequence[Violation]
    jobs: int
    executions: int
    #: Jobs that ended as `upstream_submit_unknown`.
    unknown: int
    disturbances: int
    #: Stored files at the end, and those of them without an owner, which a sweep deleted.
    files: int
    swept: int
    seconds: float

    @classmethod
    def of_broken(cls, name: str, said: str) -> Self:
        """Return the outcome of a trial that ended by an error of its own, so that nothing is known."""
        return cls(
            name=name,
            violations=[Violation("broken", name, said)],
            jobs=0,
            executions=0,
            unknown=0,
            disturbances=0,
            files=0,
            swept=0,
            seconds=0.0,
        )

    def __str__(self) -> str:
        """Return one line, and one for each violation."""
        line = (
            f"{self.name:44} {self.disturbances:4} disturbances {self.jobs:4} jobs {self.executions:4} executions "
            f"{self.unknown:3} unknown {self.files:4} files {self.swept:3} swept {self.seconds:6.1f} s  "
            f"{len(self.violations) or 'no'} violations"
        )
        return "\n".join([line, *(f"    {str(violation)[:LONGEST]}" for violation in self.violations)])


async def judge(arena: Arena, name: str, began: float, missed: Sequence[str] = ()) -> Outcome:
    """Have the evidence judged; an edge that was never reached proves nothing, which is as bad.

    Evidence of a broken promise is kept in the arena's folder: it may take a thousand trials to see it again.
    """
    evidence = await arena.evidence()
    violations = check(evidence)
    if violations:
        (arena.folder / "evidence.json").write_bytes(msgspec.json.encode(evidence))
    codes = [job.failure.code for job in evidence.last.jobs.values() if job.failure is not None]
    not_reached = [Violation("not reached", edge, "so nothing is known of it") for edge in missed]
    return Outcome(
        name=name,
        violations=[*violations, *not_reached],
        jobs=len(evidence.last.jobs),
        executions=len(evidence.executions),
        unknown=codes.count(UNKNOWN),
        disturbances=len(evidence.disturbances),
        files=len(evidence.last.files),
        swept=evidence.inventory.swept,
        seconds=time.monotonic() - began,
    )


async def enumerate_edges(arena: Arena) -> list[str]:
    """Run a job of each kind once, kill one between intent and answer, and return every edge that was passed."""
    victim = arena.victim()
    for edge in sorted({*AFTER_DEATH.values()}):
        victim.boot(Arm(edge=edge))
        for kind in (TEXT, BACKGROUND):
            await arena.order(kind)
        await victim.death(EDGE_SECONDS)
    victim.boot()
    for kind in [*PLAIN, *HOUSE, *OMNI]:
        await arena.order(kind)
    await arena.rest()
    await victim.kill()
    return sorted(victim.edges() | edges_of(arena.folder, arena.operator.name))


async def kill_at_each(
    arena: Arena, edges: Sequence[str], *, kinds: Sequence[Kind] = FEW, bug: str = "", nth: int = 1
) -> list[str]:
    """Kill a server at one edge after the other, with jobs of several kinds in flight; return the edges not reached.

    Each life begins with what the one before left behind.
    """
    victim = arena.victim(bug=bug)
    missed: list[str] = []
    for edge in edges:
        if edge in AFTER_DEATH and not await _live_until(arena, victim, Arm(edge=AFTER_DEATH[edge]), kinds):
            missed.append(AFTER_DEATH[edge])
        if not await _live_until(arena, victim, Arm(edge=edge, nth=nth), kinds):
            missed.append(edge)
    arena.age_leftovers()
    victim.boot()
    await arena.rest(bound(bug))
    return missed


async def _live_until(arena: Arena, victim: Victim, arm: Arm, kinds: Sequence[Kind]) -> bool:
    """Live one life; say whether it ended at the edge."""
    is_operators = arm.edge.startswith(OPERATORS)
    arena.operator.arm(arm if is_operators else None)
    victim.boot(None if is_operators else arm)
    dying = arena.operator.death if is_operators else victim.death
    reached = await _ordered_until(arena, kinds, lambda: dying(EDGE_SECONDS))
    arena.operator.arm(None)
    await victim.kill()
    await arena.look()
    return reached


async def _ordered_until(arena: Arena, kinds: Sequence[Kind], reached: Callable[[], Awaitable[bool]]) -> bool:
    for _ in range(ROUNDS):
        for kind in kinds:
            await arena.order(kind)
        if await reached():
            return True
    return False


async def raise_at_each(
    arena: Arena, edges: Sequence[str], *, kinds: Sequence[Kind] = FEW, bug: str = "", nth: int = 1
) -> list[str]:
    """Have one call after the other fail as real ones do, with jobs of several kinds under way."""
    victim = arena.victim(bug=bug)
    missed: list[str] = []
    victim.boot()
    able = [edge for edge in edges if edge not in AFTER_DEATH and not edge.startswith((*QUIET, OPERATORS))]
    for number, edge in enumerate(able):
        victim.arm(Arm(edge=edge, do="raise", nth=nth))
        hits = number + 1 - len(missed)
        if not await _ordered_until(arena, kinds, partial(victim.hit, hits, EDGE_SECONDS)):
            missed.append(edge)
        await arena.look()
    victim.arm(None)
    await arena.rest(bound(bug))
    return missed


async def pass_faults(arena: Arena, kinds: Sequence[Kind], *, bug: str = "", times: int = 1) -> None:
    """Let Google's side misbehave in every way, and nobody else."""
    arena.victim(bug=bug).boot()
    for kind in [*kinds] * times:
        await arena.order(kind)
    await arena.rest(bound(bug))


async def kill_at_random(arena: Arena, seed: int, *, bug: str = "") -> None:
    """Kill a server twice at any moment with a crowd of jobs in flight, under Google's worst behaviour."""
    chance = random.Random(seed)
    victim = arena.victim(bug=bug)
    for count in (CROWD, CROWD // 2):
        victim.boot()
        for kind in chance.choices(EVERYTHING, k=count):
            await arena.order(kind)
        await asyncio.sleep(chance.uniform(0.0, RANDOM_SECONDS))
        await victim.kill()
        await arena.look()
    arena.age_leftovers()
    victim.boot()
    await arena.rest(bound(bug))


async def two_at_edge(
    arena: Arena, edge: str, do: Doing, *, kinds: Sequence[Kind] = PLAIN, sleeps: int = 1, bug: str = ""
) -> list[str]:
    """Kill one of two servers at an edge, or have it sleep there past its lease; the other one takes over.

    A sleeper in whose way the other one could not finish its jobs sleeps again, up to so many times.
    """
    first, second = _pair(arena, bug)
    first.boot(Arm(edge=edge, do=do))
    second.boot()
    reached = await _ordered_until(arena, kinds, lambda: first.hit(1, EDGE_SECONDS / ROUNDS))
    if reached and do == "pause":
        while not await _oversleep(arena, first, first.hits()[-1].at, TAKE_OVER_SECONDS) and len(first.hits()) < sleeps:
            first.arm(Arm(edge=edge, do=do))
            hits = len(first.hits()) + 1
            if not await _ordered_until(arena, kinds, partial(first.hit, hits, EDGE_SECONDS / ROUNDS)):
                break
    await arena.look()
    first.arm(None)
    await arena.rest(bound(bug))
    await _come_back(arena, first)
    return [] if reached else [edge]


def _pair(arena: Arena, bug: str, schedule: tuple[float, float] = TOGETHER) -> tuple[Victim, Victim]:
    arena.schedule = schedule
    return arena.victim("first", bug), arena.victim("second", bug)


async def two_in_peace(arena: Arena, *, bug: str = "") -> None:
    """Let two servers share the work, and nothing happen to them."""
    for victim in _pair(arena, bug, IN_PEACE):
        victim.boot()
    for kind in PLAIN:
        await arena.order(kind)
    await arena.rest(bound(bug))


async def two_at_random(arena: Arena, seed: int, *, bug: str = "") -> None:
    """Let both of two servers stand still past their leases at any moment, and kill one; a crowd is in flight."""
    chance = random.Random(seed)
    first, second = _pair(arena, bug)
    first.boot()
    second.boot()
    for kind in chance.choices(EVERYTHING, k=CROWD):
        await arena.order(kind)
    for sleeper in (first, second):
        await asyncio.sleep(chance.uniform(0.0, RANDOM_SECONDS / 2))
        sleeper.stand_still()
        await _oversleep(arena, sleeper, time.time())
        await arena.look()
    dead = chance.choice((first, second))
    await dead.kill()
    for kind in chance.choices(EVERYTHING, k=CROWD // 4):
        await arena.order(kind)
    await arena.rest(bound(bug))
    await _come_back(arena, dead)


async def _come_back(arena: Arena, dead: Victim) -> None:
    """Start the dead one again, an hour later: a start clears away what a death left half done."""
    if not dead.lives:
        arena.age_leftovers()
        dead.boot()
        await dead.ready()


async def _oversleep(arena: Arena, sleeper: Victim, since: float, patience: float = 0.0) -> bool:
    """Let its lease run out, and the other one take over: for a while, or until all is done if it may take so long.

    Return whether all was done.
    """
    await asyncio.sleep(1.25 * TOGETHER[1])
    until = time.monotonic() + patience
    while not (is_done := await arena.is_at_rest()) and time.monotonic() < until:
        await asyncio.sleep(TOGETHER[0])
    passed = sleeper.passed_awake()
    sleeper.go_on()
    await sleeper.ready()
    await asyncio.sleep(SECOND_WIND)
    if sleeper.hits():
        await sleeper.woken(passed + WOKEN_EDGES, EDGE_SECONDS)
    arena.disturbed(Disturbance(since, time.time(), f"{sleeper.name} stood still"))
    return is_done


def bound(bug: str) -> float:
    """Return how long to wait for rest, in seconds. A bug that lets jobs be stuck is believed sooner."""
    return BOUND_SECONDS / 6 if bug else BOUND_SECONDS
