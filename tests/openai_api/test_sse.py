"""Frames as OpenAI's two SDKs can read them."""

from adapter.openai_api import sse
from adapter.openai_api.wire.chat import Delta


def test_a_frame_is_one_data_line_and_a_blank_one() -> None:
    """Even when the text has line breaks in it."""
    assert sse.frame(Delta(content="one\ntwo")) == b'data: {"content":"one\\ntwo"}\n\n'


def test_a_comment_is_one_line_and_no_blank_one() -> None:
    """Clients skip it; proxies count it as traffic. Python and Go take a blank line for the end of an event."""
    assert sse.comment("still working") == b": still working\n"


def test_the_end_is_the_word_that_both_sdks_wait_for() -> None:
    """`[DONE]`."""
    assert sse.DONE == b"data: [DONE]\n\n"


def test_a_numbered_event_names_its_place() -> None:
    """A reader who comes back says it."""
    event = sse.numbered(Delta(content="one"), event="video.queued", number=3)

    assert event == b'id: 3\nevent: video.queued\ndata: {"content":"one"}\n\n'
