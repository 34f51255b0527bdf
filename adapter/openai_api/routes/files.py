"""Sends stored files: whole, a range, or 304."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TypeVar, cast

from litestar import Request
from litestar.datastructures import State
from litestar.types import Receive, Scope, Send

from adapter.domain.stored_files import StoredFile
from adapter.hang_up import HANG_UP, HangUp
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
) -> "FileAnswer":
    """Send a file, or the part of it that a player asks for; call `sent` when all of it has gone out.

    Raises:
        RangeNotSatisfiable: there is no such part.
    """
    if is_unchanged(request.headers.get("if-none-match"), file.etag):
        return FileAnswer(None, _headers(file, caching), status=304)
    part = None
    if request.headers.get("if-range", file.etag) == file.etag:
        part = byte_range(request.headers.get("range"), file.size)
    start, end = (part.start, part.end) if part else (0, file.size)
    headers = {
        "content-type": file.content_type,
        "content-length": str(end - start),
        **_headers(file, caching),
    }
    if part:
        headers["content-range"] = f"bytes {start}-{end - 1}/{file.size}"
    pieces = services.files.read(file, start, end)
    if end - start == file.size:
        pieces = _noted(pieces, sent)
    return FileAnswer(pieces, headers, status=206 if part else 200)


class FileAnswer:
    """An answer of a file, which is read as it is sent. Nothing more is read once the client has hung up."""

    def __init__(self, pieces: AsyncIterator[bytes] | None, headers: Mapping[str, str], *, status: int = 200) -> None:
        """Take the pieces of the body, and the headers; None: there is no body."""
        self._pieces = pieces
        #: By their names in small letters.
        self.headers = dict(headers)
        self._status = status

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send (an ASGI application)."""
        hang_up = cast("HangUp | None", (scope.get("extensions") or {}).get(HANG_UP))
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        if self._pieces is not None:
            async for piece in self._pieces:
                if hang_up is not None and hang_up.has_happened:
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


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
