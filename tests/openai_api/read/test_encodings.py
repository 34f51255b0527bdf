"""Compressed bodies."""

import gzip
import random
import sys
import zlib
from collections.abc import Callable, Sequence

import pytest

from adapter.errors import InvalidRequest, RequestTooLarge, UnsupportedEncoding
from adapter.openai_api.read.encodings import PIECE_BYTES, Decoder, read_codings

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MOST = 1024 * 1024
TEXT = b'{"prompt": "a fox"}'
#: What compresses well, badly and not at all, around the size of a piece.
BODIES = [
    TEXT,
    b"x",
    b"\0" * PIECE_BYTES,
    b"ab" * (PIECE_BYTES // 2 + 1),
    random.Random(7).randbytes(300_000),
    TEXT * 50_000,
]


def raw_deflate(body: bytes) -> bytes:
    """Compress without a wrapper."""
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(body) + stream.flush()


Pack = Callable[[bytes], bytes]
CODINGS: dict[str, Pack] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
}
PACKS = [*CODINGS.items(), ("deflate", raw_deflate)]


def decoded(codings: Sequence[str], *pieces: bytes, most_bytes: int = MOST) -> bytes:
    """Feed a body and return what comes out, none of it in a large piece."""
    decoder = Decoder(codings, most_bytes=most_bytes)
    out = [piece for fed in pieces for piece in decoder.feed(fed)]
    decoder.finish()
    assert max(map(len, out), default=0) <= PIECE_BYTES
    return b"".join(out)


@pytest.mark.parametrize(("coding", "pack"), PACKS)
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_body_comes_out_as_it_was(coding: str, pack: Pack, body: bytes) -> None:
    """Given at once, in packets, and with empty ones between."""
    packed = pack(body)
    packets = [packed[at : at + 1460] for at in range(0, len(packed), 1460)]

    assert decoded([coding], packed) == body
    assert decoded([coding], *packets) == body
    assert decoded([coding], b"", packed[:1], b"", packed[1:], b"") == body


@pytest.mark.parametrize(("coding", "pack"), PACKS)
def test_it_may_come_byte_by_byte(coding: str, pack: Pack) -> None:
    """The first byte of a deflate stream alone tells its kind."""
    assert decoded([coding], *(bytes([byte]) for byte in pack(TEXT * 20))) == TEXT * 20


@pytest.mark.parametrize(("first", "pack_first"), CODINGS.items())
@pytest.mark.parametrize(("second", "pack_second"), CODINGS.items())
def test_codings_lie_over_each_other(first: str, pack_first: Pack, second: str, pack_second: Pack) -> None:
    """They are named in the order in which they were put on."""
    body = TEXT * 10_000

    assert decoded([first, second], pack_second(pack_first(body))) == body


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_several_streams_in_a_row_are_one_body(coding: str) -> None:
    """As RFC 1952 and RFC 8878 have it; programs that compress in parallel write such."""
    packed = CODINGS[coding](TEXT) + CODINGS[coding](b"") + CODINGS[coding](TEXT)

    assert decoded([coding], packed) == TEXT * 2
    assert decoded([coding], *(bytes([byte]) for byte in packed)) == TEXT * 2


@pytest.mark.parametrize(("coding", "pack"), PACKS)
@pytest.mark.parametrize("hurt", ["cut", "cut early", "followed by garbage", "turned", "plain"])
def test_a_broken_body_is_refused(coding: str, pack: Pack, hurt: str) -> None:
    """In words that name its coding."""
    packed = pack(TEXT * 50)
    broken = {
        "cut": packed[:-1],
        "cut early": packed[: len(packed) // 2],
        "followed by garbage": packed + b"\0garbage",
        "turned": packed[::-1],
        "plain": b"\xff" + TEXT,
    }[hurt]
    for pieces in ([broken], [bytes([byte]) for byte in broken]):
        with pytest.raises(InvalidRequest, match=f"The request body is not {coding}: ") as caught:
            decoded([coding], *pieces)
        assert caught.value.code == "invalid_encoding"


@pytest.mark.parametrize("coding", CODINGS)
def test_no_body_is_no_broken_one(coding: str) -> None:
    """A GET may carry the header."""
    assert decoded([coding]) == decoded([coding], b"") == b""


@pytest.mark.parametrize(("coding", "pack"), PACKS)
def test_a_bomb_is_refused_before_it_takes_memory(coding: str, pack: Pack) -> None:
    """One piece beyond the limit is all that comes out."""
    out: list[bytes] = []
    with pytest.raises(RequestTooLarge):
        out.extend(Decoder([coding], most_bytes=MOST).feed(pack(b"\0" * (50 * MOST))))

    assert sum(map(len, out)) <= MOST


@pytest.mark.parametrize("inner", CODINGS)
def test_a_bomb_inside_of_a_bomb_is_refused(inner: str) -> None:
    """Streams in a row are counted, so that empty ones cannot take time without end."""
    nothing = CODINGS[inner](b"") * 100_000

    with pytest.raises((RequestTooLarge, InvalidRequest)):
        decoded([inner, "gzip"], gzip.compress(nothing))


@pytest.mark.parametrize("inner", CODINGS)
def test_what_lies_between_two_codings_is_counted(inner: str) -> None:
    """It comes out of one of them, even if the other one makes it small again."""
    between = CODINGS[inner](random.Random(7).randbytes(2 * MOST))

    with pytest.raises(RequestTooLarge):
        decoded([inner, "gzip"], gzip.compress(between))


def test_so_much_that_comes_in_is_too_large_as_well() -> None:
    """Empty streams in a row would come in for ever and give nothing."""
    with pytest.raises(RequestTooLarge):
        decoded(["gzip"], *[gzip.compress(b"")] * 100, most_bytes=1000)


def test_a_window_is_no_larger_than_a_server_has_to_have() -> None:
    """A small frame may ask for gigabytes (RFC 9659)."""
    wide = zstd.compress(TEXT * 100, options={zstd.CompressionParameter.window_log: 27})
    stream = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    identity = stream.compress(TEXT) + stream.flush()

    assert decoded(["zstd"], wide) == TEXT * 100  # its length is in its head, and its window no longer
    with pytest.raises(InvalidRequest):
        decoded(["zstd"], identity)


@pytest.mark.parametrize(
    ("values", "codings"),
    [
        ([], []),
        ([""], []),
        (["identity"], []),
        (["UTF-8"], []),
        (["binary"], []),
        ([" GZip "], ["gzip"]),
        (["gzip, identity", "zstd,"], ["gzip", "zstd"]),
        (["br"], ["br"]),
    ],
)
def test_codings_are_read_from_all_headers(values: list[str], codings: list[str]) -> None:
    """What is no compression is none, whatever a program calls it."""
    assert list(read_codings(values)) == codings


@pytest.mark.parametrize("codings", [["br"], ["gzip", "br"], ["compress"], ["aws-chunked"], ["caf\xe9"], ["gzip"] * 5])
def test_what_is_not_taken_is_refused_with_what_is(codings: list[str]) -> None:
    """In words and in the header that HTTP has for it."""
    with pytest.raises(UnsupportedEncoding) as caught:
        Decoder(codings, most_bytes=MOST)

    assert caught.value.status == 415
    assert caught.value.headers == {"accept-encoding": "gzip, deflate, zstd, identity"}
    assert "gzip, deflate, zstd" in caught.value.message
