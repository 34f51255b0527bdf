"""What clients ask for in a trial, and what they are told."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

COMPLETED: Final = "completed"
UNKNOWN: Final = "upstream_submit_unknown"


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of job: what is special about it, and how it may end."""

    name: str
    #: What the prompt has to contain.
    word: str = ""
    #: Pictures that the video is made from.
    pictures: int = 0
    #: How many clients want it at once.
    clients: int = 1
    #: What happens to it at the sandbox's desks.
    faults: Sequence[Mapping[str, object]] = ()
    #: `completed`, or the codes with which it may fail although nobody disturbed it.
    ends: Sequence[str | None] = (COMPLETED,)
    #: Whether Google itself gives it up after it was paid for.
    given_up: bool = False


def _fault(on: str, do: str, **more: object) -> Mapping[str, object]:
    return {"on": on, "do": do, **more}


TEXT: Final = Kind(name="text")
PICTURE: Final = Kind(name="picture", pictures=1, clients=2)
UNSAFE: Final = Kind(name="unsafe", word="[unsafe]", ends=("moderation_blocked",))
FAILS: Final = Kind(name="fails", word="[fails]", ends=("video_generation_failed",), given_up=True)
EXPIRED: Final = Kind(name="expired", faults=[_fault("media.get", "error", status=403)])
UPLOAD: Final = Kind(name="upload", pictures=1, faults=[_fault("flow.upload", "error", status=503)])
SLOW: Final = Kind(name="slow", faults=[_fault("flow.submit", "delay", seconds=0.15)])

#: Answers to a submission after which nobody knows whether it was carried out; it was.
AMBIGUOUS: Final = [
    Kind(name=f"submit {name}", faults=[_fault("flow.submit", do, **more)], ends=(COMPLETED, UNKNOWN))
    for name, do, more in (
        ("dropped", "drop", {"after": True}),
        ("500", "error", {"status": 500, "after": True}),
        ("503", "error", {"status": 503, "after": True}),
        ("html", "html", {"status": 502, "after": True}),
        ("torn", "truncate", {}),
        ("short", "short", {}),
        ("garbage", "garbage", {"after": True}),
    )
]
#: Troubles of polls and downloads, none of which may cost a paid video.
PASSING: Final = [
    Kind(name="poll 400", faults=[_fault("flow.poll", "error", status=400, times=3)]),
    Kind(
        name="poll 403, 404",
        faults=[_fault("flow.poll", "error", status=403), _fault("flow.poll", "error", status=404)],
    ),
    Kind(name="poll html", faults=[_fault("flow.poll", "html"), _fault("flow.poll", "garbage")]),
    Kind(name="poll torn", faults=[_fault("flow.poll", "truncate"), _fault("flow.poll", "drop")]),
    Kind(name="poll without it", faults=[_fault("flow.poll", "omit", times=2)]),
    Kind(name="file torn", faults=[_fault("media.get", "truncate"), _fault("media.get", "short")]),
    Kind(name="file garbage", faults=[_fault("media.get", "garbage"), _fault("media.get", "html", status=200)]),
]
#: One of them, and one that was not carried out: the credits prove that, if nothing else was under way.
CHARGED: Final = AMBIGUOUS[0]
FREE: Final = Kind(name="submit free", faults=[_fault("flow.submit", "drop")], ends=(COMPLETED, UNKNOWN))
#: One job of each kind that has steps of its own.
PLAIN: Final = [TEXT, PICTURE, UNSAFE, FAILS, EXPIRED, UPLOAD, SLOW, CHARGED, FREE]
#: Those of them that lead to every edge.
FEW: Final = [PICTURE, FAILS, UPLOAD, SLOW, CHARGED, FREE]
ALL: Final = [*PLAIN, *AMBIGUOUS[1:], *PASSING]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a client did or was told, at that Unix time."""

    at: float
    #: asked; accepted (a 2xx came); given (the video came); refused (an error came); later (it shall ask again);
    #: unknown (the line broke).
    what: Literal["asked", "accepted", "given", "refused", "later", "unknown"]
    #: The job, as the answer names it.
    job_id: str = ""
    #: SHA-256 of the video that was given, or the code of the error.
    detail: str | None = None


class Wish(msgspec.Struct):
    """One video that one client wants, and how often it asks until it has an answer."""

    kind: Kind
    #: Nobody else's.
    prompt: str
    told: list[Told] = []

    @property
    def is_over(self) -> bool:
        """Whether the client has its answer."""
        return bool(self.told) and self.told[-1].what in {"given", "refused"}
