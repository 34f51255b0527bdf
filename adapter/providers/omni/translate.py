"""Orders of videos into interactions and back. Pure (`omni.md` sections 2 and 4)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
import pybase64

from adapter.domain.job import Failure, Operation, VideoJob
from adapter.domain.media import MediaFormat, RemoteVideo
from adapter.domain.orders import VideoInput, VideoOrder
from adapter.domain.ports import Empty, Finished, Refused, Report, Working
from adapter.domain.usage import VideoTokens
from adapter.errors import AdapterError, JobFailed
from adapter.providers.omni import wire
from adapter.providers.omni.faults import failure, fault
from adapter.providers.reply import Reply, decoded
from adapter.providers.salvage import member, salvaged

TASKS: Final[Mapping[VideoInput, str]] = {
    VideoInput.TEXT: "text_to_video",
    VideoInput.FRAME: "image_to_video",
    VideoInput.FRAMES: "image_to_video",
    VideoInput.REFERENCES: "reference_to_video",
    VideoInput.EDIT: "edit",
    VideoInput.EXTEND: "extend",
}
#: A prompt that has one of them says itself what the pictures are.
TAGS: Final = re.compile(r"<(?:FIRST_FRAME|LAST_FRAME|IMAGE_REF_\d+)>")
#: The id of a file in both forms of its address. Nothing else of the address is used.
FILE_ID: Final = re.compile(r"files/([A-Za-z0-9_-]+)")
#: How much of a video's base64 is searched for an escaped slash: who writes so does it from the start.
HEAD: Final = 4096
WORKING: Final = frozenset({"queued", "in_progress", "idle", "requires_continuation"})

AT_GOOGLE: Final = wire.Delivery()

_named_decoder = msgspec.json.Decoder(wire.NamedInteraction)
_interaction_decoder = msgspec.json.Decoder(wire.Interaction)
_steps_decoder = msgspec.json.Decoder(tuple[wire.Step, ...])
_contents_decoder = msgspec.json.Decoder(tuple[wire.OutputContent, ...])
_errors_decoder = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_file_decoder = msgspec.json.Decoder(wire.File)
_uploaded_decoder = msgspec.json.Decoder(wire.Uploaded)


def request(
    job: VideoJob, uploads: Sequence[str], delivery: wire.Delivery = AT_GOOGLE, *, send_seed: bool
) -> wire.InteractionRequest:
    """Ask for a video; `uploads` are Google's addresses of the pictures, and of the video to work on behind them."""
    order = job.order
    words = wire.TextContent(prompt(order.prompt, order.input, len(order.pictures)))
    return wire.InteractionRequest(
        model=order.upstream,
        input=(*_inputs(order, uploads), words),
        response_format=wire.VideoFormat(
            aspect_ratio=order.ratio,
            resolution=order.resolution or "720p",
            duration=f"{order.seconds}s",
            delivery=delivery.delivery,
            gcs_uri=delivery.gcs_uri,
        ),
        generation_config=wire.GenerationConfig(
            video_config=wire.VideoConfig(TASKS[order.input]), seed=job.seed if send_seed else None
        ),
        previous_interaction_id=order.source.operation if order.source else msgspec.UNSET,
    )


def _inputs(order: VideoOrder, uploads: Sequence[str]) -> Iterator[wire.Content]:
    files = (*order.pictures, *(() if order.video is None else (order.video,)))
    for file, address in zip(files, uploads, strict=True):
        kind = MediaFormat.of_name(file.name) or MediaFormat.PNG
        yield _picture(address, kind.mime) if kind.is_picture else wire.VideoContent(address, kind.mime)


def _picture(address: str, mime: str) -> wire.ImageContent:
    """Return a picture by its address, which may hold it (`data:`)."""
    if address.startswith("data:"):
        return wire.ImageContent(msgspec.UNSET, mime, address.partition(",")[2])
    return wire.ImageContent(address, mime)


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
        case VideoInput.TEXT | VideoInput.EDIT | VideoInput.EXTEND | VideoInput.UPSCALE:
            return words


def submitted(reply: Reply, mark: str) -> Operation:
    """Return the name that Google gave to a submitted job.

    Raises:
        AdapterError: an error body; UpstreamBroken if a success names nothing.
    """
    return Operation(decoded(_named_decoder, reply, fault).id, mark)


def report(reply: Reply) -> Report | None:
    """Tell how a job stands; a `Finished` names the file, which may not be whole yet. None: that cannot be told.

    Raises:
        AdapterError: an error body, or nothing that can be read.
    """
    found = decoded(_interaction_decoder, reply, fault)
    if found.status in WORKING:
        return Working()
    steps = member(_steps_decoder, found.steps) or ()
    made = _finished(steps, _tokens(found)) if found.status in {"completed", "incomplete"} else None
    if found.status == "completed" or made is not None:
        return made or _empty(found, steps)
    if found.status in {"failed", "cancelled", "incomplete", "budget_exceeded"}:
        return Refused(Failure.of(_why(found, steps) or JobFailed(f"Google calls the video {found.status}.")))
    return None


def _finished(steps: Sequence[wire.Step], tokens: VideoTokens | None) -> Finished | None:
    """Return the video of the last output. Earlier steps may hold the inputs again."""
    for content in _outputs(steps):
        if content.type == "video" and content.uri.startswith("gs://"):
            return Finished(RemoteVideo(name=content.uri), None, tokens)
        file = FILE_ID.search(content.uri)
        if content.type == "video" and file is not None:
            return Finished(RemoteVideo(name=file[1]), None, tokens)
        if content.type == "video" and (data := _bytes(content.data)):
            return Finished(RemoteVideo(), data, tokens)
    return None


def _tokens(found: wire.Interaction) -> VideoTokens | None:
    """Return what an interaction cost; None if it does not say so."""
    usage = salvaged(found.usage, wire.TokenCount)
    if usage is None or usage.total_output_tokens is None:
        return None
    video = sum(each.tokens for each in usage.output_tokens_by_modality if each.modality.lower() == "video")
    return VideoTokens(usage.total_input_tokens, usage.total_output_tokens, video)


def _outputs(steps: Sequence[wire.Step]) -> Iterator[wire.OutputContent]:
    for step in reversed(steps):
        if step.type == "model_output":
            contents = member(_contents_decoder, step.content) or ()
            yield from reversed(contents)


def _bytes(token: msgspec.Raw) -> bytes | None:
    """Return the bytes of a JSON string with base64; None for anything else. JSON may escape its slashes."""
    text = memoryview(token)
    try:
        if bytes(text[:1]) != b'"' or b"\\" in bytes(text[:HEAD]):
            return pybase64.b64decode(msgspec.json.decode(token, type=str), validate=True)
        return pybase64.b64decode(text[1:-1], validate=True)
    except (ValueError, msgspec.DecodeError):
        return None


def _empty(found: wire.Interaction, steps: Sequence[wire.Step]) -> Report:
    """Say what it means that there is no video: a refusal by region is `completed` without output tokens."""
    if why := _why(found, steps):
        return Refused(Failure.of(why))
    tokens = _tokens(found)
    if tokens is not None and tokens.output == 0:
        words = (
            "Google made no video and gave no reason. It does so for pictures of minors and for uploaded videos in the "
            "European Economic Area, Switzerland and the United Kingdom."
        )
        return Refused(Failure.of(JobFailed(words, code="no_media_generated")))
    return Empty()


def _why(found: wire.Interaction, steps: Sequence[wire.Step]) -> AdapterError | None:
    errors = member(_errors_decoder, found.errors) or ()
    told = (failure(each) for each in (*errors, found.error, *(step.error for step in reversed(steps))))
    return next(filter(None, told), None)


def upload_request(kind: MediaFormat, size: int, name: str) -> wire.UploadRequest:
    """Announce a file of so many bytes to work from."""
    return wire.UploadRequest(wire.NewFile(name, kind.mime, size))


def uploaded(reply: Reply) -> wire.File:
    """Return what became of an upload.

    Raises:
        AdapterError: an error body, or nothing that can be read.
    """
    return decoded(_uploaded_decoder, reply, fault).file


def file(reply: Reply) -> wire.File:
    """Return how a file stands.

    Raises:
        AdapterError: an error body, or nothing that can be read.
    """
    return decoded(_file_decoder, reply, fault)


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
