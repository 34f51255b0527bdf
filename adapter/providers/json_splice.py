"""Pictures are cut out of JSON before it is parsed: their ends are found far faster than a parser skips them."""

import re
from collections.abc import Mapping

import msgspec

from adapter.domain.whole_pictures import base64_end


def value_of(key: str) -> re.Pattern[bytes]:
    """Return what the string values of a key begin with."""
    return re.compile(rb'"%s"\s*:\s*"' % re.escape(key.encode()))


def cut(body: bytes | bytearray, value: re.Pattern[bytes]) -> tuple[bytes | bytearray, Mapping[bytes, msgspec.Raw]]:
    """Return JSON with a short token in the place of each such value, and the values by their tokens.

    No JSON string holds a bare quote. So what looks like the key is the key. What is cut was checked: it is base64 to
    its end. If one value is anything else nothing is cut, and the parser has to find its way by itself.
    """
    view = memoryview(body)
    left: list[bytes | bytearray] = []
    values: dict[bytes, msgspec.Raw] = {}
    at = 0
    while found := value.search(body, at):
        start, end = found.end() - 1, base64_end(body, found.end())
        if end < 0:
            return body, {}
        token = b'"%d"' % len(values)
        left += (body[at:start], token)
        values[token] = msgspec.Raw(view[start : end + 1])
        at = end + 1
    return b"".join((*left, body[at:])), values
