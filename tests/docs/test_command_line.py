"""The page about the command line names every option of the clients, and no other."""

import re

import click
import pytest

from adapter.client.commands import image, video
from tests.support import ROOT

PAGE = (ROOT / "docs" / "command-line.md").read_text()
#: The part that is about `adapter image` and `adapter video`.
CLIENTS = PAGE.partition("## A picture, a video")[2].partition("\n## ")[0]


@pytest.mark.parametrize("command", [image, video], ids=lambda command: str(command.name))
def test_every_option_of_a_client_is_described(command: click.Command) -> None:
    """By one of its names."""
    options = [each for each in command.params if isinstance(each, click.Option)]

    assert [each.opts for each in options if not any(f"`{name}" in CLIENTS for name in each.opts)] == []


def test_no_other_option_is_described() -> None:
    """What was renamed is renamed there too."""
    known = {name for command in (image, video) for each in command.params for name in each.opts}

    assert {name for name in re.findall(r"`(--?[a-z-]+)", CLIENTS) if name not in known} == set()
