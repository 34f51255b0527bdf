"""When a job is due, and its time limits."""

from typing import TypeAlias

import msgspec

from adapter.domain.job import DEADLINE_CODE, VideoJob
from adapter.errors import JobFailed

#: The longest pause between two looks at a job that cannot be looked at, in seconds.
MAX_PAUSE = 300.0
#: Between two tries to delete the files of a deleted job, in seconds.
DISCARD_PAUSE = 60.0
#: The most tries of a submission that was provably not executed.
MAX_SENDS = 4

#: A job after an event, and the pause until it is due again, in seconds.
Moved: TypeAlias = tuple[VideoJob, float]


class PollSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """The times of jobs, in seconds."""

    #: Jobs are asked about on common ticks of this length, so that one call serves all that are running.
    poll_seconds: float
    #: How long a claim holds without renewal, which comes with every tick; at least two ticks.
    lease_seconds: float
    #: How long after its acceptance a job may still become a video.
    deadline_seconds: float
    #: From an answer that did not come to the first reading of credits, and from there to the second (`flow/settle.py`
    #: says why); None: a submission without an answer is given up at once.
    reconcile_seconds: float | None = 60.0

    def until_next_tick(self, now: float) -> float:
        """Seconds from now to the next tick."""
        return self.poll_seconds - now % self.poll_seconds

    def pause_after(self, misses: int, now: float) -> float:
        """Seconds to wait after so many failed looks in a row: a tick, then doubling up to five minutes."""
        longer = self.poll_seconds * ((1 << min(misses, 10)) - 1)
        return min(self.until_next_tick(now) + longer, MAX_PAUSE)

    def is_late(self, job: VideoJob, now: float) -> bool:
        """Return whether a job has passed its deadline."""
        return now - (job.submitted_at or job.created_at) >= self.deadline_seconds

    def too_late(self, *, made: bool = False) -> JobFailed:
        """Say so to its reader: it was not made, or it was made and could not be fetched."""
        what = "Google made the video, but it could not be fetched" if made else "The video was not finished"
        return JobFailed(f"{what} within {self.deadline_seconds / 60:g} minutes.", code=DEADLINE_CODE)
