"""Requests that come again: what makes two of them one, and what is remembered of the first."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum

import msgspec
import pybase64

from adapter.domain.job import Failure
from adapter.domain.media import Image, MediaFormat, Pixels
from adapter.domain.orders import Filed, Kept, Link, Source, Upload
from adapter.domain.usage import Usage

#: How long a request without a key is remembered for its retries, in seconds; one with a key (`reliability.md` 2.5).
RETRY_SECONDS = 900.0
KEY_SECONDS = 86_400.0


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says about being one of several attempts."""

    #: SHA-256 of the `Idempotency-Key`, in hex; the key itself is kept nowhere.
    key: str | None = None
    #: Which retry of its client it is; 0 is the first attempt, or one of a client that does not count.
    count: int = 0


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for what, where, and for which time."""

    owner: str
    #: The same for every prefix under which a route answers.
    route: str
    #: As of `content`.
    content: str
    repeat: Repeat = Repeat()

    @property
    def scope(self) -> str:
        """The name under which its repetitions find it: that of its key if it has one, else that of its content."""
        return self.by_content if self.repeat.key is None else self._named("key", self.repeat.key)

    @property
    def by_content(self) -> str:
        """The name that its content alone gives it."""
        return self._named("content", self.content)

    @property
    def has_key(self) -> bool:
        """Whether its client named it."""
        return self.repeat.key is not None

    @property
    def is_repetition(self) -> bool:
        """Whether it may stand for an earlier request that is over."""
        return self.has_key or self.repeat.count > 0

    @property
    def keep_seconds(self) -> float:
        """How long it is remembered."""
        return KEY_SECONDS if self.has_key else RETRY_SECONDS

    def _named(self, kind: str, name: str) -> str:
        return hashlib.sha256(msgspec.json.encode((self.owner, self.route, kind, name))).hexdigest()


def content(order: msgspec.Struct, sources: Iterable[Source], *more: object) -> str:
    """Name what a request means: the same for every attempt, whatever its bytes looked like on the wire.

    The order comes without its sources, which count by their bytes, their address or their name. `more` is what the
    answer's form depends on.
    """
    same = (order, [_digest(source) for source in sources], more)
    return hashlib.sha256(msgspec.json.encode(same)).hexdigest()


def _digest(source: Source) -> tuple[str, str]:
    match source:
        case Upload(data):
            return "upload", hashlib.sha256(data).hexdigest()
        case Link(url):
            return "link", url
        case Kept(name):
            return "kept", name
        case Filed(file_id):
            return "filed", file_id


class Standing(StrEnum):
    """How a remembered request stands."""

    RUNNING = "running"
    #: Its holder died in the middle of it, so what came of it is unknown.
    LOST = "lost"
    #: It was answered, and the answer is remembered …
    ANSWERED = "answered"
    #: … or is not.
    HANDED = "handed"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of a request, as it is remembered from its start."""

    scope: str
    content: str
    #: The name of this very execution, 32 hex digits: only its holder writes its end.
    mark: str
    #: Unix seconds; it is remembered so long from its start.
    began_at: float
    keep_seconds: float


class StoredImage(msgspec.Struct, frozen=True, kw_only=True):
    """A picture by its name in the media store."""

    name: str
    width: int
    height: int
    usage: Usage | None
    #: What the model wrote beside it.
    text: str = ""

    @classmethod
    def of(cls, name: str, image: Image) -> "StoredImage":
        """Remember a picture that was stored."""
        size = image.pixels
        return cls(name=name, width=size.width, height=size.height, usage=image.usage, text=image.text)

    def with_file(self, data: bytes) -> Image:
        """Return the picture again; without its file where only what is known of it is wanted."""
        kind = MediaFormat.of_name(self.name) or MediaFormat.PNG
        base64 = msgspec.Raw(b'"' + pybase64.b64encode(data) + b'"')
        return Image(base64, kind, Pixels(self.width, self.height), self.usage, self.text)


class StoredAlbum(msgspec.Struct, frozen=True, tag=True):
    """The pictures that a request was answered with."""

    images: tuple[StoredImage, ...]
    #: Whether the client has their links; else the files are there for repetitions only.
    linked: bool


class StoredFault(msgspec.Struct, frozen=True, tag=True):
    """What a request was answered with instead."""

    failure: Failure


StoredAnswer = StoredAlbum | StoredFault


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of an earlier request."""

    content: str
    mark: str
    began_at: float
    standing: Standing
    answer: StoredAnswer | None = None
