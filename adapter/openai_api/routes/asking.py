"""Requests that may be repetitions: what they are known by, and how their answers say so."""

from collections.abc import Mapping

import msgspec

from adapter.domain.orders import ImageOrder, Upload, VideoWish
from adapter.domain.repeats import Asking, content
from adapter.generation.undertaking import Viewing
from adapter.openai_api.read.repeats import read_repeat, read_route
from adapter.openai_api.routes.desk import Desk, OwnedRequest
from adapter.openai_api.routes.room import apart, take_room, tell_parting

REPLAYED = {"idempotent-replayed": "true"}


async def open_viewing(
    request: OwnedRequest, desk: Desk, order: ImageOrder, *, linked: bool, form: tuple[object, ...]
) -> Viewing:
    """Have pictures made for a request, or join its earlier attempt; `form` is what its answer depends on besides.

    Raises:
        AdapterError: as `Pictures.open`.
    """
    asked = await asking_for_picture(request, order, linked, *form)
    room = await take_room(request, desk, 0)
    viewing = await desk.pictures.open(order, asked, room, linked=linked)
    tell_parting(request, viewing.close)
    return viewing


async def asking_for_picture(request: OwnedRequest, order: ImageOrder, *form: object) -> Asking:
    """Return what a request for pictures is known by."""
    bare = msgspec.structs.replace(order, sources=())
    size = sum(len(source.data) for source in order.sources if isinstance(source, Upload))
    same = await apart(size, lambda: content(bare, order.sources, *form))
    return asking(request, same)


async def asking_for_video(request: OwnedRequest, wish: VideoWish, *form: object) -> Asking:
    """Return what a request for a video is known by."""
    size = sum(len(source.data) for source in wish.sources if isinstance(source, Upload))
    same = await apart(size, lambda: content(wish.order, wish.sources, bool(wish.shapes), *form))
    return asking(request, same)


def asking(request: OwnedRequest, same: str) -> Asking:
    """Return what a request of such content is known by.

    Raises:
        InvalidRequest: its `Idempotency-Key` is none.
    """
    repeat = read_repeat(request.headers)
    return Asking(owner=request.auth, route=read_route(request.scope["path"]), content=same, repeat=repeat)


def replay_headers(viewing: Viewing) -> Mapping[str, str]:
    """Return what says that an answer is an earlier one."""
    return REPLAYED if viewing.is_replay else {}
