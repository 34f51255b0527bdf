"""An upload into a picture to keep."""

from collections.abc import Sequence

from adapter.domain.media import probe
from adapter.domain.records import Upload
from adapter.errors import InvalidRequest
from adapter.openai_api.read.fields import one_of, required
from adapter.openai_api.read.form import Part, read_fields
from adapter.openai_api.wire.files import ExpiresAfter, FileRequest

#: What a picture can be for. OpenAI's other words (`batch`, `fine-tune`, `evals`) are for lists of requests.
PURPOSES = ["assistants", "vision", "user_data"]
#: OpenAI's own bounds (reference: `openai.md` section 8): an hour to thirty days.
SHORTEST_LIFE, LONGEST_LIFE = 3600, 2_592_000
#: Characters of a name that are kept: its beginning, because its end is told by the bytes anyway.
LONGEST_NAME = 255


def read_upload(parts: Sequence[Part]) -> Upload:
    """Return what a form brings.

    Raises:
        InvalidRequest: a field is missing or says what there is not, or the file is no picture.
    """
    body = read_fields((part for part in parts if part.name != "file"), FileRequest)
    purpose = one_of(required(body.purpose, "purpose"), PURPOSES, "purpose")
    lifetime = None if body.expires_after is None else _lifetime(body.expires_after)
    file = required(next((part for part in parts if part.name == "file"), None), "file")
    found = probe(file.data)
    if found is None:
        raise InvalidRequest(
            "This is not a picture that can be read. "
            "Allowed: PNG, JPEG, WebP and GIF, also AVIF and HEIC, told by their bytes.",
            param="file",
            code="invalid_image",
        )
    name = (file.filename or "upload")[:LONGEST_NAME].replace("\0", "")
    return Upload(data=file.data, format=found[0], filename=name, purpose=purpose, lifetime=lifetime)


def _lifetime(asked: ExpiresAfter) -> int:
    one_of(required(asked.anchor, "expires_after[anchor]"), ["created_at"], "expires_after[anchor]")
    seconds = required(asked.seconds, "expires_after[seconds]")
    if not SHORTEST_LIFE <= seconds <= LONGEST_LIFE:
        raise InvalidRequest(
            f"A file can be kept for {SHORTEST_LIFE} to {LONGEST_LIFE} seconds, or without an end.",
            param="expires_after[seconds]",
        )
    return seconds
