"""Flow's proof of what became of a submission that got no answer: the account's credits. Pure, but for its question.

Google gives a submission no name of ours and no way to look for it. So the credits are the only evidence. They are read
just before the intent is written, and twice after the answer failed to come.

Why so long: Google may execute a request after we stopped listening. Our own kernel goes on sending what it was given
for up to about 100 s after a connection was closed (Linux, `tcp_orphan_retries`). Flow answers a submission in seconds,
and our time limit for one is 75 s (`submit_seconds`), but a connection may be cut in the first of them. So the first
reading comes `PollSchedule.reconcile_seconds` (60 by default) after the answer failed to come, and the second as long
after that. The last look is 120 s after a cut, and 195 s after the beginning of a submission that was silent.

What this cannot see: a charge that is booked later than that, or an account that is refilled by just the price. An
operator who cannot accept that sets `jobs.on_ambiguous = "fail"`.
"""

from collections.abc import Collection
from itertools import pairwise

from adapter.domain.job import Ambiguity, BalanceReading, CreditsRead, VideoJob, advance
from adapter.domain.orders import VideoInput
from adapter.domain.ports import AskAgain, Neighbours, NotExecuted, Settlement, Unproven

#: Readings that agree before they prove anything.
ENOUGH_READINGS = 2
#: Readings in all: one that fails is taken again.
MAX_READINGS = 4
#: A failed video may be refunded, which hides a charge of the same size. How long Google takes for that is unknown.
REFUND_SECONDS = 600.0
#: What costs nothing, unless a price says otherwise.
MAYBE_FREE = frozenset({VideoInput.UPSCALE, VideoInput.EXTEND})


async def settle(job: VideoJob, reading: BalanceReading, neighbours: Neighbours, seconds: float) -> Settlement:
    """Return what a reading of the account's credits proves, together with the earlier ones.

    `neighbours` asks for the other jobs of the account; `seconds` is the distance between two readings.
    """
    read = advance(job, CreditsRead(reading))
    if not is_settled(read):
        return AskAgain(reading, seconds)
    others = await neighbours(refund_seconds=REFUND_SECONDS)
    if is_proven_free(read, others, seconds):
        return NotExecuted(reading, "Google's account shows no charge.")
    return Unproven(reading, what_is_known(read, others))


def is_settled(job: VideoJob) -> bool:
    """Say whether another reading would tell nothing new: two agree, one differs, there were enough, or none before."""
    if job.ambiguity is None or job.credits is None:
        return True
    known = _known(job.ambiguity)
    differs = any(left != job.credits for left in known)
    return differs or len(known) >= ENOUGH_READINGS or len(job.ambiguity.readings) >= MAX_READINGS


def is_proven_free(job: VideoJob, neighbours: Collection[str], seconds: float) -> bool:
    """Say whether the submission was provably not charged, and therefore may be sent again.

    All of it has to hold: the credits are the same at both readings, which kept their distance; the sender saw the
    submission end itself, so that nothing of it is still to come; and no other job of the account was near.
    """
    ambiguity = job.ambiguity
    if ambiguity is None or neighbours or not ambiguity.sender_saw_end or job.credits is None or may_be_free(job):
        return False
    known = _known(ambiguity)
    times = [ambiguity.at, *(reading.at for reading in ambiguity.readings if reading.credits is not None)]
    distances = [later - earlier for earlier, later in pairwise(times)]
    same = len(known) >= ENOUGH_READINGS and set(known) == {job.credits}
    return same and min(distances) >= seconds


def what_is_known(job: VideoJob, neighbours: Collection[str]) -> str:
    """Say what the readings tell of a submission that is not proven free."""
    known = _known(job.ambiguity) if job.ambiguity else []
    if job.ambiguity is None or job.credits is None or not known:
        return "What it cost cannot be found out, so it is not sent again by itself."
    taken = job.credits - known[-1]
    if taken > 0 and neighbours:
        return f"{taken} credits were taken from the account since, for this video or for another one."
    if taken > 0:
        return f"{taken} credits were taken from the account: it was paid for."
    if taken < 0:
        return "Google's account shows no charge, but it was credited meanwhile, so it is not sent again by itself."
    why = _why_not(job.ambiguity, neighbours, is_free=may_be_free(job))
    return f"Google's account shows no charge, but {why}, so it is not sent again by itself."


def may_be_free(job: VideoJob) -> bool:
    """Say whether unchanged credits prove nothing: some upscales cost none, and no source prices an extension."""
    return job.order.input in MAYBE_FREE and (job.cost is None or not job.cost.amount)


def _why_not(ambiguity: Ambiguity, neighbours: Collection[str], *, is_free: bool) -> str:
    if not ambiguity.sender_saw_end:
        return "its sender may still be sending it"
    if neighbours:
        return "other videos of the account were under way"
    if is_free:
        return "such a video may be free"
    return "that was not read often enough"


def _known(ambiguity: Ambiguity) -> list[int]:
    return [reading.credits for reading in ambiguity.readings if reading.credits is not None]
