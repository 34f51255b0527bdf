"""Files in the media store: what they are called, and what is known of one.

A name is a stem and an extension. The stem begins with 128 random bits in hexadecimal digits: a link to a file cannot
be guessed. The extension tells the format.
"""

import re

import msgspec
import pybase64

from adapter.domain.grounding import Grounding
from adapter.domain.media import Image, MediaFormat, Pixels, Signatures
from adapter.domain.usage import Cost, Usage

#: Hexadecimal digits of a stem. What follows them in a name tells the files of one stem apart.
STEM_LENGTH = 32
#: The names that we give. The folder may contain files of other programs.
_OURS = re.compile(rf"[0-9a-f]{{{STEM_LENGTH}}}([_-][0-9A-Za-z_-]{{1,31}})?\.[0-9a-z]{{1,8}}")


def file_name(stem: str, kind: MediaFormat, part: str = "") -> str:
    """Return the name of a file of that stem and format; `part` tells what it is of its owner's.

    A file without a part may be behind a link that a client has, and needs no owner in the database.
    """
    return f"{stem}_{part}.{kind.extension}" if part else f"{stem}.{kind.extension}"


def stem_of(name: str) -> str:
    """Return the stem in the name of a file of ours."""
    return name[:STEM_LENGTH]


def is_ours(name: str) -> bool:
    """Return whether a file has a name of ours."""
    return _OURS.fullmatch(name) is not None and MediaFormat.of_name(name) is not None


def is_a_part(name: str) -> bool:
    """Return whether a file of ours has an owner in the database, or none at all."""
    return name[STEM_LENGTH : STEM_LENGTH + 1] in {"_", "-"}


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file in the media store."""

    name: str
    #: In bytes.
    size: int
    #: As HTTP has it, with quotation marks.
    etag: str
    #: When it was stored, in Unix seconds of the store's own clock.
    modified_at: float

    @property
    def content_type(self) -> str:
        """The content type that its name tells."""
        known = MediaFormat.of_name(self.name)
        return known.mime if known else "application/octet-stream"


class StoredImage(msgspec.Struct, frozen=True, kw_only=True):
    """A generated picture whose file is in the media store."""

    name: str
    pixels: Pixels
    usage: Usage | None = None
    #: What the model wrote beside it.
    text: str = ""
    #: Of its file, in bytes. Older versions did not remember it.
    size: int | msgspec.UnsetType = msgspec.UNSET
    #: By the price list of its time. Unknown costs and those of older versions are left out.
    cost: Cost | msgspec.UnsetType = msgspec.UNSET
    signatures: Signatures | msgspec.UnsetType = msgspec.UNSET
    #: What the model searched on the web for it, if it did.
    grounding: Grounding | msgspec.UnsetType = msgspec.UNSET

    @classmethod
    def of(cls, image: Image, name: str) -> "StoredImage":
        """Describe a picture that is stored under that name."""
        return cls(
            name=name,
            pixels=image.pixels,
            usage=image.usage,
            text=image.text,
            size=image.file_size,
            cost=image.cost or msgspec.UNSET,
            signatures=image.signatures or msgspec.UNSET,
            grounding=image.grounding or msgspec.UNSET,
        )

    @property
    def known_grounding(self) -> Grounding | None:
        """What the model searched on the web, if it did."""
        return None if self.grounding is msgspec.UNSET else self.grounding

    @property
    def known_size(self) -> int | None:
        """The size of its file in bytes, if it was remembered."""
        return None if self.size is msgspec.UNSET else self.size

    @property
    def known_cost(self) -> Cost | None:
        """What it cost, if that is known."""
        return None if self.cost is msgspec.UNSET else self.cost

    def with_file(self, data: bytes) -> Image:
        """Return the picture with the bytes of its file; without any where only its description is needed."""
        base64 = msgspec.Raw(b'"' + pybase64.b64encode(data) + b'"')
        kind = MediaFormat.of_name(self.name) or MediaFormat.PNG
        return Image(
            base64,
            kind,
            self.pixels,
            self.usage,
            self.text,
            self.known_cost,
            signatures=self.signatures or None,
            grounding=self.known_grounding,
        )
