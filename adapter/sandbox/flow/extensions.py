"""Flow's extensions: a clip that begins where a finished one of the account ends (`flow.md` section 2).

Each is an execution. The new clip belongs to the workflow of the first one.
"""

import uuid

import msgspec
from litestar import post
from litestar.response.base import ASGIResponse

from adapter.sandbox.fault_injection import served
from adapter.sandbox.faults import ResponseMutation
from adapter.sandbox.flow.checks import check_batch, check_context, check_form, check_prompt, check_source
from adapter.sandbox.flow.models import EXTEND_KEYS
from adapter.sandbox.flow.names import media_name
from adapter.sandbox.flow.videos import MAX_BATCH, taken
from adapter.sandbox.flow.wire import ExtendBatch, ExtendVideo
from adapter.sandbox.google_errors import GoogleError, bad_value
from adapter.sandbox.memory.records import Medium
from adapter.sandbox.reading import read
from adapter.sandbox.rules import SandboxAccount
from adapter.sandbox.state import Incoming, SandboxState, account_of, entered, json_body


@post("/v1/video:batchAsyncGenerateVideoExtendVideo", status_code=200)
async def extend(request: Incoming) -> ASGIResponse:
    """Make clips that go on from finished ones."""
    sandbox = entered(request, "flow.submit")
    account = account_of(request, sandbox.ledger)
    body = read(await json_body(request), ExtendBatch)
    check_form(account, body)
    check_context(body.client_context, account)
    check_batch(len(body.requests), MAX_BATCH)
    sources = [_source(sandbox, account, one, f"requests[{at}]") for at, one in enumerate(body.requests)]

    async def work(_: ResponseMutation | None) -> ASGIResponse:
        batch_id = body.media_generation_context.batch_id if body.media_generation_context else ""
        clips = [(_next(one, source), batch_id) for one, source in zip(body.requests, sources, strict=True)]
        answer = msgspec.json.encode(taken(sandbox, account, clips, batch_id))
        return ASGIResponse(body=answer, media_type="application/json; charset=UTF-8")

    prompts = "\n".join(one.text_input.text for one in body.requests)
    return await served(request, sandbox, ("flow.submit", prompts), work)


def _source(sandbox: SandboxState, account: SandboxAccount, one: ExtendVideo, path: str) -> Medium:
    """Return the clip that goes on, if all of a request is right.

    Raises:
        GoogleError: 400 for a wrong value, 404 for a clip or a workflow that is not there.
    """
    if one.video_model_key not in EXTEND_KEYS:
        raise bad_value(f"{path}.video_model_key", f'"{one.video_model_key}", here: {", ".join(EXTEND_KEYS)}')
    if one.aspect_ratio not in (shapes := EXTEND_KEYS[one.video_model_key]):
        raise bad_value(f"{path}.aspect_ratio", f"{one.video_model_key} makes {' and '.join(shapes)} only")
    if not one.metadata.workflow_id:
        raise bad_value(f"{path}.metadata.workflow_id", "is required")
    check_prompt(one.text_input.text, f"{path}.text_input.structured_prompt")
    source = check_source(sandbox, account, one, path)
    if one.metadata.workflow_id != source.workflow:
        raise GoogleError(404)
    return source


def _next(one: ExtendVideo, source: Medium) -> Medium:
    """Return the clip that is made."""
    media_id = str(uuid.uuid4())
    return msgspec.structs.replace(
        source,
        id=media_id,
        name=media_name("video", source.account, source.workflow, media_id),
        prompt=one.text_input.text,
        seed=one.seed,
        model=one.video_model_key,
        inputs=(source.name,),
        usage="extended",
    )


ROUTES = [extend]
