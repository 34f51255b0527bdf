"""Orders into Flow's words and back. Pure."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from adapter.domain.job import Failure, Operation, VideoJob
from adapter.domain.media import Image, Ratio, RemoteVideo, image_from_base64
from adapter.domain.orders import MAX_SEED, ImageOrder, VideoInput
from adapter.domain.ports import Empty, Finished, Refused, Report, Working
from adapter.errors import (
    UNREADABLE_JSON,
    AdapterError,
    ContentRefused,
    JobFailed,
    NoMedia,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamForgot,
    UpstreamQuota,
    UpstreamRejected,
)
from adapter.providers import rpc_status
from adapter.providers.cutting import cut, value_of
from adapter.providers.flow import wire
from adapter.providers.flow.accounts import Account
from adapter.providers.reply import Reply, is_text
from adapter.redaction import fit_for_clients

#: Seed 002, "VIDEO_ASPECT_RATIO" and "imageAspectRatio". Pictures know a square as well.
RATIO_WORDS: Mapping[Ratio, str] = {
    Ratio.LANDSCAPE: "ASPECT_RATIO_LANDSCAPE",
    Ratio.PORTRAIT: "ASPECT_RATIO_PORTRAIT",
    Ratio.SQUARE: "ASPECT_RATIO_SQUARE",
}

#: The ends of the addresses where videos are asked for (seed 002 section 3, seed 004; StartImage: `flow.md` section 2).
DESKS: Mapping[VideoInput, str] = {
    VideoInput.TEXT: "Text",
    VideoInput.FRAME: "StartImage",
    VideoInput.FRAMES: "StartAndEndImage",
    VideoInput.REFERENCES: "ReferenceImages",
}

#: The seed repeats the status that submission answered when it asks about a job.
PENDING = "MEDIA_GENERATION_STATUS_PENDING"
#: What Flow's own pages name themselves (seed 002, "clientContext").
TOOL = "PINHOLE"
#: And its upload page (seed 002, section 1).
UPLOAD_TOOL = "ASSET_MANAGER"

#: `flow.md` section 2, "Errors". A judgement of the content, by the end of the word.
CONTENT_WORDS = (
    "_UNSAFE_GENERATION",
    "_SEXUAL",
    "_FILTER",
    "_FILTERED",
    "_FILTER_FAILED",
    "_MINOR",
    "_UPLOAD",
    "_INPUT_IMAGE",
)
BUSY_WORDS = ("_THROTTLED", "_CONCURRENT_LIMIT_REACHED", "_HIGH_TRAFFIC", "_MODEL_OVERLOADED")
QUOTA_WORDS = ("_QUOTA_REACHED", "_QUOTA_REACHED_UPGRADEABLE")

_T = TypeVar("_T")
_picture = value_of("encodedImage")
#: Google's JSON writes a 64-bit number as text, so a number in quotes is one as well.
_credits_decoder = msgspec.json.Decoder(wire.Credits, strict=False)
_images_decoder = msgspec.json.Decoder(tuple[wire.ImageAnswer, ...] | wire.ImagesObject)
_uploaded_decoder = msgspec.json.Decoder(wire.Uploaded)
_operations_decoder = msgspec.json.Decoder(tuple[msgspec.Raw, ...] | wire.OperationsObject)
_name_decoder = msgspec.json.Decoder(wire.NamedOperation)
_state_decoder = msgspec.json.Decoder(wire.OperationState)


def session_id(now: float) -> str:
    """Name a session as Flow's own pages do."""
    return f";{int(now * 1000)}"


def upload_request(image: Image, session: str) -> wire.UploadUserImage:
    """Give Flow a picture to work from."""
    return wire.UploadUserImage(
        image_input=wire.UploadedImage(
            raw_image_bytes=image.base64,
            mime_type=image.format.mime,
            aspect_ratio=f"IMAGE_{RATIO_WORDS[nearest(image)]}",
        ),
        client_context=wire.UploadClientContext(session_id=session, tool=UPLOAD_TOOL),
    )


def credits_left(reply: Reply) -> int:
    """Return what an account may still spend.

    Raises:
        AdapterError: an error body, or nothing that can be read.
    """
    return _decode(_credits_decoder, reply).credits


def uploaded(reply: Reply) -> str:
    """Return what Flow calls an uploaded picture.

    Raises:
        AdapterError: an error body, or nothing that can be read.
    """
    return _decode(_uploaded_decoder, reply).media_generation_id.media_generation_id


def nearest(image: Image) -> Ratio:
    """Return the shape of Flow's that looks most like a picture's."""
    return min(RATIO_WORDS, key=image.pixels.distance)


def images_request(
    order: ImageOrder, ratio: Ratio, names: Sequence[str], seeds: Sequence[int], session: str
) -> wire.BatchGenerateImages:
    """Ask for all pictures of an order in one call, each with a seed of its own; `names` are uploads to work from."""
    inputs = tuple(map(wire.ImageInput, names))
    return wire.BatchGenerateImages(
        tuple(
            wire.ImageRequest(
                client_context=wire.ImageClientContext(session),
                seed=seed,
                image_model_name=order.upstream,
                image_aspect_ratio=f"IMAGE_{RATIO_WORDS[ratio]}",
                prompt=order.prompt,
                image_inputs=inputs,
            )
            for seed in seeds
        )
    )


def seeds(first: int, n: int) -> list[int]:
    """Return n distinct seeds counting up from the first."""
    return [(first + index) % (MAX_SEED + 1) for index in range(n)]


def images(reply: Reply, n: int) -> list[Image | str]:
    """Return the pictures of an answer in order; where Flow sends only a link, the link.

    Raises:
        AdapterError: an error body, or anything but n pictures.
    """
    body, cut_out = cut(reply.body, _picture)
    answer = _decode(_images_decoder, Reply(reply.status, body))
    items = answer.media if isinstance(answer, wire.ImagesObject) else answer
    if not items and is_text(body):  # else it cannot be read, and must not be paid for a second time
        raise NoMedia("Flow made no picture and gave no reason.")
    if len(items) != n:
        raise UpstreamBroken(f"Flow sent {len(items)} pictures instead of {n}.")
    return [_image(item.image.generated_image, cut_out) for item in items]


def _image(made: wire.GeneratedImage, cut_out: Mapping[bytes, msgspec.Raw]) -> Image | str:
    found = image_from_base64(cut_out.get(bytes(made.encoded_image), made.encoded_image))
    if found is not None:
        return found
    if made.fife_url:
        return made.fife_url
    raise UpstreamBroken("Flow's answer holds something that is not a picture.")


def video_path(job: VideoJob) -> str:
    """Return where a video of the job's kind is asked for."""
    return f"/v1/video:batchAsyncGenerateVideo{DESKS[job.order.input]}"


def video_request(
    job: VideoJob, pictures: Sequence[str], account: Account, session: str
) -> wire.BatchAsyncGenerateVideo:
    """Ask for a video; `pictures` are uploads, in the order of the job's kind."""
    kind = job.order.input
    frames = tuple(map(wire.PictureRef, pictures)) if kind in {VideoInput.FRAME, VideoInput.FRAMES} else ()
    return wire.BatchAsyncGenerateVideo(
        client_context=wire.VideoClientContext(session, account.project_id, TOOL, account.tier),
        requests=(
            wire.VideoRequest(
                aspect_ratio=f"VIDEO_{RATIO_WORDS[job.order.ratio]}",
                seed=job.seed,
                text_input=wire.TextInput(job.order.prompt),
                video_model_key=job.order.upstream,
                metadata=wire.SceneMetadata(job.mark),
                start_image=frames[0] if frames else None,
                end_image=frames[1] if kind is VideoInput.FRAMES else None,
                reference_images=tuple(map(wire.ReferenceImage, pictures)) if kind is VideoInput.REFERENCES else (),
            ),
        ),
    )


def submitted(reply: Reply, mark: str) -> Operation:
    """Return the name that Flow gave a submitted job; nothing else of the answer is looked at.

    Raises:
        AdapterError: an error body; UpstreamBroken if a success does not name exactly one operation.
    """
    names = [named.name for item in operations(reply) if (named := _read(_name_decoder, item)) and named.name]
    if len(names) != 1:
        raise UpstreamBroken(f"Flow accepted a video and named {len(names)} operations instead of one.")
    return Operation(names[0], mark)


def status_request(asked: Sequence[Operation]) -> wire.BatchCheckStatus:
    """Ask about many jobs at once."""
    return wire.BatchCheckStatus(
        tuple(wire.StatusRequestItem(wire.OperationName(each.name), each.mark, PENDING) for each in asked)
    )


def reports(reply: Reply) -> dict[str, Report]:
    """Tell how each job of a status answer stands; what is unknown, incomplete or unreadable is left out."""
    states = (_read(_state_decoder, item) for item in operations(reply))
    found = ((state.operation.name, _report(state)) for state in states if state is not None)
    return {name: report for name, report in found if report is not None}


def operations(reply: Reply) -> Sequence[msgspec.Raw]:
    """Return the items of a submission's or a status call's answer, unread, whichever shape it has."""
    answer = _decode(_operations_decoder, reply)
    items: Sequence[msgspec.Raw]
    items = (answer.operations or answer.media or ()) if isinstance(answer, wire.OperationsObject) else answer
    return items


def _read(decoder: msgspec.json.Decoder[_T], item: msgspec.Raw) -> _T | None:
    try:
        return decoder.decode(item)
    except UNREADABLE_JSON:
        return None


def _report(state: wire.OperationState) -> Report | None:
    match state.status:
        case "MEDIA_GENERATION_STATUS_PENDING" | "MEDIA_GENERATION_STATUS_ACTIVE":
            return Working()
        case "MEDIA_GENERATION_STATUS_SUCCESSFUL":
            metadata = state.operation.metadata or state.metadata
            video = metadata.video if metadata else None
            return (
                Finished(RemoteVideo(video.fife_url, video.serving_base_uri)) if video and video.fife_url else Empty()
            )
        case "MEDIA_GENERATION_STATUS_FAILED":
            return Refused(_failure(state.operation.error))
        case _:
            return None


def _failure(error: wire.OperationError | None) -> Failure:
    word = fit_for_clients(error.message or "") if error else ""
    if word.endswith(CONTENT_WORDS):
        return Failure.of(ContentRefused(f"Flow declined the video: {word}."))
    return Failure.of(JobFailed(f"Flow could not make the video: {word or 'no reason given'}."))


def _decode(decoder: msgspec.json.Decoder[_T], reply: Reply) -> _T:
    if reply.status != 200:
        raise fault(reply)
    try:
        return decoder.decode(reply.body)
    except UNREADABLE_JSON as error:
        raise UpstreamBroken("Flow's answer cannot be read.") from error


def fault(reply: Reply) -> AdapterError:
    """Say what a refusal means: the reason first, the HTTP code second (`flow.md` section 2, "Errors")."""
    status = rpc_status.read_status(reply)
    if status is None or reply.status not in rpc_status.REFUSALS:
        return rpc_status.fault_of(reply, status)
    reason = status.reason
    if reason.endswith(CONTENT_WORDS):
        return ContentRefused(f"Google declined the content: {status.words} ({reason})")
    if reason.endswith(QUOTA_WORDS):
        return UpstreamQuota(f"Google: {status.words} ({reason})")
    if reason.endswith(BUSY_WORDS):
        return UpstreamBusy(f"Google: {status.words} ({reason})", retry_after=status.retry_after)
    if reply.status == 404:
        return UpstreamForgot(f"Google: {status.words}")
    if reply.status == 403 and (reason or "reCAPTCHA" in status.words):
        return UpstreamRejected(f"Google does not let this Flow account do that: {status.words} ({reason})")
    return rpc_status.fault_of(reply, status)
