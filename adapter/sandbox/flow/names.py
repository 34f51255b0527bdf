"""Names of media: the mediaGenerationId of Flow, which is a small protobuf message in URL-safe base64.

Read from the examples of seed 002: field 1 is the kind (3 picture, 5 video), 2 the project (absent for uploads),
3 the workflow, 4 always "CAE", 5 the UUID that also stands in the links.
"""

import base64
from typing import Final

from adapter.sandbox.memory.records import MediaKind

_KIND: Final[dict[MediaKind, int]] = {"upload": 3, "image": 3, "video": 5}


def media_name(kind: MediaKind, project_id: str, workflow_id: str, media_id: str) -> str:
    """Return the mediaGenerationId of a medium; uploads do not carry the project."""
    message = bytes((0x08, _KIND[kind]))
    if kind != "upload":
        message += _text(2, project_id)
    message += _text(3, workflow_id) + _text(4, "CAE") + _text(5, media_id)
    return base64.urlsafe_b64encode(message).rstrip(b"=").decode()


def _text(field: int, value: str) -> bytes:
    data = value.encode()
    return bytes((field << 3 | 2, len(data))) + data
