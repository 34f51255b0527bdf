"""What Google refuses of an interaction for a video (`omni.md` sections 1 to 3)."""

from typing import Final

from adapter.sandbox.memory.records import Medium, MediumUsage
from adapter.sandbox.omni.files import owned
from adapter.sandbox.omni.refusals import InteractionError
from adapter.sandbox.omni.states import status_of
from adapter.sandbox.omni.wire import Content, ImageContent, InteractionRequest, VideoContent, VideoFormat
from adapter.sandbox.state import SandboxState

MODELS: Final = ("gemini-omni-1.2-flash",)
#: Seconds.
SHORTEST: Final = 3.0
LONGEST: Final = 15.0
LONGEST_WITH_FRAMES: Final = 10.0
MOST_REFERENCES: Final = 6
UNSAFE: Final = "[unsafe]"
USAGES: Final[dict[str, MediumUsage]] = {"image_to_video": "start", "reference_to_video": "reference"}


def check_interaction(
    sandbox: SandboxState, owner: str, request: InteractionRequest
) -> tuple[VideoFormat, tuple[Medium, ...]]:
    """Return the form of the video and the pictures that it is made from.

    Raises:
        InteractionError: the refusal that Google would give.
    """
    if request.model not in MODELS:
        raise InteractionError(404, f"Model '{request.model}' is not found.", "model_not_found")
    asked = request.response_format
    if asked is None:
        raise InteractionError(400, "response_format with type 'video' is required for this model.")
    if not request.background or not request.store or request.stream or asked.delivery != "uri":
        raise InteractionError(501, "The sandbox makes videos with background, store and delivery 'uri'.")
    if not request.prompt.strip():
        raise InteractionError(400, "The input has no text.")
    if UNSAFE in request.prompt:
        raise InteractionError(400, "The prompt violates Google's policies.", "safety")
    pictures = tuple(_picture(sandbox, owner, each) for each in request.contents if isinstance(each, ImageContent))
    _check_task(sandbox, owner, request, len(pictures))
    _check_duration(asked, len(pictures) if request.generation_config.video_config.task == "image_to_video" else 0)
    return asked, pictures


def usage_of(request: InteractionRequest, pictures: int) -> MediumUsage:
    """Return what the pictures are to the video."""
    usage = USAGES.get(request.generation_config.video_config.task, "")
    return "start_end" if usage == "start" and pictures == 2 else usage


def _picture(sandbox: SandboxState, owner: str, content: ImageContent) -> Medium:
    if content.data:
        raise InteractionError(501, "The sandbox takes pictures by their uri.")
    name = content.uri.rpartition("files/")[2]
    try:
        medium = owned(sandbox, name, owner)
    except InteractionError as error:
        raise InteractionError(404, f"File '{name}' is not found.", "not_found") from error
    if medium.kind != "upload" or not medium.width:
        raise InteractionError(400, "The input is not a picture that can be used.")
    if medium.mime != content.mime_type:
        raise InteractionError(400, f"mime_type '{content.mime_type}' differs from the file's, '{medium.mime}'.")
    return medium


def _check_task(sandbox: SandboxState, owner: str, request: InteractionRequest, pictures: int) -> None:
    task = request.generation_config.video_config.task
    least, most = {"image_to_video": (1, 2), "reference_to_video": (1, MOST_REFERENCES)}.get(task, (0, 0))
    if task in {"edit", "extend"}:
        most = MOST_REFERENCES if task == "edit" else 0
        _check_source(sandbox, owner, request)
    elif request.previous_interaction_id:
        raise InteractionError(400, f"Task '{task}' does not work on an earlier interaction.")
    if task == "upscale":
        raise InteractionError(501, "The sandbox does not upscale.")
    if not least <= pictures <= most:
        raise InteractionError(400, f"Task '{task}' takes {least} to {most} pictures; {pictures} were given.")


def _check_source(sandbox: SandboxState, owner: str, request: InteractionRequest) -> None:
    videos = [content for content in request.contents if _is_video(content)]
    if bool(videos) == bool(request.previous_interaction_id):
        raise InteractionError(400, "Give either a video or previous_interaction_id.")
    if videos:
        return
    found = sandbox.ledger.interaction(request.previous_interaction_id)
    if found is None or found[0].account != owner:
        raise InteractionError(404, f"Interaction '{request.previous_interaction_id}' is not found.")
    if status_of(sandbox, *found) != "completed":
        raise InteractionError(400, "The earlier interaction is not completed.", "failed_precondition")


def _is_video(content: Content) -> bool:
    return isinstance(content, VideoContent)


def _check_duration(asked: VideoFormat, frames: int) -> None:
    seconds, most = float(asked.duration.removesuffix("s")), LONGEST_WITH_FRAMES if frames == 2 else LONGEST
    if not SHORTEST <= seconds <= most:
        raise InteractionError(416, f"duration has to be {SHORTEST:g}s to {most:g}s; it is {asked.duration}.")
