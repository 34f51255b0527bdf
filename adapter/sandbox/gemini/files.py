"""Files of the Files API that a generateContent request names (`omni.md` section 2.4)."""

import hashlib
from collections.abc import Mapping

from adapter.sandbox.gemini.wire import FileData, GenerateContentRequest
from adapter.sandbox.google_errors import GoogleError
from adapter.sandbox.state import Incoming, SandboxState

#: The bytes of uploads, by their addresses.
Files = Mapping[str, bytes]


async def files_of(request: Incoming, sandbox: SandboxState, body: GenerateContentRequest) -> Files:
    """Return the files of the caller's that a request names.

    Raises:
        GoogleError: 400, where one is of another type than the request says.
    """
    named = [part.file_data for content in body.contents for part in content.parts if part.file_data is not None]
    found = {file.file_uri: await _file(request, sandbox, file) for file in named}
    return {uri: data for uri, data in found.items() if data is not None}


async def _file(request: Incoming, sandbox: SandboxState, named: FileData) -> bytes | None:
    file_id = named.file_uri.rsplit("/", 1)[-1]
    medium = sandbox.ledger.medium(file_id)
    if medium is None or medium.account != _owner(request) or medium.kind != "upload":
        return None
    if named.mime_type not in {"", medium.mime}:
        raise GoogleError(400, f"The mime type {named.mime_type} is not that of the File {file_id}, {medium.mime}.")
    return await sandbox.gallery.file(medium)


def _owner(request: Incoming) -> str:
    """Return whose key a request has, as uploads remember it."""
    key = request.headers.get("x-goog-api-key") or request.query_params.get("key") or ""
    return f"key-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
