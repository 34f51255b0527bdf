"""`/v1/responses`: the image tool, and videos, as answers with an id."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial

import msgspec
import structlog
from litestar import MediaType, Response, delete, get, post
from litestar.response import Stream

from adapter.domain import memory_estimate
from adapter.domain.ids import Id
from adapter.domain.job import VideoJob
from adapter.domain.media import size_of
from adapter.domain.numbers import whole_number
from adapter.domain.orders import ImageOrder, VideoDraft
from adapter.domain.stored_response import ResponseStatus, StoredResponse
from adapter.errors import InvalidRequest, NotFound
from adapter.openai_api.read.fields import switch
from adapter.openai_api.read.media import read_media_json
from adapter.openai_api.read.paging import read_page
from adapter.openai_api.read.response_items import given_items
from adapter.openai_api.read.responses import ResponsePlan, read_response
from adapter.openai_api.routes.chat import handed_over
from adapter.openai_api.routes.identity import media_call, replay_headers
from adapter.openai_api.routes.reservation import (
    call_at_end,
    is_quick_to_read,
    offload,
    read_body,
    read_in_turn,
    reserve,
)
from adapter.openai_api.routes.response_streams import follow_picture, stream_picture, stream_text, stream_video
from adapter.openai_api.routes.services import STREAM_HEADERS, VIDEO_ID, OwnedRequest, Services, json_response
from adapter.openai_api.wire.responses import GivenItem, ResponseDeleted, ResponsesRequest
from adapter.openai_api.write import responses as write
from adapter.openai_api.write.response_events import Numbering

log = structlog.get_logger()

#: OpenAI's own limits of a page of input.
USUAL_PAGE, MOST_ON_A_PAGE = 20, 100
#: No stream has an event of a higher number.
MOST_EVENTS = 10**9

NO_HEADERS: Mapping[str, str] = {}

Answer = Stream | Response[bytes]


class PlannedResponse(msgspec.Struct, frozen=True):
    """A request for a response, and what it comes to."""

    body: ResponsesRequest
    plan: ResponsePlan
    #: The digest of what the client said.
    content: str


@post("/responses", status_code=200)
async def create_response(request: OwnedRequest, services: Services) -> Answer:
    """Make what the input asks for."""
    content, (is_quick, body) = await read_body(
        request, services, lambda data: (is_quick_to_read([data]), read_media_json(data, ResponsesRequest))
    )
    earlier = await _earlier(services, body, request.auth.owner)
    plan = await read_in_turn(
        request,
        services,
        lambda: read_response(
            body, services.context_for(request.auth), _sight(earlier), is_answered=_is_answer(earlier)
        ),
        is_quick=is_quick,
    )
    planned = PlannedResponse(body, plan, content)
    if plan.order is None:
        return await _answer_with_text(request, services, planned)
    if isinstance(plan.order, VideoDraft):
        return await _answer_with_video(request, services, planned, plan.order)
    return await _answer_with_picture(request, services, planned, plan.order)


async def _earlier(services: Services, body: ResponsesRequest, owner: str) -> StoredResponse | None:
    """Return the response that a request goes on from."""
    response_id, param = body.previous_response_id, body.called("previous_response_id")
    if response_id is None:
        return None
    try:
        stored = await services.responses.find(_key(response_id), owner)
    except NotFound as fault:
        raise InvalidRequest(
            f"There is no response '{response_id}' here; it may have been deleted, or was not stored.",
            param=param,
            code="previous_response_not_found",
        ) from fault
    if stored.video is None and not stored.is_over:
        raise InvalidRequest(
            f"The response '{response_id}' is still being made; its picture can be followed up when it is completed.",
            param=param,
        )
    return stored


def _sight(earlier: StoredResponse | None) -> Sequence[str]:
    """Return what an earlier response has in sight: the picture that it drew, else those that it was given."""
    if earlier is None:
        return ()
    return earlier.sight if earlier.drawn is None else (Id.IMAGE_CALL.of(earlier.key),)


def _is_answer(earlier: StoredResponse | None) -> bool:
    """Say whether an earlier response has or will have something to show; a video's job knows better."""
    return earlier is not None and (earlier.video is not None or earlier.status is ResponseStatus.COMPLETED)


def _key(response_id: str) -> str:
    return Id.RESPONSE.key_in(response_id) or ""


def _new_response(
    services: Services, planned: PlannedResponse, owner: str, execution: str, began_at: float
) -> StoredResponse:
    """Return the response to a request. All attempts of a request have the same one, by the execution id."""
    body, plan, key = planned.body, planned.plan, execution
    return StoredResponse(
        key=key,
        owner=owner,
        stem=secrets.token_hex(16),
        created_at=began_at,
        expires_at=services.clock.now() + services.response_seconds,
        model=plan.model,
        prompt=plan.prompt,
        edits=plan.edits,
        said=msgspec.Raw(msgspec.json.encode(plan.echoed)),
        items=msgspec.Raw(msgspec.json.encode(given_items(body.input, key))),
        background=bool(body.background),
        sight=plan.sight,
    )


async def _answer_with_text(request: OwnedRequest, services: Services, planned: PlannedResponse) -> Answer:
    """Answer a request for nothing new: nothing is made and nothing is paid for."""
    stored = _new_response(services, planned, request.auth.owner, secrets.token_hex(16), services.clock.now())
    done = stored.answered(services.clock.now())
    log.info("responses.nothing_made", key=done.key, model=done.model)
    if planned.body.store is not False:
        await services.responses.remember(done)
    if planned.body.stream:
        return _event_stream(stream_text(done, Numbering()))
    return json_response(write.with_picture(done, None))


async def _answer_with_picture(
    request: OwnedRequest, services: Services, planned: PlannedResponse, order: ImageOrder
) -> Answer:
    body, owner = planned.body, request.auth.owner
    if body.background:
        return await _answer_in_the_background(request, services, planned, order)
    handle = await services.image_orders.open(order, media_call(request, services, planned.content), linked=False)
    stored = _new_response(services, planned, owner, handle.execution_id, handle.began_at)
    is_stored = body.store is not False
    if body.stream:
        states = handle.watch()
        # Begun when there is something to send: what fails before that has an HTTP status.
        events = stream_picture(services, stored, await anext(states), states, is_stored=is_stored)
        return _event_stream(events, replay_headers(handle))
    image = (await handle.batch()).images[0]
    done = stored.completed(image, services.clock.now())
    if is_stored:
        await services.responses.remember_end(done, image)
    headers = replay_headers(handle)
    return await offload(size_of([image]), lambda: json_response(write.with_picture(done, image), headers))


async def _answer_in_the_background(
    request: OwnedRequest, services: Services, planned: PlannedResponse, order: ImageOrder
) -> Answer:
    """Answer with a response that is a view of its job. The job is remembered before the answer goes out."""
    call = media_call(request, services, planned.content)
    waiting = await services.background_orders.start(order, call)
    job = await waiting.job()
    draft = _new_response(services, planned, request.auth.owner, job.id.removeprefix(Id.IMAGE_JOB), job.created_at)
    stored = await services.background.remember(draft, job)
    if planned.body.stream:
        return _event_stream(follow_picture(services, stored, Numbering()), replay_headers(waiting))
    if stored.drawn is not None:
        await reserve(request, services, memory_estimate.of_drawn(stored.drawn.pixels.area))
    return await _shown(services, stored)


async def _answer_with_video(
    request: OwnedRequest, services: Services, planned: PlannedResponse, draft: VideoDraft
) -> Answer:
    """Answer with a video. The provider has taken the job before the first byte goes out."""
    body, call = planned.body, media_call(request, services, planned.content)
    waiting = await services.video_orders.start(draft, call, is_shown=not body.background)
    job = await waiting.job()
    stored = _new_response(services, planned, request.auth.owner, job.id.removeprefix(Id.VIDEO), job.created_at)
    stored = msgspec.structs.replace(stored, video=job.id)
    if body.store is not False:
        await services.responses.remember(stored)
    if body.stream:
        return _event_stream(stream_video(services, stored, job, Numbering()), {VIDEO_ID: job.id})
    if stored.background:
        return _video_response(services, stored, job)
    job = await services.videos.finish_video(job)
    if job.failure is not None:
        raise job.failure.as_fault()
    return _video_response(services, stored, job)


def _video_response(services: Services, stored: StoredResponse, job: VideoJob) -> Answer:
    """Answer as a job has it; one that is completed is handed over with it."""
    told = write.with_video(stored, job, services.media_links)
    if not told.output:
        return json_response(told)
    whole = msgspec.json.encode(told)
    headers = {VIDEO_ID: job.id, "content-length": str(len(whole))}
    return Stream(handed_over(services, job, whole), media_type=MediaType.JSON, headers=headers)


def _event_stream(events: AsyncIterator[bytes], headers: Mapping[str, str] = NO_HEADERS) -> Stream:
    return Stream(events, media_type="text/event-stream", headers={**STREAM_HEADERS, **headers})


@get("/responses/{response_id:str}")
async def retrieve_response(request: OwnedRequest, response_id: str, services: Services) -> Answer:
    """Show a response in its present state, or stream it from any event on."""
    stored = await services.responses.find(_key(response_id), request.auth.owner)
    if stored.drawn is not None:
        await reserve(request, services, memory_estimate.of_drawn(stored.drawn.pixels.area))
    job = None if stored.video is None else await services.videos.get_video(stored.video)
    if switch(request.query_params.get("stream"), "stream"):
        numbering = Numbering(_starting_after(request.query_params.get("starting_after")))
        if job is not None:
            return _event_stream(stream_video(services, stored, job, numbering), {VIDEO_ID: job.id})
        if stored.is_text_only:
            return _event_stream(stream_text(stored, numbering))
        return _event_stream(follow_picture(services, stored, numbering))
    if stored.background and stored.drawn is not None:
        await call_at_end(request, partial(_note_delivery, services, stored))
    return await _shown(services, stored, job)


def _note_delivery(services: Services, stored: StoredResponse, *, delivered: bool) -> None:
    if delivered:
        services.background.note_delivery(stored)


async def _shown(services: Services, stored: StoredResponse, job: VideoJob | None = None) -> Answer:
    if job is not None:
        return _video_response(services, stored, job)
    image = await services.responses.picture(stored)
    return await offload(size_of([image] if image else []), lambda: json_response(write.with_picture(stored, image)))


def _starting_after(told: str | None) -> int:
    if not told:
        return -1
    number = whole_number(told, most=MOST_EVENTS)
    if number is None:
        raise InvalidRequest("'starting_after' has to be the number of an event.", param="starting_after")
    return number


@post("/responses/{response_id:str}/cancel", status_code=200)
async def cancel_response(request: OwnedRequest, response_id: str, services: Services) -> Answer:
    """Cancel a response in the background. A video goes on, because it is paid for, and is not shown here."""
    stored = await services.responses.find(_key(response_id), request.auth.owner)
    job = None if stored.video is None else await services.videos.get_video(stored.video)
    if job is not None and job.is_over:
        return await _shown(services, stored, job)
    if stored.background and stored.video is None and await services.background.cancel(stored):
        stored = await services.responses.find(stored.key, request.auth.owner)
    else:
        stored = await services.responses.cancel(stored.key, request.auth.owner)
    return await _shown(services, stored, job)


@delete("/responses/{response_id:str}", status_code=200)
async def delete_response(request: OwnedRequest, response_id: str, services: Services) -> Response[bytes]:
    """Delete a response."""
    stored = await services.responses.delete(_key(response_id), request.auth.owner)
    if stored.background and stored.video is None:
        await services.background.delete(stored)
    return json_response(ResponseDeleted(id=response_id))


@get("/responses/{response_id:str}/input_items")
async def list_input_items(request: OwnedRequest, response_id: str, services: Services) -> Response[bytes]:
    """List the input of a response."""
    page = read_page(request.query_params, usual=USUAL_PAGE, most=MOST_ON_A_PAGE)
    stored = await services.responses.find(_key(response_id), request.auth.owner)
    items = msgspec.json.decode(stored.items, type=tuple[GivenItem, ...])
    if page.after is not None and page.after not in {item.id for item in items}:
        raise InvalidRequest(f"The input has no entry '{page.after}' to go on after.", param="after")
    return json_response(write.item_list(items, page))
