"""The Files API: resumable uploads, what is known of a file, and its bytes (`omni.md` sections 2.3 and 2.4).

The bytes of a video come by a redirect to a signed link. A video's file is PROCESSING for a while.
"""

import hashlib
import secrets
from datetime import UTC, datetime
from typing import Final

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from adapter.sandbox.faults import ResponseMutation
from adapter.sandbox.memory.records import Medium
from adapter.sandbox.omni.callers import answered, caller, json
from adapter.sandbox.omni.refusals import InteractionError
from adapter.sandbox.omni.states import finished_at
from adapter.sandbox.omni.wire import File, FileState, Nothing, Uploaded, UploadRequest
from adapter.sandbox.renderer.clip import length_of
from adapter.sandbox.renderer.pictures import measured
from adapter.sandbox.state import Incoming, SandboxState, base_url, entered

#: Google keeps files so long.
KEPT_SECONDS: Final = 48 * 3600.0
DOWNLOAD: Final = ":download"
#: Parts of an upload have a multiple of so many bytes, except the last one.
GRANULE: Final = 256 * 1024


@post(["/upload/v1/files", "/upload/v1beta/files"], status_code=200)
async def upload(request: Incoming) -> ASGIResponse:
    """Announce a file, or take its bytes at the address that was given for them."""
    sandbox = entered(request, "omni.upload")
    if "upload_id" in request.query_params:
        return await _bytes_taken(request, sandbox)
    owner = caller(request, sandbox)

    async def work(_: ResponseMutation | None) -> ASGIResponse:
        return await _announced(request, owner)

    return await answered(request, sandbox, ("omni.upload", ""), work)


async def _announced(request: Incoming, owner: str) -> ASGIResponse:
    sent = request.headers
    if sent.get("x-goog-upload-protocol") != "resumable" or sent.get("x-goog-upload-command") != "start":
        raise InteractionError(400, "Expected X-Goog-Upload-Protocol: resumable and X-Goog-Upload-Command: start.")
    size = sent.get("x-goog-upload-header-content-length", "")
    mime = sent.get("x-goog-upload-header-content-type", "")
    if not size.isdecimal() or not mime:
        raise InteractionError(400, "X-Goog-Upload-Header-Content-Length and -Content-Type are required.")
    try:
        told = msgspec.json.decode(await request.body() or b"{}", type=UploadRequest)
    except msgspec.DecodeError as error:
        raise InteractionError(400, f"Invalid JSON payload received. {error}") from error
    if told.file.mime_type not in {"", mime}:
        raise InteractionError(400, "mime_type differs from X-Goog-Upload-Header-Content-Type.")
    place = f"{base_url(request)}{request.url.path}"
    query = f"upload_id={owner}.{secrets.token_hex(8)}&size={size}&mime={mime.replace('/', '%2F')}"
    return json(Nothing(), {"x-goog-upload-url": f"{place}?{query}", "x-goog-upload-status": "active"})


async def _bytes_taken(request: Incoming, sandbox: SandboxState) -> ASGIResponse:
    query = request.query_params
    begun = sandbox.uploads.setdefault(query["upload_id"], bytearray())
    commands = {word.strip() for word in request.headers.get("x-goog-upload-command", "").split(",")}
    if "upload" not in commands or commands - {"upload", "finalize"}:
        raise InteractionError(400, "Expected X-Goog-Upload-Command: upload, or upload, finalize.")
    if request.headers.get("x-goog-upload-offset") != str(len(begun)):
        raise InteractionError(400, f"Expected X-Goog-Upload-Offset: {len(begun)}.")
    part = await request.body()
    begun += part
    if "finalize" not in commands:
        if len(part) % GRANULE:
            raise InteractionError(400, f"A part that is not the last has a multiple of {GRANULE} bytes.")
        return json(Nothing(), {"x-goog-upload-status": "active"})
    data = bytes(sandbox.uploads.pop(query["upload_id"]))
    if str(len(data)) != query["size"]:
        raise InteractionError(400, f"The upload has {len(data)} bytes; {query['size']} were announced.")
    return await _finished(request, sandbox, data)


async def _finished(request: Incoming, sandbox: SandboxState, data: bytes) -> ASGIResponse:
    query = request.query_params
    width, height = measured(data) or (0, 0)
    file_id = secrets.token_hex(6)
    medium = Medium(
        id=file_id,
        name=f"files/{file_id}",
        account=query["upload_id"].partition(".")[0],
        kind="upload",
        width=width,
        height=height,
        mime=query["mime"],
        seconds=length_of(data) if query["mime"] == "video/mp4" else 0.0,
    )
    await sandbox.gallery.keep_upload(file_id, data)
    sandbox.ledger.record(medium)
    return json(Uploaded(await described(request, sandbox, medium)), {"x-goog-upload-status": "final"})


@get(["/v1/files/{target:str}", "/v1beta/files/{target:str}"])
async def show_file(request: Incoming, target: FromPath[str]) -> ASGIResponse:
    """Serve `{id}`, what is known of a file, and `{id}:download`, its bytes."""
    if target.endswith(DOWNLOAD):
        return await _download(request, target.removesuffix(DOWNLOAD))
    sandbox = entered(request, "omni.file")
    medium = owned(sandbox, f"files/{target}", caller(request, sandbox))

    async def work(_: ResponseMutation | None) -> ASGIResponse:
        return json(await described(request, sandbox, medium))

    return await answered(request, sandbox, ("omni.file", medium.prompt), work)


async def _download(request: Incoming, file_id: str) -> ASGIResponse:
    sandbox = entered(request, "omni.download")
    medium = owned(sandbox, f"files/{file_id}", caller(request, sandbox))
    if request.query_params.get("alt") != "media":
        raise InteractionError(400, "alt=media is required.")
    if medium.kind != "video":
        raise InteractionError(400, "Only generated files can be downloaded.", "failed_precondition")
    if _state(sandbox, medium) != "ACTIVE":
        raise InteractionError(400, "The file is not ACTIVE.", "failed_precondition")

    async def work(_: ResponseMutation | None) -> ASGIResponse:
        link = sandbox.links.signed(base_url(request), f"/video/{medium.id}")
        return ASGIResponse(status_code=302, headers={"location": link})

    return await answered(request, sandbox, ("omni.download", medium.prompt), work)


def owned(sandbox: SandboxState, name: str, owner: str) -> Medium:
    """Return a file of a key.

    Raises:
        InteractionError: 403 for another key's, and for one that is not there, as Google answers.
    """
    medium = sandbox.ledger.medium(name.removeprefix("files/"))
    if medium is None or medium.account != owner:
        file = name.removeprefix("files/")
        raise InteractionError(403, f"You do not have permission to access the File {file} or it may not exist.")
    return medium


async def described(request: Incoming, sandbox: SandboxState, medium: Medium) -> File:
    """Return what is known of a file."""
    version = "v1beta" if "/v1beta/" in request.url.path else "v1"
    state, now = _state(sandbox, medium), sandbox.clock()
    data = await sandbox.gallery.file(medium) if state == "ACTIVE" else b""
    uri = f"{base_url(request)}/{version}/{medium.name}"
    return File(
        name=medium.name,
        uri=uri,
        download_uri="" if medium.kind == "upload" else f"{uri}{DOWNLOAD}?alt=media",
        mime_type=medium.mime,
        size_bytes=str(len(data)),
        create_time=stamp(now),
        update_time=stamp(now),
        expiration_time=stamp(now + KEPT_SECONDS),
        sha256_hash=hashlib.sha256(data).hexdigest(),
        state=state,
        source="UPLOADED" if medium.kind == "upload" else "GENERATED",
    )


def _state(sandbox: SandboxState, medium: Medium) -> FileState:
    if medium.kind == "upload":
        return "ACTIVE"
    return "ACTIVE" if sandbox.clock() >= finished_at(sandbox, medium) + sandbox.rules.file_seconds else "PROCESSING"


def stamp(seconds: float) -> str:
    """Write a time as Google's JSON does."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


ROUTES = [upload, show_file]
