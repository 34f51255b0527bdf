"""Jobs about which Google refuses to tell."""

from collections import OrderedDict
from typing import Final

import msgspec

#: Jobs that are remembered. More than are under way at once.
MOST: Final = 10_000


class RefusalCount(msgspec.Struct, frozen=True):
    """How often in a row a job was refused for one reason, and since when, in Unix seconds."""

    reason: str
    times: int
    since: float


class Refusals:
    """Counts refused questions. One says little; the same one again and again is how some jobs end.

    Google was seen to answer 400 to every question about a job that it had accepted (`omni.md` section 3).
    """

    def __init__(self, times: int, seconds: float) -> None:
        """Take how many refusals in a row, over how many seconds, are an end."""
        self._times = times
        self._seconds = seconds
        self._known: OrderedDict[str, RefusalCount] = OrderedDict()

    def note(self, name: str, reason: str, now: float) -> bool:
        """Count a refusal and return whether it is the end of the job."""
        known = self._known.get(name)
        if known is None or known.reason != reason:
            known = RefusalCount(reason, 0, now)
        counted = msgspec.structs.replace(known, times=known.times + 1)
        self._known[name] = counted
        self._known.move_to_end(name)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return counted.times >= self._times and now - counted.since >= self._seconds

    def forget(self, name: str) -> None:
        """Begin anew: the job was told about."""
        self._known.pop(name, None)
