"""What is tried: the rows of the short and of the long form."""

import math
import random
from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import Final, Protocol

from tests.torture.arena import Arena
from tests.torture.edges import Doing
from tests.torture.runs import (
    kill_at_each,
    kill_at_random,
    pass_faults,
    raise_at_each,
    two_at_edge,
    two_at_random,
    two_in_peace,
)
from tests.torture.stage import Trial
from tests.torture.wishes import (
    AMBIGUOUS,
    BACKGROUND,
    EVERYTHING,
    FEW,
    HOUSE,
    OMNI,
    OMNI_UNKNOWN,
    PASSING,
    PLAIN,
    SHORT,
    TEXT,
    UPLOADED,
    Kind,
)

#: The most edges of one chain: each life of a server begins with what those before it left behind.
CHAIN = 8
#: Where money is spent and noted. At each of them one of two servers dies or sleeps.
CRITICAL: Final = (
    "flow.submit:before",
    "flow.submit:after",
    "jobs.save.submitting:before",
    "jobs.save.submitting:after",
    "spool.note:before",
    "spool.note:after",
    "jobs.save.ambiguous:before",
    "jobs.claim.ambiguous:after",
    "jobs.save.submitted:before",
    "jobs.save.submitted:after",
    "jobs.save.ready:before",
    "jobs.save.completed:before",
    "jobs.save.completed:after",
    "jobs.claim.accepted:after",
    "jobs.claim.ready:after",
    "media.put.video:mid",
)

#: Where readers are told what another process wrote: one that is alone passes it only by chance.
NEIGHBOURS: Final = "jobs.get_many:"
#: Edges of all that is done by other ways than chats, pictures included.
AT_HOME: Final = (
    *(f"jobs.{method}:" for method in ("recall", "find", "list", "delete", "forget", "cancel")),
    "jobs.claim.completed:",
    "jobs.claim.failed:",
    "requests.",
    "image_jobs.",
    "image_makers.",
    "media.delete:",
    *(f"media.{method}.{kind}" for method in ("put", "find", "read") for kind in ("upload:", "response:")),
    "media.put.answer",
    "media.find.video:",
    "media.read.video:",
)
#: Where pictures are read for a request that is repeated. Clients repeat those at the end only.
REPEATED: Final = ("media.find.answer", "media.read.answer")

Row = Sequence[tuple[str, Trial]]


class Trap(Protocol):
    """A trial of a server that may have a bug."""

    def __call__(self, arena: Arena, /, *, bug: str = "") -> Awaitable[Sequence[str] | None]: ...


def chains(edges: Sequence[str]) -> list[list[str]]:
    """Return the edges in chains, mixed: those that are reached at once would starve their neighbours."""
    mixed = random.Random(1).sample(sorted(edges), len(edges))
    count = math.ceil(len(mixed) / CHAIN)
    # Of equal length: all run side by side, and the longest one is waited for.
    return [mixed[number::count] for number in range(count)]


def fitting(edges: Sequence[str]) -> list[tuple[list[str], Sequence[Kind]]]:
    """Return the edges in chains, with kinds of jobs that lead to all of those in one."""
    at_home = [edge for edge in edges if edge.startswith(AT_HOME)]
    of_omni = [edge for edge in edges if edge.startswith("omni.")]
    others = [edge for edge in edges if not edge.startswith((*AT_HOME, *REPEATED, NEIGHBOURS, "omni."))]
    return [
        *((chain, HOUSE) for chain in chains(at_home)),
        *((chain, FEW) for chain in chains(others)),
        *((chain, [TEXT, *OMNI]) for chain in chains(of_omni)),
    ]


def kills(edges: Sequence[str]) -> Row:
    """Kill -9 at every edge."""
    return [
        (f"kill {number}", partial(kill_at_each, edges=chain, kinds=kinds))
        for number, (chain, kinds) in enumerate(fitting(edges), start=1)
    ]


def raises(edges: Sequence[str]) -> Row:
    """A failure at every edge."""
    return [
        (f"raise {number}", partial(raise_at_each, edges=chain, kinds=kinds))
        for number, (chain, kinds) in enumerate(fitting(edges), start=1)
    ]


def faults(times: int) -> Row:
    """Every fault of Google's side."""
    return [("faults", partial(pass_faults, kinds=EVERYTHING, times=times))]


def randoms(seeds: Sequence[int]) -> Row:
    """Kill -9 at random times with a crowd in flight."""
    return [(f"random {seed}", partial(kill_at_random, seed=seed)) for seed in seeds]


def pairs(edges: Sequence[str], doings: Sequence[Doing] = ("pause", "kill")) -> Row:
    """Two servers, of which one dies or sleeps at an edge."""
    return [(f"two, {do} at {edge}", partial(two_at_edge, edge=edge, do=do)) for edge in edges for do in doings]


def peace() -> Row:
    """Two servers to whom nothing happens."""
    return [("two in peace", two_in_peace)]


def random_pairs(seeds: Sequence[int]) -> Row:
    """Two servers, of which both sleep at random times and one dies."""
    return [(f"two at random {seed}", partial(two_at_random, seed=seed)) for seed in seeds]


#: Where each mistake shows. The unbroken program passes all of it.
TRAPS: Final[Mapping[str, Trap]] = {
    "resends on a read time-out": partial(pass_faults, kinds=AMBIGUOUS),
    "resends after a 5xx": partial(pass_faults, kinds=AMBIGUOUS),
    "resends an interaction": partial(pass_faults, kinds=[TEXT, *OMNI_UNKNOWN]),
    "fails on a question to Omni that is refused": partial(pass_faults, kinds=[TEXT, *OMNI]),
    "sends before the intent is committed": partial(
        kill_at_each,
        edges=["flow.submit:after", "jobs.save.submitted:before"],
    ),
    # Few jobs, several times: who sleeps in the midst of another write keeps SQLite's one turn, and nobody takes over.
    "writes without a fence": partial(
        two_at_edge, edge="jobs.save.submitting:before", do="pause", kinds=[TEXT, TEXT], sleeps=4
    ),
    "fails on a poll that is refused": partial(pass_faults, kinds=PASSING),
    "polls with another account": partial(pass_faults, kinds=PLAIN),
    "knows no repeated request": partial(kill_at_each, edges=["jobs.save.submitted:after", "flow.poll:after"]),
    "leaves a dead sender's job": partial(kill_at_each, edges=["flow.submit:after"]),
    "drops an event": partial(pass_faults, kinds=PLAIN),
    "completes before the file is whole": partial(kill_at_each, edges=["jobs.save.completed:after"]),
    "shows a file that still comes in": partial(kill_at_each, edges=["media.put.video:mid"]),
    "swallows a full disk": partial(raise_at_each, edges=["media.put.video:mid"]),
    "loses the end of a file": partial(pass_faults, kinds=PLAIN),
    "discards a live job's file": partial(kill_at_each, edges=["flow.upload:after"]),
    "takes an expired link for the end": partial(pass_faults, kinds=PLAIN),
    "leaves a deleted video's files": partial(pass_faults, kinds=SHORT),
    "shows a deleted video": partial(pass_faults, kinds=SHORT),
    "does not hear of a cancellation": partial(pass_faults, kinds=SHORT),
    "recalls nothing": partial(pass_faults, kinds=SHORT),
    "forgets a live job's key": partial(kill_at_each, edges=["jobs.save.submitted:after"], kinds=SHORT),
    "makes a lost picture again": partial(kill_at_each, edges=["requests.finish:before"], kinds=SHORT),
    "forgets the intent of a picture": partial(
        kill_at_each, edges=["image_makers.make_images:after"], kinds=[BACKGROUND]
    ),
    "names uploads like pictures behind links": partial(
        kill_at_each, edges=["media.put.upload:after"], kinds=[TEXT, UPLOADED]
    ),
    # Whether a break hides an event is a matter of moments, so there are three.
    "loses events over a break": partial(
        kill_at_each, edges=["jobs.save.submitted:after", "flow.poll:after", "jobs.save.ready:before"], kinds=SHORT
    ),
}


def broken() -> Row:
    """Each mistake where it shows."""
    return [(bug, partial(trap, bug=bug)) for bug, trap in TRAPS.items()]


def unbroken() -> Row:
    """The very same trials without any mistake, each once."""
    traps = {str(trap): trap for trap in TRAPS.values()}
    return [(f"unbroken {number}", trap) for number, trap in enumerate(traps.values(), start=1)]
