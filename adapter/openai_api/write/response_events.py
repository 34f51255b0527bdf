"""Replies into the events of a stream, in the order that all clients read (reference: `openai.md` section 7).

Which events a reply has, and so their numbers, depends on nothing but the reply: a stream can be told again from any of
them.
"""

from collections.abc import Iterable, Iterator

import msgspec

from adapter.domain.job import Moment, VideoJob
from adapter.domain.markup import Markup
from adapter.domain.media import Image
from adapter.domain.replies import Reply, ReplyStatus
from adapter.errors import AdapterError
from adapter.openai_api.wire.responses import Event, OutputItem, OutputText, StreamError, SummaryText
from adapter.openai_api.write import responses as write
from adapter.openai_api.write.chat import video_content
from adapter.openai_api.write.errors import error_body


class Numbering:
    """Numbers the events of one stream, and leaves out those that its reader has."""

    def __init__(self, starting_after: int = -1) -> None:
        self._next = 0
        self._after = starting_after

    def number(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield the next events that are to be sent."""
        for event in events:
            number, self._next = self._next, self._next + 1
            if number > self._after:
                yield msgspec.structs.replace(event, sequence_number=number)

    def error(self, fault: AdapterError) -> StreamError:
        """Return the end of a stream that cannot go on."""
        return StreamError(error=error_body(fault).error, sequence_number=self._next)


def opening(reply: Reply) -> Iterator[Event]:
    """Begin any response; one in the background is queued first."""
    if reply.background:
        queued = write.response(_live(reply, ReplyStatus.QUEUED))
        yield Event(type="response.created", response=queued)
        yield Event(type="response.queued", response=queued)
    else:
        yield Event(type="response.created", response=write.response(_live(reply, ReplyStatus.IN_PROGRESS)))
    yield Event(type="response.in_progress", response=write.response(_live(reply, ReplyStatus.IN_PROGRESS)))


def _live(reply: Reply, status: ReplyStatus) -> Reply:
    return msgspec.structs.replace(reply, status=status, failure=None, finished_at=None)


def ending(reply: Reply) -> Iterator[Event]:
    """End a response that has nothing to show."""
    yield Event(type="response.failed", response=write.response(reply))


def picture_begun(reply: Reply) -> Iterator[Event]:
    """Say that a picture is being drawn."""
    place = write.picture_to_come(reply)
    yield Event(type="response.output_item.added", output_index=0, item=place)
    for step in ("in_progress", "generating"):
        yield Event(type=f"response.image_generation_call.{step}", output_index=0, item_id=place.id)


def picture_done(reply: Reply, image: Image) -> Iterator[Event]:
    """Hand a picture over, and the message behind it."""
    whole = write.with_picture(reply, image)
    item = whole.output[0]
    yield Event(type="response.image_generation_call.completed", output_index=0, item_id=item.id)
    yield Event(type="response.output_item.done", output_index=0, item=item)
    yield from _message(reply, write.words(reply), 1)
    yield Event(type="response.completed", response=whole)


def text_only(reply: Reply) -> Iterator[Event]:
    """Send a message alone."""
    yield from _message(reply, write.words(reply), 0)
    yield Event(type="response.completed", response=write.with_picture(reply, None))


def video_begun(reply: Reply) -> Iterator[Event]:
    """Say that it will be told how a video comes along."""
    item = write.reasoning(reply, "", "in_progress")
    yield Event(type="response.output_item.added", output_index=0, item=item)
    yield Event(
        type="response.reasoning_summary_part.added",
        output_index=0,
        item_id=item.id,
        summary_index=0,
        part=SummaryText(text=""),
    )


def video_moved(reply: Reply, moments: Iterable[Moment]) -> Iterator[Event]:
    """Tell how a video comes along."""
    item_id = write.reasoning(reply, "", "in_progress").id
    for moment in moments:
        yield Event(
            type="response.reasoning_summary_text.delta",
            output_index=0,
            item_id=item_id,
            summary_index=0,
            delta=write.progress(moment),
        )


def video_end(reply: Reply, job: VideoJob, public_url: str) -> Iterator[Event]:
    """Hand a video over, or say why there is none."""
    if job.failure is not None:
        return ending(reply.following(job))
    return _video_done(reply, job, public_url)


def _video_done(reply: Reply, job: VideoJob, public_url: str) -> Iterator[Event]:
    """End the telling, then send the message with the link."""
    whole = write.with_video(reply, job, public_url)
    yield from _told(whole.output[0], "".join(write.progress(moment) for moment in job.history))
    yield from _message(reply, video_content(job, public_url, Markup.MARKDOWN), 1)
    yield Event(type="response.completed", response=whole)


def _message(reply: Reply, text: str, index: int) -> Iterator[Event]:
    """Send a message at a place of the output. One without a text has no delta."""
    place = write.message(reply, None)
    at_text = Event(type="", output_index=index, item_id=place.id, content_index=0)
    yield Event(type="response.output_item.added", output_index=index, item=place)
    yield msgspec.structs.replace(at_text, type="response.content_part.added", part=OutputText(text=""))
    if text:
        yield msgspec.structs.replace(at_text, type="response.output_text.delta", delta=text, logprobs=())
    yield msgspec.structs.replace(at_text, type="response.output_text.done", text=text, logprobs=())
    yield msgspec.structs.replace(at_text, type="response.content_part.done", part=OutputText(text=text))
    yield Event(type="response.output_item.done", output_index=index, item=write.message(reply, text))


def _told(item: OutputItem, text: str) -> Iterator[Event]:
    at_summary = Event(type="", output_index=0, item_id=item.id, summary_index=0)
    yield msgspec.structs.replace(at_summary, type="response.reasoning_summary_text.done", text=text)
    yield msgspec.structs.replace(at_summary, type="response.reasoning_summary_part.done", part=SummaryText(text=text))
    yield Event(type="response.output_item.done", output_index=0, item=item)
