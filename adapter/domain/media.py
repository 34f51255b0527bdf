"""Pictures and clips as values: formats, shapes, and what their first bytes tell."""

import math
import re
import struct
import zlib
from collections.abc import Iterable
from enum import Enum, StrEnum
from functools import lru_cache
from io import BytesIO
from struct import unpack
from typing import Final, Self
from zlib import crc32

import msgspec
import pybase64
from PIL import Image as Pillow

from adapter.domain import heif
from adapter.domain.grounding import Grounding
from adapter.domain.usage import Cost, Usage
from adapter.errors import UpstreamBroken

#: What Pillow raises on a file that is not what its first bytes say; `ValueError` is for text chunks that swell, the
#: second line for camera notes of the wrong type (found with noise) and their kin.
UNREADABLE_PICTURE: Final = (
    *(OSError, SyntaxError, ValueError, EOFError, OverflowError),
    *(struct.error, zlib.error, LookupError, TypeError),
    RuntimeError,  # of libavif (found with damaged files)
)

# Whoever decodes a picture looks at its `Image.pixels` first; Pillow's own limit only warns up to twice its size.
Pillow.MAX_IMAGE_PIXELS = None

#: The largest picture that is encoded anew here: twice what any model of ours draws (1536x12288), and 120 MB meanwhile.
MOST_ENCODED_PIXELS: Final = 40_000_000

#: How much of a picture is decoded to learn its format and pixel size. A PNG needs 33 bytes; a JPEG may carry up to
#: 64 KiB of colour profile and camera data before the frame header.
HEAD_BYTES = 96 * 1024
#: Looked at before that: it is enough for most.
SHORT_HEAD_BYTES = 6 * 1024


class MediaFormat(Enum):
    """A file format that we serve: its content type and the ending of its name."""

    PNG = ("image/png", "png")
    JPEG = ("image/jpeg", "jpg")
    WEBP = ("image/webp", "webp")
    #: These are taken as inputs and never handed out. Where the provider does not take them, they become a still PNG.
    GIF = ("image/gif", "gif")
    AVIF = ("image/avif", "avif")
    HEIC = ("image/heic", "heic")
    HEIF = ("image/heif", "heif")
    MP4 = ("video/mp4", "mp4")

    #: By identity: that of `Enum` is a function in Python.
    __hash__ = object.__hash__

    mime: str
    extension: str

    def __new__(cls, mime: str, extension: str) -> Self:
        """Make a member. Its value is the extension: stored orders name formats by it."""
        member = object.__new__(cls)
        member._value_ = extension
        member.mime, member.extension = mime, extension
        return member

    @property
    def is_picture(self) -> bool:
        """Whether it holds one picture and not a clip."""
        return self.mime.startswith("image/")

    @classmethod
    def of_name(cls, name: str) -> "MediaFormat | None":
        """Return the format that a file's name ends in."""
        ending = name.rpartition(".")[2]
        return next((known for known in cls if known.extension == ending), None)


@lru_cache
def formats_named(words: tuple[str, ...]) -> tuple[MediaFormat, ...]:
    """Return formats by their names in small letters, as the catalogue has them: the same few, again and again."""
    return tuple(MediaFormat[word.upper()] for word in words)


#: Formats in the container of that name.
HEIF_FORMATS: Final = frozenset({MediaFormat.AVIF, MediaFormat.HEIC, MediaFormat.HEIF})


def sniff(head: bytes) -> MediaFormat | None:
    """Tell a format by its magic bytes; upstream content types lie (reference: `gemini.md` section 1.4).

    Sources: PNG specification 5.2, ITU T.81 B.1.1.3 (SOI), Google's WebP container document, GIF89a section 17,
    ISO 14496-12 4.3 (ftyp), ISO 23008-12 annex B (brands of HEIF).
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaFormat.PNG
    if head.startswith(b"\xff\xd8\xff"):
        return MediaFormat.JPEG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return MediaFormat.WEBP
    if head[:6] in {b"GIF87a", b"GIF89a"}:
        return MediaFormat.GIF
    if head[4:8] == b"ftyp":
        kind = heif.codec(head)
        return MediaFormat[kind.decode().upper()] if kind else MediaFormat.MP4
    return None


class Ratio(StrEnum):
    """Width to height: every shape that a model of ours can be asked for (seed 003; Flow has three of them)."""

    SQUARE = "1:1"
    LANDSCAPE = "16:9"
    PORTRAIT = "9:16"
    R2_3 = "2:3"
    R3_2 = "3:2"
    R3_4 = "3:4"
    R4_3 = "4:3"
    R4_5 = "4:5"
    R5_4 = "5:4"
    R21_9 = "21:9"
    R1_4 = "1:4"
    R4_1 = "4:1"
    R1_8 = "1:8"
    R8_1 = "8:1"

    @property
    def quotient(self) -> float:
        """Width divided by height."""
        width, height = self.split(":")
        return int(width) / int(height)


class Resolution(StrEnum):
    """How finely a picture is drawn, as the edge of the square of the same area (`gemini.md` section 1.2)."""

    HALF = "512"
    ONE = "1K"
    TWO = "2K"
    FOUR = "4K"

    @property
    def edge(self) -> int:
        """Pixels."""
        return 512 if self is Resolution.HALF else int(self[0]) * 1024


#: How much longer each way than their area says Google draws the longest shapes (`gemini.md` section 1.2).
OVERSIZE: Final = {Ratio.R1_8: 1.06, Ratio.R8_1: 1.06}


class Pixels(msgspec.Struct, frozen=True):
    """A size in pixels."""

    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read `WxH`, each 16 to 16384; None for anything else."""
        match = re.fullmatch(r"([1-9][0-9]{1,4})x([1-9][0-9]{1,4})", text)
        if match is None:
            return None
        size = cls(int(match[1]), int(match[2]))
        return size if all(16 <= side <= 16384 for side in (size.width, size.height)) else None

    def distance(self, ratio: Ratio) -> float:
        """How differently a ratio looks: the absolute logarithm of the quotient, so 2:1 is as far as 1:2."""
        return abs(math.log(self.width / self.height / ratio.quotient))

    @property
    def short(self) -> int:
        """The shorter side."""
        return min(self.width, self.height)

    @property
    def area(self) -> int:
        """All of them."""
        return self.width * self.height

    @property
    def turned(self) -> "Pixels":
        """The same on its side."""
        return Pixels(self.height, self.width)

    @property
    def edge(self) -> float:
        """The side of the square with the same area."""
        return math.sqrt(self.area)

    def fits_into(self, tier: Resolution, ratio: Ratio) -> bool:
        """Whether a picture of that fineness and shape has as many pixels each way.

        Google's own sizes lie up to 3 % off the computed ones, to either side (`gemini.md` section 1.2).
        """
        stretch = math.sqrt(ratio.quotient)
        edge = tier.edge * OVERSIZE.get(ratio, 1.0)
        return self.width * 0.97 <= edge * stretch and self.height * 0.97 <= edge / stretch

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


class Clip(msgspec.Struct, frozen=True):
    """What is known of a video file: the size of its picture, and its length in seconds."""

    pixels: Pixels
    seconds: float


class Shape(msgspec.Struct, frozen=True):
    """What a client asked of the frame; what it left open is None."""

    ratio: Ratio | None = None
    #: To be had exactly, or not at all.
    resolution: Resolution | None = None
    #: Or as near as the model comes.
    fineness: Resolution | None = None
    pixels: Pixels | None = None


class SizePolicy(Enum):
    """What a size in pixels is worth: no model of ours draws to the pixel."""

    #: The shape that looks most alike and the resolution nearest in area.
    NEAREST = "nearest"
    #: The same shape, and a resolution that is at least as fine as asked, if the model has one.
    COVER = "cover"
    #: As `COVER`, then cut and scaled here to the very pixels.
    EXACT = "exact"


class Frame(msgspec.Struct, frozen=True):
    """The shape that a model will really be asked for; None leaves it to the model."""

    ratio: Ratio | None = None
    resolution: Resolution | None = None


class Image(msgspec.Struct, frozen=True):
    """A picture, made or given. Its base64 is a JSON string, quotes included: of a made one the very one that came.

    It is never decoded, copied through a Python string or encoded again unless the bytes are needed
    (measured in `dependencies.md` section 2.2: 0.04 ms against 0.48 ms for 2 MB).
    """

    base64: msgspec.Raw
    format: MediaFormat
    pixels: Pixels
    #: What making it cost, where the provider tells.
    usage: Usage | None = None
    #: What the model wrote beside it.
    text: str = ""
    #: By the price list. None: unknown.
    cost: Cost | None = None
    #: The provider's signatures. A picture that was converted has none.
    signatures: "Signatures | None" = None
    #: What the model searched on the web for it.
    grounding: Grounding | None = None

    @property
    def file_size(self) -> int:
        """The size of the file in bytes. Nothing is decoded for it."""
        characters = memoryview(self.base64)[1:-1]
        return len(characters) * 3 // 4 - bytes(characters[-2:]).count(b"=")

    def decode(self) -> bytes:
        """Return the file's bytes.

        Raises:
            UpstreamBroken: the base64 is broken somewhere behind the picture's head.
        """
        try:
            return pybase64.b64decode(memoryview(self.base64)[1:-1], validate=True)
        except ValueError as error:
            raise UpstreamBroken("The picture is broken behind its head.") from error


class Signatures(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider signed: it wants to have a picture of an earlier turn back with these, unchanged."""

    #: Of the picture.
    picture: str = ""
    #: Of the words beside it.
    text: str = ""


def size_of(images: Iterable[Image]) -> int:
    """Return the bytes of pictures' base64 together."""
    return sum(len(memoryview(image.base64)) for image in images)


def image_from_base64(raw: msgspec.Raw) -> Image | None:
    """Recognise a picture by the first bytes of its base64; None if it is not a picture that we serve.

    `raw` is a JSON string token. JSON may put a backslash before a slash; who writes so does it from the start, and
    such a token is written plainly. Only the head is searched: a search of the whole costs more than all the rest.
    A large WebP tells its size only as a whole.
    """
    try:
        # A copy: the search of `bytes` is ten times as fast as a pattern's, which searches memory that is not copied.
        if b"\\" in bytes(_head(raw, HEAD_BYTES)):
            raw = msgspec.Raw(msgspec.json.encode(msgspec.json.decode(raw, type=str)))
        for size in (SHORT_HEAD_BYTES, HEAD_BYTES, len(memoryview(raw))):
            if (found := probe(_decoded(_head(raw, size)))) is not None:
                return Image(raw, *found)
    except (ValueError, msgspec.DecodeError):
        pass
    return None


def _head(raw: msgspec.Raw, size: int) -> memoryview:
    """Return the base64 of so many bytes, a multiple of 3, or of all of them."""
    return memoryview(raw)[1:-1][: size // 3 * 4]


def _decoded(base64: memoryview) -> bytes:
    return pybase64.b64decode(base64[: len(base64) // 4 * 4], validate=True)


def image_from_bytes(data: bytes) -> Image | None:
    """Recognise a picture given as a file's bytes."""
    found = probe(data)
    return Image(msgspec.Raw(b'"' + pybase64.b64encode(data) + b'"'), *found) if found else None


def probe(head: bytes) -> tuple[MediaFormat, Pixels] | None:
    """Return format and pixel size from a picture's first bytes without decoding its pixels."""
    kind = sniff(head)
    if kind is None or not kind.is_picture:
        return None
    if kind is MediaFormat.PNG:
        size = _png_size(head)
        return (kind, size) if size else None
    if kind in HEIF_FORMATS:
        size = _heif_size(head)
        return (kind, size) if size else None
    try:
        with Pillow.open(BytesIO(head), formats=[kind.name]) as picture:
            return kind, Pixels(*picture.size)
    except UNREADABLE_PICTURE:
        return None


def _heif_size(head: bytes) -> Pixels | None:
    """Read what the file says of its picture. By hand, because Pillow knows no HEIC, and believes what it reads."""
    try:
        return Pixels(*heif.Meta(head).size())
    except heif.MalformedError:
        return None


def _png_size(head: bytes) -> Pixels | None:
    """Read the first chunk, IHDR, which has a fixed length (PNG specification 5.3 and 11.2.1).

    By hand, because nearly all pictures are PNG and Pillow takes 80 us.
    """
    if len(head) < 33 or head[8:16] != b"\0\0\0\rIHDR" or crc32(head[12:29]).to_bytes(4) != head[29:33]:
        return None
    width, height = unpack(">II", head[16:24])
    return Pixels(width, height) if width and height else None


class RemoteFile(msgspec.Struct, frozen=True):
    """A file that is still upstream: behind a signed link, or at the provider's own address under a name."""

    url: str = ""
    #: Asked for with the account's credential, where there is no link.
    name: str = ""


class RemoteVideo(msgspec.Struct, frozen=True):
    """A finished video that still lies upstream. Its links are signed and expire; it may have a name alone."""

    url: str = ""
    poster_url: str | None = None
    #: What the provider calls the file.
    name: str = ""

    @property
    def file(self) -> RemoteFile:
        """The video itself."""
        return RemoteFile(self.url, self.name)

    @property
    def poster(self) -> RemoteFile | None:
        """Its poster, if there is one."""
        return RemoteFile(self.poster_url) if self.poster_url else None
