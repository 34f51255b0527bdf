"""Translates a stored response to OpenAI's response object."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from adapter.domain.grounding import WebSource, all_sources
from adapter.domain.ids import Id
from adapter.domain.job import Failure, JobState, Phase, ProgressEvent, VideoJob
from adapter.domain.markup import Markup
from adapter.domain.media import Image
from adapter.domain.media_links import MediaLinks
from adapter.domain.paging import Page
from adapter.domain.stored_response import ResponseStatus, StoredResponse
from adapter.domain.usage import Cost, Usage
from adapter.openai_api.wire.responses import (
    EchoedFields,
    GivenItem,
    ImageCall,
    ItemList,
    OutputItem,
    OutputMessage,
    OutputText,
    Reasoning,
    ResponseObject,
    ResponseUsage,
    SummaryText,
    ToolError,
    UrlCitation,
)
from adapter.openai_api.write.chat import video_content
from adapter.openai_api.write.costs import in_credits, in_dollars
from adapter.openai_api.write.images import FORMATS, quality
from adapter.openai_api.write.side_calls import NOTHING_NEW
from adapter.openai_api.write.sources import source_links, with_sources

#: Our codes that OpenAI's closed list has as well (reference: `openai.md` section 7), and what others become.
CODES = {
    "invalid_image": "invalid_image",
    "image_too_large": "image_too_large",
    "image_file_too_large": "image_file_too_large",
    "failed_to_download_image": "failed_to_download_image",
    "moderation_blocked": "image_content_policy_violation",
}
TYPES = {"invalid_request_error": "invalid_prompt", "rate_limit_error": "rate_limit_exceeded"}
OTHER = "server_error"

MOMENTS = {
    Phase.QUEUED: "Sending the prompt to the video model.",
    Phase.COMPLETED: "The video is made.",
    Phase.FAILED: "The video could not be made.",
}


def response_id(stored: StoredResponse) -> str:
    """Return the id of a response."""
    return Id.RESPONSE.of(stored.key)


def response(
    stored: StoredResponse, output: tuple[OutputItem, ...] = (), usage: ResponseUsage | UnsetType = UNSET
) -> ResponseObject:
    """Return a response in its present state. `usage` is left out if there is none: null is not allowed."""
    echoed = msgspec.json.decode(stored.said, type=EchoedFields)
    return ResponseObject(
        **{name: getattr(echoed, name) for name in EchoedFields.__struct_fields__},
        id=response_id(stored),
        created_at=int(stored.created_at),
        model=stored.model,
        status=stored.status.value,
        output=output,
        error=None if stored.failure is None else _error(stored.failure),
        completed_at=_completed_at(stored),
        usage=usage,
    )


def _completed_at(stored: StoredResponse) -> int | None:
    if stored.status is not ResponseStatus.COMPLETED or stored.finished_at is None:
        return None
    return int(stored.finished_at)


def _error(failure: Failure) -> ToolError:
    word = CODES.get(failure.code or "") or TYPES.get(failure.type, OTHER)
    return ToolError(code=word, message=failure.message)


def with_picture(stored: StoredResponse, image: Image | None) -> ResponseObject:
    """Return a response with its picture, if it has one.

    A message follows the picture, even an empty one. Without it an agent takes the picture for an intermediate step and
    asks again and again, each time for another picture.
    """
    if image is not None:
        spent = stored.drawn.usage if stored.drawn else None
        cost = stored.drawn.known_cost if stored.drawn else None
        output = (image_call(stored, image), message(stored, words(stored), citations(stored)))
        return response(stored, output, UNSET if spent is None else _usage(spent, cost))
    if stored.is_text_only:
        return response(stored, (message(stored, words(stored)),), _usage(Usage()))
    return response(stored)


def words(stored: StoredResponse) -> str:
    """Return the text of the message: what the model wrote beside its picture, or why nothing was made."""
    if stored.drawn is None:
        return NOTHING_NEW
    return with_sources(stored.drawn.text, _sources(stored))


def citations(stored: StoredResponse) -> tuple[UrlCitation, ...]:
    """Return where the text of the message names pages that the model found on the web."""
    text = stored.drawn.text if stored.drawn else ""
    return tuple(
        UrlCitation(
            start_index=link.start, end_index=link.end, title=link.source.title or link.source.url, url=link.source.url
        )
        for link in source_links(text, _sources(stored))
    )


def _sources(stored: StoredResponse) -> tuple[WebSource, ...]:
    return all_sources([stored.drawn.known_grounding]) if stored.drawn else ()


def _usage(spent: Usage, cost: Cost | None = None) -> ResponseUsage:
    return ResponseUsage(
        input_tokens=spent.input,
        output_tokens=spent.output,
        total_tokens=spent.total,
        cost=in_dollars(cost),
        credits=in_credits(cost),
    )


def image_call(stored: StoredResponse, image: Image) -> ImageCall:
    """Return the picture as the tool's result, with its real size, quality and format."""
    return ImageCall(
        id=Id.IMAGE_CALL.of(stored.key),
        status="completed",
        result=image.base64,
        action="edit" if stored.edits else "generate",
        size=str(image.pixels),
        quality=quality(image.pixels),
        output_format=FORMATS[image.format],
        background="opaque",
        revised_prompt=stored.prompt,
    )


def picture_to_come(stored: StoredResponse) -> ImageCall:
    """Return the tool call before its picture is there."""
    return ImageCall(id=Id.IMAGE_CALL.of(stored.key), status="in_progress")


def with_video(stored: StoredResponse, job: VideoJob, links: MediaLinks) -> ResponseObject:
    """Return a response with the state and the result of its video job."""
    now = stored.following(job)
    if now.status is not ResponseStatus.COMPLETED or job.state is not JobState.COMPLETED:
        return response(now)
    text = "".join(progress(progress_event) for progress_event in job.history)
    output = (reasoning(stored, text, "completed"), message(stored, video_content(job, links, Markup.MARKDOWN)))
    return response(now, output, UNSET if job.cost is None else _usage(Usage(), job.cost))


def progress(progress_event: ProgressEvent) -> str:
    """Return a line about a change of a video job. It is always the same, so that a stream can be sent again."""
    return f"{MOMENTS.get(progress_event.phase, f'Making the video: {progress_event.progress} %.')}\n"


def reasoning(stored: StoredResponse, text: str, status: str) -> Reasoning:
    """Return the reasoning entry with the progress of a video."""
    summary = (SummaryText(text=text),) if text else ()
    return Reasoning(
        id=Id.REASONING.of(stored.key), summary=summary, status="completed" if status == "completed" else "in_progress"
    )


def message(stored: StoredResponse, text: str | None, annotations: tuple[UrlCitation, ...] = ()) -> OutputMessage:
    """Return the message with a text, or its place."""
    if text is None:
        return OutputMessage(id=Id.MESSAGE.of(stored.key), content=(), status="in_progress")
    content = (OutputText(text=text, annotations=annotations),)
    return OutputMessage(id=Id.MESSAGE.of(stored.key), content=content, status="completed")


def item_list(items: Sequence[GivenItem], page: Page[str]) -> ItemList:
    """Return a page of the input's entries."""
    ordered = list(reversed(items)) if page.newest_first else list(items)
    place = next((at + 1 for at, item in enumerate(ordered) if item.id == page.after), 0)
    data = tuple(ordered[place : place + page.limit])
    return ItemList(
        data=data,
        first_id=data[0].id if data else "",
        last_id=data[-1].id if data else "",
        has_more=len(ordered) > place + page.limit > place,
    )
