"""The ids that clients see: what each kind begins with. Pure.

A new id has 128 random bits in hexadecimal digits behind that. Ids of one execution share their digits: the job
`video_X`, its response `resp_X`, and the response's parts `ig_X`, `rs_X` and `msg_X`.
"""

import secrets
from enum import StrEnum

from adapter.errors import InvalidRequest


class Id(StrEnum):
    """A kind of id, by what it begins with."""

    VIDEO = "video_"
    #: The job of a picture in the background. Clients do not see it.
    IMAGE_JOB = "image_"
    FILE = "file-"
    RESPONSE = "resp_"
    #: The picture of a response: a call of the image tool.
    IMAGE_CALL = "ig_"
    #: The progress of a video in a response.
    REASONING = "rs_"
    MESSAGE = "msg_"
    CHAT = "chatcmpl-"

    def of(self, key: str) -> str:
        """Return the id of a key."""
        return f"{self.value}{key}"

    def key_in(self, text: str) -> str | None:
        """Return the key in an id of this kind; None for any other text."""
        return text.removeprefix(self.value) if text.startswith(self.value) else None

    def new(self) -> str:
        """Return a new id."""
        return self.of(new_key())


def new_key() -> str:
    """Return a new key: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def no_such_file(file_id: str, param: str | None, advice: str = "") -> InvalidRequest:
    """Return the error of a request that names a picture which its owner does not have; `advice` says what to do."""
    what = "picture" if file_id.startswith(Id.IMAGE_CALL) else "file"
    words = f"There is no {what} '{file_id}' here; upload it to /v1/files first. {advice}"
    return InvalidRequest(words.rstrip(), param=param)
