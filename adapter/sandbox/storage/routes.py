"""Media behind signed links, the stand-in for storage.googleapis.com (seed 002: fifeUrl and servingBaseUri).

`/video/{id}` is the MP4, `/image/{id}` the PNG, the upload, or the JPEG poster of a video. Refusals are XML, as Cloud
Storage's are.
"""

import hashlib
import re
from xml.sax.saxutils import escape

from litestar import Response, route
from litestar.enums import HttpMethod
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from adapter.sandbox.fault_injection import served
from adapter.sandbox.faults import ResponseMutation
from adapter.sandbox.memory.records import Medium
from adapter.sandbox.state import Incoming, SandboxState, entered
from adapter.sandbox.storage.links import LinkRefusedError

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_XML = "application/xml; charset=UTF-8"
_READ = [HttpMethod.GET, HttpMethod.HEAD]


@route("/image/{media_id:str}", http_method=_READ)
async def image(request: Incoming, media_id: FromPath[str]) -> ASGIResponse:
    """Serve a picture, or the first frame of a video."""
    return await _opened(request, media_id, ("upload", "image", "video"))


@route("/video/{media_id:str}", http_method=_READ)
async def video(request: Incoming, media_id: FromPath[str]) -> ASGIResponse:
    """Serve a video."""
    return await _opened(request, media_id, ("video",))


def link_refused(_: Incoming, error: LinkRefusedError) -> Response[bytes]:
    """Refuse in Cloud Storage's manner: XML with a code."""
    status = 404 if error.code == "NoSuchKey" else 403
    return Response(_xml(error.code, error.message), status_code=status, media_type=_XML)


async def _opened(request: Incoming, media_id: str, kinds: tuple[str, ...]) -> ASGIResponse:
    sandbox = entered(request, "media.get")
    query = request.query_params
    sandbox.links.check(request.url.path, query.get("Expires", ""), query.get("Signature", ""))
    medium = sandbox.ledger.medium(media_id)
    if medium is None or medium.kind not in kinds:
        raise LinkRefusedError("NoSuchKey", "The specified key does not exist.")

    async def work(_: ResponseMutation | None) -> ASGIResponse:
        data, mime = await _file(sandbox, medium, request.url.path)
        return _ranged(request, data, mime)

    return await served(request, sandbox, ("media.get", medium.prompt), work)


async def _file(sandbox: SandboxState, medium: Medium, path: str) -> tuple[bytes, str]:
    if medium.kind == "video" and path.startswith("/image/"):
        return await sandbox.gallery.poster(medium), "image/jpeg"
    return await sandbox.gallery.file(medium), medium.mime


def _ranged(request: Incoming, data: bytes, mime: str) -> ASGIResponse:
    """Serve the file or the one range that was asked for; ignore other forms of Range, as RFC 9110 allows."""
    headers = {"etag": f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"', "accept-ranges": "bytes"}
    status, part = 200, data
    if asked := _RANGE.fullmatch(request.headers.get("range", "")):
        span = _span(asked[1], asked[2], len(data))
        if span is None:
            body = _xml("InvalidRange", "The requested range cannot be satisfied.")
            headers = {"content-range": f"bytes */{len(data)}"}
            return ASGIResponse(body=body, status_code=416, headers=headers, media_type=_XML)
        part = data[span.start : span.stop]
        status = 206
        headers["content-range"] = f"bytes {span.start}-{span.stop - 1}/{len(data)}"
    if request.method == "HEAD":
        headers |= {"content-type": mime, "content-length": str(len(part))}
        return ASGIResponse(status_code=status, headers=headers, is_head_response=True)
    return ASGIResponse(body=part, status_code=status, headers=headers, media_type=mime)


def _span(first: str, last: str, length: int) -> range | None:
    """Return the bytes that a range names; None when there are none."""
    if not first and not last:
        return None
    start = int(first) if first else max(0, length - int(last))
    stop = min(length, int(last) + 1) if first and last else length
    return range(start, stop) if start < stop else None


def _xml(code: str, message: str) -> bytes:
    head = "<?xml version='1.0' encoding='UTF-8'?>"
    return f"{head}<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>".encode()


ROUTES = [image, video]
