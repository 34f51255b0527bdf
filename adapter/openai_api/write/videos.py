"""Translates video jobs to OpenAI's Video object."""

from collections.abc import Sequence
from typing import Final

from msgspec import UNSET, UnsetType

from adapter.domain.job import Phase, ProgressEvent, VideoJob
from adapter.domain.media import Pixels, Ratio
from adapter.domain.media_links import MediaLinks
from adapter.domain.orders import VideoOrder
from adapter.openai_api.wire.videos import (
    EventType,
    Status,
    Video,
    VideoError,
    VideoEvent,
    VideoList,
    VideoTokenDetails,
    VideoUsage,
)
from adapter.openai_api.write.costs import in_credits, in_dollars

EVENTS: Final[dict[Phase, EventType]] = {
    Phase.QUEUED: "video.queued",
    Phase.IN_PROGRESS: "video.in_progress",
    Phase.COMPLETED: "video.completed",
    Phase.FAILED: "video.failed",
}
STATUSES: Final[dict[Phase, Status]] = {
    Phase.QUEUED: "queued",
    Phase.IN_PROGRESS: "in_progress",
    Phase.COMPLETED: "completed",
    Phase.FAILED: "failed",
}
#: The sizes of the only model of the versions whose orders had no size.
EARLIER: Final = {Ratio.LANDSCAPE: Pixels(1280, 720), Ratio.PORTRAIT: Pixels(720, 1280)}


def video(job: VideoJob, links: MediaLinks) -> Video:
    """Describe a job in its present state."""
    return _video_at(job, ProgressEvent(job.phase, job.progress), links)


def video_event(job: VideoJob, number: int, links: MediaLinks) -> VideoEvent:
    """Describe a change of a job by its number in the job's history, from 1."""
    progress_event = job.history[number - 1]
    return VideoEvent(
        type=EVENTS[progress_event.phase], sequence_number=number, video=_video_at(job, progress_event, links)
    )


def _video_at(job: VideoJob, progress_event: ProgressEvent, links: MediaLinks) -> Video:
    """Describe a job as it was at an event of its history."""
    is_end = progress_event.phase in {Phase.COMPLETED, Phase.FAILED}
    media = job.media if progress_event.phase is Phase.COMPLETED else None
    finished = job.finished_at if is_end else None
    return Video(
        id=job.id,
        created_at=int(job.created_at),
        completed_at=int(finished) if finished and media else None,
        expires_at=int(finished + links.keep) if finished and media and links.keep else None,
        model=job.order.model,
        status=STATUSES[progress_event.phase],
        progress=progress_event.progress,
        prompt=job.order.prompt,
        seconds=str(job.order.whole_seconds),
        size=str(_size(job.order)),
        remixed_from_video_id=job.order.remix_of,
        error=_error(job) if is_end else None,
        url=links.link(media.video) if media else None,
        thumbnail_url=links.link(media.poster) if media and media.poster else None,
        usage=UNSET if progress_event.phase is Phase.FAILED else _usage(job, is_finished=media is not None),
    )


def _usage(job: VideoJob, *, is_finished: bool) -> VideoUsage | UnsetType:
    """Return what a video costs, and when it is finished what it took."""
    tokens = job.tokens if is_finished else None
    if tokens is None:
        return UNSET if job.cost is None else VideoUsage(cost=in_dollars(job.cost), credits=in_credits(job.cost))
    return VideoUsage(
        cost=in_dollars(job.cost),
        credits=in_credits(job.cost),
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        total_tokens=tokens.input + tokens.output,
        output_tokens_details=VideoTokenDetails(video_tokens=tokens.output_video),
    )


def _size(order: VideoOrder) -> Pixels:
    return order.size or EARLIER.get(order.ratio, EARLIER[Ratio.LANDSCAPE])


def _error(job: VideoJob) -> VideoError | None:
    failure = job.failure
    return None if failure is None else VideoError(code=failure.code or failure.type, message=failure.message)


def video_list(jobs: Sequence[VideoJob], links: MediaLinks, *, has_more: bool) -> VideoList:
    """Describe a page of jobs."""
    return VideoList(
        data=tuple(video(job, links) for job in jobs),
        first_id=jobs[0].id if jobs else None,
        last_id=jobs[-1].id if jobs else None,
        has_more=has_more,
    )
