"""What a conversation wants: its last user message, and the pictures in sight."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from adapter.domain.orders import Source
from adapter.errors import InvalidRequest
from adapter.openai_api.read.pictures import FORMS, kept_name, read_ref, read_url
from adapter.openai_api.wire.chat import ContentPart, Message
from adapter.openai_api.wire.images import ImageRef

PARAM = "messages"

TEXTS = frozenset({"text", "input_text"})
PICTURES = frozenset({"image_url", "input_image", "file", "input_file"})

#: The head of a picture in Markdown, up to its address. It does not reach past the next bracket.
_MARKDOWN = re.compile(r"!\[[^\[\]\n]{0,1000}\]\(")
#: What our own pictures are called.
_PICTURE_NAME = r"[0-9A-Za-z_-]{1,64}\.(?:png|jpg|webp)\b"
_BLANKS = " \t\n\r"
#: Exclamation marks with a bracket that are looked at in a text, from its end.
_MOST_HEADS = 1000


class Wish(msgspec.Struct, frozen=True):
    """What to make, and from what."""

    text: str
    pictures: tuple[Source, ...] = ()
    #: What each of them is to a video, where the client says so.
    roles: tuple[str | None, ...] = ()
    #: Whether the pictures are those of an earlier turn.
    is_earlier: bool = False


def read_wish(messages: Sequence[Message], public_url: str, *, look_back: bool) -> Wish:
    """Return the last user message's text and pictures.

    If it has none and `look_back` is set, they are those that were given or made last before it: so "make it blue"
    means the picture of the answer above. Of an answer with several pictures it is the last one. Pictures that are
    not chosen are not looked at: a broken one in an old turn is in nobody's way.

    Raises:
        InvalidRequest: there is no user message, or a part that cannot be used.
    """
    asked = next((at for at in reversed(range(len(messages))) if messages[at].role == "user"), None)
    if asked is None:
        raise InvalidRequest("There is no message of role 'user'.", param=PARAM)
    text = "\n".join(_texts(messages[asked]))
    for earlier in reversed(messages[0 if look_back else asked : asked + 1]):
        found = tuple(_pictures(earlier, public_url))
        if found:
            chosen = found if earlier.role == "user" else found[-1:]
            roles = tuple(part.role for part in chosen)
            sources = tuple(_source(part, public_url) for part in chosen)
            return Wish(text, sources, roles, is_earlier=earlier is not messages[asked])
    return Wish(text)


def _texts(message: Message) -> Iterator[str]:
    if isinstance(message.content, str):
        yield message.content
    for part in _parts(message):
        if part.type in TEXTS:
            yield part.text or ""
        elif part.type not in PICTURES:
            raise InvalidRequest(
                f"A part of type '{part.type}' cannot be used. Allowed: text, image_url, file.", param=PARAM
            )


def _parts(message: Message) -> tuple[ContentPart, ...]:
    return message.content if isinstance(message.content, tuple) else ()


def _pictures(message: Message, public_url: str) -> Iterator[ContentPart]:
    """Find what a user attached or wrote a link of ours to; or what an answer showed, in its text or beside it."""
    if message.role == "user":
        ours = re.compile(re.escape(f"{public_url}/media/") + _PICTURE_NAME)
        for text in _plain(message):
            yield from (ContentPart(type="image_url", image_url=found[0]) for found in ours.finditer(text))
    if message.role == "assistant":
        for text in reversed([*_plain(message)]):
            if (last := _last_shown(text, public_url)) is not None:
                yield last
                break
    if message.role in {"user", "assistant"}:
        yield from (part for part in _parts(message) if part.type in PICTURES)
        yield from message.images or ()


def _plain(message: Message) -> Iterator[str]:
    if isinstance(message.content, str):
        yield message.content
    yield from (part.text or "" for part in _parts(message))


def _last_shown(text: str, public_url: str) -> ContentPart | None:
    """Find the last picture in a text, from its end and in small steps: it may be 100 MB of data, or of brackets."""
    at = closed = len(text)
    for _ in range(_MOST_HEADS):
        begun, at = at, text.rfind("![", 0, at)
        if at < 0:
            return None
        head = _MARKDOWN.match(text, at)
        if head is not None:
            end = _first(text.find(")", head.end(), begun), closed)
            if (
                end < len(text)
                and text.find("(", head.end(), end) < 0
                and _is_shown(text[head.end() : end], public_url)
            ):
                return ContentPart(type="image_url", image_url=text[head.end() : end])
        closed = _first(text.find(")", at, begun), closed)
    return None


def _first(found: int, otherwise: int) -> int:
    return otherwise if found < 0 else found


def _is_shown(url: str, public_url: str) -> bool:
    ours = url[:11].lower() == "data:image/" or kept_name(url, public_url)
    return bool(ours) and not any(blank in url for blank in _BLANKS)


def _source(part: ContentPart, public_url: str) -> Source:
    if part.image_url is not None:
        url = part.image_url if isinstance(part.image_url, str) else part.image_url.url
        return read_url(url, public_url, PARAM)
    data = (part.file_data or part.file_url) if part.file is None else part.file.file_data
    if data is not None:
        return read_url(data, public_url, PARAM)
    file_id = part.file_id if part.file is None else part.file.file_id
    if file_id is not None:
        return read_ref(ImageRef(file_id=file_id), public_url, PARAM)
    raise InvalidRequest(f"A part of type '{part.type}' needs a picture: {FORMS}, or a 'file_id'.", param=PARAM)
