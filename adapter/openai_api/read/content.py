"""What a client said, as one digest: the same for every attempt of a request, whatever its bytes looked like.

It is taken of the request itself, before the catalogue or a setting makes anything of it: an edit of `models.toml`, an
upgrade or a restart changes no digest. Every field counts, those too that are known to no
reader here: two people behind one key who send different `user` fields want two pictures. Only fields that choose how
the answer is sent do not count: a client that comes back may well ask without a stream.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from adapter.errors import UNREADABLE_JSON
from adapter.openai_api.read.form import Part

#: The rule by which digests are made. It goes up with every change that gives an old request another digest.
VERSION = 1

#: A member of a JSON object above this size carries a picture. It counts as it came, because putting its own members in
#: order would copy it.
MOST_SORTED_BYTES = 256 * 1024

#: What is looked at for a value that is written in one way only.
MOST_PLAIN_BYTES = 4096
MOST_DIGITS = 15

#: Fields that do not count.
OUT = frozenset({"stream", "stream_options"})

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def json_content(body: bytes) -> str:
    """Return the digest of a JSON object. The order of members and the space between them do not count."""
    try:
        members = _members.decode(body)
    except UNREADABLE_JSON:
        # A member that no reader here knows was not looked at yet: it may hold what nothing here can read.
        return _digest("bytes", [(b"", body)])
    return _digest("json", [(name.encode(), _in_order(members[name])) for name in sorted(members.keys() - OUT)])


def form_content(parts: Iterable[Part]) -> str:
    """Return the digest of a form: names and values in their order. Boundaries and file names do not count."""
    said = (part for part in parts if part.name not in OUT)
    return _digest("form", ((part.name.encode(errors="surrogateescape"), part.data) for part in said))


def _in_order(raw: msgspec.Raw) -> bytes | memoryview:
    value = memoryview(raw)
    if len(value) > MOST_SORTED_BYTES:
        return value
    text = bytes(value)
    if len(text) <= MOST_PLAIN_BYTES and _is_plain(text):
        return text
    try:
        return msgspec.json.encode(msgspec.json.decode(text), order="sorted")
    except UNREADABLE_JSON:
        return text  # as above


def _is_plain(text: bytes) -> bool:
    """Say whether a value would be written as it is: a text without escapes, or a short whole number."""
    return b"\\" not in text if text.startswith(b'"') else text.isdigit() and len(text) <= MOST_DIGITS


def _digest(kind: str, members: Iterable[tuple[bytes, bytes | memoryview]]) -> str:
    whole = hashlib.sha256(kind.encode())
    for name, value in members:
        # Lengths first: no two lists of members run together into the same bytes.
        whole.update(b"%d,%d:%b" % (len(name), len(value), name))
        whole.update(value)
    return f"{VERSION}:{whole.hexdigest()}"
