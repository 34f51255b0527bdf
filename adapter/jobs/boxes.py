"""Checks that an MP4 is whole: its outermost boxes follow each other, and the needed ones are among them.

ISO/IEC 14496-12 section 4.2: a box begins with its length in 32 bits and its kind; 1 says that 64 bits of length follow
the kind, 0 that it goes on to the end of the file. Bytes after the last box are accepted: players do
not mind, and the video is paid for.
"""

from collections.abc import Sequence
from typing import Final

SHORT_HEAD: Final = 8
LONG_HEAD: Final = 16
#: The file's kind, the index and the data. No player plays a file without one of them.
NEEDED: Final = (b"ftyp", b"moov", b"mdat")
#: Boxes that are looked at; a box costs about 2 us. A film in pieces has two for each piece of some seconds.
MOST_BOXES: Final = 1024


class Boxes:
    """Follows the outermost boxes while the file arrives in pieces of any length.

    Behind `MOST_BOXES` boxes nothing is looked at: the file is whole if the needed ones came before.
    """

    def __init__(self) -> None:
        self._head = b""
        #: Bytes of the current box that have not arrived.
        self._left = 0
        self._at_end = False
        self._found: list[bytes] = []

    @property
    def are_whole(self) -> bool:
        """Whether the file may end here."""
        return not self._left and not self.missing

    @property
    def missing(self) -> Sequence[str]:
        """The needed boxes that have not begun."""
        return [kind.decode() for kind in NEEDED if kind not in self._found]

    def pass_by(self, piece: bytes) -> None:
        """Look at the next piece."""
        at = 0
        while at < len(piece) and not self._at_end:
            if self._left:
                step = min(self._left, len(piece) - at)
                self._left -= step
            elif len(self._found) == MOST_BOXES:
                return
            else:
                step = min(self._wanted() - len(self._head), len(piece) - at)
                self._head += piece[at : at + step]
                self._open()
            at += step

    def _wanted(self) -> int:
        long = len(self._head) >= SHORT_HEAD and int.from_bytes(self._head[:4], "big") == 1
        return LONG_HEAD if long else SHORT_HEAD

    def _open(self) -> None:
        """Begin a box once its head is there. An empty box is not one that is needed."""
        wanted = self._wanted()
        if len(self._head) < wanted:
            return
        size = int.from_bytes(self._head[:4] if wanted == SHORT_HEAD else self._head[SHORT_HEAD:], "big")
        goes_to_end = wanted == SHORT_HEAD and size == 0
        self._found.append(self._head[4:SHORT_HEAD] if goes_to_end or size > wanted else b"")
        self._left = max(size - wanted, 0)
        self._at_end = size < wanted
        self._head = b""
