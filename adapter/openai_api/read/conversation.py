"""What a conversation wants: its last user message, and the pictures in sight."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from adapter.domain.media import probe
from adapter.domain.media_links import MediaLinks
from adapter.domain.orders import InlineSource, Source
from adapter.errors import InvalidRequest
from adapter.openai_api.read.fields import wrong_type
from adapter.openai_api.read.picture_sets import listed
from adapter.openai_api.read.pictures import sources_of
from adapter.openai_api.read.turns import (
    Turn,
    beside,
    is_picture,
    is_text,
    parts_of,
    role_of,
    texts_of,
    words_of,
)
from adapter.openai_api.wire.media import MediaRequest, Picture

#: What is said beside the fault of an earlier picture. Without a way out it would be in the way of all that follows.
WAY_OUT = (
    "It is a picture of an earlier turn. Attach it again; or end the prompt with '--ref none' (in /v1/responses: the "
    "tool's action 'generate') to work from words alone."
)

#: The head of a picture in Markdown, up to its address. It does not reach past the next bracket.
_MARKDOWN = re.compile(r"!\[[^\[\]\n]{0,1000}\]\(")
#: What our own pictures are called.
_PICTURE_NAME = r"[0-9A-Za-z_-]{1,64}\.(?:png|jpg|webp)\b"
_BLANKS = " \t\n\r"
#: Exclamation marks with a bracket that are looked at in a text, from its end.
_MOST_HEADS = 1000


class Conversation(msgspec.Struct, frozen=True):
    """The turns of a request."""

    turns: Sequence[Turn]
    #: What the request calls them.
    param: str
    #: Our own links: a picture behind one is ours.
    links: MediaLinks


class Wish(msgspec.Struct, frozen=True):
    """What to make, and from what."""

    text: str
    pictures: tuple[Source, ...] = ()
    #: What each of them is to a video, where the client says so.
    roles: tuple[str | None, ...] = ()
    #: Whether the pictures are those of an earlier turn.
    is_earlier: bool = False


def read_wish(conversation: Conversation, *, look_back: bool) -> Wish:
    """Return the last user message's text and pictures.

    If it has none and `look_back` is set, they are those that were given or made last before it: so "make it blue"
    means the picture of the answer above. Of an answer with several pictures it is the last one. Pictures that are
    not chosen are not looked at. One of an old turn that cannot be used was refused when that turn came. Clients send
    it again with every message, so it is passed over.

    Raises:
        InvalidRequest: there is no user message, or a part that cannot be used.
    """
    turns, links = conversation.turns, conversation.links
    asked = next((at for at in reversed(range(len(turns))) if role_of(turns[at]) == "user"), None)
    if asked is None:
        raise InvalidRequest("There is no message of role 'user'.", param=conversation.param)
    text = "\n".join(_texts(turns[asked], conversation.param))
    for earlier in reversed(turns[0 if look_back else asked : asked + 1]):
        found = tuple(_pictures(earlier, conversation))
        if found:
            chosen = found if role_of(earlier) == "user" else found[-1:]
            roles = tuple(picture.role for picture in chosen)
            if earlier is turns[asked]:
                return Wish(text, sources_of(chosen, links), roles)
            if sources := _usable(chosen, links):
                return Wish(text, sources, roles, is_earlier=True)
    return Wish(text)


def with_fields(wish: Wish, media: MediaRequest, conversation: Conversation) -> Wish:
    """Return a wish with the pictures that stand beside the conversation, which mean the last turn.

    Raises:
        InvalidRequest: they are others than those of the turn, and nothing says what each is.
    """
    pictures = media.pictures
    if not pictures:
        return wish
    own = sources_of(pictures, conversation.links)
    if not wish.pictures or [_bare(source) for source in own] == [_bare(source) for source in wish.pictures]:
        return Wish(wish.text, own, tuple(picture.role for picture in pictures))
    if all(picture.role is None for picture in pictures):
        name = media.called("pictures")
        raise InvalidRequest(
            f"'{conversation.param}' and '{name}' bring different pictures; leave one of them out.", param=name
        )
    roles = (*wish.roles, *(picture.role for picture in pictures))
    return Wish(wish.text, (*wish.pictures, *own), roles)


def without_roles(wish: Wish) -> Wish:
    """Return a wish for pictures: what a turn's picture is to a video means nothing to them."""
    return msgspec.structs.replace(wish, roles=(None,) * len(wish.pictures))


def request_for(wish: Wish, media: MediaRequest, param: str) -> MediaRequest:
    """Return a request with the words and the pictures of its conversation, which it calls `param`."""
    pictures = tuple(
        Picture(source, source.param, role) for source, role in zip(wish.pictures, wish.roles, strict=True)
    )
    names = {"pictures": param, **media.names, "prompt": param}
    return msgspec.structs.replace(media, prompt=wish.text, pictures=pictures, names=names)


def _bare(source: Source) -> Source:
    return msgspec.structs.replace(source, param="")


def _usable(pictures: Sequence[Picture], links: MediaLinks) -> tuple[Source, ...]:
    """Return the pictures of an earlier turn; none if one of them cannot be used."""
    try:
        sources = sources_of(pictures, links)
    except InvalidRequest:
        return ()
    if any(isinstance(source, InlineSource) and probe(source.data) is None for source in sources):
        return ()
    return tuple(msgspec.structs.replace(source, advice=WAY_OUT) for source in sources)


def _texts(turn: Turn, param: str) -> Iterator[str]:
    """Yield the words of the turn that counts. A part that is neither words nor a picture was meant: it is refused."""
    content = turn.get("content")
    if not isinstance(content, str | list | dict | None):
        raise wrong_type(content, param, "text or a list of parts")
    if isinstance(content, str):
        yield content
    for part in parts_of(turn):
        if is_text(part):
            if not isinstance(part.get("text"), str | None):
                raise wrong_type(part["text"], param, "text")
            yield words_of(part)
        elif not is_picture(part):
            raise InvalidRequest(
                f"A part of type '{part.get('type')}' cannot be used. Allowed: text, image_url, file.", param=param
            )


def _pictures(turn: Turn, conversation: Conversation) -> Iterator[Picture]:
    """Find what a user attached or wrote a link of ours to; or what an answer showed, in its text or beside it."""
    role, param, links = role_of(turn), conversation.param, conversation.links
    if role == "user":
        ours = re.compile(re.escape(links.base) + _PICTURE_NAME)
        for text in texts_of(turn):
            yield from (Picture(found[0], param) for found in ours.finditer(text))
    if role == "assistant":
        for text in reversed([*texts_of(turn)]):
            if (last := _last_shown(text, links)) is not None:
                yield Picture(last, param)
                break
    if role in {"user", "assistant"}:
        for part in parts_of(turn):
            if is_picture(part):
                yield from listed(part, param, None)
        yield from beside(turn, param)


def _last_shown(text: str, links: MediaLinks) -> str | None:
    """Find the last picture's address, from the text's end in small steps: it may be 100 MB of data, or of brackets."""
    at = closed = len(text)
    for _ in range(_MOST_HEADS):
        begun, at = at, text.rfind("![", 0, at)
        if at < 0:
            return None
        head = _MARKDOWN.match(text, at)
        if head is not None:
            end = _first(text.find(")", head.end(), begun), closed)
            if end < len(text) and text.find("(", head.end(), end) < 0 and _is_shown(text[head.end() : end], links):
                return text[head.end() : end]
        closed = _first(text.find(")", at, begun), closed)
    return None


def _first(found: int, otherwise: int) -> int:
    return otherwise if found < 0 else found


def _is_shown(url: str, links: MediaLinks) -> bool:
    ours = url[:11].lower() == "data:image/" or links.name_in(url)
    return bool(ours) and not any(blank in url for blank in _BLANKS)
