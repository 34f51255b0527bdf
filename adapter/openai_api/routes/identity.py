"""Requests that may be repetitions: what they are known by, and how their answers say so."""

from collections.abc import Mapping

from adapter.domain.executions import RequestIdentity
from adapter.domain.image_job import ImageJob
from adapter.domain.job import VideoJob
from adapter.domain.orders import ImageOrder, VideoWish
from adapter.generation.admission import Waiting
from adapter.generation.execution import ResultHandle
from adapter.openai_api.read.retries import read_retry_info, read_route
from adapter.openai_api.routes.reservation import call_at_end, check_connected, reserve
from adapter.openai_api.routes.services import OwnedRequest, Services

REPLAYED = {"idempotent-replayed": "true"}


def identity(request: OwnedRequest, content: str) -> RequestIdentity:
    """Return what a request of such content is known by.

    Raises:
        InvalidRequest: its `Idempotency-Key` is none.
    """
    repeat = read_retry_info(request.headers)
    return RequestIdentity(owner=request.auth, route=read_route(request.scope["path"]), content=content, repeat=repeat)


async def join_pictures(
    request: OwnedRequest, services: Services, order: ImageOrder, content: str, *, linked: bool
) -> ResultHandle:
    """Have pictures made for a request, or join an earlier one; it waits for them until its client has left.

    Raises:
        AdapterError: as `Pictures.join`.
    """
    asked = identity(request, content)
    reservation = await reserve(request, services, 0)
    await check_connected(request)
    handle = services.pictures.join(order, asked, reservation, linked=linked)
    await call_at_end(request, handle.close)
    return handle


async def open_pictures(
    request: OwnedRequest, services: Services, order: ImageOrder, content: str, *, linked: bool
) -> ResultHandle:
    """Have pictures made as `join_pictures`, and wait until that is certain.

    Raises:
        AdapterError: as `Pictures.join` and `ResultHandle.opened`.
    """
    handle = await join_pictures(request, services, order, content, linked=linked)
    await handle.opened()
    return handle


async def join_video(
    request: OwnedRequest, services: Services, wish: VideoWish, content: str, *, is_shown: bool
) -> Waiting[VideoJob]:
    """Have a video made for a request, or join an earlier one; it waits for it until its client has left.

    The answer is the video where that `is_shown`, and else the job's id.

    Raises:
        AdapterError: as `Videos.join`.
    """
    asked = identity(request, content)
    await check_connected(request)
    waiting = services.videos.join(wish, asked)
    await call_at_end(request, waiting.close_stream if is_shown else waiting.close)
    return waiting


async def join_background(
    request: OwnedRequest, services: Services, order: ImageOrder, content: str
) -> Waiting[ImageJob]:
    """Have a picture made in the background for a request, or join an earlier one. The answer is the job's id.

    Raises:
        AdapterError: as `Background.join`.
    """
    asked = identity(request, content)
    await check_connected(request)
    waiting = services.background.join(order, asked)
    await call_at_end(request, waiting.close)
    return waiting


def replay_headers(handle: ResultHandle | Waiting[ImageJob]) -> Mapping[str, str]:
    """Return what says that an answer is an earlier one."""
    return REPLAYED if handle.is_replay else {}
