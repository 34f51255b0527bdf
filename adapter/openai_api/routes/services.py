"""The services of the handlers, and how handlers answer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import cast

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import State
from litestar.types import HTTPResponseBodyEvent, Receive, Scope, Send

from adapter.domain.allowance import UNLIMITED
from adapter.domain.credentials import CredentialSummary
from adapter.domain.delivery import Delivery
from adapter.domain.markup import Markup
from adapter.domain.media_links import MediaLinks
from adapter.domain.ports import Access, AdminAccess, Budget, ClipMeasurer, Clock, Quotas, UsageStore
from adapter.domain.principal import Principal
from adapter.domain.stream_errors import StreamErrors
from adapter.fair_semaphore import FairSemaphore
from adapter.generation.files import Files
from adapter.generation.orders import BackgroundOrders, ImageOrders, VideoOrders
from adapter.generation.passing import PassedTexts
from adapter.generation.pictures import Pictures
from adapter.generation.readiness import Readiness
from adapter.generation.responses import Background, Responses
from adapter.generation.texts import Texts
from adapter.generation.uploads import Uploads
from adapter.generation.video_contents import VideoContents
from adapter.generation.videos import Videos
from adapter.openai_api.read.context import KeyContexts, ReadContext

#: `no-transform` and `x-accel-buffering` keep proxies from holding the stream back.
STREAM_HEADERS = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}

#: An answer of so many bytes is sent as one piece.
JOINED_BYTES = 64 * 1024

#: Names the job behind an answer, for the operator's `adapter jobs show`.
VIDEO_ID = "x-video-id"

#: A request whose `auth` is its principal.
OwnedRequest = Request[None, Principal, State]


class ChatOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The defaults of chats."""

    #: Whether pictures go beside the text.
    enclose_pictures: bool
    #: How videos are shown, by the name of a key and otherwise.
    markup_by_key: Mapping[str, Markup]
    markup: Markup
    #: Whether a failure inside a stream is also written as text.
    stream_errors: StreamErrors
    #: The text model for side calls where a model's card names none; empty: they are answered here.
    side_call_model: str


class ImageOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The defaults of the Images API."""

    #: How pictures are handed over, by the name of a key and otherwise.
    delivery_by_key: Mapping[str, Delivery]
    delivery: Delivery


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """The use cases, and the options for reading and writing."""

    access: Access
    #: Tells what is left of the limits of a key.
    quotas: Quotas
    admins: AdminAccess
    usage: UsageStore
    #: Tells how the operator's accounts and keys at the providers stand.
    accounts: Callable[[], Awaitable[Sequence[CredentialSummary]]]
    readiness: Readiness
    #: Whether the address of a client is its own also when it comes through one of the operator's proxies.
    trusts_proxies: bool
    pictures: Pictures
    videos: Videos
    image_orders: ImageOrders
    background_orders: BackgroundOrders
    video_orders: VideoOrders
    texts: Texts
    passed_texts: PassedTexts
    files: Files
    uploads: Uploads
    responses: Responses
    background: Background
    contents: VideoContents
    budget: Budget
    #: Admits the threads that read large requests.
    readers: FairSemaphore
    clock: Clock
    context: ReadContext
    #: The contexts of keys that have settings of their own.
    key_contexts: KeyContexts
    #: Measures videos that clients send.
    clips: ClipMeasurer
    #: Largest body of a request, in bytes.
    longest_body: int
    #: Largest picture of a form, in bytes, and largest video.
    longest_file: int
    longest_video: int
    #: How long a response can be looked up, in seconds.
    response_seconds: float
    chat_options: ChatOptions
    image_options: ImageOptions
    #: How often a running video is polled, in seconds: asking sooner brings nothing new.
    poll_seconds: float
    #: How long a stream waits for the provider to take its video, in seconds.
    opening_seconds: float
    #: Silence after which a stream sends a heartbeat, in seconds.
    heartbeat_seconds: float

    def context_for(self, principal: Principal) -> ReadContext:
        """Return what the requests of a key are read against."""
        allowance = principal.allowance
        return self.context if allowance is UNLIMITED else self.key_contexts.of(allowance)

    @property
    def media_links(self) -> MediaLinks:
        """The links to our own files."""
        return self.context.media_links


def json_response(body: msgspec.Struct, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Answer with JSON. Encoded here, once: a picture's `msgspec.Raw` goes out as it came in."""
    return Response(msgspec.json.encode(body), media_type=MediaType.JSON, headers=headers)


class Pieces:
    """An answer of JSON that is sent in pieces. Large ones are not joined; small ones are, as a message costs more."""

    def __init__(self, pieces: Sequence[bytes | memoryview], headers: Mapping[str, str]) -> None:
        is_small = sum(map(len, pieces)) <= JOINED_BYTES
        self._pieces = [b"".join(pieces)] if is_small else pieces
        self._headers = headers

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send (an ASGI application)."""
        length = b"%d" % sum(map(len, self._pieces))
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        headers += [(name.encode(), value.encode()) for name, value in self._headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for missing, piece in enumerate(self._pieces, 1 - len(self._pieces)):
            # ASGI says `bytes`; uvicorn and uvloop take whatever has a buffer.
            event: HTTPResponseBodyEvent = {
                "type": "http.response.body",
                "body": cast("bytes", piece),
                "more_body": missing < 0,
            }
            await send(event)
