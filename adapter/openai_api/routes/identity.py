"""Requests that may be repetitions: what they are known by, and how their answers say so."""

from collections.abc import Mapping

from adapter.domain.executions import RequestIdentity
from adapter.domain.orders import ImageOrder, VideoWish
from adapter.generation.execution import ResultHandle
from adapter.generation.videos import Waiting
from adapter.openai_api.read.retries import read_retry_info, read_route
from adapter.openai_api.routes.desk import Desk, OwnedRequest
from adapter.openai_api.routes.room import stop_if_left, take_room, tell_parting

REPLAYED = {"idempotent-replayed": "true"}


def identity(request: OwnedRequest, content: str) -> RequestIdentity:
    """Return what a request of such content is known by.

    Raises:
        InvalidRequest: its `Idempotency-Key` is none.
    """
    repeat = read_retry_info(request.headers)
    return RequestIdentity(owner=request.auth, route=read_route(request.scope["path"]), content=content, repeat=repeat)


async def join_pictures(
    request: OwnedRequest, desk: Desk, order: ImageOrder, content: str, *, linked: bool
) -> ResultHandle:
    """Have pictures made for a request, or join an earlier one; it waits for them until its client has left.

    Raises:
        AdapterError: as `Pictures.join`.
    """
    asked = identity(request, content)
    room = await take_room(request, desk, 0)
    await stop_if_left(request)
    handle = desk.pictures.join(order, asked, room, linked=linked)
    await tell_parting(request, handle.close)
    return handle


async def open_pictures(
    request: OwnedRequest, desk: Desk, order: ImageOrder, content: str, *, linked: bool
) -> ResultHandle:
    """Have pictures made as `join_pictures`, and wait until that is certain.

    Raises:
        AdapterError: as `Pictures.join` and `ResultHandle.opened`.
    """
    handle = await join_pictures(request, desk, order, content, linked=linked)
    await handle.opened()
    return handle


async def join_video(request: OwnedRequest, desk: Desk, wish: VideoWish, content: str, *, is_shown: bool) -> Waiting:
    """Have a video made for a request, or join an earlier one; it waits for it until its client has left.

    The answer is the video where that `is_shown`, and else the job's id.

    Raises:
        AdapterError: as `Videos.join`.
    """
    asked = identity(request, content)
    await stop_if_left(request)
    waiting = desk.videos.join(wish, asked)
    await tell_parting(request, waiting.close_stream if is_shown else waiting.close)
    return waiting


def replay_headers(handle: ResultHandle) -> Mapping[str, str]:
    """Return what says that an answer is an earlier one."""
    return REPLAYED if handle.is_replay else {}
