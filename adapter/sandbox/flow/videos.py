"""Flow's videos: four ways to submit, one to ask (seed 002 section 3, seed 004), each in the account's dialect.

A submit is the execution: before the answer goes out, the credits are taken and the journal has it. The status that
follows is a function of time: PENDING, ACTIVE, then the end.

Magic words in a prompt: `[unsafe]` is refused at the submit (400 PUBLIC_ERROR_UNSAFE_GENERATION), `[fails]` makes the
job end as FAILED with PUBLIC_ERROR_VIDEO_GENERATION_TIMED_OUT.
"""

import secrets
import uuid
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from adapter.sandbox.fault_injection import served
from adapter.sandbox.faults import ResponseMutation
from adapter.sandbox.flow import media_answers
from adapter.sandbox.flow.answers import JobList, status_answer
from adapter.sandbox.flow.checks import check_batch, check_context, check_form, check_question, check_video, inputs_of
from adapter.sandbox.flow.models import LANDSCAPE, REFERENCE_KEYS, START_END_KEYS, START_KEYS, TEXT_KEYS, Keys, price
from adapter.sandbox.flow.names import media_name
from adapter.sandbox.flow.states import accepted, job, medium_state, plain, status_of
from adapter.sandbox.flow.wire import (
    ReferenceBatch,
    StartBatch,
    StartEndBatch,
    StatusRequest,
    TextBatch,
    TextVideo,
    VideoBatch,
)
from adapter.sandbox.google_errors import GoogleError
from adapter.sandbox.memory.records import Event, Execution, Medium, Operation
from adapter.sandbox.reading import read
from adapter.sandbox.rules import SandboxAccount
from adapter.sandbox.state import Incoming, SandboxState, account_of, base_url, entered, json_body

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
    """Return the status of jobs of the account; one unknown or foreign job refuses the whole call."""
    sandbox = entered(request, "flow.poll")
    account = account_of(request, sandbox.ledger)
    body = read(await json_body(request), StatusRequest)
    check_question(account, body)
    names = [*(one.operation.name for one in body.operations), *(one.name for one in body.media)]
    operations = [sandbox.ledger.operation(name, account) for name in names]

    async def work(mutation: ResponseMutation | None) -> ASGIResponse:
        if account.dialect == "media":
            return _json(media_answers.status_answer([medium_state(sandbox, each) for each in operations], mutation))
        jobs = [job(sandbox, base_url(request), operation) for operation in operations]
        return _json(status_answer(jobs, sandbox.ledger.credits[account.project_id], mutation))

    prompts = "\n".join(sandbox.ledger.clip(operation).prompt for operation in operations)
    return await served(request, sandbox, ("flow.poll", prompts), work)


@get("/v1/media/{name:str}")
async def media_file(request: Incoming, name: FromPath[str]) -> ASGIResponse:
    """Hand out a finished clip of a media account as base64; everything else is not found."""
    sandbox = entered(request, "flow.media")
    account = account_of(request, sandbox.ledger)
    operation = sandbox.ledger.operation(name, account)
    if account.dialect != "media" or status_of(sandbox, operation) != "MEDIA_GENERATION_STATUS_SUCCESSFUL":
        raise GoogleError(404)
    medium = sandbox.ledger.clip(operation)

    async def work(mutation: ResponseMutation | None) -> ASGIResponse:
        data = msgspec.UNSET if mutation == "no_media" else await sandbox.gallery.file(medium)
        video = media_answers.EncodedVideo(encoded_video=data)
        return _json(msgspec.json.encode(media_answers.MediaFile(video=video)))

    return await served(request, sandbox, ("flow.media", medium.prompt), work)


async def _submitted(request: Incoming, shape: type[Batch], keys: Keys) -> ASGIResponse:
    sandbox = entered(request, "flow.submit")
    account = account_of(request, sandbox.ledger)
    body = read(await json_body(request), shape)

    async def work(_: ResponseMutation | None) -> ASGIResponse:
        return _json(msgspec.json.encode(_executed(sandbox, account, body, keys)))

    prompts = "\n".join(one.text_input.text for one in body.requests)
    return await served(request, sandbox, ("flow.submit", prompts), work)


def _executed(
    sandbox: SandboxState, account: SandboxAccount, body: VideoBatch, keys: Keys
) -> JobList | media_answers.MediaAccepted:
    """Check everything, then charge and record in one step."""
    check_form(account, body)
    check_context(body.client_context, account)
    check_batch(len(body.requests), MAX_BATCH)
    for at, one in enumerate(body.requests):
        check_video(sandbox, account, one, (f"requests[{at}]", keys))
    batch_id = body.media_generation_context.batch_id if body.media_generation_context else ""
    clips = [(_medium(sandbox, account, one), one.metadata.scene_id or batch_id) for one in body.requests]
    return taken(sandbox, account, clips, batch_id)


def taken(
    sandbox: SandboxState, account: SandboxAccount, clips: Sequence[tuple[Medium, str]], batch_id: str
) -> JobList | media_answers.MediaAccepted:
    """Charge clips and record their jobs in one step; each comes with the client's own name of its job.

    Raises:
        GoogleError: 429 when the account has not enough credits.
    """
    sandbox.ledger.afford(account, sum(price(medium.model, sandbox.rules.video_credits) for medium, _ in clips))
    events: list[Event] = []
    operations: list[Operation] = []
    for medium, scene_id in clips:
        operation = Operation(
            name=medium.id if account.dialect == "media" else secrets.token_hex(16),
            account=account.project_id,
            scene_id=scene_id,
            medium=medium.id,
            at=sandbox.clock(),
            fails=FAILS in medium.prompt,
        )
        events += [medium, operation, _execution(sandbox, medium, operation)]
        operations.append(operation)
    sandbox.ledger.record(*events)
    left = sandbox.ledger.credits[account.project_id]
    if account.dialect == "media":
        return accepted(sandbox, operations, batch_id, left)
    jobs = [plain(operation, "MEDIA_GENERATION_STATUS_PENDING") for operation in operations]
    return JobList(operations=jobs, remaining_credits=left)


def _medium(sandbox: SandboxState, account: SandboxAccount, one: TextVideo) -> Medium:
    media_id, workflow = str(uuid.uuid4()), str(uuid.uuid4())
    long = sandbox.rules.clip_long_edge & ~1
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
        prompt=one.text_input.text,
        seed=one.seed,
        model=one.video_model_key,
        inputs=inputs,
        usage=usage,
    )


def _execution(sandbox: SandboxState, medium: Medium, operation: Operation) -> Execution:
    return Execution(
        id=uuid.uuid4().hex,
        kind="video",
        account=operation.account,
        scene_id=operation.scene_id,
        operation=operation.name,
        prompt=medium.prompt,
        model=medium.model,
        at=operation.at,
        credits=price(medium.model, sandbox.rules.video_credits),
    )


def _json(body: bytes) -> ASGIResponse:
    return ASGIResponse(body=body, media_type="application/json; charset=UTF-8")


ROUTES = [from_text, from_start, from_start_and_end, from_references, check_status, media_file]
