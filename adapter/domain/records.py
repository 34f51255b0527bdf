"""What clients can look up again, but for responses: the files that they gave us. All times are Unix seconds."""

import msgspec

from adapter.domain.media import MediaFormat


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as it was uploaded."""

    data: bytes
    format: MediaFormat
    filename: str
    purpose: str
    #: How long it shall be kept, in seconds; None: until it is deleted.
    lifetime: float | None = None


class UploadedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a client uploaded."""

    id: str
    owner: str
    #: As the client called it.
    filename: str
    #: What for, in OpenAI's words; all mean the same here.
    purpose: str
    #: In bytes.
    size: int
    #: Its name in the media store.
    name: str
    created_at: float
    #: From then on it is hidden.
    expires_at: float | None = None


class DeletedEntry(msgspec.Struct, frozen=True):
    """What is left of something that was deleted or has expired."""

    id: str
    #: Names in the media store.
    files: tuple[str, ...]
