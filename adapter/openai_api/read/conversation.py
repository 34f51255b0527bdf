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

#: A picture in Markdown. Neither half reaches past the next bracket, so a text of nothing but brackets is read once.
_MARKDOWN = re.compile(r"!\[[^\[\]\n]*\]\(([^()\s]+)\)")


class Wish(msgspec.Struct, frozen=True):
    """What to make, and from what."""

    text: str
    pictures: tuple[Source, ...] = ()
    #: What each of them is to a video, where the client says so.
    roles: tuple[str | None, ...] = ()


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
            return Wish(text, tuple(_source(part, public_url) for part in chosen), roles)
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
    """Find what a user attached, or what an answer showed: beside its text, or in it as data or by a link of ours."""
    if message.role == "assistant":
        yield from _shown("\n".join(_plain(message)), public_url)
    if message.role in {"user", "assistant"}:
        yield from (part for part in _parts(message) if part.type in PICTURES)
        yield from message.images or ()


def _plain(message: Message) -> Iterator[str]:
    if isinstance(message.content, str):
        yield message.content
    yield from (part.text or "" for part in _parts(message))


def _shown(text: str, public_url: str) -> Iterator[ContentPart]:
    for found in _MARKDOWN.finditer(text):
        if found[1][:11].lower() == "data:image/" or kept_name(found[1], public_url):
            yield ContentPart(type="image_url", image_url=found[1])


def _source(part: ContentPart, public_url: str) -> Source:
    if part.image_url is not None:
        url = part.image_url if isinstance(part.image_url, str) else part.image_url.url
        return read_url(url, public_url, PARAM)
    data = part.file_data if part.file is None else part.file.file_data
    if data is not None:
        return read_url(data, public_url, PARAM)
    if part.file is not None:
        return read_ref(ImageRef(file_id=part.file.file_id), public_url, PARAM)
    raise InvalidRequest(f"A part of type '{part.type}' needs a picture: {FORMS}.", param=PARAM)
