"""Pictures in answers: JSON strings that go out as they came in."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

#: Base64, as a JSON string.
Base64: TypeAlias = Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "string", "contentEncoding": "base64"})]
#: The same, or null.
NullableBase64: TypeAlias = Annotated[
    msgspec.Raw, Meta(extra_json_schema={"type": ["string", "null"], "contentEncoding": "base64"})
]
#: A data: URL, as a JSON string.
DataUrl: TypeAlias = Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "string", "pattern": "^data:"})]


def null() -> msgspec.Raw:
    """Return null."""
    return msgspec.Raw(b"null")
