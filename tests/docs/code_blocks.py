"""The blocks of code on the pages of the documentation."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.support import ROOT

PAGES = (ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md")))
#: A block between fences, at the margin or within a list. A comment before it may say why no test runs it.
BLOCK = re.compile(
    r"(?:^ *<!-- (?:not run|runs): (?P<reason>[^\n]+) -->\n)?"
    r"^(?P<margin> *)```(?P<language>\w*)\n(?P<code>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


class CodeBlock(msgspec.Struct, frozen=True):
    """One block."""

    page: Path
    line: int
    language: str
    code: str
    #: Why no test runs it; None: one does.
    reason: str | None

    @property
    def name(self) -> str:
        """Where it stands, for the names of tests."""
        return f"{self.page.name}:{self.line}"


def code_blocks(page: Path) -> Sequence[CodeBlock]:
    """Return the blocks of a page that name their language."""
    text = page.read_text()
    return [
        CodeBlock(
            page=page,
            line=text.count("\n", 0, found.start("code")),
            language=found["language"],
            code=re.sub(rf"^{found['margin']}", "", found["code"], flags=re.MULTILINE),
            reason=found["reason"],
        )
        for found in BLOCK.finditer(text)
        if found["language"]
    ]


BLOCKS = [block for page in PAGES for block in code_blocks(page)]
