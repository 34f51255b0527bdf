"""Every source that a comment cites can be opened: the page is in the repository, and has the section."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = sorted(REFERENCE.glob("*.md"))
#: The end of a line of a comment or docstring, and what the next one begins with.
LINE_END = re.compile(r"\s*\n[ \t]*(?:#:? ?|\* )?")
#: The name of a page in backticks or brackets, and the sections behind it: `openai.md` sections 1, 2 and R7.
CITATION = re.compile(
    r"`(?P<page>[\w.-]+)\.md`\]?(?:\([^)]*\))?,?(?P<sections>(?: sections?)?(?:(?:,| and| to)? R?\d+(?:\.\d+)*\b)+)?"
)
SECTION = re.compile(r"R?\d+(?:\.\d+)*")
HEADING = re.compile(r"^#+ (R?\d+(?:\.\d+)*)\b", re.MULTILINE)
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")


def texts() -> Iterator[tuple[Path, str]]:
    """Yield the files that may cite a page, each with its text as one line."""
    for folder in ("adapter", "tests", "config", "docs"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".py", ".toml", ".txt", ".md"} and path != Path(__file__):
                yield path, LINE_END.sub(" ", path.read_text())


def cited() -> Iterator[tuple[str, str, str]]:
    """Yield each citation: where it stands, the page, and one section; an empty one for a page as a whole."""
    for path, text in texts():
        for found in CITATION.finditer(text):
            for section in SECTION.findall(found["sections"] or "") or [""]:
                yield str(path.relative_to(ROOT)), found["page"], section


def sections(page: str) -> set[str]:
    """Return the numbers of a page's sections."""
    return set(HEADING.findall((REFERENCE / f"{page}.md").read_text()))


def test_every_cited_page_is_in_the_repository() -> None:
    """A reader can open it."""
    pages = {path.stem for folder in (ROOT, DOCS, REFERENCE) for path in folder.glob("*.md")}
    assert [(where, page) for where, page, _ in cited() if page not in pages] == []


def test_every_cited_section_exists() -> None:
    """A section is cited of a page of facts only."""
    numbered = {page.stem: sections(page.stem) for page in PAGES}
    missing = [(where, page, section) for where, page, section in cited() if section not in numbered.get(page, "")]
    assert [each for each in missing if each[2]] == []


@pytest.mark.parametrize("page", [page.stem for page in PAGES if page.stem != "README"])
def test_every_section_of_facts_is_used(page: str) -> None:
    """A fact that no code relies on is not kept here. A section is used if it, its part or its whole is cited."""
    used = {one for where, name, one in cited() if name == page and not where.startswith("docs/reference")}
    assert {one for one in sections(page) if not any(is_part(one, other) for other in used)} == set()


def is_part(one: str, other: str) -> bool:
    """Return whether one section is the other, or a part of it, or the other way round."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))], ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    """To a file, and to a heading of it where one is named."""
    text = CODE.sub("", page.read_text())
    broken = [link for link in LINK.findall(text) if not leads_somewhere(page, link)]
    assert broken == []


def leads_somewhere(page: Path, link: str) -> bool:
    """Return whether a relative link has a target."""
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.exists() or not anchor:
        return target.exists()
    return anchor in {anchor_of(heading) for heading in re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)}


def anchor_of(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    words = re.sub(r"[^\w\- ]", "", heading.lower())
    return words.strip().replace(" ", "-")


def test_every_place_in_the_glossary_exists() -> None:
    """The word lives where the page says."""
    places = re.findall(r"`([\w/]+(?:\.py|/))`", (DOCS / "glossary.md").read_text())
    assert [place for place in places if not (ROOT / "adapter" / place).exists()] == []
