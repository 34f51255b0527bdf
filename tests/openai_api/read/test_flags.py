"""Flags behind a chat prompt: what is taken off, what stays text, and what is refused."""

import msgspec
import pytest

from adapter.errors import InvalidRequest
from adapter.openai_api.read.flags import Flags, take_flags
from tests.support import GOLDEN

LINES = [
    line.replace("\\n", "\n")
    for line in (GOLDEN / "openai" / "flags.txt").read_text().splitlines()
    if line and not line.startswith("# ")
]
ROWS = [[cell.strip(" ") for cell in line.split("|")] for line in LINES]
TAKEN = [row for row in ROWS if len(row) == 3 and row[1] != "400"]
KEPT = [row[0] for row in ROWS if len(row) == 1]
REFUSED = [(row[0], row[2]) for row in ROWS if len(row) == 3 and row[1] == "400"]


def told(flags: Flags) -> dict[str, str]:
    """Return what was said, in the table's words."""
    said = {name: value for name, value in msgspec.structs.asdict(flags).items() if value not in {None, ()}}
    return {name: ",".join(map(str, value)) if isinstance(value, tuple) else str(value) for name, value in said.items()}


def test_the_table_is_read_whole() -> None:
    """A row of another form would be no test at all."""
    assert len(TAKEN) + len(KEPT) + len(REFUSED) == len(ROWS)
    assert len(ROWS) >= 60


@pytest.mark.parametrize(("prompt", "text", "fields"), TAKEN, ids=[row[0] for row in TAKEN])
def test_flags_are_taken_off_the_prompt(prompt: str, text: str, fields: str) -> None:
    """The model is given the rest; nothing else of it changes."""
    left, flags = take_flags(prompt, "messages")

    assert left == text
    assert told(flags) == dict(field.split("=", 1) for field in fields.split(" "))


@pytest.mark.parametrize("prompt", KEPT)
def test_what_only_looks_like_a_flag_stays_text(prompt: str) -> None:
    """To the letter."""
    assert take_flags(prompt, "messages") == (prompt, Flags())


@pytest.mark.parametrize(("prompt", "says"), REFUSED, ids=[prompt for prompt, _ in REFUSED])
def test_a_flag_that_means_nothing_is_refused(prompt: str, says: str) -> None:
    """Before anything is paid for, in words that say what is allowed."""
    with pytest.raises(InvalidRequest) as caught:
        take_flags(prompt, "messages")

    assert says in caught.value.message
    assert caught.value.param == "messages"


@pytest.mark.parametrize("noise", ["—ar ", '"', "“", "„", "«", "` ", "--x ", "—first —", "—n 1 "])
def test_a_long_text_of_nothing_but_noise_is_read_in_one_go(noise: str) -> None:
    """As long as a prompt may be; a search that starts over at every dash would take seconds."""
    text = noise * (40_000 // len(noise)) + "—n 1 2"

    assert take_flags(text, "messages") == (text, Flags())
