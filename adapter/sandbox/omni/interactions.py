"""The Interactions API for videos: create, ask, cancel, delete (`omni.md` section 2).

A creation is the execution: before the answer goes out, the journal has it. `states.py` has the magic words;
`[unsafe]` is refused at once.
"""

import secrets
import uuid
from typing import Final

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from adapter.sandbox.faults import ResponseMutation
from adapter.sandbox.memory.records import Execution, InteractionEnded, Medium, Operation
from adapter.sandbox.omni.callers import answered, caller, json
from adapter.sandbox.omni.checks import check_interaction, usage_of
from adapter.sandbox.omni.files import stamp
from adapter.sandbox.omni.refusals import InteractionError
from adapter.sandbox.omni.states import EMPTY, PREFIX, errors_of, status_of
from adapter.sandbox.omni.wire import (
    Interaction,
    InteractionRequest,
    MadeVideo,
    ModalityTokens,
    Nothing,
    Step,
    Usage,
)
from adapter.sandbox.state import Incoming, SandboxState, base_url, entered

#: Tokens of an 8 s clip in 720p.
VIDEO_TOKENS: Final = 46_336
PROMPT_TOKENS: Final = 12


@post(["/v1/interactions", "/v1beta/interactions"], status_code=200)
async def create(request: Incoming) -> ASGIResponse:
    """Have a video made in the background."""
    sandbox = entered(request, "omni.submit")
    owner = caller(request, sandbox)
    asked = _read(await request.body())

    async def work(_: ResponseMutation | None) -> ASGIResponse:
        operation = executed(sandbox, owner, asked)
        return json(described(request, sandbox, operation, None, with_video=False))

    return await answered(request, sandbox, ("omni.submit", asked.prompt), work)


@get(["/v1/interactions/{name:str}", "/v1beta/interactions/{name:str}"])
async def show(request: Incoming, name: FromPath[str]) -> ASGIResponse:
    """Tell how an interaction stands."""
    sandbox = entered(request, "omni.poll")
    operation, ended = _found(request, sandbox, name)

    async def work(mutation: ResponseMutation | None) -> ASGIResponse:
        told = described(request, sandbox, operation, ended, with_video=mutation != "no_media")
        return json(told)

    return await answered(request, sandbox, ("omni.poll", sandbox.ledger.clip(operation).prompt), work)


@post(["/v1/interactions/{name:str}/cancel", "/v1beta/interactions/{name:str}/cancel"], status_code=200)
async def cancel(request: Incoming, name: FromPath[str]) -> ASGIResponse:
    """End an interaction that is not finished."""
    sandbox = entered(request, "omni.poll")
    operation, ended = _found(request, sandbox, name)
    if status_of(sandbox, operation, ended) == "in_progress":
        ended = InteractionEnded(name=name, how="cancelled")
        sandbox.ledger.record(ended)
    return json(described(request, sandbox, operation, ended, with_video=True))


@delete(["/v1/interactions/{name:str}", "/v1beta/interactions/{name:str}"], status_code=200)
async def remove(request: Incoming, name: FromPath[str]) -> ASGIResponse:
    """Forget an interaction."""
    sandbox = entered(request, "omni.poll")
    _found(request, sandbox, name)
    sandbox.ledger.record(InteractionEnded(name=name, how="deleted"))
    return json(Nothing())


def _read(body: bytes) -> InteractionRequest:
    try:
        return msgspec.json.decode(body, type=InteractionRequest)
    except msgspec.ValidationError as error:
        word = "parameter_unknown" if "unknown field" in str(error) else "invalid_request"
        raise InteractionError(400, str(error), word) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InteractionError(400, f"Invalid JSON payload received. {error}") from error


def _found(request: Incoming, sandbox: SandboxState, name: str) -> tuple[Operation, InteractionEnded | None]:
    owner = caller(request, sandbox)
    found = sandbox.ledger.interaction(name)
    if found is None or found[0].account != owner or (found[1] and found[1].how == "deleted"):
        raise InteractionError(404, f"Interaction '{name}' is not found.")
    return found


def executed(sandbox: SandboxState, owner: str, asked: InteractionRequest, place: str = "") -> Operation:
    """Check everything, then record in one step. `place`: where the video is left, if not at the Files API."""
    checked = check_interaction(sandbox, owner, asked)
    file_id, config = secrets.token_hex(8), asked.generation_config
    long = sandbox.rules.clip_long_edge & ~1
    short = long * 9 // 16 & ~1  # yuv420p needs even edges
    wide = checked.form.aspect_ratio == "16:9"
    medium = Medium(
        id=file_id,
        name=f"files/{file_id}",
        account=owner,
        kind="video",
        width=long if wide else short,
        height=short if wide else long,
        mime="video/mp4",
        place=place,
        prompt=asked.prompt,
        seed=config.seed or secrets.randbelow(2**31),
        model=asked.model,
        inputs=tuple(each.name for each in checked.pictures),
        usage=usage_of(asked, len(checked.pictures)),
        seconds=checked.seconds,
    )
    operation = Operation(name=f"{PREFIX}{file_id}", account=owner, scene_id="", medium=file_id, at=sandbox.clock())
    execution = Execution(
        id=uuid.uuid4().hex,
        kind="video",
        account=owner,
        scene_id=config.video_config.task,
        operation=operation.name,
        prompt=asked.prompt,
        model=asked.model,
        at=operation.at,
    )
    sandbox.ledger.record(medium, operation, execution)
    return operation


def described(
    request: Incoming,
    sandbox: SandboxState,
    operation: Operation,
    ended: InteractionEnded | None,
    *,
    with_video: bool,
) -> Interaction:
    """Tell how an interaction stands."""
    medium, status = sandbox.ledger.clip(operation), status_of(sandbox, operation, ended)
    steps: tuple[Step, ...] = ()
    usage = None
    if status == "completed":
        is_made = with_video and EMPTY not in medium.prompt
        steps = (Step("thought", signature="c2FuZGJveA=="), *([_output(request, medium)] if is_made else []))
        usage = _usage(0 if EMPTY in medium.prompt else VIDEO_TOKENS)
    return Interaction(
        id=operation.name,
        object="interaction",
        status=status,
        model=medium.model,
        created=stamp(operation.at),
        updated=stamp(sandbox.clock()),
        service_tier="standard",
        steps=steps,
        usage=usage,
        errors=errors_of(medium) if status == "failed" else (),
    )


def _output(request: Incoming, medium: Medium) -> Step:
    version = "v1beta" if "/v1beta/" in request.url.path else "v1"
    uri = f"{base_url(request)}/{version}/{medium.name}:download?alt=media"
    return Step("model_output", content=(MadeVideo(mime_type=medium.mime, uri=uri),))


def _usage(tokens: int) -> Usage:
    return Usage(PROMPT_TOKENS, tokens, PROMPT_TOKENS + tokens, (ModalityTokens("video", tokens),) if tokens else ())


ROUTES = [create, show, cancel, remove]
