"""`/v1/videos`: create, describe, list, download, remix, edit, extend and delete videos."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TypeAlias

import msgspec
from litestar import Response, delete, get, post
from litestar.types import ASGIApp

from adapter.domain.job import Variant, VideoJob
from adapter.domain.orders import InlineSource, VideoDraft, VideoInput
from adapter.errors import AdapterError, Draining, InvalidRequest, NotFound
from adapter.openai_api import sse
from adapter.openai_api.read.context import ReadContext
from adapter.openai_api.read.given_videos import FIELD, given_video, read_work_form, read_work_json
from adapter.openai_api.read.media import read_media_form, read_media_json
from adapter.openai_api.read.paging import read_page
from adapter.openai_api.read.upscales import upscale_draft
from adapter.openai_api.read.video_works import GivenClip, draft_from_file, draft_from_job, remix_draft
from adapter.openai_api.read.videos import UNSUPPORTED, read_place, read_variant, read_video_form, read_video_json
from adapter.openai_api.routes.event_streams import EventStream
from adapter.openai_api.routes.files import ASK_AGAIN, send_file
from adapter.openai_api.routes.identity import REPLAYED, media_call
from adapter.openai_api.routes.reservation import read_json_or_form
from adapter.openai_api.routes.services import STREAM_HEADERS, VIDEO_ID, OwnedRequest, Pieces, Services, json_response
from adapter.openai_api.wire.media import MediaRequest, RouteRequest
from adapter.openai_api.wire.videos import RemixRequest, UpscaleRequest, VideoDeleted
from adapter.openai_api.write.errors import error_event
from adapter.openai_api.write.videos import video, video_event, video_list

#: What makes the draft of a video from a request and a finished video.
_DraftOf: TypeAlias = Callable[[MediaRequest, VideoJob, ReadContext], VideoDraft]
#: OpenAI's own limits of a page (its document, `GET /videos`; the usual one is the guide's).
USUAL_PAGE, MOST_ON_A_PAGE = 20, 100
#: What a provider gets to take a job, in seconds. A client does not have to wait longer: the job is safe by then.
TAKING_SECONDS = 20.0
#: The shortest time after which a client is told to ask again, in milliseconds.
SOONEST_MILLISECONDS = 1000


@post("/videos", status_code=200)
async def create_video(request: OwnedRequest, services: Services) -> ASGIApp:
    """Have a video made."""
    content, draft = await read_json_or_form(
        request,
        services,
        lambda body: read_video_json(body, services.context_for(request.auth)),
        lambda parts: read_video_form(parts, services.context_for(request.auth)),
    )
    return await _started(request, services, draft, content)


@get("/videos")
async def list_videos(request: OwnedRequest, services: Services) -> Response[bytes]:
    """List the caller's videos, page by page."""
    page = read_page(request.query_params, usual=USUAL_PAGE, most=MOST_ON_A_PAGE)
    jobs, has_more = await services.videos.list_videos(request.auth.owner, page)
    return json_response(video_list(jobs, services.media_links, has_more=has_more))


@get("/videos/{video_id:str}")
async def retrieve_video(request: OwnedRequest, video_id: str, services: Services) -> ASGIApp:
    """Describe a video."""
    return _video(await services.videos.find_video(video_id, request.auth.owner), services)


@delete("/videos/{video_id:str}", status_code=200)
async def delete_video(request: OwnedRequest, video_id: str, services: Services) -> Response[bytes]:
    """Delete a video and its files."""
    await services.videos.delete_video(video_id, request.auth.owner)
    return json_response(VideoDeleted(id=video_id))


@get("/videos/{video_id:str}/content")
async def read_content(request: OwnedRequest, video_id: str, services: Services) -> ASGIApp:
    """Send a finished video's file."""
    job = await services.videos.find_video(video_id, request.auth.owner)
    variant = read_variant(request.query_params.get("variant"))
    file = await services.contents.find(job, variant)

    def note() -> None:
        if variant is Variant.VIDEO:
            services.videos.note_delivery(job.id)

    return await send_file(request, services, file, caching=ASK_AGAIN, sent=note)


@post("/videos/{video_id:str}/remix", status_code=200)
async def remix_video(request: OwnedRequest, video_id: str, services: Services) -> ASGIApp:
    """Make a video like a finished one, with another prompt."""
    return await _made_of(request, services, video_id, (RemixRequest, remix_draft))


@post("/videos/{video_id:str}/upscale", status_code=200)
async def upscale_video(request: OwnedRequest, video_id: str, services: Services) -> ASGIApp:
    """Make a finished video finer."""
    return await _made_of(request, services, video_id, (UpscaleRequest, upscale_draft))


@post("/videos/edits", status_code=200)
async def edit_video(request: OwnedRequest, services: Services) -> ASGIApp:
    """Change a video as a prompt says."""
    return await _worked_on(request, services, VideoInput.EDIT)


@post("/videos/extensions", status_code=200)
async def extend_video(request: OwnedRequest, services: Services) -> ASGIApp:
    """Have a video go on after its end."""
    return await _worked_on(request, services, VideoInput.EXTEND)


async def _made_of(
    request: OwnedRequest, services: Services, video_id: str, way: tuple[type[RouteRequest], _DraftOf]
) -> Pieces:
    """Make a video of a finished one: the request's form, and what makes the draft."""
    form, draft_of = way
    content, body = await read_json_or_form(
        request,
        services,
        lambda body: read_media_json(body, form),
        lambda parts: read_media_form(parts, form),
    )
    draft = draft_of(
        body.media, await services.videos.find_video(video_id, request.auth.owner), services.context_for(request.auth)
    )
    return await _started(request, services, draft, content)


async def _worked_on(request: OwnedRequest, services: Services, kind: VideoInput) -> Pieces:
    content, body = await read_json_or_form(
        request, services, read_work_json, read_work_form, most_file_bytes=services.longest_video
    )
    given = given_video(body)
    if isinstance(given, InlineSource):
        file = GivenClip(given, await services.clips.measure(given.data))
        draft = draft_from_file(kind, body.media, file, services.context_for(request.auth))
    else:
        draft = draft_from_job(
            kind, body.media, await _source(given, request, services), services.context_for(request.auth)
        )
    return await _started(request, services, draft, content)


async def _source(video_id: str, request: OwnedRequest, services: Services) -> VideoJob:
    try:
        return await services.videos.find_video(video_id, request.auth.owner)
    except NotFound as fault:
        fault.param = FIELD
        raise


@post("/videos/characters")
async def refuse_characters() -> None:
    """Say what is offered in the place of characters."""
    raise InvalidRequest(
        "There are no characters here. Show them in reference pictures of POST /v1/videos.", code=UNSUPPORTED
    )


@get("/videos/characters/{character_id:str}")
async def refuse_character(character_id: str) -> None:
    """Say that there are no characters."""
    raise InvalidRequest(f"These models know no characters, and none '{character_id}'.", code=UNSUPPORTED)


@get("/videos/{video_id:str}/events")
async def watch_video(request: OwnedRequest, video_id: str, services: Services) -> EventStream | Response[None]:
    """Stream every change of a video, those of the past too, or those after the last one that the reader knows."""
    job = await services.videos.find_video(video_id, request.auth.owner)
    known = read_place(request.headers.get("last-event-id"), request.query_params.get("starting_after"), job)
    if job.is_over and known == len(job.history):
        # A browser that comes back after the end stays away now (HTML, "Server-sent events", processing model).
        return Response(None, status_code=204)
    headers = {**STREAM_HEADERS, VIDEO_ID: job.id}
    changes = services.videos.watch_history(job, after=known)
    return EventStream(video_events(services, changes), headers)


async def video_events(
    services: Services, changes: AsyncGenerator[tuple[VideoJob, int] | None, None]
) -> AsyncGenerator[bytes, None]:
    """Yield each change. When the process stops, the stream ends, and the reader goes on at another process."""
    try:
        async with aclosing(changes):
            async for change in changes:
                if change is None:
                    yield sse.comment("still working")
                else:
                    told = video_event(*change, services.media_links)
                    yield sse.numbered(told, event=told.type, number=told.sequence_number)
                    del told, change  # ten thousand readers would hold them until the next change
                    await asyncio.sleep(0)  # the framework can end only what waits, when the client has hung up
    except Draining:
        return
    except AdapterError as fault:
        yield sse.frame(error_event(fault), event="error")


async def _started(request: OwnedRequest, services: Services, draft: VideoDraft, content: str) -> Pieces:
    waiting = await services.video_orders.start(draft, media_call(request, services, content), is_shown=False)
    job = await waiting.job(TAKING_SECONDS)
    return _video(job, services, is_replay=waiting.is_replay)


def _video(job: VideoJob, services: Services, *, is_replay: bool = False) -> Pieces:
    headers = {VIDEO_ID: job.id}
    if is_replay:
        headers |= REPLAYED
    if not job.is_over:
        headers["openai-poll-after-ms"] = str(max(SOONEST_MILLISECONDS, round(services.poll_seconds * 1000)))
    return Pieces([msgspec.json.encode(video(job, services.media_links))], headers)
