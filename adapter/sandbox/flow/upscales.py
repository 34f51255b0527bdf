"""Flow's upscales: a finished clip of the account in a finer resolution (`flow.md` section 2). Each is an execution."""

import uuid

import msgspec
from litestar import post
from litestar.response.base import ASGIResponse

from adapter.sandbox.fault_injection import served
from adapter.sandbox.faults import ResponseMutation
from adapter.sandbox.flow.checks import check_batch, check_context, check_form, check_source
from adapter.sandbox.flow.models import UPSAMPLE_KEYS
from adapter.sandbox.flow.names import media_name
from adapter.sandbox.flow.videos import MAX_BATCH, taken
from adapter.sandbox.flow.wire import UpsampleBatch, UpsampleVideo
from adapter.sandbox.google_errors import bad_value, flow_refusal
from adapter.sandbox.memory.records import Medium
from adapter.sandbox.reading import read
from adapter.sandbox.rules import SandboxAccount
from adapter.sandbox.state import Incoming, SandboxState, account_of, entered, json_body

#: The long edge of the finest clip that is drawn: H.264 of 3840 pixels takes minutes here.
LONGEST_EDGE = 1920


@post("/v1/video:batchAsyncGenerateVideoUpsampleVideo", status_code=200)
async def upsample(request: Incoming) -> ASGIResponse:
    """Make finished videos finer."""
    sandbox = entered(request, "flow.submit")
    account = account_of(request, sandbox.ledger)
    body = read(await json_body(request), UpsampleBatch)
    check_form(account, body)
    check_context(body.client_context, account)
    check_batch(len(body.requests), MAX_BATCH)
    sources = [_source(sandbox, account, one, f"requests[{at}]") for at, one in enumerate(body.requests)]

    async def work(_: ResponseMutation | None) -> ASGIResponse:
        pairs = zip(body.requests, sources, strict=True)
        clips = [(_finer(one, source), one.metadata.scene_id) for one, source in pairs]
        batch_id = body.media_generation_context.batch_id if body.media_generation_context else ""
        answer = msgspec.json.encode(taken(sandbox, account, clips, batch_id))
        return ASGIResponse(body=answer, media_type="application/json; charset=UTF-8")

    return await served(request, sandbox, ("flow.submit", "\n".join(source.prompt for source in sources)), work)


def _source(sandbox: SandboxState, account: SandboxAccount, one: UpsampleVideo, path: str) -> Medium:
    """Return the clip that shall become finer, if all of a request is right.

    Raises:
        GoogleError: 400 for a wrong value, 403 for a tier that cannot have it, 404 for a clip that is not there.
    """
    if one.video_model_key not in UPSAMPLE_KEYS:
        raise bad_value(f"{path}.video_model_key", f'"{one.video_model_key}", here: {", ".join(UPSAMPLE_KEYS)}')
    resolution, tiers, _ = UPSAMPLE_KEYS[one.video_model_key]
    if one.resolution != resolution:
        raise bad_value(f"{path}.resolution", f"{one.video_model_key} makes {resolution} only")
    if not one.metadata.scene_id:
        raise bad_value(f"{path}.metadata.scene_id", "is required")
    if account.tier not in tiers:
        raise flow_refusal(403, "PUBLIC_ERROR_MODEL_ACCESS_DENIED")
    return check_source(sandbox, account, one, path)


def _finer(one: UpsampleVideo, source: Medium) -> Medium:
    """Return the clip that is made: the same scene with more pixels."""
    media_id, workflow = str(uuid.uuid4()), str(uuid.uuid4())
    times = min(UPSAMPLE_KEYS[one.video_model_key][2], max(1.0, LONGEST_EDGE / max(source.width, source.height)))
    return msgspec.structs.replace(
        source,
        id=media_id,
        name=media_name("video", source.account, workflow, media_id),
        workflow=workflow,
        width=int(source.width * times) & ~1,
        height=int(source.height * times) & ~1,
        model=one.video_model_key,
    )


ROUTES = [upsample]
