"""`POST /v1/chat/completions` with a video model."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec
from litestar import MediaType, post
from litestar.response import Stream

from adapter.domain.job import VideoJob
from adapter.errors import AdapterError
from adapter.openai_api import sse
from adapter.openai_api.read.body import read_json
from adapter.openai_api.read.chat import video_order
from adapter.openai_api.routes.desk import Desk, OwnedRequest
from adapter.openai_api.wire.chat import ChatRequest
from adapter.openai_api.write import chat as write
from adapter.openai_api.write.errors import error_body

#: `no-transform` and `x-accel-buffering` keep proxies from holding the stream back.
STREAM_HEADERS = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}

#: Names the job behind an answer, for the operator's `adapter jobs show`.
VIDEO_ID = "x-video-id"


@post("/chat/completions", status_code=200)
async def complete_chat(request: OwnedRequest, desk: Desk) -> Stream:
    """Make a video from the last message; the provider has taken the job before the first byte goes out."""
    body = read_json(await request.body(), ChatRequest)
    order = video_order(body, desk.catalogue, longest=desk.longest_prompt)
    job = await desk.generation.start_video(order, request.auth)
    usage = bool(body.stream_options and body.stream_options.include_usage)
    answer = write.Answer(
        id=f"chatcmpl-{secrets.token_hex(16)}", created=int(desk.clock.now()), model=order.model, usage=usage
    )
    if body.stream:
        headers = {**STREAM_HEADERS, VIDEO_ID: job.id}
        return Stream(video_stream(desk, job, answer), media_type="text/event-stream", headers=headers)
    content = write.video_content(await desk.generation.finish_video(job), desk.public_url)
    whole = msgspec.json.encode(write.completion(answer, content))
    headers = {VIDEO_ID: job.id, "content-length": str(len(whole))}
    return Stream(handed_over(desk, job, whole), media_type=MediaType.JSON, headers=headers)


async def handed_over(desk: Desk, job: VideoJob, answer: bytes) -> AsyncIterator[bytes]:
    """Send a whole answer and note that it was taken.

    A stream even though it is one piece: the framework ends a stream whose client has hung up, and the client's next
    request then gets the video that is already paid for.
    """
    await asyncio.sleep(0)  # the framework can end only what waits, so it gets its turn before anything is noted
    yield answer
    desk.generation.note_delivery(job.id)


async def video_stream(desk: Desk, job: VideoJob, answer: write.Answer) -> AsyncIterator[bytes]:
    """Tell how a video comes along, then hand it over. What fails from here on is said inside the stream."""
    yield sse.frame(write.role_chunk(answer))
    told = ""
    try:
        async with aclosing(desk.generation.watch_video(job.id)) as states:
            async for seen in states:
                job = seen or job
                line = write.progress_line(job, desk.clock.now())
                if seen is None or line == told:
                    yield sse.comment("still working")
                else:
                    yield sse.frame(write.progress_chunk(answer, line))
                    told = line
        yield sse.frame(write.content_chunk(answer, write.video_content(job, desk.public_url)))
        desk.generation.note_delivery(job.id)
    except AdapterError as fault:
        # Readable for a person, then an error that both SDKs raise (`frontends.md` R7, `openai.md` section 3).
        yield sse.frame(write.content_chunk(answer, fault.message))
        yield sse.frame(error_body(fault))
    else:
        for chunk in write.last_chunks(answer):
            yield sse.frame(chunk)
    yield sse.DONE
