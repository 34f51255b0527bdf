"""`/v1/videos`: a video is a job that is made, looked at, fetched and deleted."""

from litestar import HttpMethod, Response, delete, get, post, route
from litestar.response import Stream

from adapter.domain import weight
from adapter.domain.job import VideoJob
from adapter.openai_api.read.videos import read_page, read_variant, read_video_form, read_video_json
from adapter.openai_api.routes.desk import VIDEO_ID, Desk, OwnedRequest, json_response
from adapter.openai_api.routes.files import ASK_AGAIN, send_file
from adapter.openai_api.routes.room import read_json_or_form, take_room
from adapter.openai_api.wire.videos import VideoDeleted
from adapter.openai_api.write.videos import video, video_list

#: What a provider gets to take a job, in seconds. A client does not have to wait longer: the job is safe by then.
TAKING_SECONDS = 20.0
#: The shortest time after which a client is told to ask again, in milliseconds.
SOONEST_MILLISECONDS = 1000


@post("/videos", status_code=200)
async def create_video(request: OwnedRequest, desk: Desk) -> Response[bytes]:
    """Have a video made."""
    wish = await read_json_or_form(
        request, desk, lambda body: read_video_json(body, desk.terms), lambda parts: read_video_form(parts, desk.terms)
    )
    if wish.sources:
        await take_room(request, desk, weight.of_sources(wish.sources))
    return _video(await desk.videos.start_video(wish, request.auth, within=TAKING_SECONDS), desk)


@get("/videos")
async def list_videos(request: OwnedRequest, desk: Desk) -> Response[bytes]:
    """List the caller's videos, page by page."""
    asked = request.query_params
    page = read_page(asked.get("limit"), asked.get("order"), asked.get("after"))
    jobs, has_more = await desk.videos.list_videos(request.auth, page)
    return json_response(video_list(jobs, desk.shelf, has_more=has_more))


@get("/videos/{video_id:str}")
async def retrieve_video(request: OwnedRequest, video_id: str, desk: Desk) -> Response[bytes]:
    """Tell how a video comes along."""
    return _video(await desk.videos.find_video(video_id, request.auth), desk)


@delete("/videos/{video_id:str}", status_code=200)
async def delete_video(request: OwnedRequest, video_id: str, desk: Desk) -> Response[bytes]:
    """Forget a video and its files."""
    await desk.videos.delete_video(video_id, request.auth)
    return json_response(VideoDeleted(id=video_id))


@route("/videos/{video_id:str}/content", http_method=[HttpMethod.GET, HttpMethod.HEAD])
async def read_content(request: OwnedRequest, video_id: str, desk: Desk) -> Stream | Response[None]:
    """Send a finished video's file."""
    job = await desk.videos.find_video(video_id, request.auth)
    name = await desk.contents.find(job, read_variant(request.query_params.get("variant")))
    return await send_file(request, desk, name, caching=ASK_AGAIN, sent=lambda: desk.videos.note_delivery(job.id))


def _video(job: VideoJob, desk: Desk) -> Response[bytes]:
    response = json_response(video(job, desk.shelf))
    response.headers[VIDEO_ID] = job.id
    if not job.is_over:
        response.headers["openai-poll-after-ms"] = str(max(SOONEST_MILLISECONDS, round(desk.poll_seconds * 1000)))
    return response
