"""Requests that may be repetitions: what they are known by, and how their answers say so."""

from collections.abc import Mapping

from adapter.domain.orders import ImageOrder, VideoWish
from adapter.domain.repeats import Asking
from adapter.generation.undertaking import Viewing
from adapter.generation.videos import Waiting
from adapter.openai_api.read.repeats import read_repeat, read_route
from adapter.openai_api.routes.desk import Desk, OwnedRequest
from adapter.openai_api.routes.room import stop_if_left, take_room, tell_parting

REPLAYED = {"idempotent-replayed": "true"}


def asking(request: OwnedRequest, content: str) -> Asking:
    """Return what a request of such content is known by.

    Raises:
        InvalidRequest: its `Idempotency-Key` is none.
    """
    repeat = read_repeat(request.headers)
    return Asking(owner=request.auth, route=read_route(request.scope["path"]), content=content, repeat=repeat)


async def join_pictures(request: OwnedRequest, desk: Desk, order: ImageOrder, content: str, *, linked: bool) -> Viewing:
    """Have pictures made for a request, or join an earlier one; it waits for them until its client has left.

    Raises:
        AdapterError: as `Pictures.join`.
    """
    asked = asking(request, content)
    room = await take_room(request, desk, 0)
    await stop_if_left(request)
    viewing = desk.pictures.join(order, asked, room, linked=linked)
    await tell_parting(request, viewing.close)
    return viewing


async def open_pictures(request: OwnedRequest, desk: Desk, order: ImageOrder, content: str, *, linked: bool) -> Viewing:
    """Have pictures made as `join_pictures`, and wait until that is certain.

    Raises:
        AdapterError: as `Pictures.join` and `Viewing.opened`.
    """
    viewing = await join_pictures(request, desk, order, content, linked=linked)
    await viewing.opened()
    return viewing


async def join_video(request: OwnedRequest, desk: Desk, wish: VideoWish, content: str, *, is_shown: bool) -> Waiting:
    """Have a video made for a request, or join an earlier one; it waits for it until its client has left.

    The answer is the video where that `is_shown`, and else the job's id.

    Raises:
        AdapterError: as `Videos.join`.
    """
    asked = asking(request, content)
    await stop_if_left(request)
    waiting = desk.videos.join(wish, asked)
    await tell_parting(request, waiting.close_stream if is_shown else waiting.close)
    return waiting


def replay_headers(viewing: Viewing) -> Mapping[str, str]:
    """Return what says that an answer is an earlier one."""
    return REPLAYED if viewing.is_replay else {}
