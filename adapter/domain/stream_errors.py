"""How a chat stream says that something failed after its beginning (reference: `frontends.md` section 1)."""

from enum import StrEnum


class StreamErrors(StrEnum):
    """The forms, by the words with which they are chosen. Each has the error that OpenAI's clients raise."""

    #: The error alone where the program is known to show it, else both.
    AUTO = "auto"
    #: A text that a person can read, then the error.
    BOTH = "both"
    #: The error alone.
    FRAME = "frame"
