"""The turns of a conversation as they came, each read where it is used and not before.

Clients send the whole conversation with every message. An odd turn in it (an unknown kind of part, or of picture) would
block the conversation for ever if it were checked each time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from adapter.openai_api.read.form import is_empty
from adapter.openai_api.read.names import ATTACHMENTS, PICTURES
from adapter.openai_api.read.picture_sets import listed
from adapter.openai_api.read.pictures import KEYS
from adapter.openai_api.wire.media import Picture

#: A message, or a part of one, decoded and not judged.
Turn = Mapping[str, object]

TEXTS = frozenset({"text", "input_text", "output_text"})
PICTURE_TYPES = frozenset({"image_url", "input_image", "file", "input_file", "image"})


def turns_in(entries: Iterable[object] | None) -> Sequence[Turn]:
    """Return the entries of a conversation that are turns at all."""
    return [entry for entry in entries or () if isinstance(entry, dict)]


def role_of(turn: Turn) -> str:
    """Return who speaks; "" if that cannot be told."""
    role = turn.get("role")
    return role if isinstance(role, str) else ""


def parts_of(turn: Turn) -> Sequence[Turn]:
    """Return the parts of a turn whose content is no plain text; what is no part is one without a kind."""
    content = turn.get("content")
    if isinstance(content, dict):
        return [content]
    return [_part(part) for part in content] if isinstance(content, list | tuple) else []


def _part(part: object) -> Turn:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return part if isinstance(part, dict) else {}


def is_text(part: Turn) -> bool:
    """Say whether a part is words. One that does not say its type is, if it has some and no picture."""
    kind = part.get("type")
    return kind in TEXTS if isinstance(kind, str) else "text" in part and not is_picture(part)


def is_picture(part: Turn) -> bool:
    """Say whether a part is a picture. One that does not say its type is, if it has one."""
    kind = part.get("type")
    return kind in PICTURE_TYPES if isinstance(kind, str) else any(not is_empty(part.get(key)) for key in KEYS)


def words_of(part: Turn) -> str:
    """Return the words of a part."""
    text = part.get("text")
    return text if isinstance(text, str) else ""


def texts_of(turn: Turn) -> Iterator[str]:
    """Yield the words of a turn, whatever else is in it."""
    content = turn.get("content")
    if isinstance(content, str):
        yield content
    yield from (words_of(part) for part in parts_of(turn))


def beside(turn: Turn, param: str) -> Iterator[Picture]:
    """Yield the pictures that stand beside the content of a turn."""
    for key, value in turn.items():
        if (key in PICTURES or key in ATTACHMENTS) and not is_empty(value):
            for picture in listed(value, param, PICTURES.get(key) or None):
                yield Picture(picture.value, param, picture.role)
