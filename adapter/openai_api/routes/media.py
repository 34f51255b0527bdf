"""`GET` and `HEAD /media/{name}`: finished files, open to whoever has the unguessable link."""

from litestar import HttpMethod, Request, Response, route
from litestar.datastructures import State
from litestar.response import Stream

from adapter.domain.media import MediaFormat
from adapter.domain.ports import MediaFile
from adapter.openai_api.read.ranges import byte_range, is_unchanged
from adapter.openai_api.routes.desk import Desk


@route("/media/{name:str}", http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def read_media(request: Request[None, None, State], name: str, desk: Desk) -> Stream | Response[None]:
    """Send a file, or the part of it that a player asks for."""
    file = await desk.files.find(name)
    if is_unchanged(request.headers.get("if-none-match"), file.etag):
        return Response(None, status_code=304, headers=_headers(file))
    part = None
    if request.headers.get("if-range", file.etag) == file.etag:
        part = byte_range(request.headers.get("range"), file.size)
    start, end = (part.start, part.end) if part else (0, file.size)
    headers = {**_headers(file), "content-length": str(end - start)}
    if part:
        headers["content-range"] = f"bytes {start}-{end - 1}/{file.size}"
    wanted = start if request.method == HttpMethod.HEAD else end
    return Stream(
        desk.files.read(name, start, wanted),
        status_code=206 if part else 200,
        media_type=_content_type(name),
        headers=headers,
    )


def _content_type(name: str) -> str:
    known = MediaFormat.of_name(name)
    return known.mime if known else "application/octet-stream"


def _headers(file: MediaFile) -> dict[str, str]:
    return {
        "accept-ranges": "bytes",
        "etag": file.etag,
        # The name never gets other bytes.
        "cache-control": "public, max-age=31536000, immutable",
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox",
        # Pages that let in only what says so (`Cross-Origin-Embedder-Policy`) show our pictures and videos too.
        "cross-origin-resource-policy": "cross-origin",
    }
