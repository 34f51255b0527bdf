"""A text model is asked for a few words, and what goes wrong with it is nobody's trouble."""

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from adapter.domain.texts import TextLimits, Turn
from adapter.errors import AdapterError, ContentRefused, UpstreamSilent
from adapter.generation.texts import SECONDS, Texts

TURNS = (Turn("user", "Name this."),)


class Maker:
    """A writer whose answer is written down beforehand."""

    def __init__(self, answer: str | AdapterError) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Sequence[Turn], TextLimits]] = []

    async def make_text(self, model: str, turns: Sequence[Turn], limits: TextLimits) -> str:
        self.asked.append((model, turns, limits))
        if isinstance(self.answer, AdapterError):
            raise self.answer
        return self.answer


async def test_a_text_is_passed_on() -> None:
    """It has to be quick, and may be plain."""
    maker = Maker("A fox")

    assert await Texts(maker).write("gemini-x", TURNS, ()) == "A fox"
    [(model, turns, limits)] = maker.asked
    assert (model, turns) == ("gemini-x", TURNS)
    assert (limits.seconds, limits.json) == (SECONDS, False)


async def test_the_members_of_json_are_asked_for() -> None:
    """A program's schema does not reach the model, so it is told the names."""
    maker = Maker('{"title": "A fox", "language": "en"}')

    assert await Texts(maker).write("gemini-x", TURNS, ["language", "title"]) == maker.answer
    [(_, turns, limits)] = maker.asked
    assert turns[-1] == Turn("system", "Answer with one JSON object of these members: language, title.")
    assert limits.json


@pytest.mark.parametrize(
    "answer",
    [
        ContentRefused("no"),
        UpstreamSilent("later"),
        "A fox",
        "```json\n{}\n```",
        "[]",
        '{"name": "A fox"}',
        '{"title": "A f',
        '{"title": ' + "[" * 2000,
    ],
    ids=lambda answer: str(answer)[:20],
)
async def test_what_cannot_be_used_is_none(answer: str | AdapterError) -> None:
    """The answer is then made here, and the log says why."""
    with capture_logs() as logs:
        assert await Texts(Maker(answer)).write("gemini-x", TURNS, ["title"]) is None

    assert [log["event"] for log in logs] == ["side_call.not_written"]


async def test_without_a_model_or_anything_to_say_nobody_is_asked() -> None:
    """As it is by default, and where there is no Gemini."""
    maker = Maker("A fox")

    assert await Texts(maker).write("", TURNS, ()) is None
    assert await Texts(maker).write("gemini-x", (), ()) is None
    assert await Texts(None).write("gemini-x", TURNS, ()) is None
    assert maker.asked == []
