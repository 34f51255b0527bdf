"""The edges of the engine's steps: before and after every call that it makes through its ports.

`Edged` stands around a real part, names the edge that is being passed, and asks the `Script` what shall happen there.
An edge is called `PORT.METHOD[.DETAIL]:MOMENT`, such as `jobs.save.submitting:after`: the intent is on the disk, and
nothing was sent yet.
"""

import errno
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from enum import Enum, auto
from pathlib import Path
from typing import Final, Literal, cast

import msgspec

from adapter.app import Ports
from adapter.domain.image_job import ImageJob
from adapter.domain.ports import Claim, ImageMaker, JobStore, MediaStore, Memory, RequestStore, VideoProvider, Write
from adapter.errors import StorageFailed, UpstreamBroken, UpstreamSilent, UpstreamUnreachable
from adapter.jobs.spool import Spool

Doing = Literal["kill", "raise", "pause"]


class Shape(Enum):
    """How a method is called."""

    CALL = auto()  # await method(...)
    NOW = auto()  # method(...)
    STREAM = auto()  # async for … in method(...)
    OPEN = auto()  # async with method(...)


#: Of the store of each kind of job.
_JOBS: Final = (
    *("admit", "get", "find", "list", "delete", "cancel", "recent", "claim", "renew", "save", "forget"),
    *("release", "recall", "get_many", "replace", "neighbours", "mark_delivered", "needed"),
    "measured_seconds",
)
_REQUESTS: Final = ("begin", "register", "keep_alive", "finish", "mark_answered", "forget", "prune")
#: Of each provider of videos.
_VIDEOS: Final = {
    "choose_account": Shape.NOW,
    "credits": Shape.CALL,
    "settle": Shape.CALL,
    "upload": Shape.CALL,
    "upload_video": Shape.CALL,
    "submit": Shape.CALL,
    "poll": Shape.CALL,
    "download": Shape.OPEN,
}
PROVIDERS: Final = ("flow", "omni")
#: Every method of every port that a job meets the world by. A method that is not here cannot be called in a trial.
PORTS: Final[Mapping[str, Mapping[str, Shape]]] = {
    "jobs": dict.fromkeys(_JOBS, Shape.CALL),
    "image_jobs": dict.fromkeys(_JOBS, Shape.CALL),
    "image_makers": {"make_images": Shape.CALL},
    "requests": dict.fromkeys(_REQUESTS, Shape.CALL),
    "media": {
        "put": Shape.CALL,
        "find": Shape.CALL,
        "read": Shape.STREAM,
        "list": Shape.STREAM,
        "delete": Shape.CALL,
    },
    **dict.fromkeys(PROVIDERS, _VIDEOS),
    "spool": dict.fromkeys(("note", "forget", "leftovers", "drop", "release", "close"), Shape.CALL),
}
#: Edges that are told of after a pause.
TOLD_AFTER_PAUSE: Final = 20
#: What never raises, by its own contract.
QUIET: Final = (
    "spool.",
    *(f"{provider}.{call}" for provider in PROVIDERS for call in ("choose_account", "credits", "settle")),
)


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """What shall happen at which edge, the how manyeth time that it is passed."""

    edge: str
    do: Doing = "kill"
    nth: int = 1


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """It happened, at that Unix time."""

    edge: str
    do: Doing
    at: float


class Script:
    """What one process shall meet, as files in a folder, because the process may be dead afterwards.

    `NAME.arm` says what (it may be changed at any time), `NAME.hits` what happened, `NAME.edges` what was passed, and
    `NAME.woke` what was passed just after a pause.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._arm_file = folder / f"{name}.arm"
        self._hits = folder / f"{name}.hits"
        self._edges = folder / f"{name}.edges"
        self._seen: set[str] = set()
        self._changed = (0, 0)
        self._arm: Arm | None = None
        self._left = 0
        self._woke = folder / f"{name}.woke"
        self._telling = 0

    def meet(self, edge: str) -> bool:
        """Pass an edge; return True if something shall be raised there. Killed or paused is done here."""
        if edge not in self._seen:
            self._seen.add(edge)
            _append(self._edges, edge.encode())
        if self._telling:
            self._telling -= 1
            _append(self._woke, edge.encode())
        self._look()
        if self._arm is None or self._arm.edge != edge:
            return False
        self._left -= 1
        if self._left != 0:
            return False
        _append(self._hits, msgspec.json.encode(Hit(edge=edge, do=self._arm.do, at=time.time())))
        match self._arm.do:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "pause":
                os.kill(os.getpid(), signal.SIGSTOP)
                self._telling = TOLD_AFTER_PAUSE
        return self._arm.do == "raise"

    def _look(self) -> None:
        try:
            there = self._arm_file.stat()
        except FileNotFoundError:
            return
        changed = (there.st_mtime_ns, there.st_ino)
        if changed != self._changed:
            self._changed = changed
            self._arm = msgspec.json.decode(self._arm_file.read_bytes(), type=Arm)
            self._left = self._arm.nth


def _append(file: Path, line: bytes) -> None:
    with file.open("ab") as there:
        there.write(line + b"\n")


class Edged:
    """A part of the engine with its edges laid open."""

    def __init__(self, inner: object, port: str, script: Script) -> None:
        self._inner = inner
        self._port = port
        self._script = script

    def __getattr__(self, name: str) -> object:
        method = getattr(self._inner, name)
        match PORTS[self._port].get(name):
            case Shape.CALL:
                return self._called(name, method)
            case Shape.NOW:
                return self._now(name, method)
            case Shape.STREAM:
                return self._streamed(name, method)
            case Shape.OPEN:
                return self._opened(name, method)
            case None:
                raise AttributeError(f"The port {self._port} has a method {name} whose edges nobody named.")

    def _called(self, name: str, method: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def called(*args: object, **kwargs: object) -> object:
            edges = self._edges(name, args)
            self._pass(edges, "before")
            given = (args[0], self._halved(edges[0], *args[1:])) if name == "put" else args
            result = await method(*given, **kwargs)
            self._pass(self._edges_of_claims(result) if name == "claim" else edges, "after")
            return result

        return called

    def _now(self, name: str, method: Callable[..., object]) -> Callable[..., object]:
        def called(*args: object, **kwargs: object) -> object:
            edges = self._edges(name, args)
            self._pass(edges, "before")
            result = method(*args, **kwargs)
            self._pass(edges, "after")
            return result

        return called

    def _streamed(
        self, name: str, method: Callable[..., AsyncIterator[object]]
    ) -> Callable[..., AsyncIterator[object]]:
        async def streamed(*args: object, **kwargs: object) -> AsyncIterator[object]:
            edges = self._edges(name, args)
            self._pass(edges, "before")
            async for piece in method(*args, **kwargs):
                yield piece
            self._pass(edges, "after")

        return streamed

    def _opened(
        self, name: str, method: Callable[..., AbstractAsyncContextManager[object]]
    ) -> Callable[..., AbstractAsyncContextManager[object]]:
        @asynccontextmanager
        async def opened(*args: object, **kwargs: object) -> AsyncIterator[object]:
            edges = self._edges(name, args)
            self._pass(edges, "before")
            async with method(*args, **kwargs) as found:
                self._pass(edges, "opened")
                yield found
            self._pass(edges, "after")

        return opened

    async def _halved(self, edge: str, *chunks: object) -> AsyncIterator[bytes]:
        """Yield a file's pieces, each in two, with an edge in the middle of the first one."""
        async for chunk in cast(AsyncIterator[bytes], chunks[0]):
            yield chunk[: len(chunk) // 2]
            self._pass([edge], "mid")
            yield chunk[len(chunk) // 2 :]

    def _pass(self, edges: Iterable[str], moment: str) -> None:
        for edge in edges:
            if self._script.meet(f"{edge}:{moment}"):
                raise self._fault(moment)

    def _fault(self, moment: str) -> Exception:
        """Return what the real part would raise there."""
        if moment == "mid":
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self._port not in {*PROVIDERS, "image_makers"}:
            return StorageFailed("The server cannot reach its memory at the moment. Ask again shortly.")
        if moment == "before":
            return UpstreamUnreachable("Google cannot be reached.")
        return UpstreamBroken("It was cut.") if moment == "opened" else UpstreamSilent("Google did not answer in time.")

    def _edges(self, name: str, args: tuple[object, ...]) -> Sequence[str]:
        plain = f"{self._port}.{name}"
        match plain:
            case "jobs.save" | "image_jobs.save":
                writes = cast(Sequence[Write], args[0])
                return sorted({f"{plain}.{write.job.state}" for write in writes})
            case "jobs.renew" | "image_jobs.renew" if not args[0]:
                return []  # nothing is held: nothing is asked of the database
            case "media.put" | "media.find" | "media.read":
                return [f"{plain}.{kind_of_file(str(args[0]))}"]
            case _:
                return [plain]

    def _edges_of_claims(self, claims: object) -> Sequence[str]:
        return sorted({f"{self._port}.claim.{claim.job.state}" for claim in cast(Sequence[Claim], claims)})


def kind_of_file(name: str) -> str:
    """Say what one of our files is by its name."""
    stem, _, rest = name.partition("_")
    if rest:
        return rest.partition(".")[0] if not rest[0].isdigit() else "picture"
    return "video" if stem.endswith(".mp4") else "poster"


def laid_open(parts: Ports, script: Script) -> Ports:
    """Return the parts with edges around them."""
    memory = parts.memory
    jobs = cast(JobStore, Edged(memory.jobs, "jobs", script))
    media = cast(MediaStore, Edged(memory.media, "media", script))
    providers = {name: cast(VideoProvider, Edged(each, name, script)) for name, each in parts.video_providers.items()}
    requests = cast(RequestStore, Edged(parts.requests, "requests", script))
    return msgspec.structs.replace(
        parts,
        memory=Memory(jobs, memory.feed, media),
        requests=requests,
        video_providers=providers,
        spool=cast(Spool, Edged(parts.spool, "spool", script)),
        image_jobs=cast("JobStore[ImageJob]", Edged(parts.image_jobs, "image_jobs", script)),
        image_makers={
            name: cast(ImageMaker, Edged(each, "image_makers", script)) for name, each in parts.image_makers.items()
        },
    )
