"""What flags make of a request: they were typed for this very answer, so they are stronger than its fields.

Fields are mostly a program's defaults, the same for every message; who types a flag sees them nowhere.
"""

from collections.abc import Callable, Mapping

import msgspec

from adapter.domain.media import Ratio
from adapter.errors import InvalidRequest
from adapter.openai_api.read.conversation import Conversation, Wish
from adapter.openai_api.read.flags import NONE, Flags, Ref, take_flags
from adapter.openai_api.read.markup import without_videos
from adapter.openai_api.read.names import FIRST, LAST, REFERENCE
from adapter.openai_api.read.pictures import read_url
from adapter.openai_api.read.shape import RESOLUTIONS
from adapter.openai_api.read.turns import Turn, is_text, parts_of, role_of, words_of
from adapter.openai_api.wire.media import MediaRequest

#: Characters beyond the longest prompt in which flags are looked for; a longer text is refused anyway.
_ROOM_FOR_FLAGS = 8192

#: The flags that are not called as their fields are.
FLAG_NAMES = {"thinking_level": "think"}

#: Takes the flags off a text.
_Take = Callable[[str], tuple[str, Flags]]


def without_flags(conversation: Conversation, longest_prompt: int) -> tuple[Conversation, Flags]:
    """Return the conversation without flags and quoted answers in its last user turn, and the flags.

    Raises:
        InvalidRequest: as `take_flags`.
    """
    turns = conversation.turns
    asked = next((at for at in reversed(range(len(turns))) if role_of(turns[at]) == "user"), None)
    if asked is None:
        return conversation, Flags()

    def take(text: str) -> tuple[str, Flags]:
        if len(text) > longest_prompt + _ROOM_FOR_FLAGS:
            return text, Flags()
        return take_flags(without_videos(text, conversation.links), conversation.param)

    turn, flags = _taken(turns[asked], take)
    return msgspec.structs.replace(conversation, turns=[*turns[:asked], turn, *turns[asked + 1 :]]), flags


def _taken(turn: Turn, take: _Take) -> tuple[Turn, Flags]:
    """Look into the last words among pictures: what stands before them is not the end of the prompt."""
    content = turn.get("content")
    if isinstance(content, str):
        text, flags = take(content)
        return {**turn, "content": text}, flags
    parts = parts_of(turn)
    at = next((at for at in reversed(range(len(parts))) if _has_words(parts[at])), None)
    if at is None:
        return ({**turn, "content": [*parts]} if parts else turn), Flags()
    text, flags = take(words_of(parts[at]))
    return {**turn, "content": [*parts[:at], {**parts[at], "text": text}, *parts[at + 1 :]]}, flags


def _has_words(part: Turn) -> bool:
    return is_text(part) and bool(words_of(part).strip())


def with_flags(media: MediaRequest, flags: Flags) -> MediaRequest:
    """Return a request in which the flags stand in the place of fields that speak of the same."""
    said: dict[str, object] = {
        name: getattr(flags, name) for name in ("n", "seed", "seconds", "thinking_level", "search")
    }
    said = {name: value for name, value in said.items() if value is not None}
    names = {**media.names, **{name: f"--{FLAG_NAMES.get(name, name)}" for name in said}}
    if flags.ratio or flags.size:
        frame = _frame(media, flags)
        said |= {"resolution": None, **{field: word for field, (word, _) in frame.items()}}
        names |= {field: name for field, (_, name) in frame.items()}
    return msgspec.structs.replace(media, **said, names=names)


#: A word, and the name of the field or flag that it came in.
_Word = tuple[str | None, str]


def _frame(media: MediaRequest, flags: Flags) -> Mapping[str, _Word]:
    """Return the fields of a frame: a ratio leaves a resolution as it is, and the other way round."""
    words: list[_Word] = [(getattr(media, field), media.called(field)) for field in ("size", "resolution")]
    size, ratio = (flags.size, "--size"), (flags.ratio, "--ar")
    if flags.size is None:
        size = next((word for word in words if word[0] and word[0].upper() in RESOLUTIONS), size)
    elif flags.size.upper() in RESOLUTIONS and flags.ratio is None:
        words = [(media.aspect_ratio, media.called("aspect_ratio")), *words]
        ratio = next((word for word in words if word[0] in set(Ratio)), ratio)
    return {"size": size, "aspect_ratio": ratio}


def refuse_video_flags(flags: Flags, model: str, param: str) -> None:
    """Refuse what means nothing to a picture.

    Raises:
        InvalidRequest: there is some.
    """
    said = [name for name in ("seconds", "first", "last") if getattr(flags, name) is not None]
    if said:
        words = " and ".join(f"'--{name}'" for name in said)
        raise InvalidRequest(f"The model '{model}' makes pictures; {words} belongs to videos.", param=param)


def cast_by_flags(wish: Wish, flags: Flags, conversation: Conversation) -> Wish:
    """Return the pictures that the flags name, with their roles, in the place of those in sight.

    Raises:
        InvalidRequest: there is no such picture, or one that came with the message is not named.
    """
    param, links = conversation.param, conversation.links
    if not flags.names_pictures:
        return wish
    if flags.wants_words_only and not wish.pictures:
        return wish
    if NONE in flags.refs:
        raise InvalidRequest(f"'--ref {NONE}' stands alone and without pictures.", param=param)
    named: list[tuple[Ref, str]] = [(ref, REFERENCE) for ref in flags.refs]
    named += [(ref, role) for ref, role in ((flags.first, FIRST), (flags.last, LAST)) if ref is not None]
    missing = [ref for ref, _ in named if isinstance(ref, int) and ref > len(wish.pictures)]
    if missing:
        raise InvalidRequest(
            f"A flag names picture {missing[0]}; there are {len(wish.pictures)} in this message.", param=param
        )
    idle = set(range(1, len(wish.pictures) + 1)) - {ref for ref, _ in named}
    if idle and not wish.is_earlier:
        raise InvalidRequest(
            f"Picture {min(idle)} is attached and no flag names it; leave it out, or name it too.", param=param
        )
    pictures = tuple(
        wish.pictures[ref - 1] if isinstance(ref, int) else read_url(ref, links, param) for ref, _ in named
    )
    return Wish(wish.text, pictures, tuple(role for _, role in named))
