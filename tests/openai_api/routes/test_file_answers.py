"""The answer of a stored file."""

from collections.abc import AsyncIterator
from typing import Any

from litestar.types import Message

from adapter.hang_up import HANG_UP, HangUp
from adapter.openai_api.routes.files import FileAnswer


class File:
    """A file in three pieces, which counts how many were read."""

    def __init__(self) -> None:
        self.read = 0

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield them."""
        for piece in (b"one", b"two", b"three"):
            self.read += 1
            yield piece


async def sent_of(file: File, *, leaves_after: int) -> list[Message]:
    """Return what is sent to a client that hangs up after so many messages."""
    sent: list[Message] = []
    hang_up = HangUp()
    scope: Any = {"type": "http", "extensions": {HANG_UP: hang_up}}

    async def receive() -> Any:  # noqa: ANN401 - nothing is read
        raise AssertionError("nothing was to be read")

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == leaves_after:
            hang_up.happen()

    await FileAnswer(file.pieces(), {"content-length": "11"}, status=206)(scope, receive, send)
    return sent


async def test_a_file_is_sent_piece_by_piece() -> None:
    """With its status and headers."""
    head, *body = await sent_of(File(), leaves_after=99)

    assert (head["type"], head.get("status")) == ("http.response.start", 206)
    assert head.get("headers") == [(b"content-length", b"11")]
    assert b"".join(each["body"] for each in body if each["type"] == "http.response.body") == b"onetwothree"
    assert [each.get("more_body") for each in body] == [True, True, True, False]


async def test_a_client_that_has_hung_up_costs_no_more_reading() -> None:
    """The piece that was being read is the last."""
    file = File()

    sent = await sent_of(file, leaves_after=2)

    assert (len(sent), file.read) == (2, 2)
