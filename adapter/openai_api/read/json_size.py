"""How many values a JSON text has, and how deeply they are nested. Both are counted before it is decoded.

A decoder runs in one step that keeps every other thread waiting: 500,000 values take it 140 ms.
"""

from collections.abc import Iterator
from itertools import accumulate

from adapter.errors import InvalidRequest, RequestTooLarge

#: The most values of a request. The longest conversations have some 30,000; a picture of any size is one value.
MOST_VALUES = 100_000
#: The most levels of lists and objects in each other. What clients send has about ten.
MOST_LEVELS = 100
#: The most quotation marks that are looked at, those inside of texts too.
MOST_QUOTES = 500_000

#: There are at most as many values as these, and one more.
_SIGNS = (b",", b"[", b"{")
_BRACKETS = (b"[", b"{")
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(each for each in range(256) if each not in _STEPS)
_BACKSLASH = ord("\\")
#: Pieces are counted together, so many and each of so many bytes at most.
MOST_HELD = 256
PIECE_BYTES = 4 * 1024


def check_json_size(body: bytes) -> None:
    """Return if a text may be decoded.

    Raises:
        RequestTooLarge: it has more than `MOST_VALUES` values.
        InvalidRequest: it has more than `MOST_LEVELS` levels.
    """
    # Texts have such signs too. They are told apart only where there are many.
    if has_at_most(body, MOST_LEVELS, _BRACKETS) and has_at_most(body, MOST_VALUES, _SIGNS):
        return
    signs = depth = 0
    for text in _outside_of_texts(body):
        signs += sum(map(text.count, _SIGNS))
        if signs > MOST_VALUES:
            raise _too_many()
        brackets = text.translate(None, _NO_BRACKETS)
        levels = [*accumulate(map(_STEPS.__getitem__, brackets), initial=depth)]
        if max(levels) > MOST_LEVELS:
            raise InvalidRequest(f"The request is nested deeper than {MOST_LEVELS} levels.", code="json_too_deep")
        depth = levels[-1]


def has_at_most(body: bytes, most: int, signs: tuple[bytes, ...] = _SIGNS) -> bool:
    """Say whether a text has at most so many of some signs; by default, of those that a JSON text has for its values.

    Each sign is searched by itself: `bytes.count` takes six times as long for a picture, which has none.
    """
    if len(body) <= most:
        return True
    found = 0
    for sign in signs:
        at = body.find(sign)
        while at >= 0:
            found += 1
            if found > most:
                return False
            at = body.find(sign, at + 1)
    return True


def _outside_of_texts(body: bytes) -> Iterator[bytes]:
    """Yield what stands between the texts of a JSON text, some of it at a time."""
    at, held = 0, list[bytes]()
    for begin, end in _texts(body):
        held.append(body[at : min(begin, at + PIECE_BYTES)])
        if len(held) >= MOST_HELD or begin - at > PIECE_BYTES:
            yield b"".join(held)
            held.clear()
            yield from _pieces(body, at + PIECE_BYTES, begin)
        at = end
    yield b"".join(held)
    yield from _pieces(body, at, len(body))


def _pieces(body: bytes, begin: int, end: int) -> Iterator[bytes]:
    for at in range(begin, end, PIECE_BYTES):
        yield body[at : min(end, at + PIECE_BYTES)]


def _texts(body: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each text begins, and where what follows it begins."""
    begin, seen = body.find(b'"'), 0
    while begin >= 0:
        end = body.find(b'"', begin + 1)
        while body[end - 1] == _BACKSLASH and end > 0 and _is_escaped(body, end):
            seen += 1
            _check_quotes(seen)
            end = body.find(b'"', end + 1)
        seen += 2
        _check_quotes(seen)
        if end < 0:
            return
        yield begin, end + 1
        begin = body.find(b'"', end + 1)


def _check_quotes(seen: int) -> None:
    if seen > MOST_QUOTES:
        raise RequestTooLarge(f"The request has more than {MOST_QUOTES} quotation marks.")


def _is_escaped(body: bytes, quote: int) -> bool:
    """Say whether an odd number of backslashes stands before a place."""
    size = 16
    while True:
        before = body[max(0, quote - size) : quote]
        backslashes = len(before) - len(before.rstrip(b"\\"))
        if backslashes < len(before) or size >= quote:
            return backslashes % 2 == 1
        size *= 2


def _too_many() -> RequestTooLarge:
    return RequestTooLarge(f"The request has more than {MOST_VALUES} values; only pictures may be large.")
