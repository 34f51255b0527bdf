"""What `SECURITY.md` refers to is there."""

import re

from tests.support import ROOT

TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_each_promise_names_tests_that_exist() -> None:
    """A promise without a test is a wish."""
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    named = {row: [*re.findall(r"`(tests/[\w/]+\.py)`", row), *re.findall(r"`make (\w+)`", row)] for row in rows}

    assert len(rows) > 10
    assert [row for row, tests in named.items() if not tests] == []
    assert [test for tests in named.values() for test in tests if "/" in test and not (ROOT / test).exists()] == []


def test_each_page_that_is_linked_exists() -> None:
    """Links lead into the repository."""
    links = re.findall(r"\]\(([^)]+)\)", TEXT)

    assert links != []
    assert [link for link in links if not (ROOT / link.partition("#")[0]).exists()] == []
