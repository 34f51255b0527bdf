"""The page of all settings, docs/configuration.md: made of their types, and of the comments of the shipped files."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec import inspect

from adapter.commands.config_comments import comments
from adapter.mistakes import dotted, words_of
from adapter.providers import registry
from adapter.reload_plan import RELOADED
from adapter.settings import PREFIX, file_type
from adapter.toml_file import Key

#: Explained in docs/sandbox.md: only tests of the adapter itself change it.
LEFT_OUT: Final = frozenset({("sandbox", "cloud")})
#: Stands for the name of a table that the operator chooses.
FREE_NAME: Final = "NAME"
#: The comment of a key that is explained in another section.
_ELSEWHERE: Final = re.compile(r"(these six )?as (in|above)\b")
#: The sections whose comments count then.
_EXPLAINING: Final = ("gemini", "omni")

HEAD: Final = """<!-- Made by `adapter config reference`. Change config/adapter.toml, or the types of the settings. -->

# Settings

Every key of the configuration file. `adapter config` prints a file that has them all with their defaults, `adapter
check` says what is wrong in yours, and `adapter config schema` makes an editor of TOML know them.

- A secret is a reference: `env:NAME`, `file:/path`, `cmd:program args` or `google:`, never the secret itself.
- The environment can set any key outside of lists: `ADAPTER__SECTION__KEY`, for example `ADAPTER__SERVER__PORT=9000`.
  It counts more than the file.
- *reload*: a running server takes a change over by [`adapter reload`][reload] or SIGHUP. *restart*: it needs a restart.

[reload]: deploy.md#changing-the-configuration-while-it-runs
"""


class SettingRow(NamedTuple):
    """One setting."""

    key: Key
    allowed: str
    default: str


class SettingSection(NamedTuple):
    """A table of the file, with its settings."""

    key: Key
    rows: list[SettingRow]


def config_reference() -> str:
    """Return the page."""
    words = comments()
    return HEAD + "".join("\n" + _written(section, words) for section in sections())


def sections() -> Iterator[SettingSection]:
    """Yield every table, in the order of the settings."""
    yield from _sections(inspect.type_info(file_type(registry.BUILT_IN)), ())


def explanation(key: Key, words: Mapping[Key, str]) -> str:
    """Return what a setting is for; nothing if no file says it."""
    own = next((text for of, text in words.items() if _is_about(of, key)), "")
    if key[:1] != ("providers",) or (own and not _ELSEWHERE.match(own)):
        return own
    places = [("providers", name, *key[2:]) for name in _EXPLAINING]
    return next((found for place in places if (found := words.get(place, "")) and not _ELSEWHERE.match(found)), "")


def _is_about(key: Key, other: Key) -> bool:
    """Compare two keys. A table of a free name is explained by the one of the example."""
    return len(key) == len(other) and all(there in {here, FREE_NAME} for here, there in zip(key, other, strict=True))


def is_reloaded(key: Key) -> bool:
    """Return whether a running server takes a change of a setting over."""
    names = [str(part) for part in key if isinstance(part, str)]
    return any(".".join(names[:end]) in RELOADED for end in range(1, len(names) + 1))


def _sections(kind: inspect.Type, key: Key) -> Iterator[SettingSection]:
    if key in LEFT_OUT or not isinstance(kind, inspect.StructType):
        return
    inner = {(*key, field.encode_name): _table_of(field.type) for field in kind.fields}
    rows = [
        SettingRow(name, words_of(field.type), _default(field))
        for field, (name, table) in zip(kind.fields, inner.items(), strict=True)
        if table is None or FREE_NAME in table[1] or _is_choice(field.type)
    ]
    if rows:
        yield SettingSection(key, rows)
    for name, table in inner.items():
        if table is not None:
            yield from _sections(table[0], (*name, *table[1]))


def _table_of(kind: inspect.Type) -> tuple[inspect.Type, Key] | None:
    """Return the type of a table, or of each table in a list or of a free name, with what stands for those."""
    match kind:
        case inspect.Metadata(type=inner):
            return _table_of(inner)
        case inspect.StructType():
            return kind, ()
        case inspect.VarTupleType(item_type=item) if (table := _table_of(item)) is not None:
            return table[0], (0, *table[1])
        case inspect.DictType(value_type=inspect.StructType() as item):
            return item, (FREE_NAME,)
        case inspect.UnionType(types=several):
            return next((found for each in several if (found := _table_of(each))), None)
    return None


def _is_choice(kind: inspect.Type) -> bool:
    """Return whether the elements of a list are tables or something else."""
    match kind:
        case inspect.Metadata(type=inner):
            return _is_choice(inner)
        case inspect.VarTupleType(item_type=inspect.UnionType()):
            return True
    return False


def _default(field: inspect.Field) -> str:
    if field.required:
        return "needed"
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return "none" if default is None else f"`{msgspec.json.encode(default).decode()}`"


def _written(section: SettingSection, words: Mapping[Key, str]) -> str:
    key = section.key
    name = dotted(tuple(part for part in key if isinstance(part, str)))
    title = f"`[[{name}]]`" if 0 in key else f"`[{name}]`" if name else "At the beginning of the file"
    lines = [f"## {title}", ""]
    if about := explanation(key, words):
        lines += [f"{about[0].upper()}{about[1:]}.", ""]
    if 0 not in key and FREE_NAME not in key:
        first = PREFIX + "__".join(str(part) for part in section.rows[0].key).upper()
        lines += [f"In the environment: `{first}`, and so on.", ""]
    lines += ["| setting | value | default | what it is for | change |", "|---|---|---|---|---|"]
    lines += [
        f"| `{row.key[-1]}` | {_cell(row.allowed)} | {_cell(row.default)} | {_cell(explanation(row.key, words))} |"
        f" {'reload' if is_reloaded(row.key) else 'restart'} |"
        for row in section.rows
    ]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
