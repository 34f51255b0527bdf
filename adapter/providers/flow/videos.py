"""Orders of videos into Flow's words and back, in both dialects (`video_wire.py`). Pure.

An account's setting chooses in which dialect a video is asked for. What the answer has decides in which one the job is
asked about afterwards: Flow was seen to answer the older form with the newer one.
"""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

import msgspec

from adapter.domain.job import Failure, Operation, VideoJob
from adapter.domain.media import RemoteVideo
from adapter.domain.orders import VideoInput, VideoSource
from adapter.domain.ports import Empty, Finished, Refused, Report, Working
from adapter.errors import AdapterError, ContentRefused, JobFailed, NoMedia, UpstreamBroken
from adapter.providers import rpc_status
from adapter.providers.flow import video_wire as wire
from adapter.providers.flow.accounts import Account
from adapter.providers.flow.translate import CONTENT_WORDS, RATIO_WORDS, TOOL, fault
from adapter.providers.flow.video_wire import MEDIA, SEED
from adapter.providers.flow.wire import Name
from adapter.providers.reply import Reply, decoded
from adapter.providers.salvage import member, salvaged
from adapter.redaction import fit_for_clients

#: The ends of the addresses where videos are asked for (seed 002 section 3, seed 004; StartImage: `flow.md` section 2).
DESKS: Mapping[VideoInput, str] = {
    VideoInput.TEXT: "Text",
    VideoInput.FRAME: "StartImage",
    VideoInput.FRAMES: "StartAndEndImage",
    VideoInput.REFERENCES: "ReferenceImages",
    VideoInput.EXTEND: "ExtendVideo",
    VideoInput.UPSCALE: "UpsampleVideo",
}

#: The seed repeats the status that submission answered when it asks about a job.
PENDING = "MEDIA_GENERATION_STATUS_PENDING"

STATUS_PATH = "/v1/video:batchCheckAsyncVideoGenerationStatus"

_operations_decoder = msgspec.json.Decoder(wire.Items | wire.OperationsObject)
_name_alone_decoder = msgspec.json.Decoder(Name)
_name_decoder = msgspec.json.Decoder(wire.NamedOperation)
_state_decoder = msgspec.json.Decoder(wire.OperationState)
_media_decoder = msgspec.json.Decoder(wire.MediaState)
_remaining_decoder = msgspec.json.Decoder(wire.Remaining, strict=False)
_items_decoder = msgspec.json.Decoder(wire.Items)
_workflow_decoder = msgspec.json.Decoder(wire.Workflow)
_words_decoder = msgspec.json.Decoder(tuple[str, ...])


def video_path(job: VideoJob) -> str:
    """Return where a video of the job's kind is asked for."""
    return f"/v1/video:batchAsyncGenerateVideo{DESKS[job.order.input]}"


def media_path(name: str) -> str:
    """Return where a finished medium is asked for."""
    return f"/v1/media/{quote(name, safe='')}"


def video_request(
    job: VideoJob, pictures: Sequence[str], account: Account, session: str
) -> wire.BatchAsyncGenerateVideo:
    """Ask for a video in the account's dialect; `pictures` are uploads, in the order of the job's kind.

    An extension is known in the media dialect only.
    """
    newer = account.dialect == MEDIA or job.order.input is VideoInput.EXTEND
    request = _request_of_video(job, job.order.source) if job.order.source else _request(job, pictures, newer=newer)
    return wire.BatchAsyncGenerateVideo(
        client_context=wire.VideoClientContext(session, account.project_id, TOOL, account.tier),
        requests=(request,),
        media_generation_context=wire.MediaGenerationContext(job.mark) if newer else None,
        use_v2_model_config=newer,
    )


def _request(job: VideoJob, pictures: Sequence[str], *, newer: bool) -> wire.VideoRequest:
    kind = job.order.input
    frames = tuple(map(wire.PictureRef, pictures)) if kind in {VideoInput.FRAME, VideoInput.FRAMES} else ()
    return wire.VideoRequest(
        aspect_ratio=f"VIDEO_{RATIO_WORDS[job.order.ratio]}",
        seed=job.seed,
        text_input=_text_input(job.order.prompt, newer=newer),
        video_model_key=job.order.upstream,
        metadata=wire.NoMetadata() if newer else wire.SceneMetadata(job.mark),
        start_image=frames[0] if frames else None,
        end_image=frames[1] if kind is VideoInput.FRAMES else None,
        reference_images=tuple(map(wire.ReferenceImage, pictures)) if kind is VideoInput.REFERENCES else (),
    )


def _request_of_video(job: VideoJob, source: VideoSource) -> wire.ExtendRequest | wire.UpscaleRequest:
    return _extend_request(job, source) if job.order.input is VideoInput.EXTEND else _upscale_request(job, source)


def _extend_request(job: VideoJob, source: VideoSource) -> wire.ExtendRequest:
    return wire.ExtendRequest(
        aspect_ratio=f"VIDEO_{RATIO_WORDS[job.order.ratio]}",
        seed=job.seed,
        text_input=wire.StructuredTextInput(wire.StructuredPrompt((wire.TextPart(job.order.prompt),))),
        video_model_key=job.order.upstream,
        video_input=wire.VideoRef(source.operation),
        metadata=wire.WorkflowMetadata(source.workflow),
    )


def _upscale_request(job: VideoJob, source: VideoSource) -> wire.UpscaleRequest:
    return wire.UpscaleRequest(
        aspect_ratio=f"VIDEO_{RATIO_WORDS[job.order.ratio]}",
        seed=job.seed,
        video_model_key=job.order.upstream,
        resolution=f"VIDEO_RESOLUTION_{job.order.resolution.upper()}",
        video_input=wire.VideoRef(source.operation),
        metadata=wire.SceneMetadata(job.mark),
    )


def _text_input(prompt: str, *, newer: bool) -> wire.TextInput | wire.StructuredTextInput:
    if not newer:
        return wire.TextInput(prompt)
    return wire.StructuredTextInput(wire.StructuredPrompt((wire.TextPart(prompt),)))


def submitted(reply: Reply, mark: str) -> Operation:
    """Return the names that Flow gave a submitted job and its workflow, and the dialect; nothing else is looked at.

    Raises:
        AdapterError: an error body; UpstreamBroken if a success does not name exactly one operation.
    """
    answer = _answer(reply)
    named = [_operation(item, mark) for item in (member(_name_decoder, each) for each in _items(answer)) if item]
    found = [operation for operation in named if operation.name]
    if len(found) != 1:
        raise UpstreamBroken(f"Flow accepted a video and named {len(found)} operations instead of one.")
    return msgspec.structs.replace(found[0], workflow=_workflow(answer, found[0].name))


def _workflow(answer: Sequence[msgspec.Raw] | wire.OperationsObject, medium: str) -> str:
    """Return the workflow of a submitted medium; empty if none is named, or several without this medium."""
    items = member(_items_decoder, answer.workflows) if isinstance(answer, wire.OperationsObject) else None
    found = [each for item in items or () if (each := member(_workflow_decoder, item)) is not None]
    own = [each for each in found if each.metadata.primary_media_id == medium] or found
    return own[0].name if len(own) == 1 else ""


def _operation(item: wire.NamedOperation, mark: str) -> Operation:
    if item.operation is not None:
        return Operation(item.operation.name, mark)
    return Operation(item.name or "", mark, dialect=MEDIA, project=member(_name_alone_decoder, item.project_id) or "")


def remaining_credits(reply: Reply) -> int | None:
    """Return what the account may still spend after a submission; None if its answer does not say so."""
    found = member(_remaining_decoder, msgspec.Raw(reply.body))
    return None if found is None else found.remaining_credits


def by_dialect(asked: Sequence[Operation]) -> Mapping[str, Sequence[Operation]]:
    """Return operations by their dialects: each needs a status call of its own."""
    return {
        dialect: those for dialect in (SEED, MEDIA) if (those := [each for each in asked if each.dialect == dialect])
    }


def status_request(asked: Sequence[Operation], account: Account) -> wire.BatchCheckStatus | wire.BatchCheckMedia:
    """Ask about many jobs of one dialect at once."""
    if asked[0].dialect == MEDIA:
        return wire.BatchCheckMedia(
            tuple(wire.MediaRequestItem(each.name, each.project or account.project_id) for each in asked)
        )
    return wire.BatchCheckStatus(
        tuple(wire.StatusRequestItem(wire.OperationName(each.name), each.mark, PENDING) for each in asked)
    )


def reports(reply: Reply) -> dict[str, Report]:
    """Tell how each job of a status answer stands; what is unknown, incomplete or unreadable is left out."""
    found = (each for item in operations(reply) for each in _told(item))
    return {name: report for name, report in found if report is not None}


def _told(item: msgspec.Raw) -> Iterator[tuple[str, Report | None]]:
    """Read one item, whichever dialect it has."""
    found = member(_state_decoder, item) or member(_media_decoder, item)
    # An odd error, preview or anything else beside the name hides no finished video.
    found = found or salvaged(item, wire.OperationState) or salvaged(item, wire.MediaState)
    if isinstance(found, wire.OperationState):
        yield found.operation.name, _report_of_operation(found)
    elif found is not None:
        yield from _told_of_medium(found)


def _told_of_medium(medium: wire.MediaState) -> Iterator[tuple[str, Report | None]]:
    video = salvaged(medium.video, wire.MediaVideo) or wire.MediaVideo()
    report = _report_of_medium(medium, video)
    yield medium.name, report
    if video.operation is not None:  # a question in the older dialect may be answered in the newer one
        yield video.operation.name, report


def operations(reply: Reply) -> Sequence[msgspec.Raw]:
    """Return the items of a submission's or a status call's answer, unread, whichever shape it has."""
    return _items(_answer(reply))


def _items(answer: Sequence[msgspec.Raw] | wire.OperationsObject) -> Sequence[msgspec.Raw]:
    items: Sequence[msgspec.Raw]
    items = (answer.operations or answer.media or ()) if isinstance(answer, wire.OperationsObject) else answer
    return items


def _answer(reply: Reply) -> Sequence[msgspec.Raw] | wire.OperationsObject:
    answer: Sequence[msgspec.Raw] | wire.OperationsObject
    try:
        answer = decoded(_operations_decoder, reply, fault)
    except UpstreamBroken:
        found = salvaged(reply.body, wire.OperationsObject) if reply.status == 200 else None
        if found is None or (found.operations is None and found.media is None):
            raise
        return found
    return answer


def _report_of_operation(state: wire.OperationState) -> Report | None:
    metadata = state.operation.metadata or state.metadata
    video = metadata.video if metadata else None
    remote = None
    if video and video.fife_url:
        name = member(_name_alone_decoder, video.media_generation_id) or ""
        remote = RemoteVideo(video.fife_url, video.serving_base_uri, name)
    return _report(state.status, remote, _words(state.operation.error))


def _report_of_medium(medium: wire.MediaState, video: wire.MediaVideo) -> Report | None:
    status = medium.media_metadata and medium.media_metadata.media_status
    if not status:
        return None
    made = video.generated_video or wire.VideoMedia()
    remote = RemoteVideo(made.fife_url or "", made.serving_base_uri, medium.name)
    reasons = member(_words_decoder, status.failure_reasons) or ()
    return _report(status.media_generation_status, remote, [*_words(status.error), *map(fit_for_clients, reasons)])


def _words(error: wire.OperationError | None) -> Sequence[str]:
    return [fit_for_clients(error.message)] if error and error.message else []


def _report(status: str | None, remote: RemoteVideo | None, words: Sequence[str]) -> Report | None:
    match status:
        case "MEDIA_GENERATION_STATUS_PENDING" | "MEDIA_GENERATION_STATUS_ACTIVE":
            return Working()
        case "MEDIA_GENERATION_STATUS_SUCCESSFUL":
            return Finished(remote) if remote else Empty()
        case "MEDIA_GENERATION_STATUS_FAILED":
            return Refused(_failure(words))
        case _:
            return None


def _failure(words: Sequence[str]) -> Failure:
    said = ", ".join(dict.fromkeys(words))
    if any(word.endswith(CONTENT_WORDS) for word in words):
        return Failure.of(ContentRefused(f"Flow declined the video: {said}."))
    return Failure.of(JobFailed(f"Flow could not make the video: {said or 'no reason given'}."))


def media_fault(reply: Reply) -> AdapterError:
    """Say what it means that a finished medium is not handed out. A 400 stays one: Omni's media are seen to give it."""
    if reply.status != 400:
        return fault(reply)
    status = rpc_status.read_status(reply)
    words = status.words if status else "no reason given"
    return NoMedia(f"Google made the video and does not hand it out: {words} It was paid for.")
