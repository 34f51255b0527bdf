"""What an account's credits tell of a submission that got no answer. Pure.

Google gives a submission no name of ours and no way to look for it, so the credits are the only witness. They are read
just before the intent is written, and twice after the answer failed to come.

How long is waited, and why: Google may carry a request out after we have stopped listening, and our own kernel goes on
delivering what we handed to it for up to about 100 s after a connection was closed (Linux, `tcp_orphan_retries`). Flow
answers a submission in seconds and our patience with one is 75 s, but a connection may be cut in the first of them. So
the first reading comes `PollSchedule.reconcile_seconds` (60 by default) after the answer failed to come, and the second
as long after the first: the last look is 120 s after a cut, and 195 s after the beginning of a submission that was
silent. A charge that settles later, or a refill of the account by just what was taken, would deceive us; whoever cannot
have that sets `jobs.on_ambiguous = "fail"`.
"""

from collections.abc import Collection
from itertools import pairwise

import msgspec

from adapter.domain.job import Ambiguity, Failure, VideoJob
from adapter.errors import JobFailed

#: Readings that agree before they prove anything.
ENOUGH_READINGS = 2
#: Readings in all: one that fails is taken again.
MAX_READINGS = 4
#: A failed video may be refunded, which hides a charge of the same size. Nobody knows how long Google takes for that.
REFUND_SECONDS = 600.0


def is_settled(job: VideoJob) -> bool:
    """Say whether another reading would tell nothing new: two agree, one differs, or there were enough."""
    if job.ambiguity is None:
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
    if ambiguity is None or neighbours or not ambiguity.sender_saw_end or job.credits is None:
        return False
    known = _known(ambiguity)
    times = [ambiguity.at, *(reading.at for reading in ambiguity.readings if reading.credits is not None)]
    distances = [later - earlier for earlier, later in pairwise(times)]
    same = len(known) >= ENOUGH_READINGS and set(known) == {job.credits}
    return same and min(distances) >= seconds


def unknown_submission(failure: Failure, words: str = "") -> Failure:
    """Say that a video may have been paid for. OpenAI's SDKs must not send it again by themselves."""
    told = words or "Google may or may not have started the video, so it is not sent again by itself."
    again = "Asking again may cost a second time."
    return Failure.of(JobFailed(f"{failure.message} {told} {again}", code="upstream_submit_unknown"))


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
    why = _why_not(job.ambiguity, neighbours)
    return f"Google's account shows no charge, but {why}, so it is not sent again by itself."


def _why_not(ambiguity: Ambiguity, neighbours: Collection[str]) -> str:
    if not ambiguity.sender_saw_end:
        return "whoever sent it may still be at it"
    if neighbours:
        return "other videos of the account were under way"
    return "that was not read often enough"


def free_of_charge(failure: Failure) -> Failure:
    """Say how a submission ended that was tried as often as it may be, and cost nothing."""
    return msgspec.structs.replace(failure, message=f"{failure.message} Google's account shows no charge.")


def _known(ambiguity: Ambiguity) -> list[int]:
    return [reading.credits for reading in ambiguity.readings if reading.credits is not None]
