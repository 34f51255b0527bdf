"""What each setting is for: the comments of the files that come with the program are the only source of these words."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from adapter import shipped
from adapter.toml_file import Key, key_lines

#: A comment behind a value. No value of the files has this sign.
_COMMENT: Final = re.compile(r"(?<=\s)# (.*)$")
_CONTINUED: Final = re.compile(r"^\s+# (.*)$")
#: A table or a key that is a comment itself, as an example: `# [providers.vertex]`.
_EXAMPLE: Final = re.compile(r"^# (?=\[{1,2}[a-z_.]+\]|[a-z_]+ = |\s+#)")


def comments() -> Mapping[Key, str]:
    """Return the comment of each setting that has one. The file of the sandbox explains the sandbox."""
    files = [(shipped.FOLDER / "adapter.toml").read_text(encoding="utf-8"), shipped.SANDBOX.read_text(encoding="utf-8")]
    found: dict[Key, str] = {}
    for text in files:
        for key, words in _comments_in(text):
            found.setdefault(key, words)
    return found


def _comments_in(text: str) -> Iterator[tuple[Key, str]]:
    lines = [_EXAMPLE.sub("", line) for line in text.splitlines()]
    for key, number in key_lines("\n".join(lines)):
        if found := _COMMENT.search(lines[number - 1]):
            words = [found[1]]
            for line in lines[number:]:
                if (more := _CONTINUED.match(line)) is None:
                    break
                words.append(more[1])
            yield key, " ".join(words)
