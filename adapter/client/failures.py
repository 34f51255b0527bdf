"""Why a command of the client ended without its result. Click prints the message and ends with status 1."""

from typing import Final

import click

#: Characters of a server's message that are shown.
LONGEST_MESSAGE: Final = 2000


class CommandFailed(click.ClickException):
    """The message is one or two sentences for a person. It has no key in it."""

    #: Whether the same request may be sent again at once, by this program.
    is_passing: bool = False
    #: Whether a result may be had later, because the server has it or still works on it.
    is_kept: bool = False
    #: Seconds after which the server wants to be asked again.
    retry_after: float | None = None
    #: How a person gets the result that may be there.
    hint: str = ""

    def format_message(self) -> str:
        """Return what click prints."""
        return f"{self.message} {self.hint}".strip()


class NotReached(CommandFailed):
    """There is no connection, so nothing was sent."""

    hint = "--url or ADAPTER_URL names the server, and `adapter serve` starts one."


class ConnectionLost(CommandFailed):
    """A connection broke, or nothing came in time. The request may have been read."""

    is_passing = True
    is_kept = True


class NotUnderstood(CommandFailed):
    """The answer is not one of OpenAI's API."""


class NotWritten(CommandFailed):
    """A result came, and its file cannot be written."""

    is_kept = True


class VideoFailed(CommandFailed):
    """The server says that there will be no video."""


class RequestRefused(CommandFailed):
    """The server answered with an error."""

    def __init__(
        self, message: str, *, status: int, should_retry: bool | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message[:LONGEST_MESSAGE])
        self.status = status
        self.retry_after = retry_after
        # 5xx without the word of an adapter come from a proxy before it.
        self.is_passing = status >= 500 if should_retry is None else should_retry
        # A server keeps a failure that may have cost something as the answer of the same request.
        self.is_kept = self.is_passing
