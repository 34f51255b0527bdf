"""What clients ask for in a trial, and what they are told."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

COMPLETED: Final = "completed"
UNKNOWN: Final = "upstream_submit_unknown"
FLOW_MODEL: Final = "veo-3.1-fast"
OMNI_MODEL: Final = "gemini-omni-1.2-flash"


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of job: what is special about it, and how it may end."""

    name: str
    #: Of a video.
    model: str = FLOW_MODEL
    #: What the prompt has to contain.
    word: str = ""
    #: Pictures that the video is made from.
    pictures: int = 0
    #: Whether its clients name it by an `Idempotency-Key`.
    keyed: bool = False
    #: How many clients want it at once.
    clients: int = 1
    #: Where it is asked for: a chat, `POST /v1/videos` with JSON or a form, `POST /v1/images/generations`,
    #: `POST /v1/responses` for a picture in the background or at once, or a chat for a picture; or a file is uploaded.
    #: `edit` sends a film to `POST /v1/videos/edits`.
    route: Literal["chat", "json", "form", "edit", "image", "background", "response", "picture chat", "file"] = "chat"
    #: How its clients learn what becomes of it, beside chats.
    follows: Literal["polls", "events"] = "polls"
    #: What else is done to it: deleted when it is over or as soon as it is known, or called off by the operator.
    then: Literal["", "deleted", "deleted early", "cancelled"] = ""
    #: What happens to it at the sandbox's desks.
    faults: Sequence[Mapping[str, object]] = ()
    #: `completed`, or the codes with which it may fail although nobody disturbed it.
    ends: Sequence[str | None] = (COMPLETED,)
    #: Whether Google itself gives it up after it was paid for.
    given_up: bool = False


def _fault(on: str, do: str, **more: object) -> Mapping[str, object]:
    return {"on": on, "do": do, **more}


def _at_both_doors(*faults: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    """Return faults of files at the door of links and at the door of the media dialect."""
    return [*faults, *({**fault, "on": "flow.media"} for fault in faults)]


TEXT: Final = Kind(name="text")
PICTURE: Final = Kind(name="picture", pictures=1, clients=2)
UNSAFE: Final = Kind(name="unsafe", word="[unsafe]", ends=("moderation_blocked",))
FAILS: Final = Kind(name="fails", word="[fails]", ends=("video_generation_failed",), given_up=True)
EXPIRED: Final = Kind(name="expired", faults=_at_both_doors(_fault("media.get", "error", status=403)))
UPLOAD: Final = Kind(name="upload", pictures=1, faults=[_fault("flow.upload", "error", status=503)])
SLOW: Final = Kind(name="slow", keyed=True, faults=[_fault("flow.submit", "delay", seconds=0.15)])

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
    Kind(name="file torn", faults=_at_both_doors(_fault("media.get", "truncate"), _fault("media.get", "short"))),
    Kind(
        name="file garbage",
        faults=_at_both_doors(_fault("media.get", "garbage"), _fault("media.get", "html", status=200)),
    ),
    Kind(
        name="file refused",
        faults=_at_both_doors(_fault("media.get", "error", status=400), _fault("media.get", "error", status=404)),
    ),
]
#: One of them, and one that was not carried out: the credits prove that, if nothing else was under way.
CHARGED: Final = AMBIGUOUS[0]
FREE: Final = Kind(name="submit free", faults=[_fault("flow.submit", "drop")], ends=(COMPLETED, UNKNOWN))
#: One job of each kind that has steps of its own.
PLAIN: Final = [TEXT, PICTURE, UNSAFE, FAILS, EXPIRED, UPLOAD, SLOW, CHARGED, FREE]
#: Those of them that lead to every edge.
FEW: Final = [PICTURE, FAILS, UPLOAD, SLOW, CHARGED, FREE]
ALL: Final = [*PLAIN, *AMBIGUOUS[1:], *PASSING]

#: How a video that was called off ends.
CANCELLED: Final = "cancelled"
#: What may be said of a picture whose process died.
LOST: Final = {"outcome_unknown", "answer_lost", "server_error", "upstream_timeout", "upstream_unreachable"}
#: Where pictures are asked for.
PICTURE_ROUTES: Final = {"image", "background", "response", "picture chat"}
#: Long enough for a process of the operator to begin on a busy machine.
_LATE: Final = _fault("flow.submit", "delay", seconds=4.0)
#: A picture in the background: the second kind of job.
BACKGROUND: Final = Kind(name="background", route="background", keyed=True)
#: A file that stays.
UPLOADED: Final = Kind(name="file", route="file")
#: Jobs that are ordered, watched, fetched and deleted in all other ways than by chats, pictures and files.
HOUSE: Final = [
    Kind(name="json", route="json"),
    Kind(name="form, keyed", route="form", keyed=True, clients=2, follows="events"),
    Kind(name="form, deleted", route="form", pictures=1, follows="events", then="deleted"),
    Kind(name="json, deleted early", route="json", keyed=True, then="deleted early", ends=(COMPLETED, CANCELLED)),
    Kind(
        name="json, failed, deleted",
        route="json",
        word="[fails]",
        then="deleted",
        ends=("video_generation_failed",),
        given_up=True,
    ),
    Kind(name="json, cancelled", route="json", then="cancelled", faults=[_LATE], ends=(COMPLETED, CANCELLED)),
    Kind(name="image, keyed", route="image", keyed=True),
    Kind(name="image, refused", route="image", keyed=True, word="[blocked]", ends=("moderation_blocked",)),
    BACKGROUND,
    Kind(name="response", route="response"),
    Kind(name="picture in a chat", route="picture chat"),
    UPLOADED,
    Kind(name="file, deleted", route="file", then="deleted"),
    # Whoever has no key is remembered once it takes long.
    Kind(name="image, long", route="image", faults=[_fault("gemini.generate", "delay", seconds=3.5)]),
]
#: Those of them that are over soon.
SHORT: Final = HOUSE[:-1]


def _omni(name: str, *faults: Mapping[str, object], **more: Any) -> Kind:  # noqa: ANN401 - fields of a kind
    return Kind(name=f"omni {name}", model=OMNI_MODEL, faults=faults, **more)


#: Answers to a submission to Omni after which it is unknown for ever whether it was carried out: it has no list.
OMNI_UNKNOWN: Final = [
    _omni("dropped", _fault("omni.submit", "drop", after=True), route="json", ends=(UNKNOWN,)),
    _omni("500", _fault("omni.submit", "error", status=500, after=True), ends=(UNKNOWN,)),
    _omni("torn", _fault("omni.submit", "truncate"), route="json", ends=(UNKNOWN,)),
    _omni("free", _fault("omni.submit", "drop"), ends=(UNKNOWN,)),
]
#: Edits of a film that came with the request: it is stored with the job, and uploaded before anything is sent.
OMNI_EDITS: Final = [
    _omni("edit", route="edit", keyed=True),
    _omni("edit, uploads", _fault("omni.upload", "error", status=503), route="edit", follows="events"),
    _omni("edit, deleted", route="edit", then="deleted"),
    _omni("edit dropped", _fault("omni.submit", "drop", after=True), route="edit", ends=(UNKNOWN,)),
]
#: Videos of Omni: each is asked about by itself, and its file comes with the key.
OMNI: Final = [
    _omni("text"),
    _omni("keyed", route="json", keyed=True, clients=2),
    _omni("picture", route="form", pictures=1, follows="events"),
    _omni("deleted", route="json", keyed=True, then="deleted"),
    _omni("unsafe", word="[unsafe]", ends=("moderation_blocked",)),
    _omni("fails", word="[fails]", ends=("video_generation_failed",), given_up=True),
    _omni("empty", word="[empty]", ends=("no_media_generated",), given_up=True),
    _omni("busy", _fault("omni.submit", "error", status=429)),
    _omni("overloaded", _fault("omni.submit", "error", status=503), route="json"),
    _omni("poll refused", _fault("omni.poll", "error", status=400, times=3)),
    _omni("poll broken", _fault("omni.poll", "html"), _fault("omni.poll", "garbage"), _fault("omni.poll", "drop")),
    _omni("file", _fault("omni.file", "error", status=503), _fault("omni.download", "error", status=403)),
    _omni("file torn", _fault("media.get", "truncate"), _fault("media.get", "html", status=200)),
    *OMNI_UNKNOWN,
    *OMNI_EDITS,
]
EVERYTHING: Final = [*ALL, *HOUSE, *OMNI]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a client did or was told, at that Unix time."""

    at: float
    #: asked; opened (a 200 came that names no job yet); accepted (one came that does); given (the video came, or the
    #: picture); refused (an error came); later (it shall ask again); unknown (the line broke); deleted; missing (its
    #: list does not have it). Afterwards it looks again: gone (404), there (anything else, of a deleted one), again
    #: (the answer to the same request).
    what: Literal[
        "asked",
        "opened",
        "accepted",
        "given",
        "refused",
        "later",
        "unknown",
        "deleted",
        "gone",
        "there",
        "again",
        "missing",
    ]
    #: The job, file or response, as the answer names it.
    job_id: str = ""
    #: The name of the file that was fetched; without the job's name it tells which one it was.
    file: str = ""
    #: SHA-256 of what was given, or the code of the error.
    detail: str | None = None


class Wish(msgspec.Struct):
    """One video or picture that one client wants, and how often it asks until it has an answer."""

    kind: Kind
    #: Nobody else's.
    prompt: str
    told: list[Told] = []
    #: What a stream of events said: number, status and progress.
    events: list[tuple[int, str, int]] = []

    @property
    def job_id(self) -> str:
        """The job that it was promised, if it was told one."""
        return next((told.job_id for told in self.told if told.what == "accepted"), "")

    @property
    def failures(self) -> int:
        """How often it asked in vain so far, as OpenAI's SDKs count."""
        return sum(told.what in {"unknown", "later"} for told in self.told)

    @property
    def is_deleted(self) -> bool:
        """Whether it was told that its video is deleted."""
        return any(told.what == "deleted" for told in self.told)

    @property
    def is_over(self) -> bool:
        """Whether the client has its answer."""
        end = "deleted" if self.kind.then.startswith("deleted") else "given"
        return any(told.what in {end, "refused"} for told in self.told)
