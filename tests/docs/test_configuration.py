"""The page of all settings is that of this program, and explains each of them."""

import pytest

from adapter.commands.config_comments import comments
from adapter.commands.config_reference import SettingRow, config_reference, explanation, is_reloaded, sections
from adapter.mistakes import dotted
from adapter.reload_plan import RELOADED
from tests.support import ROOT

ROWS = [row for section in sections() for row in section.rows]
WORDS = comments()


def test_the_page_is_the_one_that_the_command_prints() -> None:
    """`python -m adapter config reference > docs/configuration.md` makes it anew."""
    assert (ROOT / "docs" / "configuration.md").read_text() == config_reference()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: dotted(row.key))
def test_every_setting_is_explained(row: SettingRow) -> None:
    """By the comment behind it in config/adapter.toml, or in config/sandbox.toml."""
    assert explanation(row.key, WORDS)


@pytest.mark.parametrize("key", sorted(RELOADED))
def test_the_page_says_what_a_reload_takes_over(key: str) -> None:
    """Each such setting, or one of its table."""
    assert any(is_reloaded(row.key) and f"{dotted(row.key)}.".startswith(f"{key}.") for row in ROWS)
