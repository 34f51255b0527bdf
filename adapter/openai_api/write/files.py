"""Translates uploaded files to OpenAI's JSON."""

from collections.abc import Sequence
from urllib.parse import quote

from msgspec import UNSET

from adapter.domain.records import UploadedFile
from adapter.openai_api.wire.files import FileList, FileObject


def file_object(file: UploadedFile) -> FileObject:
    """Describe one file."""
    return FileObject(
        id=file.id,
        bytes=file.size,
        created_at=int(file.created_at),
        filename=file.filename,
        purpose=file.purpose,
        expires_at=UNSET if file.expires_at is None else int(file.expires_at),
    )


def file_list(files: Sequence[UploadedFile], *, has_more: bool) -> FileList:
    """Describe a page."""
    data = tuple(file_object(file) for file in files)
    return FileList(
        data=data,
        first_id=data[0].id if data else "",
        last_id=data[-1].id if data else "",
        has_more=has_more,
    )


def disposition(file: UploadedFile) -> str:
    """Return the header that names a download (RFC 6266, RFC 8187)."""
    return f"attachment; filename*=UTF-8''{quote(file.filename, safe='')}"
