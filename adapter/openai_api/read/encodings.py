"""Compressed bodies, piece by piece: what comes out is counted before it takes memory."""

import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from adapter.errors import InvalidRequest, RequestTooLarge, UnsupportedEncoding

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: So many bytes come out at once.
PIECE_BYTES = 256 * 1024
#: Codings over each other. One is usual; each further one is another round for every byte.
MOST_CODINGS = 4
#: Compressed streams in a row. Programs that compress in parallel write one for each 64 KiB or more; empty ones would
#: cost time and give nothing to count.
MOST_STREAMS = 4096
#: Memory of a decoder, as a power of two: 8 MB is what a server has to take, and the most that it should (RFC 9659).
ZSTD_WINDOW = 23
#: What is sent as a coding and is none. Some programs put the charset there; remote servers do the same.
NO_CODINGS = frozenset({"", "identity", "none", "binary", "utf-8", "utf8"})
#: How zlib numbers what is around a deflate stream. One with a wrapper has this in its first half byte (RFC 1950, 2.2).
ZLIB, RAW, GZIP = 15, -15, 31
ZLIB_METHOD = 8

TAKEN = "gzip, deflate, zstd, identity"


class Unpacker(Protocol):
    """One compressed stream, as Python's own modules read it."""

    @property
    def eof(self) -> bool:
        """Whether it has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out of what was given."""

    @property
    def unused_data(self) -> bytes:
        """What was given beyond its end."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take a piece, and return what comes out, up to a length."""


class Inflater:
    """gzip and deflate, in the way of Python's other decoders."""

    def __init__(self, wrapper: int) -> None:
        self._stream = zlib.decompressobj(wrapper)
        self._filled = False

    @property
    def eof(self) -> bool:
        """Whether it has ended."""
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out. A full piece may leave something behind in the decoder itself."""
        return not self._stream.unconsumed_tail and not self._filled

    @property
    def unused_data(self) -> bytes:
        """What was given beyond its end."""
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take a piece, and return what comes out, up to a length."""
        piece = self._stream.decompress(self._stream.unconsumed_tail + data, max_length)
        self._filled = len(piece) == max_length
        return piece


def _gzip(_: bytes) -> Unpacker:
    return Inflater(GZIP)


def _deflate(head: bytes) -> Unpacker:
    """Read what HTTP calls deflate, with a wrapper, and what some programs send under this name, without one."""
    return Inflater(ZLIB if head[0] & 0x0F == ZLIB_METHOD else RAW)


def _zstd(_: bytes) -> Unpacker:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW})


Begin = Callable[[bytes], Unpacker]
_CODINGS: Mapping[str, Begin] = {"gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate, "zstd": _zstd}


def read_codings(values: Sequence[str]) -> Sequence[str]:
    """Return the codings of a body, as its `Content-Encoding` headers name them, in the order of their use."""
    words = (word.strip().lower() for value in values for word in value.split(","))
    return [word for word in words if word not in NO_CODINGS]


class Decoder:
    """Takes a body as it arrives."""

    def __init__(self, codings: Sequence[str], *, most_bytes: int) -> None:
        """Begin.

        Raises:
            UnsupportedEncoding: there is one that we do not know, or there are too many.
        """
        for coding in codings:
            if coding not in _CODINGS:
                raise UnsupportedEncoding(f"The Content-Encoding '{coding}' is not taken.", TAKEN)
        if len(codings) > MOST_CODINGS:
            raise UnsupportedEncoding(f"A body has at most {MOST_CODINGS} codings.", TAKEN)
        self._layers = [_Layer(coding, most_bytes) for coding in reversed(codings)]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next piece; what comes out comes in pieces too.

        Raises:
            InvalidRequest: it is not so compressed.
            RequestTooLarge: more comes out than a body may have.
        """
        return self._through(data, self._layers)

    def _through(self, data: bytes, layers: Sequence["_Layer"]) -> Iterator[bytes]:
        if not layers:
            yield data
            return
        for piece in layers[0].feed(data):
            yield from self._through(piece, layers[1:])

    def finish(self) -> None:
        """Say that this was all.

        Raises:
            InvalidRequest: it was cut.
        """
        for layer in self._layers:
            layer.finish()


class _Layer:
    """One coding of a body: one compressed stream, or several in a row."""

    def __init__(self, coding: str, most_bytes: int) -> None:
        self._coding = coding
        self._left_in = self._left_out = most_bytes
        self._left_streams = MOST_STREAMS
        self._stream: Unpacker | None = None
        self._is_over = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._left_in -= len(data)
        while data or self._stream:
            if self._is_over and self._coding == "deflate":
                raise self._unreadable("something follows its end")
            if self._stream is None:
                self._stream = _CODINGS[self._coding](data)
                self._left_streams -= 1
            piece = self._unpacked(self._stream, data)
            self._left_out -= len(piece)
            if min(self._left_in, self._left_out, self._left_streams) < 0:
                raise RequestTooLarge("The request body is too large.")
            if piece:
                yield piece
            data = b""
            if self._stream.eof:
                data, self._stream, self._is_over = self._stream.unused_data, None, True
            elif self._stream.needs_input:
                return

    def _unpacked(self, stream: Unpacker, data: bytes) -> bytes:
        try:
            return stream.decompress(data, PIECE_BYTES)
        except (zlib.error, zstd.ZstdError) as error:
            raise self._unreadable("it cannot be decoded") from error

    def finish(self) -> None:
        if self._stream is not None:
            raise self._unreadable("it was cut")

    def _unreadable(self, why: str) -> InvalidRequest:
        return InvalidRequest(f"The request body is not {self._coding}: {why}.", code="invalid_encoding")
