"""A finished video as `GET /v1/media/{name}` answers it: base64 in JSON, decoded while it passes by."""

from collections.abc import AsyncIterator
from typing import Final

import msgspec
import pybase64

from adapter.domain.ports import Download
from adapter.errors import UNREADABLE_JSON, NoMedia, UpstreamBroken
from adapter.providers.flow.video_wire import MediaFile
from adapter.providers.json_splice import value_of
from adapter.providers.reply import collect

#: What may stand around the video in the answer.
MOST_AROUND: Final = 1024 * 1024
KEY: Final = value_of("encodedVideo")
#: Takes the video's place while the rest of the answer is read. It is no base64.
STAND_IN: Final = "-"

_decoder = msgspec.json.Decoder(MediaFile)
_any_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


class EncodedDownload:
    """Such an answer as the file inside it (the port `Download`). No more of it is held than a piece."""

    def __init__(self, answer: Download) -> None:
        self._answer = answer
        self._taken = 0
        self._text = VideoText()

    def is_whole(self, size: int) -> bool:  # noqa: ARG002 - the answer knows, whose bytes are others
        """Say whether the answer has come to its end."""
        return self._text.is_whole and self._answer.is_whole(self._taken)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the video's bytes.

        Raises:
            NoMedia: the answer is readable and holds no video.
            UpstreamBroken: it cannot be read.
        """
        async for piece in self._answer:
            self._taken += len(piece)
            if data := self._text.pass_by(piece):
                yield data
        self._text.check()

    async def read(self, limit: int) -> bytes:
        """Return all of it (the port of that name)."""
        data = await collect(aiter(self), limit)
        if not self.is_whole(len(data)):
            raise broken()
        return data


class VideoText:
    """Finds the base64 in an answer that comes in pieces, and what stands before and behind it.

    No JSON string holds a bare quote. So what looks like the key is the key, and the value ends at the next quote.
    """

    def __init__(self) -> None:
        self._before = bytearray()
        self._behind: bytearray | None = None
        self._base64: Base64 | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the answer may end here."""
        return self._behind is not None and self._is_answer(bytes(self._before) + self._behind)

    def pass_by(self, piece: bytes) -> bytes:
        """Take the next piece of the answer and return what of the video is in it.

        Raises:
            UpstreamBroken: that is not an answer with a video.
        """
        if self._base64 is None:
            found = self._find(piece)
            if found is None:
                return b""
            self._base64, piece = Base64(), found
        if self._behind is not None:
            self._behind += piece
            _check_length(self._behind)
            return b""
        text, quote, rest = piece.partition(b'"')
        data = self._base64.decode(text)
        if quote:
            self._base64.end()
            self._behind = bytearray(b'"' + rest)
            _check_length(self._behind)
        return data

    def check(self) -> None:
        """Look at an answer that has ended.

        Raises:
            NoMedia: it is readable and holds no video.
            UpstreamBroken: it cannot be read.
        """
        if self.is_whole:
            return
        if self._base64 is None and _is_object(self._before):
            raise NoMedia("Google calls the video finished and hands out an answer without it. It was paid for.")
        raise broken()

    def _find(self, piece: bytes) -> bytes | None:
        self._before += piece
        found = KEY.search(self._before)
        if found is None:
            _check_length(self._before)
            return None
        rest = bytes(self._before[found.end() :])
        self._before[found.end() :] = STAND_IN.encode()
        return rest

    def _is_answer(self, text: bytes) -> bool:
        """Say whether the rest is JSON, and whether the video that was cut out was the answer's."""
        try:
            return _decoder.decode(text).video.encoded_video == STAND_IN
        except UNREADABLE_JSON:
            return False


class Base64:
    """Decodes base64 that comes in pieces of any length."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_padded = False

    def decode(self, text: bytes) -> bytes:
        """Return the bytes of all whole groups so far.

        Raises:
            UpstreamBroken: it is no base64.
        """
        # JSON may write a slash with a backslash before it, and the two may be cut apart. No other escape is base64.
        text = (self._rest + text).replace(b"\\/", b"/")
        whole = (len(text) - text.endswith(b"\\")) // 4 * 4
        self._rest = text[whole:]
        if not whole:
            return b""
        if self._is_padded:
            raise broken()
        self._is_padded = text[whole - 1 : whole] == b"="
        try:
            return pybase64.b64decode(text[:whole], validate=True)
        except ValueError as error:
            raise broken() from error

    def end(self) -> None:
        """Take note that nothing more comes.

        Raises:
            UpstreamBroken: a group is not whole.
        """
        if self._rest:
            raise broken()


def broken() -> UpstreamBroken:
    """Return the fault of an answer that cannot be used."""
    return UpstreamBroken("Google's answer with the video cannot be read.")


def _check_length(text: bytearray) -> None:
    if len(text) > MOST_AROUND:
        raise broken()


def _is_object(text: bytes | bytearray) -> bool:
    try:
        _any_decoder.decode(text)
    except UNREADABLE_JSON:
        return False
    return True
