"""The name of the model in a request that is passed on: it changes, and no other byte does. Pure."""

import re
from collections.abc import Iterator

import msgspec

#: A text, or a bracket of an object or a list.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[][{}]', re.DOTALL)
_COLON = re.compile(rb"\s*:\s*")
_STEPS = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}
_MODEL = "model"


def with_model(body: bytes, model: str) -> bytes:
    """Return an object of JSON with another value of its member `model`. All other bytes stay as they are."""
    left, at = list[bytes](), 0
    for begin, end in _models(body):
        left += (body[at:begin], msgspec.json.encode(model))
        at = end
    return b"".join((*left, body[at:]))


def _models(body: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each value of a member `model` begins and ends. If there are several, a parser takes the last."""
    depth, at = 0, 0
    while found := _TOKEN.search(body, at):
        at = found.end()
        if step := _STEPS.get(found[0]):
            depth += step
        elif depth == 1 and (colon := _COLON.match(body, at)):
            # The name of a member, as a value is no text with a colon behind it.
            value = _TOKEN.match(body, colon.end())
            if value and value[0].startswith(b'"'):
                at = value.end()
                if _is_model(found[0]):
                    yield value.span()


def _is_model(name: bytes) -> bool:
    return name == b'"model"' or (b"\\" in name and msgspec.json.decode(name) == _MODEL)
