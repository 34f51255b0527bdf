"""Where an answer ends: the table of heads, and chunks in any pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.providers.framing import LONGEST_HEAD, Chunks, FramingError, Head, HeadReader, read_head


def head(text: bytes) -> Head | None:
    """Read a head that has one field more and its end."""
    return read_head(text + b"server: x\r\n\r\nbody")


@pytest.mark.parametrize(
    ("text", "length", "is_chunked", "is_kept"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n", 2, False, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length:2 \r\n", 2, False, True),
        (b"HTTP/1.1 200 \r\ncontent-length: 2\r\n", 2, False, True),
        (b"HTTP/1.1 200\r\ncontent-length: 2\r\n", 2, False, True),
        (b"HTTP/1.1 200 OK\ncontent-length: 2\n", 2, False, True),
        (b"HTTP/1.1 500 \xff\xfe\r\ncontent-length: 2\r\nx: \xff\r\n", 2, False, True),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n", 2, False, False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: Close\r\n", 2, False, False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n", None, True, True),
        (b"HTTP/1.1 200 OK\r\n", None, False, True),
        (b"HTTP/1.1 204 No Content\r\n", 0, False, True),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n", 0, False, True),
        (b"HTTP/1.1 100 Continue\r\n", 0, False, True),
    ],
)
def test_a_head_says_where_its_body_ends(text: bytes, length: int | None, is_chunked: bool, is_kept: bool) -> None:
    """By a length, by chunks, or with the connection."""
    found = head(text)

    assert found is not None
    assert (found.length, found.is_chunked, found.is_kept) == (length, is_chunked, is_kept)


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/2 200 OK\r\n",
        b"HTTP/1.1 99 OK\r\n",
        b"HTTP/1.1 2000 OK\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n",
        b"ICY 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -2\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: +2\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length:\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9999999999999999999\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length : 2\r\n",
        b"HTTP/1.1 200 OK\r\n content-length: 2\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\r\n folded\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\rcontent-length: 2\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\0b\r\n",
        b"HTTP/1.1 200 OK\r\nno field\r\n",
        b"\r\nHTTP/1.1 200 OK\r\n",
    ],
)
def test_a_head_that_can_be_read_in_two_ways_is_refused(text: bytes) -> None:
    """Another reader would see another end."""
    with pytest.raises(FramingError):
        head(text)


@pytest.mark.parametrize("text", [b"", b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r\nx: y\r\n"])
def test_a_head_is_read_when_it_is_whole(text: bytes) -> None:
    """Before that nothing is known."""
    assert read_head(text) is None


INTERIM = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


@given(interim=st.integers(0, 3), cuts=st.lists(st.integers(0, 200), max_size=20))
def test_a_head_is_found_in_any_pieces_behind_interim_ones(interim: int, cuts: list[int]) -> None:
    """What is in the piece of its end and behind it belongs to the body."""
    whole = INTERIM * interim + WHOLE
    at = sorted({min(cut, len(whole) - 1) for cut in cuts} | {0})
    heads = HeadReader()
    for begin, end in pairwise(at):
        heads.feed(memoryview(whole[begin:end]))
        assert heads.has_begun
        assert heads.found is None

    heads.feed(memoryview(whole[at[-1] :] + b"bo"))

    assert heads.found is not None
    found, behind = heads.found
    assert (found.status, found.length, behind) == (200, 4, b"bo")
    assert (found.is_whole(len(behind)), found.is_whole(4), found.is_whole(5)) == (False, True, True)


def test_a_head_that_does_not_end_is_refused() -> None:
    """At a size that no server's head has."""
    heads = HeadReader()
    heads.feed(memoryview(b"HTTP/1.1 200 OK\r\nx: "))
    with pytest.raises(FramingError):
        heads.feed(memoryview(b"y" * LONGEST_HEAD))


def fed(*pieces: bytes) -> Chunks:
    """Read pieces."""
    chunks = Chunks()
    for piece in pieces:
        chunks.feed(memoryview(piece))
    return chunks


@given(parts=st.lists(st.binary(min_size=1, max_size=40), max_size=5), cuts=st.lists(st.integers(0, 300), max_size=20))
def test_chunks_are_read_in_any_pieces(parts: list[bytes], cuts: list[int]) -> None:
    """A piece may end anywhere."""
    whole = b"".join(b'%X;name="a b"\r\n%b\r\n' % (len(part), part) for part in parts) + b"0\r\nx: y\r\n\r\nHTTP"
    at = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    chunks = fed(*(whole[begin:end] for begin, end in pairwise(at)))

    assert (chunks.is_over, bytes(chunks.body), chunks.behind) == (True, b"".join(parts), 4)


@given(parts=st.lists(st.binary(min_size=1, max_size=40), max_size=5), lost=st.integers(1, 300))
def test_chunks_that_break_off_are_not_over(parts: list[bytes], lost: int) -> None:
    """Wherever they do."""
    whole = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"

    assert not fed(whole[:-lost]).is_over


@pytest.mark.parametrize(
    "text",
    [
        b"\r\n",
        b"-1\r\n",
        b"+1\r\na\r\n",
        b"0x1\r\na\r\n",
        b"g\r\n",
        b"1_0\r\n",
        b" 1\r\na\r\n",
        b"ffffffffffffffff\r\n",
        b"1\r\nab\r\n",
        b"1\r\na0\r\n\r\n",
        b"1" * 5000,
        b"1;" + b"x" * 5000 + b"\r\n",
        b"0\r\nx: " + b"y" * 5000,
    ],
)
def test_what_is_not_chunked_is_refused(text: bytes) -> None:
    """Nothing is guessed."""
    with pytest.raises(FramingError):
        fed(text)


@given(st.binary(max_size=200))
def test_nonsense_is_refused_or_waited_for(data: bytes) -> None:
    """No other exception comes out."""
    for read in (read_head, fed):
        try:
            read(data)
        except FramingError:
            continue
