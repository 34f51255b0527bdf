"""Translates a video job or pictures to a chat completion, in chunks or whole."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from adapter.domain.grounding import WebSource, all_sources
from adapter.domain.job import JobState, StoredVideo, VideoJob
from adapter.domain.markup import Markup
from adapter.domain.media import Image
from adapter.domain.media_links import MediaLinks
from adapter.domain.prices import total_cost
from adapter.domain.usage import Usage
from adapter.errors import OwnFault
from adapter.openai_api.wire.chat import (
    AnswerImage,
    AnswerImageUrl,
    AnswerMessage,
    ChatChunk,
    ChatCompletion,
    ChatUsage,
    Choice,
    ChunkChoice,
    Delta,
)
from adapter.openai_api.write.costs import in_credits, in_dollars
from adapter.openai_api.write.images import total
from adapter.openai_api.write.sources import with_sources


class ChatHeading(msgspec.Struct, frozen=True, kw_only=True):
    """What stays the same in all pieces of one answer."""

    id: str
    created: int
    model: str
    #: Whether `stream_options.include_usage` was asked for.
    usage: bool = False
    #: How a video is shown in it.
    markup: Markup = Markup.MARKDOWN
    #: Whether a failure inside the stream is also written as text.
    failure_in_words: bool = True


class ChatContent(msgspec.Struct, frozen=True, kw_only=True):
    """The content of an answer: a text, and pictures beside it if they are not linked in it."""

    content: str
    images: tuple[AnswerImage, ...] = ()
    usage: ChatUsage = ChatUsage()


def completion(answer: ChatHeading, told: ChatContent) -> ChatCompletion:
    """Return the whole answer."""
    message = AnswerMessage(content=told.content, images=told.images or UNSET)
    choices = (Choice(message=message),)
    return ChatCompletion(id=answer.id, created=answer.created, model=answer.model, choices=choices, usage=told.usage)


def role_chunk(answer: ChatHeading) -> ChatChunk:
    """Return the first chunk; Node's helper throws without a role in it."""
    return _chunk(answer, Delta(role="assistant", content=""))


def progress_chunk(answer: ChatHeading, line: str) -> ChatChunk:
    """Return a line of progress."""
    return _chunk(answer, Delta(reasoning_content=f"{line}\n"))


def content_chunk(answer: ChatHeading, content: str) -> ChatChunk:
    """Return a chunk with the content."""
    return _chunk(answer, Delta(content=content))


def whole_chunk(answer: ChatHeading, told: ChatContent) -> ChatChunk:
    """Return one chunk with all pictures: helpers join or overwrite single ones (`openai.md` section 6)."""
    return _chunk(answer, Delta(content=told.content or UNSET, images=told.images or UNSET))


def last_chunks(answer: ChatHeading, usage: ChatUsage) -> list[ChatChunk]:
    """Return the last chunks: the finish reason, then the usage if it was requested."""
    end = [_chunk(answer, Delta(), finished=True)]
    if answer.usage:
        end.append(msgspec.structs.replace(end[0], choices=(), usage=usage))
    return end


def _chunk(answer: ChatHeading, delta: Delta, *, finished: bool = False) -> ChatChunk:
    return ChatChunk(
        id=answer.id,
        created=answer.created,
        model=answer.model,
        choices=(ChunkChoice(delta=delta, finish_reason="stop" if finished else None),),
        usage=None if answer.usage else UNSET,
    )


def progress_line(job: VideoJob, now: float) -> str:
    """Return a line about the state of a job. The percentage is an estimate from earlier videos of the same model."""
    elapsed = job.elapsed(now)
    match job.state:
        case JobState.ACCEPTED | JobState.SUBMITTING:
            return f"Sending the prompt to the video model{_so_far(elapsed)}."
        case JobState.AMBIGUOUS:
            return "The video model did not answer; finding out whether it took the prompt."
        case JobState.SUBMITTED:
            left = job.expected_seconds - elapsed
            rest = f"about {_duration(left)} left" if left >= 1 else "any moment now"
            return f"Making the video: {job.progress} %, {_duration(elapsed)} so far, {rest}."
        case JobState.READY:
            return f"The video is made; fetching it, {_duration(elapsed)} so far."
        case JobState.COMPLETED:
            return f"Done after {_duration(elapsed)}."
        case JobState.FAILED:
            return "The video could not be made."


def video_shown(media: StoredVideo, links: MediaLinks, markup: Markup) -> str:
    """Return the markup of a video for a chat window, and a link that saves it (`frontends.md` R8).

    The poster is a link that ends in `.mp4`. NextChat makes a player of each such link, so there is only one: the link
    below it saves the file and ends otherwise. Open WebUI takes what stands between the tags for the
    address, LobeChat drops an attribute without a value, and Cherry Studio shows the tag inside of another one only
    (the same page, section 1). Without a width SillyTavern cuts off what is wider than a message (tests/e2e).
    """
    link = links.link(media.video)
    download = f"[Download video]({links.download_link(media.video)})"
    player = f'<video src="{link}" controls="controls" width="100%">'
    match markup:
        case Markup.HTML:
            return f"{player}\n{link}\n</video>\n\n{download}"
        case Markup.DIV:
            return f"<div>{player}</video></div>\n\n{download}"
        case _ if media.poster is None:
            return f"[Open video]({link})\n\n{download}"
        case _:
            return f"[![Video preview]({links.link(media.poster)})]({link})\n\n{download}"


def video_content(job: VideoJob, links: MediaLinks, markup: Markup) -> str:
    """Return the content for a finished job, the same in a stream and in a whole answer.

    Raises:
        JobFailed: the job failed.
    """
    if job.failure is not None:
        raise job.failure.as_fault()
    if job.media is None:
        raise OwnFault("The video is finished and has no file.")
    return video_shown(job.media, links, markup)


def _duration(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def picture_line(elapsed: float) -> str:
    """Return a line that pictures are being made. Google reports no progress for pictures."""
    return f"Making the picture{_so_far(elapsed)}."


def _so_far(elapsed: float) -> str:
    return f": {_duration(elapsed)} so far" if elapsed >= 1 else ""


def linked(images: Sequence[Image], links: Sequence[str]) -> ChatContent:
    """Show pictures by links in the text: the form that most front-ends show (`frontends.md` section 1)."""
    shown = "\n\n".join(f"![image]({link})" for link in links)
    return ChatContent(content=with_sources(shown, _sources(images)), usage=_usage(images))


def enclosed(images: Sequence[Image]) -> ChatContent:
    """Show pictures beside the text, as data: URLs."""
    return ChatContent(
        content=with_sources("", _sources(images)),
        images=tuple(
            AnswerImage(image_url=AnswerImageUrl(url=_data_url(image)), index=at) for at, image in enumerate(images)
        ),
        usage=_usage(images),
    )


def _sources(images: Sequence[Image]) -> tuple[WebSource, ...]:
    return all_sources(image.grounding for image in images)


def _data_url(image: Image) -> msgspec.Raw:
    return msgspec.Raw(b"".join((b'"data:', image.format.mime.encode(), b";base64,", memoryview(image.base64)[1:])))


def _usage(images: Sequence[Image]) -> ChatUsage:
    spent, cost = total(images) or Usage(), total_cost(images)
    return ChatUsage(
        prompt_tokens=spent.input,
        completion_tokens=spent.output,
        total_tokens=spent.total,
        cost=in_dollars(cost),
        credits=in_credits(cost),
    )


def video_usage(job: VideoJob) -> ChatUsage:
    """Return what a video cost. Tokens are not counted."""
    return ChatUsage(cost=in_dollars(job.cost), credits=in_credits(job.cost))
