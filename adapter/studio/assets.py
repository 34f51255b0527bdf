"""The files of the studio, in memory."""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

FILES: Final = Path(__file__).with_name("files")
#: What a file is, by its ending. Other files are not served.
MEDIA_TYPES: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


class Asset(msgspec.Struct, frozen=True):
    """A file as it is sent."""

    content: bytes
    media_type: str
    #: In quotation marks, as the header has it.
    etag: str


@lru_cache(maxsize=1)
def read_assets() -> Mapping[str, Asset]:
    """Return all files by their names."""
    return {
        path.name: asset(path.read_bytes(), media_type)
        for path in FILES.iterdir()
        if (media_type := MEDIA_TYPES.get(path.suffix))
    }


def asset(content: bytes, media_type: str) -> Asset:
    """Return a file with its tag."""
    return Asset(content, media_type, f'"{sha256(content).hexdigest()[:32]}"')
