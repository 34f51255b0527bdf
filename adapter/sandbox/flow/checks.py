"""What Google refuses of Flow's pictures and videos (seed 002 sections 2 and 3, seed 004, `flow.md` section 2)."""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from adapter.sandbox.flow.models import UPSAMPLE_KEYS, Keys
from adapter.sandbox.flow.states import status_of
from adapter.sandbox.flow.wire import (
    ClientContext,
    ExtendBatch,
    ExtendVideo,
    ReferenceVideo,
    StartEndVideo,
    StartVideo,
    StatusRequest,
    TextVideo,
    UpsampleBatch,
    UpsampleVideo,
    VideoBatch,
)
from adapter.sandbox.google_errors import GoogleError, bad_value, flow_refusal, unknown_names
from adapter.sandbox.memory.records import Medium, MediumUsage
from adapter.sandbox.rules import SandboxAccount
from adapter.sandbox.state import SandboxState

MAX_REFERENCES: Final = 3
UNSAFE: Final = "[unsafe]"


def check_batch(count: int, most: int) -> None:
    """Refuse a batch unless it has 1 to `most` requests.

    Raises:
        GoogleError: 400.
    """
    if not 1 <= count <= most:
        raise bad_value("requests", f"{count} requests, 1 to {most} are allowed")


def check_prompt(prompt: str, path: str) -> None:
    """Refuse an empty prompt and the magic word.

    Raises:
        GoogleError: 400, for the magic word with PUBLIC_ERROR_UNSAFE_GENERATION.
    """
    if not prompt.strip():
        raise bad_value(path, "the prompt must not be empty")
    if UNSAFE in prompt:
        raise flow_refusal(400, "PUBLIC_ERROR_UNSAFE_GENERATION")


def check_context(context: ClientContext, account: SandboxAccount) -> None:
    """Refuse a video's context that is not whole or not the account's.

    Raises:
        GoogleError: 400 for what is missing or makes no videos, 403 for another project or tier.
    """
    for name in ("session_id", "project_id", "tool", "user_paygate_tier"):
        if not getattr(context, name):
            raise bad_value(f"client_context.{name}", "is required")
    if context.tool != "PINHOLE":
        raise bad_value("client_context.tool", f'"{context.tool}" does not make videos')
    if context.project_id != account.project_id:
        raise GoogleError(403)
    if context.user_paygate_tier != account.tier:
        raise flow_refusal(403, "PUBLIC_ERROR_MODEL_ACCESS_DENIED")


def check_form(account: SandboxAccount, body: VideoBatch | ExtendBatch | UpsampleBatch) -> None:
    """Refuse a batch in a form that the account does not have, or in a mixture of both.

    An account of the media dialect takes the older form as well, but of an extension: no source has one in that form.

    Raises:
        GoogleError: 400.
    """
    newer = [*_newer_names(body)]
    if newer and account.dialect == "seed":
        raise unknown_names(*newer)
    if not newer and not isinstance(body, ExtendBatch):
        return
    if not body.use_v2_model_config:
        raise bad_value("use_v2_model_config", "has to be true")
    context = body.media_generation_context
    if context is None or not _is_uuid(context.batch_id):
        raise bad_value("media_generation_context.batch_id", "a UUID is required")
    if isinstance(body, UpsampleBatch):
        return
    for at, one in enumerate(body.requests):
        if one.text_input.structured_prompt is None or one.text_input.prompt:
            raise bad_value(f"requests[{at}].text_input", "structured_prompt is required, and nothing beside it")


def _newer_names(body: VideoBatch | ExtendBatch | UpsampleBatch) -> Iterator[tuple[str, str]]:
    """Yield the names of the media dialect that a batch has, each with its path."""
    if body.media_generation_context is not None:
        yield "", "mediaGenerationContext"
    if body.use_v2_model_config:
        yield "", "useV2ModelConfig"
    if isinstance(body, UpsampleBatch):
        return
    for at, one in enumerate(body.requests):
        if one.text_input.structured_prompt is not None:
            yield f"requests[{at}].text_input", "structuredPrompt"


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def check_question(account: SandboxAccount, body: StatusRequest) -> None:
    """Refuse a status question in the other dialect, an empty one, and one about another project.

    Raises:
        GoogleError: 400, for another project 403.
    """
    asked, other = ("media", "operations") if account.dialect == "media" else ("operations", "media")
    if getattr(body, other):
        raise unknown_names(("", other))
    if not getattr(body, asked):
        raise bad_value(asked, "at least one is required")
    if any(one.project_id != account.project_id for one in body.media):
        raise GoogleError(403)


def check_source(sandbox: SandboxState, account: SandboxAccount, one: ExtendVideo | UpsampleVideo, path: str) -> Medium:
    """Return the finished clip that something is made of.

    Raises:
        GoogleError: 400 for a clip that is finer already, or has another shape; 404 for one that is not there.
    """
    operation = sandbox.ledger.operation_of(one.video_input.media_id, account)
    if status_of(sandbox, operation) != "MEDIA_GENERATION_STATUS_SUCCESSFUL":
        raise GoogleError(404)
    source = sandbox.ledger.clip(operation)
    if source.model in UPSAMPLE_KEYS:
        raise bad_value(f"{path}.video_input", "was upsampled already")
    if (one.aspect_ratio == "VIDEO_ASPECT_RATIO_LANDSCAPE") != (source.width > source.height):
        raise bad_value(f"{path}.aspect_ratio", "is not that of the video")
    return source


def check_video(sandbox: SandboxState, account: SandboxAccount, one: TextVideo, place: tuple[str, Keys]) -> None:
    """Refuse a video that its endpoint does not make; `place` is its path in the request and the endpoint's keys.

    Raises:
        GoogleError: 400 for a wrong value, 404 for a picture that the account does not have.
    """
    path, keys = place
    if not one.metadata.scene_id and one.text_input.structured_prompt is None:
        raise bad_value(f"{path}.metadata.scene_id", "is required")
    if one.video_model_key not in keys:
        raise bad_value(f"{path}.video_model_key", f'"{one.video_model_key}", here: {", ".join(keys)}')
    if one.aspect_ratio not in (shapes := keys[one.video_model_key]):
        raise bad_value(f"{path}.aspect_ratio", f"{one.video_model_key} makes {' and '.join(shapes)} only")
    check_prompt(one.text_input.text, f"{path}.text_input.prompt")
    names, _ = inputs_of(one)
    if isinstance(one, ReferenceVideo) and not 1 <= len(names) <= MAX_REFERENCES:
        raise bad_value(f"{path}.reference_images", f"{len(names)} pictures, 1 to {MAX_REFERENCES} are allowed")
    for name in names:
        sandbox.ledger.picture(name, account)


def inputs_of(one: TextVideo) -> tuple[tuple[str, ...], MediumUsage]:
    """Return the names of the pictures that a video is made from, and what they are to it."""
    match one:
        case StartEndVideo():
            return (one.start_image.media_id, one.end_image.media_id), "start_end"
        case StartVideo():
            return (one.start_image.media_id,), "start"
        case ReferenceVideo():
            return tuple(image.media_id for image in one.reference_images), "reference"
        case _:
            return (), ""
