"""Translates a stored response to the events of a stream.

The order of the events is one that all clients read (reference: `openai.md` section 7).
The events and their numbers depend on the response alone. So a stream can be sent again from any event on.
"""

from collections.abc import Iterable, Iterator

import msgspec

from adapter.domain.job import ProgressEvent, VideoJob
from adapter.domain.markup import Markup
from adapter.domain.media import Image
from adapter.domain.media_links import MediaLinks
from adapter.domain.stored_response import ResponseStatus, StoredResponse
from adapter.errors import AdapterError
from adapter.openai_api.wire.responses import Event, OutputItem, OutputText, StreamError, SummaryText, UrlCitation
from adapter.openai_api.write import responses as write
from adapter.openai_api.write.chat import video_content
from adapter.openai_api.write.errors import error_body


class Numbering:
    """Numbers the events of one stream, and leaves out those that its reader has received."""

    def __init__(self, starting_after: int = -1) -> None:
        self._next = 0
        self._after = starting_after

    def number(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield the events that the reader has not received."""
        for event in events:
            number, self._next = self._next, self._next + 1
            if number > self._after:
                yield msgspec.structs.replace(event, sequence_number=number)

    def error(self, fault: AdapterError) -> StreamError:
        """Return the end of a stream that cannot go on."""
        return StreamError(error=error_body(fault).error, sequence_number=self._next)


def opening(stored: StoredResponse) -> Iterator[Event]:
    """Yield the first events of any response. One in the background is queued first."""
    if stored.background:
        queued = write.response(_live(stored, ResponseStatus.QUEUED))
        yield Event(type="response.created", response=queued)
        yield Event(type="response.queued", response=queued)
    else:
        yield Event(type="response.created", response=write.response(_live(stored, ResponseStatus.IN_PROGRESS)))
    yield Event(type="response.in_progress", response=write.response(_live(stored, ResponseStatus.IN_PROGRESS)))


def _live(stored: StoredResponse, status: ResponseStatus) -> StoredResponse:
    return msgspec.structs.replace(stored, status=status, failure=None, finished_at=None)


def ending(stored: StoredResponse) -> Iterator[Event]:
    """Yield the last event of a response without a result."""
    yield Event(type="response.failed", response=write.response(stored))


def picture_begun(stored: StoredResponse) -> Iterator[Event]:
    """Yield the events that a picture is being made."""
    place = write.picture_to_come(stored)
    yield Event(type="response.output_item.added", output_index=0, item=place)
    for step in ("in_progress", "generating"):
        yield Event(type=f"response.image_generation_call.{step}", output_index=0, item_id=place.id)


def picture_done(stored: StoredResponse, image: Image) -> Iterator[Event]:
    """Yield the events of a finished picture and the message after it."""
    whole = write.with_picture(stored, image)
    item = whole.output[0]
    yield Event(type="response.image_generation_call.completed", output_index=0, item_id=item.id)
    yield Event(type="response.output_item.done", output_index=0, item=item)
    yield from _message(stored, write.words(stored), 1, write.citations(stored))
    yield Event(type="response.completed", response=whole)


def text_only(stored: StoredResponse) -> Iterator[Event]:
    """Yield the events of a response that has a message only."""
    yield from _message(stored, write.words(stored), 0)
    yield Event(type="response.completed", response=write.with_picture(stored, None))


def video_begun(stored: StoredResponse) -> Iterator[Event]:
    """Yield the events that begin the progress of a video."""
    item = write.reasoning(stored, "", "in_progress")
    yield Event(type="response.output_item.added", output_index=0, item=item)
    yield Event(
        type="response.reasoning_summary_part.added",
        output_index=0,
        item_id=item.id,
        summary_index=0,
        part=SummaryText(text=""),
    )


def video_moved(stored: StoredResponse, moments: Iterable[ProgressEvent]) -> Iterator[Event]:
    """Yield the progress of a video."""
    item_id = write.reasoning(stored, "", "in_progress").id
    for progress_event in moments:
        yield Event(
            type="response.reasoning_summary_text.delta",
            output_index=0,
            item_id=item_id,
            summary_index=0,
            delta=write.progress(progress_event),
        )


def video_end(stored: StoredResponse, job: VideoJob, links: MediaLinks) -> Iterator[Event]:
    """Yield the events of a finished or failed video."""
    if job.failure is not None:
        return ending(stored.following(job))
    return _video_done(stored, job, links)


def _video_done(stored: StoredResponse, job: VideoJob, links: MediaLinks) -> Iterator[Event]:
    """Yield the end of the progress, then the message with the link."""
    whole = write.with_video(stored, job, links)
    yield from _told(whole.output[0], "".join(write.progress(progress_event) for progress_event in job.history))
    yield from _message(stored, video_content(job, links, Markup.MARKDOWN), 1)
    yield Event(type="response.completed", response=whole)


def _message(
    stored: StoredResponse, text: str, index: int, annotations: tuple[UrlCitation, ...] = ()
) -> Iterator[Event]:
    """Yield the events of a message at an index of the output. A message without a text has no delta."""
    place = write.message(stored, None)
    at_text = Event(type="", output_index=index, item_id=place.id, content_index=0)
    yield Event(type="response.output_item.added", output_index=index, item=place)
    yield msgspec.structs.replace(at_text, type="response.content_part.added", part=OutputText(text=""))
    if text:
        yield msgspec.structs.replace(at_text, type="response.output_text.delta", delta=text, logprobs=())
    for number, annotation in enumerate(annotations):
        yield msgspec.structs.replace(
            at_text,
            type="response.output_text.annotation.added",
            annotation=annotation,
            annotation_index=number,
        )
    part = OutputText(text=text, annotations=annotations)
    yield msgspec.structs.replace(at_text, type="response.output_text.done", text=text, logprobs=())
    yield msgspec.structs.replace(at_text, type="response.content_part.done", part=part)
    yield Event(type="response.output_item.done", output_index=index, item=write.message(stored, text, annotations))


def _told(item: OutputItem, text: str) -> Iterator[Event]:
    at_summary = Event(type="", output_index=0, item_id=item.id, summary_index=0)
    yield msgspec.structs.replace(at_summary, type="response.reasoning_summary_text.done", text=text)
    yield msgspec.structs.replace(at_summary, type="response.reasoning_summary_part.done", part=SummaryText(text=text))
    yield Event(type="response.output_item.done", output_index=0, item=item)
