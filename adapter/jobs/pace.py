"""When a job is looked at."""

import msgspec

#: The longest pause between two looks at a job that cannot be looked at, in seconds.
MAX_PAUSE = 300.0


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how long, in seconds."""

    #: Jobs are asked about on common beats of this length, so that one call serves all that are running.
    poll_seconds: float
    #: How long a claim holds without renewal, which comes with every beat; at least two beats.
    lease_seconds: float
    #: How long after its acceptance a job may still become a video.
    deadline_seconds: float

    def until_next_beat(self, now: float) -> float:
        """Seconds from now to the next beat."""
        return self.poll_seconds - now % self.poll_seconds

    def pause_after(self, misses: int, now: float) -> float:
        """Seconds to wait after so many fruitless looks in a row: a beat, then doubling up to five minutes."""
        longer = self.poll_seconds * ((1 << min(misses, 10)) - 1)
        return min(self.until_next_beat(now) + longer, MAX_PAUSE)
