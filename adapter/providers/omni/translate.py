"""Orders of videos into interactions and back. Pure (`omni.md` sections 2 and 4)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

import msgspec
import pybase64

from adapter.domain.job import Failure, Operation, VideoJob
from adapter.domain.media import Image, RemoteVideo
from adapter.domain.orders import VideoInput
from adapter.domain.ports import Empty, Finished, Refused, Report, Working
from adapter.errors import UNREADABLE_JSON, AdapterError, JobFailed, UpstreamBroken
from adapter.providers.omni import wire
from adapter.providers.omni.faults import failure, fault
from adapter.providers.reply import Reply

TASKS: Final[Mapping[VideoInput, str]] = {
    VideoInput.TEXT: "text_to_video",
    VideoInput.FRAME: "image_to_video",
    VideoInput.FRAMES: "image_to_video",
    VideoInput.REFERENCES: "reference_to_video",
    VideoInput.EDIT: "edit",
}
#: A prompt that has one of them says itself what the pictures are.
TAGS: Final = re.compile(r"<(?:FIRST_FRAME|LAST_FRAME|IMAGE_REF_\d+)>")
#: The id of a file in both forms of its address. Nothing else of the address is used.
FILE_ID: Final = re.compile(r"files/([A-Za-z0-9_-]+)")
WORKING: Final = frozenset({"queued", "in_progress", "idle", "requires_continuation"})

_T = TypeVar("_T")
_named_decoder = msgspec.json.Decoder(wire.NamedInteraction)
_interaction_decoder = msgspec.json.Decoder(wire.Interaction)
_steps_decoder = msgspec.json.Decoder(tuple[wire.Step, ...])
_contents_decoder = msgspec.json.Decoder(tuple[wire.OutputContent, ...])
_errors_decoder = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_usage_decoder = msgspec.json.Decoder(wire.TokenCount)
_file_decoder = msgspec.json.Decoder(wire.File)
_uploaded_decoder = msgspec.json.Decoder(wire.Uploaded)


def request(job: VideoJob, pictures: Sequence[wire.ImageContent], *, send_seed: bool) -> wire.InteractionRequest:
    """Ask for a video; `pictures` are uploads, in the order of the job's kind."""
    order = job.order
    return wire.InteractionRequest(
        model=order.upstream,
        input=(*pictures, wire.TextContent(prompt(order.prompt, order.input, len(pictures)))),
        response_format=wire.VideoFormat(
            aspect_ratio=order.ratio, resolution=order.resolution or "720p", duration=f"{order.seconds}s"
        ),
        generation_config=wire.GenerationConfig(
            video_config=wire.VideoConfig(TASKS[order.input]), seed=job.seed if send_seed else None
        ),
        previous_interaction_id=order.source.operation if order.source else msgspec.UNSET,
    )


def prompt(words: str, kind: VideoInput, pictures: int) -> str:
    """Return a prompt that says what the pictures are to the video, unless its writer has said so."""
    if TAGS.search(words):
        return words
    match kind:
        case VideoInput.FRAME:
            return f"<FIRST_FRAME> {words}"
        case VideoInput.FRAMES:
            return f"<FIRST_FRAME> <LAST_FRAME> {words}"
        case VideoInput.REFERENCES:
            named = " ".join(f"<IMAGE_REF_{number}>@Image{number + 1}" for number in range(pictures))
            return f"[# References {named}] {words}"
        case VideoInput.TEXT | VideoInput.EDIT | VideoInput.UPSCALE:
            return words


def submitted(reply: Reply, mark: str) -> Operation:
    """Return the name that Google gave to a submitted job.

    Raises:
        AdapterError: an error body; UpstreamBroken if a success names nothing.
    """
    return Operation(decoded(_named_decoder, reply).id, mark)


def report(reply: Reply) -> Report | None:
    """Tell how a job stands; a `Finished` names the file, which may not be whole yet. None: that cannot be told.

    Raises:
        AdapterError: an error body, or nothing that can be read.
    """
    found = decoded(_interaction_decoder, reply)
    if found.status in WORKING:
        return Working()
    steps = _read(_steps_decoder, found.steps) or ()
    if found.status == "completed":
        return _finished(steps) or _empty(found, steps)
    if found.status == "incomplete" and (made := _finished(steps)):
        return made
    if found.status in {"failed", "cancelled", "incomplete", "budget_exceeded"}:
        return Refused(Failure.of(_why(found, steps) or JobFailed(f"Google calls the video {found.status}.")))
    return None


def _finished(steps: Sequence[wire.Step]) -> Finished | None:
    """Return the video of the last output. Earlier steps may hold the inputs again."""
    for content in _outputs(steps):
        file = FILE_ID.search(content.uri)
        if content.type == "video" and file is not None:
            return Finished(RemoteVideo(name=file[1]))
        if content.type == "video" and content.data and (data := _bytes(content.data)) is not None:
            return Finished(RemoteVideo(), data)
    return None


def _outputs(steps: Sequence[wire.Step]) -> Iterator[wire.OutputContent]:
    for step in reversed(steps):
        if step.type == "model_output":
            contents = _read(_contents_decoder, step.content) or ()
            yield from reversed(contents)


def _bytes(text: str) -> bytes | None:
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:
        return None


def _empty(found: wire.Interaction, steps: Sequence[wire.Step]) -> Report:
    """Say what it means that there is no video: a refusal by region is `completed` without output tokens."""
    if why := _why(found, steps):
        return Refused(Failure.of(why))
    usage = _read(_usage_decoder, found.usage)
    if usage is not None and usage.total_output_tokens == 0:
        words = (
            "Google made no video and gave no reason. It does so for pictures of minors and for uploaded videos in the "
            "European Economic Area, Switzerland and the United Kingdom."
        )
        return Refused(Failure.of(JobFailed(words, code="no_media_generated")))
    return Empty()


def _why(found: wire.Interaction, steps: Sequence[wire.Step]) -> AdapterError | None:
    errors = _read(_errors_decoder, found.errors) or ()
    told = (failure(each) for each in (*errors, found.error, *(step.error for step in reversed(steps))))
    return next(filter(None, told), None)


def upload_request(image: Image, name: str) -> wire.UploadRequest:
    """Announce a picture to work from."""
    return wire.UploadRequest(wire.NewFile(name, image.format.mime, image.file_size))


def uploaded(reply: Reply) -> wire.File:
    """Return what became of an upload.

    Raises:
        AdapterError: an error body, or nothing that can be read.
    """
    return decoded(_uploaded_decoder, reply).file


def file(reply: Reply) -> wire.File:
    """Return how a file stands.

    Raises:
        AdapterError: an error body, or nothing that can be read.
    """
    return decoded(_file_decoder, reply)


def report_of_file(found: wire.File, made: Finished) -> Report:
    """Tell how a job stands whose interaction is completed: its file may still be worked on."""
    match found.state:
        case "ACTIVE":
            return made
        case "FAILED":
            why = failure(found.error)
            return Refused(Failure.of(why or JobFailed("Google made the video and could not keep its file.")))
        case _:
            return Working()


def decoded(decoder: msgspec.json.Decoder[_T], reply: Reply) -> _T:
    """Read an answer.

    Raises:
        AdapterError: an error body, or nothing that can be read.
    """
    if reply.status != 200:
        raise fault(reply)
    try:
        return decoder.decode(reply.body)
    except UNREADABLE_JSON as error:
        raise UpstreamBroken("Google's answer cannot be read.") from error


def _read(decoder: msgspec.json.Decoder[_T], raw: msgspec.Raw) -> _T | None:
    try:
        return decoder.decode(raw)
    except UNREADABLE_JSON:
        return None
