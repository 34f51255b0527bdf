"""A TOML file of the operator: its values, and the line on which each key stands."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from adapter.errors import WrongConfiguration

#: The way to a value: names of tables and keys, and numbers in lists.
Key: TypeAlias = tuple[str | int, ...]

_NAME = r"""(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)"""
_NAMES = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_TABLE: Final = re.compile(rf"\s*\[\s*({_NAMES})\s*\]")
_LISTED_TABLE: Final = re.compile(rf"\s*\[\[\s*({_NAMES})\s*\]\]")
_VALUE: Final = re.compile(rf"\s*({_NAMES})\s*=")
#: Where tomllib says that it stopped.
_STOP: Final = re.compile(r" \(at line (\d+), column (\d+)\)$")
#: A table or key that is there a second time, in tomllib's words.
_TWICE: Final = re.compile(r"Cannot (declare|overwrite|mutate|redefine)")
_DECLARED: Final = re.compile(r"\((?:'[^']*',? ?)+\)")
#: A text without quotation marks after a key: it begins with a letter, a path, or an address.
_BARE_TEXT: Final = re.compile(rf"\s*({_NAMES})\s*=\s*(?!(?:true|false|inf|nan)\b)[^\s\"'\[{{#+-]")
#: A key and a value with a colon between them.
_COLON: Final = re.compile(rf"\s*({_NAMES})\s*:")
#: What begins and ends a text of several lines.
_QUOTES: Final = ('"""', "'''")


class TomlFile(NamedTuple):
    """A file that was read."""

    path: Path
    tables: dict[str, object]
    lines: Mapping[Key, int]

    def place(self, key: Key) -> str:
        """Return where a key is, or what it belongs to: the file, with the line if there is one."""
        for end in range(len(key), 0, -1):
            if key[:end] in self.lines:
                return f"{shown(self.path)}, line {self.lines[key[:end]]}"
            if (*key[:end], 0) in self.lines:
                return f"{shown(self.path)}, line {self.lines[*key[:end], 0]}"
        return shown(self.path)


def shown(path: Path) -> str:
    """Return a path as a person would write it here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def read_toml(path: Path) -> TomlFile:
    """Read a file. A byte order mark and Windows' ends of lines do no harm.

    Raises:
        WrongConfiguration: it cannot be read, or is no TOML. A pipe or a device is refused: it can be read only once,
            and a reload reads again.
    """
    try:
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "a pipe or a device"
            raise WrongConfiguration(f"{shown(path)} cannot be read: it is {kind}, and no file.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise WrongConfiguration(f"{shown(path)} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise WrongConfiguration(f"{shown(path)} is not UTF-8 (byte {error.start + 1}).") from error
    try:
        return TomlFile(path, tomllib.loads(text), dict(key_lines(text)))
    except RecursionError as error:
        raise WrongConfiguration(f"{shown(path)} is not valid TOML: its lists or tables are too deep.") from error
    except tomllib.TOMLDecodeError as error:
        raise WrongConfiguration(_in_words(path, text, str(error))) from error
    except ValueError as error:
        raise WrongConfiguration(f"{shown(path)} is not valid TOML: a number has too many digits.") from error


def _in_words(path: Path, text: str, said: str) -> str:
    """Say where a file is no TOML, and what may be meant. The value is not shown: it may be a secret."""
    lines = text.rstrip().split("\n")
    stop = _STOP.search(said)
    if stop is None:
        return f"{shown(path)}, line {len(lines)}: this is not valid TOML: {said}.{_hint(lines[-1], said)}"
    line = text.split("\n")[int(stop[1]) - 1]
    place = f"{shown(path)}, line {stop[1]}, column {stop[2]}"
    return f"{place}: this is not valid TOML: {_DECLARED.sub(_as_table, _STOP.sub('', said))}.{_hint(line, said)}"


def _as_table(names: re.Match[str]) -> str:
    return f"[{'.'.join(re.findall(r'[^(), ]+', names[0].replace(chr(39), '')))}]"


def _hint(line: str, said: str) -> str:
    """Return what is probably meant by a line that cannot be read, with a space before it."""
    if _TWICE.match(said):
        return " This table or key is there already. Write it once."
    if any(mark in line for mark in "“”„‘’"):
        return ' Take straight quotation marks: ".'
    if (found := _BARE_TEXT.match(line)) and not said.startswith("Invalid date"):
        return f' A text needs quotation marks: {found[1]} = "…".'
    if found := _COLON.match(line):
        return f" Write {found[1]} = … for a value, and [{found[1]}] for a table."
    return ""


def key_lines(text: str) -> Iterator[tuple[Key, int]]:
    """Yield each table and key of a valid file with its line."""
    table: Key = ()
    listed: dict[Key, int] = {}
    open_quote = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if open_quote:
            open_quote = "" if open_quote in line else open_quote
            continue
        if found := _LISTED_TABLE.match(line):
            path = _numbered(_names(found[1]), listed, is_new=True)
        elif found := _TABLE.match(line):
            path = _numbered(_names(found[1]), listed)
        elif found := _VALUE.match(line):
            yield (*table, *_names(found[1])), number
            open_quote = next((quote for quote in _QUOTES if line.count(quote) % 2), "")
            continue
        else:
            continue
        table = path
        yield table, number


def _numbered(names: list[str], listed: dict[Key, int], *, is_new: bool = False) -> Key:
    """Return the way to a table, with the number of each element of a list on it."""
    path: Key = ()
    for place, name in enumerate(names):
        path = (*path, name)
        if is_new and place == len(names) - 1:
            listed[path] = listed.get(path, -1) + 1
        if path in listed:
            path = (*path, listed[path])
    return path


def _names(dotted: str) -> list[str]:
    return [name.strip("\"'") for name in re.findall(_NAME, dotted)]
