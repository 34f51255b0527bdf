"""What a stream says in its silences."""

from adapter.openai_api import sse
from adapter.openai_api.routes.progress import LINE_SECONDS, ProgressReporter
from adapter.openai_api.write import chat
from tests.fakes import FakeClock

ANSWER = chat.ChatHeading(id="chatcmpl-1", created=7, model="veo-3.1-fast")
COMMENT = sse.comment("still working")


def line(text: str) -> bytes:
    """Return what a reader gets of a line."""
    return sse.frame(chat.progress_chunk(ANSWER, text))


async def test_news_is_told_at_once_and_once() -> None:
    """The same line again is none."""
    reporter = ProgressReporter(ANSWER, FakeClock())

    assert reporter.line("Making it: 1 %.") == line("Making it: 1 %.")
    assert reporter.line("Making it: 1 %.") == COMMENT
    assert reporter.line("Making it: 2 %.") == line("Making it: 2 %.")


async def test_silence_is_a_comment_until_a_line_is_due() -> None:
    """A person sees that time passes, without a line every few seconds."""
    clock = FakeClock()
    reporter = ProgressReporter(ANSWER, clock)
    told = [reporter.line("0 s")]
    for heartbeats in range(1, 8):
        await clock.advance(5.0)
        told.append(reporter.line(f"{5 * heartbeats} s", is_news=False))

    expected = [line("0 s"), COMMENT, COMMENT, line("15 s"), COMMENT, COMMENT, line("30 s"), COMMENT]
    assert told == expected


async def test_nobody_waits_longer_than_half_a_minute_for_a_line() -> None:
    """With every length of silence that can be set."""
    for heartbeat in (0.5, 4.0, 9.9, 10.0, 14.9, 15.0, 20.0, 30.0):
        clock = FakeClock(at=0.0)
        reporter = ProgressReporter(ANSWER, clock)
        reporter.line("at 0")
        last = 0.0
        while clock.now() < 200:
            await clock.advance(heartbeat)
            if reporter.line(f"at {clock.now()}", is_news=False) != COMMENT:
                assert clock.now() - last <= 30
                last = clock.now()
        assert last >= 200 - LINE_SECONDS - heartbeat
