"""What Google refuses of Flow's pictures and videos (seed 002 sections 2 and 3, seed 004, flow.md section 2)."""

from typing import Final

from adapter.sandbox.flow.models import Keys
from adapter.sandbox.flow.wire import ClientContext, ReferenceVideo, StartEndVideo, StartVideo, TextVideo
from adapter.sandbox.google_errors import GoogleError, bad_value, flow_refusal
from adapter.sandbox.memory.records import MediumUsage
from adapter.sandbox.rules import SandboxAccount
from adapter.sandbox.world import World

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


def check_video(world: World, account: SandboxAccount, one: TextVideo, place: tuple[str, Keys]) -> None:
    """Refuse a video that its desk does not make; `place` is its path in the request and the desk's keys.

    Raises:
        GoogleError: 400 for a wrong value, 404 for a picture that the account does not have.
    """
    path, keys = place
    if not one.metadata.scene_id:
        raise bad_value(f"{path}.metadata.scene_id", "is required")
    if one.video_model_key not in keys:
        raise bad_value(f"{path}.video_model_key", f'"{one.video_model_key}", here: {", ".join(keys)}')
    if one.aspect_ratio != keys[one.video_model_key]:
        raise bad_value(f"{path}.aspect_ratio", f"{one.video_model_key} makes {keys[one.video_model_key]} only")
    check_prompt(one.text_input.prompt, f"{path}.text_input.prompt")
    names, _ = inputs_of(one)
    if isinstance(one, ReferenceVideo) and not 1 <= len(names) <= MAX_REFERENCES:
        raise bad_value(f"{path}.reference_images", f"{len(names)} pictures, 1 to {MAX_REFERENCES} are allowed")
    for name in names:
        world.ledger.picture(name, account)


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
