"""Sends stored files: whole, a range, or 304."""

from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from litestar import Request, Response
from litestar.datastructures import State
from litestar.response import Stream

from adapter.domain.stored_files import StoredFile
from adapter.openai_api.read.ranges import byte_range, is_unchanged
from adapter.openai_api.routes.services import Services

_Owner = TypeVar("_Owner")

#: For a link that is the only key to its file: the name never gets other bytes.
FOR_EVER = "public, max-age=31536000, immutable"
#: For what is shown to its owner only, and may be deleted.
ASK_AGAIN = "private, no-cache"


async def send_file(
    request: Request[None, _Owner, State],
    services: Services,
    file: StoredFile,
    *,
    caching: str,
    sent: Callable[[], None] = lambda: None,
) -> Stream | Response[None]:
    """Send a file, or the part of it that a player asks for; call `sent` when all of it has gone out.

    Raises:
        RangeNotSatisfiable: there is no such part.
    """
    if is_unchanged(request.headers.get("if-none-match"), file.etag):
        return Response(None, status_code=304, headers=_headers(file, caching))
    part = None
    if request.headers.get("if-range", file.etag) == file.etag:
        part = byte_range(request.headers.get("range"), file.size)
    start, end = (part.start, part.end) if part else (0, file.size)
    headers = {**_headers(file, caching), "content-length": str(end - start)}
    if part:
        headers["content-range"] = f"bytes {start}-{end - 1}/{file.size}"
    pieces = services.files.read(file, start, end)
    return Stream(
        _noted(pieces, sent) if end - start == file.size else pieces,
        status_code=206 if part else 200,
        media_type=file.content_type,
        headers=headers,
    )


async def _noted(pieces: AsyncIterator[bytes], sent: Callable[[], None]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        yield piece
    sent()


def _headers(file: StoredFile, caching: str) -> dict[str, str]:
    return {
        "accept-ranges": "bytes",
        "etag": file.etag,
        "cache-control": caching,
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox",
        # Pages that let in only what says so (`Cross-Origin-Embedder-Policy`) show our pictures and videos too.
        "cross-origin-resource-policy": "cross-origin",
    }
