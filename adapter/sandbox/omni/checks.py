"""What Google refuses of an interaction for a video (`omni.md` sections 1 to 3)."""

from typing import Final

import msgspec

from adapter.sandbox.memory.records import Medium, MediumUsage
from adapter.sandbox.omni.files import owned
from adapter.sandbox.omni.refusals import InteractionError
from adapter.sandbox.omni.states import status_of
from adapter.sandbox.omni.wire import ImageContent, InteractionRequest, VideoContent, VideoFormat
from adapter.sandbox.state import SandboxState

MODELS: Final = ("gemini-omni-1.2-flash",)
#: Seconds.
SHORTEST: Final = 3.0
LONGEST: Final = 15.0
LONGEST_WITH_FRAMES: Final = 10.0
#: By how much a video goes on at most, and how long it may be then.
LONGEST_EXTENSION: Final = 10.0
LONGEST_EXTENDED: Final = 40.0
MOST_REFERENCES: Final = 6
UNSAFE: Final = "[unsafe]"
USAGES: Final[dict[str, MediumUsage]] = {"image_to_video": "start", "reference_to_video": "reference"}


class Checked(msgspec.Struct, frozen=True):
    """A request that is not refused."""

    form: VideoFormat
    #: The pictures that the video is made from.
    pictures: tuple[Medium, ...]
    #: Its length.
    seconds: float


def check_interaction(sandbox: SandboxState, owner: str, request: InteractionRequest) -> Checked:
    """Return the form of the video, the pictures that it is made from, and its length.

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
    before = _check_task(sandbox, owner, request, len(pictures))
    task, seconds = request.generation_config.video_config.task, float(asked.duration.removesuffix("s"))
    _check_duration(task, seconds, len(pictures), before)
    return Checked(asked, pictures, seconds + before if task == "extend" else seconds)


def usage_of(request: InteractionRequest, pictures: int) -> MediumUsage:
    """Return what the pictures are to the video."""
    usage = USAGES.get(request.generation_config.video_config.task, "")
    return "start_end" if usage == "start" and pictures == 2 else usage


def _picture(sandbox: SandboxState, owner: str, content: ImageContent) -> Medium:
    if content.data:
        raise InteractionError(501, "The sandbox takes pictures by their uri.")
    medium = _given(sandbox, owner, content.uri)
    if medium.kind != "upload" or not medium.width:
        raise InteractionError(400, "The input is not a picture that can be used.")
    if medium.mime != content.mime_type:
        raise InteractionError(400, f"mime_type '{content.mime_type}' differs from the file's, '{medium.mime}'.")
    return medium


def _given(sandbox: SandboxState, owner: str, uri: str) -> Medium:
    name = uri.rpartition("files/")[2]
    try:
        return owned(sandbox, name, owner)
    except InteractionError as error:
        raise InteractionError(404, f"File '{name}' is not found.", "not_found") from error


def _check_task(sandbox: SandboxState, owner: str, request: InteractionRequest, pictures: int) -> float:
    """Return the length of the video that is worked on; 0.0 for none."""
    task, before = request.generation_config.video_config.task, 0.0
    least, most = {"image_to_video": (1, 2), "reference_to_video": (1, MOST_REFERENCES)}.get(task, (0, 0))
    if task in {"edit", "extend"}:
        most = MOST_REFERENCES if task == "edit" else 0
        before = _source(sandbox, owner, request).seconds
    elif request.previous_interaction_id:
        raise InteractionError(400, f"Task '{task}' does not work on an earlier interaction.")
    if task == "upscale":
        raise InteractionError(501, "The sandbox does not upscale.")
    if not least <= pictures <= most:
        raise InteractionError(400, f"Task '{task}' takes {least} to {most} pictures; {pictures} were given.")
    return before


def _source(sandbox: SandboxState, owner: str, request: InteractionRequest) -> Medium:
    """Return the video that is worked on: of an earlier interaction, or an upload."""
    videos = [content for content in request.contents if isinstance(content, VideoContent)]
    if len(videos) + bool(request.previous_interaction_id) != 1:
        raise InteractionError(400, "Give either a video or previous_interaction_id.")
    if videos:
        return _video(sandbox, owner, videos[0])
    found = sandbox.ledger.interaction(request.previous_interaction_id)
    if found is None or found[0].account != owner:
        raise InteractionError(404, f"Interaction '{request.previous_interaction_id}' is not found.")
    if status_of(sandbox, *found) != "completed":
        raise InteractionError(400, "The earlier interaction is not completed.", "failed_precondition")
    return sandbox.ledger.clip(found[0])


def _video(sandbox: SandboxState, owner: str, content: VideoContent) -> Medium:
    medium = _given(sandbox, owner, content.uri)
    if medium.mime != content.mime_type or not medium.seconds:
        raise InteractionError(400, "The input is not a video that can be used.")
    return medium


def _check_duration(task: str, seconds: float, pictures: int, before: float) -> None:
    most = LONGEST_WITH_FRAMES if task == "image_to_video" and pictures == 2 else LONGEST
    most = LONGEST_EXTENSION if task == "extend" else most
    if not SHORTEST <= seconds <= most:
        raise InteractionError(416, f"duration has to be {SHORTEST:g}s to {most:g}s; it is {seconds:g}s.")
    if task == "extend" and seconds + before > LONGEST_EXTENDED:
        raise InteractionError(416, f"The video would be longer than {LONGEST_EXTENDED:g}s.")
    if task == "edit" and before > LONGEST:
        raise InteractionError(400, f"The video is longer than {LONGEST:g}s.")
