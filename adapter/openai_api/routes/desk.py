"""What every handler works with, and how it answers."""

from collections.abc import Sequence
from typing import cast

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import State
from litestar.types import HTTPResponseBodyEvent, Receive, Scope, Send

from adapter.domain.ports import Access, Budget, Clock
from adapter.generation.files import Files
from adapter.generation.pictures import Pictures
from adapter.generation.replies import Background, Replies
from adapter.generation.uploads import Uploads
from adapter.generation.videos import Videos
from adapter.openai_api.read.terms import Terms

#: `no-transform` and `x-accel-buffering` keep proxies from holding the stream back.
STREAM_HEADERS = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}

#: A request whose `auth` is the owner of the key it came with.
OwnedRequest = Request[None, str, State]


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases and the facts that reading and writing need."""

    access: Access
    pictures: Pictures
    videos: Videos
    files: Files
    uploads: Uploads
    replies: Replies
    background: Background
    budget: Budget
    clock: Clock
    terms: Terms
    #: Largest file of a form, in bytes.
    longest_file: int
    #: How long a response can be looked up, in seconds.
    reply_seconds: float
    #: Whether chats get pictures beside the text even where they do not ask for that.
    enclose_pictures: bool

    @property
    def public_url(self) -> str:
        """Base of the links that we hand out."""
        return self.terms.public_url


def json_response(body: msgspec.Struct) -> Response[bytes]:
    """Answer with JSON. Encoded here, once: a picture's `msgspec.Raw` goes out as it came in."""
    return Response(msgspec.json.encode(body), media_type=MediaType.JSON)


class Pieces:
    """An answer of JSON that is sent in pieces, which nobody has to join."""

    def __init__(self, pieces: Sequence[bytes | memoryview]) -> None:
        self._pieces = pieces

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send (an ASGI application)."""
        length = b"%d" % sum(map(len, self._pieces))
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for missing, piece in enumerate(self._pieces, 1 - len(self._pieces)):
            # ASGI says `bytes`; uvicorn and uvloop take whatever has a buffer.
            event: HTTPResponseBodyEvent = {
                "type": "http.response.body",
                "body": cast("bytes", piece),
                "more_body": missing < 0,
            }
            await send(event)
