"""Flow's pictures: uploads, batches of images, and the credits of an account (seed 002 sections 1 and 2).

Magic word: `[unsafe]` in a prompt is refused with 400 PUBLIC_ERROR_UNSAFE_GENERATION.
"""

import asyncio
import uuid
from typing import Final

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from adapter.sandbox.fault_injection import served
from adapter.sandbox.faults import ResponseMutation
from adapter.sandbox.flow.checks import check_batch, check_prompt
from adapter.sandbox.flow.names import media_name
from adapter.sandbox.flow.wire import (
    Credits,
    GeneratedImage,
    ImageBatch,
    ImageHolder,
    ImageRatio,
    ImageRequest,
    ImageResult,
    MediaGenerationId,
    PromptInput,
    RequestData,
    UploadRequest,
    UploadResponse,
)
from adapter.sandbox.google_errors import GoogleError, bad_value, flow_refusal
from adapter.sandbox.memory.records import Execution, Medium
from adapter.sandbox.reading import read
from adapter.sandbox.renderer.pictures import decoded, measured, sniffed
from adapter.sandbox.rules import SandboxAccount
from adapter.sandbox.state import Incoming, SandboxState, account_of, base_url, entered, json_body

#: Pixels; the first bytes of seed 002's PNG say 1344x768, the others follow Gemini 2.5's table.
SIZES: Final[dict[ImageRatio, tuple[int, int]]] = {
    "IMAGE_ASPECT_RATIO_LANDSCAPE": (1344, 768),
    "IMAGE_ASPECT_RATIO_PORTRAIT": (768, 1344),
    "IMAGE_ASPECT_RATIO_SQUARE": (1024, 1024),
}
MAX_BATCH: Final = 10


@get("/v1/credits")
async def show_credits(request: Incoming) -> ASGIResponse:
    """Show the credits of the account."""
    sandbox = entered(request, "flow.credits")
    account = account_of(request, sandbox.ledger)

    async def work(mutation: ResponseMutation | None) -> ASGIResponse:
        spent = sandbox.ledger.executions[-1].credits if mutation == "lag" and sandbox.ledger.executions else 0
        left = sandbox.ledger.credits[account.project_id] + spent
        return _json(Credits(credits=left, user_paygate_tier=account.tier))

    return await served(request, sandbox, ("flow.credits", ""), work)


@post("/v1:uploadUserImage", status_code=200)
async def upload_image(request: Incoming) -> ASGIResponse:
    """Keep a picture and name it."""
    sandbox = entered(request, "flow.upload")
    account = account_of(request, sandbox.ledger)
    body = read(await json_body(request), UploadRequest)

    async def work(_: ResponseMutation | None) -> ASGIResponse:
        return _json(await _uploaded(sandbox, account, body))

    return await served(request, sandbox, ("flow.upload", ""), work)


@post("/v1/projects/{project_id:str}/flowMedia:batchGenerateImages", status_code=200)
async def generate_images(request: Incoming, project_id: FromPath[str]) -> ASGIResponse:
    """Draw a batch; the answer is a bare array in the order of the requests."""
    sandbox = entered(request, "flow.images")
    account = account_of(request, sandbox.ledger)
    body = read(await json_body(request), ImageBatch)
    if project_id != account.project_id:
        raise GoogleError(403)

    async def work(_: ResponseMutation | None) -> ASGIResponse:
        media = _ordered(sandbox, account, body)
        await asyncio.sleep(sandbox.rules.image_seconds)
        files = await asyncio.gather(*(sandbox.gallery.file(medium) for medium in media))
        sandbox.ledger.record(*media, *(_execution(sandbox, medium) for medium in media))
        ratios = (one.image_aspect_ratio for one in body.requests)
        made = zip(media, files, ratios, strict=True)
        return _json([_result(sandbox, base_url(request), *one) for one in made])

    prompts = "\n".join(one.prompt for one in body.requests)
    return await served(request, sandbox, ("flow.images", prompts), work)


async def _uploaded(sandbox: SandboxState, account: SandboxAccount, body: UploadRequest) -> UploadResponse:
    image, context = body.image_input, body.client_context
    if not context.session_id or not context.tool:
        raise bad_value("client_context", "session_id and tool are required")
    if context.project_id not in {"", account.project_id}:
        raise GoogleError(403)
    data = decoded(image.raw_image_bytes)
    if not data:
        raise bad_value("image_input.raw_image_bytes", "(TYPE_BYTES), Base64 decoding failed")
    size = await asyncio.to_thread(measured, data)
    if size is None:
        raise flow_refusal(400, "PUBLIC_ERROR_UNKNOWN_IMAGE_FILE_FORMAT")
    if sniffed(data) != image.mime_type:
        raise bad_value("image_input.mime_type", f'"{image.mime_type}" does not match the bytes')
    media_id = str(uuid.uuid4())
    name = media_name("upload", account.project_id, str(uuid.uuid4()), media_id)
    await sandbox.gallery.keep_upload(media_id, data)
    sandbox.ledger.record(
        Medium(
            id=media_id,
            name=name,
            account=account.project_id,
            kind="upload",
            width=size[0],
            height=size[1],
            mime=image.mime_type,
        )
    )
    return UploadResponse(
        media_generation_id=MediaGenerationId(media_generation_id=name), width=size[0], height=size[1]
    )


def _ordered(sandbox: SandboxState, account: SandboxAccount, body: ImageBatch) -> list[Medium]:
    """Return one medium for each request, after all requests were checked."""
    check_batch(len(body.requests), MAX_BATCH)
    for at, one in enumerate(body.requests):
        if not one.client_context.session_id:
            raise bad_value(f"requests[{at}].client_context.session_id", "is required")
        check_prompt(one.prompt, f"requests[{at}].prompt")
        for given in one.image_inputs:
            sandbox.ledger.picture(given.name, account)
    return [_medium(account, one) for one in body.requests]


def _medium(account: SandboxAccount, one: ImageRequest) -> Medium:
    media_id, workflow = str(uuid.uuid4()), str(uuid.uuid4())
    width, height = SIZES[one.image_aspect_ratio]
    return Medium(
        id=media_id,
        name=media_name("image", account.project_id, workflow, media_id),
        workflow=workflow,
        account=account.project_id,
        kind="image",
        width=width,
        height=height,
        mime="image/png",
        prompt=one.prompt,
        seed=one.seed,
        model=one.image_model_name,
        inputs=tuple(given.name for given in one.image_inputs),
    )


def _execution(sandbox: SandboxState, medium: Medium) -> Execution:
    return Execution(
        id=uuid.uuid4().hex,
        kind="image",
        account=medium.account,
        scene_id="",
        operation="",
        prompt=medium.prompt,
        model=medium.model,
        at=sandbox.clock(),
    )


def _result(sandbox: SandboxState, base: str, medium: Medium, file: bytes, ratio: ImageRatio) -> ImageResult:
    image = GeneratedImage(
        encoded_image=file,
        seed=medium.seed,
        media_generation_id=medium.name,
        prompt=medium.prompt,
        model_name_type=medium.model,
        workflow_id=medium.workflow,
        fife_url=sandbox.links.signed(base, f"/image/{medium.id}"),
        aspect_ratio=ratio,
        request_data=RequestData(prompt_inputs=[PromptInput(text_input=medium.prompt)]),
    )
    return ImageResult(name=medium.name, workflow_id=medium.workflow, image=ImageHolder(generated_image=image))


def _json(message: msgspec.Struct | list[ImageResult]) -> ASGIResponse:
    return ASGIResponse(body=msgspec.json.encode(message), media_type="application/json; charset=UTF-8")


ROUTES = [show_credits, upload_image, generate_images]
