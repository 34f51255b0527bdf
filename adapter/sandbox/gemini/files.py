"""Files of the Files API that a generateContent request names (`omni.md` section 2.4)."""

import hashlib
from collections.abc import Mapping

from adapter.sandbox.gemini.wire import FileData, GenerateContentRequest
from adapter.sandbox.google_errors import GoogleError
from adapter.sandbox.state import Incoming, SandboxState

#: The bytes of uploads, by their addresses.
Files = Mapping[str, bytes]


async def files_of(request: Incoming, sandbox: SandboxState, body: GenerateContentRequest) -> Files:
    """Return the files that a request names.

    Raises:
        GoogleError: 403, where there is no such file, or it is another key's; 400, where it is of another type.
    """
    named = [part.file_data for content in body.contents for part in content.parts if part.file_data is not None]
    return {file.file_uri: await _file(request, sandbox, file) for file in named}


async def _file(request: Incoming, sandbox: SandboxState, named: FileData) -> bytes:
    file_id = named.file_uri.rsplit("/", 1)[-1]
    medium = sandbox.ledger.medium(file_id)
    if medium is None or medium.account != _owner(request) or medium.kind != "upload":
        raise GoogleError(403, f"You do not have permission to access the File {file_id} or it may not exist.")
    if named.mime_type not in {"", medium.mime}:
        raise GoogleError(400, f"The mime type {named.mime_type} is not that of the File {file_id}, {medium.mime}.")
    return await sandbox.gallery.file(medium)


def _owner(request: Incoming) -> str:
    """Return whose key a request has, as uploads remember it."""
    key = request.headers.get("x-goog-api-key") or request.query_params.get("key") or ""
    return f"key-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
