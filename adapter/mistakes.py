"""Finds all mistakes of a configuration at once, and says each in plain words.

msgspec stops at the first one, names it as `$.server.port`, and shows a regular expression for what is allowed. So the
tables are compared with the structs key by key here. A text that has a form says it as the `description` of its `Meta`.
"""

import re
import types
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Final, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import inspect

from adapter.toml_file import Key

#: Keys whose values are secrets, or have one inside. Their values are not shown.
_SECRET: Final = frozenset(
    {"keys", "token", "access_key", "secret_key", "database", "database_password", "owners", "proxy"}
)
#: Keys of the table of a client's key whose values are none.
_OPEN: Final = frozenset(
    {"budget", "expires", "images_per_day", "markup", "response_format", "rpm", "side_calls", "videos_per_day"}
)
_SHOWN_CHARACTERS = 60
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
#: An address with a login, which may have a password.
_LOGIN: Final = re.compile(r"//[^/]*@")
#: How many keys of a section are named where none is like the one that is wrong.
_NAMED_KEYS = 40


class Mistake(NamedTuple):
    """One mistake."""

    key: Key
    said: str

    @property
    def message(self) -> str:
        """The key and what is wrong with it."""
        return f"{dotted(self.key)}: {self.said}"


def dotted(key: Key) -> str:
    """Return a key as it is named in messages: `providers.flow.accounts[0].token`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_name(part)}" for part in key)
    return text.removeprefix(".")


def _name(part: str) -> str:
    """Return a name as TOML has it: in quotation marks unless it is of plain letters."""
    return _short(part) if _BARE.fullmatch(part) else _quoted(part)


def _quoted(text: str) -> str:
    """Return a text in quotation marks. What a terminal would obey or hide is written as its number."""
    safe = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
    return f'"{_short(safe)}"'


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def find_mistakes(value: object, wanted: object, key: Key = (), whole: object = None) -> Iterator[Mistake]:
    """Yield what is wrong with a value that a setting of type `wanted` should have."""
    whole, inner = wanted if whole is None else whole, _chosen(_bare(wanted), value)
    if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
        yield from _of_struct(value, inner, key, whole)
    elif (items := _items(inner)) is not None and isinstance(value, list | tuple):
        if len(value) < _least(wanted):
            yield Mistake(key, "the list is empty.")
        for number, each in enumerate(value):
            yield from find_mistakes(each, items, (*key, number), whole)
    elif (entries := _entries(inner)) is not None and isinstance(value, dict):
        for name, each in value.items():
            yield from _of_value(name, entries[0], (*key, name), is_name=True)
            yield from find_mistakes(each, entries[1], (*key, name), whole)
    else:
        yield from _of_value(value, wanted, key)


def _of_struct(value: object, wanted: type[msgspec.Struct], key: Key, whole: object) -> Iterator[Mistake]:
    if not isinstance(value, dict):
        yield Mistake(key, f"{_shown(key, value)} is no table. Write [{dotted(key)}], and its keys below.")
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    for name, each in value.items():
        if name in fields:
            yield from find_mistakes(each, fields[name].type, (*key, name), whole)
        else:
            yield Mistake((*key, name), _unknown(name, key, list(fields), whole))
    for name, field in fields.items():
        if field.required and name not in value:
            yield Mistake((*key, name), f"it is missing. Give {allowed(field.type)}.")


def _unknown(name: str, key: Key, known: Collection[str], whole: object) -> str:
    """Say that there is no such key, and which one may be meant."""
    if near := get_close_matches(name.lower(), known, n=1, cutoff=0.6):
        return f"there is no such key. Did you mean '{near[0]}'?"
    if homes := [home for home in _homes(whole, name) if home != dotted(key)]:
        return (
            f"there is no such key. It belongs to {' or '.join(f'[{home}]' if home else 'the top' for home in homes)}."
        )
    listed = ", ".join(list(known)[:_NAMED_KEYS])
    return f"there is no such key. There are: {listed}."


def _homes(whole: object, name: str, key: Key = ()) -> Iterator[str]:
    """Yield the sections that have a key of this name."""
    wanted = _bare(whole)
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        for field in msgspec.structs.fields(wanted):
            if field.encode_name == name:
                yield dotted(key)
            yield from _homes(field.type, name, (*key, field.encode_name))


def _of_value(value: object, wanted: object, key: Key, *, is_name: bool = False) -> Iterator[Mistake]:
    try:
        msgspec.convert(value, wanted, strict=False)
    except msgspec.ValidationError:
        shown = f"the name {_quoted(str(value))}" if is_name else _shown(key, value)
        yield Mistake(key, f"{shown} is not allowed. Give {allowed(wanted)}.{_near(value, wanted)}")


def _shown(key: Key, value: object) -> str:
    if any(part in _SECRET for part in key) and key[-1] not in _OPEN:
        return "the value"
    match value:
        case str():
            return "the value" if _LOGIN.search(value) else _quoted(value)
        case bool():
            return str(value).lower()
        case dict():  # not what is in it: that may be a secret
            return "a table"
        case list() | tuple():
            return "a list"
    return _short(str(value))


def _near(value: object, wanted: object) -> str:
    near = get_close_matches(str(value).lower(), _choices(inspect.type_info(wanted)), n=1, cutoff=0.6)
    return f' Did you mean "{near[0]}"?' if near else ""


def _choices(kind: inspect.Type) -> list[str]:
    match kind:
        case inspect.Metadata(type=inner):
            return _choices(inner)
        case inspect.LiteralType(values=values):
            return [str(value) for value in values]
        case inspect.EnumType(cls=cls):
            return [str(each.value) for each in cls]
    return []


def allowed(wanted: object) -> str:
    """Say what a setting takes."""
    return words_of(inspect.type_info(wanted))


def words_of(kind: inspect.Type) -> str:
    """Say what a setting of a type takes."""
    match kind:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return str((extra or {}).get("description") or words_of(inner))
        case inspect.LiteralType() | inspect.EnumType():
            return "one of " + ", ".join(f'"{choice}"' for choice in _choices(kind))
        case inspect.IntType(ge=least, le=most):
            return f"a whole number{_range(least, most)}"
        case inspect.FloatType(gt=above, ge=least, le=most):
            return f"a number{_range(least, most, above)}"
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType(min_length=least):
            return "a text that is not empty" if least else "a text"
        case inspect.DateType():
            return "a date, such as 2026-10-06"
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return f"a list; each is {words_of(item)}"
        case inspect.UnionType(types=several):
            return " or ".join(words_of(each) for each in several if not isinstance(each, inspect.NoneType))
    return "a table"


def _range(least: float | None, most: float | None, above: float | None = None) -> str:
    if above is not None:
        return f" above {_number(above)}" + ("" if most is None else f", up to {_number(most)}")
    if least is None:
        return "" if most is None else f" up to {_number(most)}"
    return f" of at least {_number(least)}" if most is None else f" from {_number(least)} to {_number(most)}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def in_words(error: msgspec.ValidationError) -> Mistake:
    """Turn a message of msgspec's about a whole table into a mistake: what a struct says of itself."""
    said, _, path = str(error).partition(" - at `$")
    parts: list[str | int] = []
    for part in path.rstrip("`").replace("[", ".[").split("."):
        if part.startswith("["):
            number = part.strip("[]")
            parts.append(int(number) if number.isdigit() else number)
        elif part:
            parts.append(part)
    return Mistake(tuple(parts), said)


def _bare(wanted: object) -> object:
    """Return a type without its annotations and without None."""
    if get_origin(wanted) is Annotated:
        return _bare(get_args(wanted)[0])
    if get_origin(wanted) in {Union, types.UnionType}:
        several = [each for each in get_args(wanted) if each is not type(None)]
        return _bare(several[0]) if len(several) == 1 else wanted
    return wanted


def _chosen(wanted: object, value: object) -> object:
    """Return the one of several types that a value is meant to have: a list, or a table."""
    if get_origin(wanted) not in {Union, types.UnionType}:
        return wanted
    several = [_bare(each) for each in get_args(wanted)]
    fits = _is_list if isinstance(value, list | tuple) else _is_table
    is_compound = isinstance(value, list | tuple | dict)
    return next((each for each in several if is_compound and fits(each)), wanted)


def _is_list(wanted: object) -> bool:
    return _items(wanted) is not None


def _is_table(wanted: object) -> bool:
    is_struct = isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)
    return is_struct or _entries(wanted) is not None


def _least(wanted: object) -> int:
    """Return how many elements a list has to have."""
    kind = inspect.type_info(wanted)
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    return (kind.min_length or 0) if isinstance(kind, inspect.VarTupleType | inspect.ListType) else 0


def _items(wanted: object) -> object:
    """Return the type of a list's elements; None: it is no list."""
    arguments = get_args(wanted)
    is_list = get_origin(wanted) in {tuple, list} and (len(arguments) == 1 or arguments[1:] == (Ellipsis,))
    return arguments[0] if is_list else None


def _entries(wanted: object) -> tuple[object, object] | None:
    """Return the types of a table's names and values; None: it is no open table."""
    origin = get_origin(wanted)
    if not (isinstance(origin, type) and issubclass(origin, Mapping)):
        return None
    names, values = get_args(wanted)
    return names, values
