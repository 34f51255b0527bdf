"""Flags that a person types behind a chat prompt: `waves at dusk --ar 9:16 --seed 7`.

The words of the table are flags wherever they stand outside of quotes, and have to stand behind everything else: a
video is paid for, so a flag that would be taken for text is refused instead. Other words that look like flags are text
as long as no flag stood before them. Phones make a dash of two hyphens; prose has dashes too, so a word behind a dash
is a flag only where everything from it on reads as flags.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from adapter.domain.media import Ratio
from adapter.domain.numbers import whole_number
from adapter.domain.orders import MAX_SEED
from adapter.domain.thinking import ThinkingLevel
from adapter.errors import InvalidRequest
from adapter.openai_api.read.images import MAX_IMAGES
from adapter.openai_api.read.shape import FORMS, read_shape

#: A picture: the number of an attached one, from 1, or an address.
Ref = int | str

PICTURE = "the number of an attached picture, or an http(s) address"
#: In the place of a picture: no earlier one is meant either.
NONE = "none"

_WORD = re.compile(r"\S+")
_FLAG = re.compile(r"(--|[—–])([A-Za-z][A-Za-z_-]*)(?:=(.*))?")
#: Words in quotes. None of them reaches past the next opening one, so the search is done in one go.
_QUOTED = re.compile(r'"[^"\n]*"|`[^`\n]*`|“[^“”\n]*”|„[^„“”\n]*[“”]|«[^«»\n]*»')
#: What prose puts behind a value.
_PUNCTUATION = ".,;"


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """What was said; None where nothing was."""

    ratio: str | None = None
    size: str | None = None
    seed: int | None = None
    n: int | None = None
    seconds: int | None = None
    thinking_level: str | None = None
    search: bool | None = None
    first: Ref | None = None
    last: Ref | None = None
    refs: tuple[Ref, ...] = ()

    @property
    def names_pictures(self) -> bool:
        """Whether they say which pictures to work from."""
        return self.first is not None or self.last is not None or bool(self.refs)

    @property
    def wants_words_only(self) -> bool:
        """Whether they say that there are none."""
        return self.refs == (NONE,)


class _Said(msgspec.Struct):
    """A flag as it stands there."""

    word: str
    name: str
    values: list[str]
    #: Where it begins in the text.
    start: int


class _Kind(msgspec.Struct, frozen=True):
    """What a flag takes."""

    field: str
    #: Empty: nothing, the flag says it all.
    takes: str
    read: Callable[[str], object]
    is_list: bool = False


def take_flags(text: str, param: str) -> tuple[str, Flags]:
    """Return a prompt without its flags, and the flags. `param` is the field that the prompt stands in.

    Raises:
        InvalidRequest: a flag's value is missing or means nothing, or something else stands behind a flag.
    """
    said = _flag_words(text)
    mistakes = [_mistake(flag) for flag in said]
    tail = max((at + 1 for at, wrong in enumerate(mistakes) if wrong), default=0)
    for at, flag in enumerate(said):
        if flag.name not in KINDS:
            continue
        if at >= tail:
            return text[: flag.start].rstrip(), _read(said[at:], param)
        if flag.word.startswith("--"):
            raise InvalidRequest(next(filter(None, mistakes[at:])), param=param)
    return text, Flags()


def _flag_words(text: str) -> list[_Said]:
    """Find everything that looks like a flag, each with the words up to the next one."""
    quoted = [found.span() for found in _QUOTED.finditer(text)] if _FLAG.search(text) else []
    said: list[_Said] = []
    for word in _WORD.finditer(text):
        while quoted and quoted[0][1] <= word.start():
            quoted.pop(0)
        is_quoted = bool(quoted) and quoted[0][0] < word.end()
        flag = None if is_quoted else _FLAG.fullmatch(word[0])
        if flag is not None:
            name = flag[2].lower().replace("_", "-")
            values = _values([flag[3]] if flag[3] else [])
            said.append(_Said(word[0].partition("=")[0], SYNONYMS.get(name, name), values, word.start()))
        elif said:
            said[-1].values += _values([word[0]])
    return said


def _values(words: Sequence[str]) -> list[str]:
    """Take the punctuation off values, and lists of numbers apart (`1,2`)."""
    plain = [word.rstrip(_PUNCTUATION) for word in words]
    lists = (word.split(",") if re.fullmatch(r"[0-9]+(,[0-9]+)+", word) else [word] for word in plain)
    return [value for values in lists for value in values if value]


def _mistake(flag: _Said) -> str | None:
    """Say what is wrong with the form of a flag."""
    kind = KINDS.get(flag.name)
    if kind is None:
        return f"'{flag.word}' is not known. Flags: {', '.join(f'--{name}' for name in KINDS)}. {_HINT}"
    if not kind.takes:
        return f"Behind '{flag.word}' stands '{flag.values[0]}'. {_HINT}" if flag.values else None
    if not flag.values:
        return f"'{flag.word}' needs a value: {kind.takes}. {_HINT}"
    if len(flag.values) > 1 and not kind.is_list:
        return f"Behind '{flag.word} {flag.values[0]}' stands '{flag.values[1]}'. {_HINT}"
    return None


_HINT = "Flags stand at the end of the prompt; words that belong to what shall be seen go before them, or into quotes."


def _read(said: Sequence[_Said], param: str) -> Flags:
    found: dict[str, object] = {}
    for flag in said:
        kind = KINDS[flag.name]
        if kind.field in found:
            raise InvalidRequest(f"'--{flag.name}' is there more than once.", param=param)
        values = tuple(_value(flag, kind, value, param) for value in flag.values)
        found[kind.field] = values if kind.is_list else values[0] if kind.takes else True
    return msgspec.convert(found, Flags)


def _value(flag: _Said, kind: _Kind, value: str, param: str) -> object:
    read = kind.read(value)
    if read is None:
        raise InvalidRequest(f"'{flag.word}' takes {kind.takes}; not '{value}'. {_HINT}", param=param)
    return read


def _ratio(value: str) -> str | None:
    return value if value in set(Ratio) else None


def _size(value: str) -> str | None:
    plain = value.lower().replace("×", "x")
    try:
        read_shape(plain, None, None)
    except InvalidRequest:
        return None
    return plain


def _number(first: int, last: int) -> Callable[[str], int | None]:
    def read(value: str) -> int | None:
        found = whole_number(value, most=last)
        return found if found is not None and found >= first else None

    return read


def _seconds(value: str) -> int | None:
    return _number(1, 999)(value.lower().removesuffix("s"))


def _level(value: str) -> str | None:
    return value.lower() if value.lower() in set(ThinkingLevel) else None


def _picture(value: str) -> Ref | None:
    address = value.removeprefix("<").removesuffix(">")
    return address if address.lower().startswith(("https://", "http://")) else _number(1, 99)(value)


def _reference(value: str) -> Ref | None:
    return NONE if value.lower() == NONE else _picture(value)


KINDS: Final = {
    "ar": _Kind("ratio", f"one of {', '.join(Ratio)}", _ratio),
    "size": _Kind("size", FORMS, _size),
    "seed": _Kind("seed", f"a whole number from 0 to {MAX_SEED}", _number(0, MAX_SEED)),
    "n": _Kind("n", f"a whole number from 1 to {MAX_IMAGES}", _number(1, MAX_IMAGES)),
    "seconds": _Kind("seconds", "a whole number of seconds", _seconds),
    "think": _Kind("thinking_level", f"one of {', '.join(ThinkingLevel)}", _level),
    "search": _Kind("search", "", lambda _: True),
    "first": _Kind("first", PICTURE, _picture),
    "last": _Kind("last", PICTURE, _picture),
    "ref": _Kind("refs", f"{PICTURE}; or '{NONE}' alone", _reference, is_list=True),
}
SYNONYMS: Final = {
    **dict.fromkeys(("aspect", "aspect-ratio", "ratio"), "ar"),
    "duration": "seconds",
    "refs": "ref",
    "thinking": "think",
}
