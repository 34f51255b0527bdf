"""Flow's videos: four ways to submit, one to ask (seed 002 section 3, seed 004).

A submit is the execution: the credits are taken and it is in the journal before the answer leaves. What follows is
a function of time: PENDING, ACTIVE, then the end.

Magic words in a prompt: `[unsafe]` is refused at the submit (400 PUBLIC_ERROR_UNSAFE_GENERATION), `[fails]` makes the
job end as FAILED with PUBLIC_ERROR_VIDEO_GENERATION_TIMED_OUT.
"""

import secrets
import uuid
from typing import Final, TypeVar

import msgspec
from litestar import post
from litestar.response.base import ASGIResponse

from adapter.sandbox.faults import Twist
from adapter.sandbox.flow.answers import Job, JobError, JobList, Media, OperationState, Video, status_answer
from adapter.sandbox.flow.checks import check_batch, check_context, check_video, inputs_of
from adapter.sandbox.flow.models import LANDSCAPE, REFERENCE_KEYS, START_END_KEYS, START_KEYS, TEXT_KEYS, Keys
from adapter.sandbox.flow.names import media_name
from adapter.sandbox.flow.wire import (
    JobStatus,
    ReferenceBatch,
    StartBatch,
    StartEndBatch,
    StatusRequest,
    TextBatch,
    TextVideo,
    VideoBatch,
)
from adapter.sandbox.google_errors import bad_value
from adapter.sandbox.memory.records import Event, Execution, Medium, Operation
from adapter.sandbox.mishaps import served
from adapter.sandbox.reading import read
from adapter.sandbox.rules import SandboxAccount
from adapter.sandbox.world import Incoming, World, account_of, base_url, entered, json_body

MAX_BATCH: Final = 4
FAILS: Final = "[fails]"
Batch = TypeVar("Batch", TextBatch, StartBatch, StartEndBatch, ReferenceBatch)


@post("/v1/video:batchAsyncGenerateVideoText", status_code=200)
async def from_text(request: Incoming) -> ASGIResponse:
    """Make videos from words."""
    return await _submitted(request, TextBatch, TEXT_KEYS)


@post("/v1/video:batchAsyncGenerateVideoStartImage", status_code=200)
async def from_start(request: Incoming) -> ASGIResponse:
    """Make videos from a first frame."""
    return await _submitted(request, StartBatch, START_KEYS)


@post("/v1/video:batchAsyncGenerateVideoStartAndEndImage", status_code=200)
async def from_start_and_end(request: Incoming) -> ASGIResponse:
    """Make videos from a first and a last frame."""
    return await _submitted(request, StartEndBatch, START_END_KEYS)


@post("/v1/video:batchAsyncGenerateVideoReferenceImages", status_code=200)
async def from_references(request: Incoming) -> ASGIResponse:
    """Make videos from one to three reference pictures."""
    return await _submitted(request, ReferenceBatch, REFERENCE_KEYS)


@post("/v1/video:batchCheckAsyncVideoGenerationStatus", status_code=200)
async def check_status(request: Incoming) -> ASGIResponse:
    """Tell how jobs of the account stand; one unknown or foreign job refuses the whole call."""
    world = entered(request, "flow.poll")
    account = account_of(request, world.ledger)
    body = read(await json_body(request), StatusRequest)
    if not body.operations:
        raise bad_value("operations", "at least one operation is required")
    operations = [world.ledger.operation(one.operation.name, account) for one in body.operations]

    async def work(twist: Twist | None) -> ASGIResponse:
        jobs = [_job(world, base_url(request), operation) for operation in operations]
        return _json(status_answer(jobs, world.ledger.credits[account.project_id], twist))

    prompts = "\n".join(world.ledger.clip(operation).prompt for operation in operations)
    return await served(request, world, ("flow.poll", prompts), work)


async def _submitted(request: Incoming, shape: type[Batch], keys: Keys) -> ASGIResponse:
    world = entered(request, "flow.submit")
    account = account_of(request, world.ledger)
    body = read(await json_body(request), shape)

    async def work(_: Twist | None) -> ASGIResponse:
        return _json(msgspec.json.encode(_executed(world, account, body, keys)))

    prompts = "\n".join(one.text_input.prompt for one in body.requests)
    return await served(request, world, ("flow.submit", prompts), work)


def _executed(world: World, account: SandboxAccount, body: VideoBatch, keys: Keys) -> JobList:
    """Check everything, then charge and record in one step."""
    check_context(body.client_context, account)
    check_batch(len(body.requests), MAX_BATCH)
    for at, one in enumerate(body.requests):
        check_video(world, account, one, (f"requests[{at}]", keys))
    world.ledger.afford(account, world.rules.video_credits * len(body.requests))
    events: list[Event] = []
    jobs: list[Job] = []
    for one in body.requests:
        medium = _medium(world, account, one)
        operation = Operation(
            name=secrets.token_hex(16),
            account=account.project_id,
            scene_id=one.metadata.scene_id,
            medium=medium.id,
            at=world.clock(),
            fails=FAILS in medium.prompt,
        )
        events += [medium, operation, _execution(world, medium, operation)]
        jobs.append(_plain(operation, "MEDIA_GENERATION_STATUS_PENDING"))
    world.ledger.record(*events)
    return JobList(operations=jobs, remaining_credits=world.ledger.credits[account.project_id])


def _medium(world: World, account: SandboxAccount, one: TextVideo) -> Medium:
    media_id, workflow = str(uuid.uuid4()), str(uuid.uuid4())
    long = world.rules.clip_long_edge & ~1
    short = long * 9 // 16 & ~1  # yuv420p needs even edges
    inputs, usage = inputs_of(one)
    wide = one.aspect_ratio == LANDSCAPE
    return Medium(
        id=media_id,
        name=media_name("video", account.project_id, workflow, media_id),
        workflow=workflow,
        account=account.project_id,
        kind="video",
        width=long if wide else short,
        height=short if wide else long,
        mime="video/mp4",
        prompt=one.text_input.prompt,
        seed=one.seed,
        model=one.video_model_key,
        inputs=inputs,
        usage=usage,
    )


def _execution(world: World, medium: Medium, operation: Operation) -> Execution:
    return Execution(
        id=uuid.uuid4().hex,
        kind="video",
        account=operation.account,
        scene_id=operation.scene_id,
        operation=operation.name,
        prompt=medium.prompt,
        model=medium.model,
        at=operation.at,
        credits=world.rules.video_credits,
    )


def _job(world: World, base: str, operation: Operation) -> Job:
    """Return the job as it stands now, with its metadata under `operation`."""
    age = world.clock() - operation.at
    if age < world.rules.pending_seconds:
        return _plain(operation, "MEDIA_GENERATION_STATUS_PENDING")
    if age < world.rules.pending_seconds + world.rules.active_seconds:
        return _plain(operation, "MEDIA_GENERATION_STATUS_ACTIVE")
    if operation.fails:
        error = JobError(code=4, message="PUBLIC_ERROR_VIDEO_GENERATION_TIMED_OUT")
        return Job(
            operation=OperationState(name=operation.name, error=error),
            scene_id=operation.scene_id,
            status="MEDIA_GENERATION_STATUS_FAILED",
        )
    medium = world.ledger.clip(operation)
    return Job(
        operation=OperationState(name=operation.name, metadata=_media(world, base, medium)),
        scene_id=operation.scene_id,
        media_generation_id=medium.name,
        status="MEDIA_GENERATION_STATUS_SUCCESSFUL",
    )


def _plain(operation: Operation, status: JobStatus) -> Job:
    return Job(operation=OperationState(name=operation.name), scene_id=operation.scene_id, status=status)


def _media(world: World, base: str, medium: Medium) -> Media:
    wide = medium.width > medium.height
    video = Video(
        seed=medium.seed,
        media_generation_id=medium.name,
        prompt=medium.prompt,
        fife_url=world.links.signed(base, f"/video/{medium.id}"),
        serving_base_uri=world.links.signed(base, f"/image/{medium.id}"),
        model=medium.model,
        aspect_ratio="VIDEO_ASPECT_RATIO_LANDSCAPE" if wide else "VIDEO_ASPECT_RATIO_PORTRAIT",
    )
    return Media(name=medium.name, video=video)


def _json(body: bytes) -> ASGIResponse:
    return ASGIResponse(body=body, media_type="application/json; charset=UTF-8")


ROUTES = [from_text, from_start, from_start_and_end, from_references, check_status]
