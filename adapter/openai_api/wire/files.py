"""`/v1/files` (reference: `openai.md` section 8)."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType


class ExpiresAfter(msgspec.Struct, frozen=True, kw_only=True):
    """How long a file shall be kept."""

    anchor: str | None = None
    seconds: int | None = None


class FileRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The fields beside the file itself."""

    purpose: str | None = None
    expires_after: ExpiresAfter | None = None


class FileObject(msgspec.Struct, frozen=True, kw_only=True):
    """One file. A file without an end has no `expires_at`, for which null is not allowed."""

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: str
    expires_at: int | UnsetType = UNSET
    object: Literal["file"] = "file"
    #: Python's helper waits for ever for any file that is not.
    status: Literal["processed"] = "processed"


class FileList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of them. The ids are texts, empty where there is no file."""

    data: tuple[FileObject, ...]
    first_id: str
    last_id: str
    has_more: bool
    object: Literal["list"] = "list"


class FileDeleted(msgspec.Struct, frozen=True, kw_only=True):
    """That it is gone."""

    id: str
    object: Literal["file"] = "file"
    deleted: bool = True
