"""A video in a chat: what streams, what is handed over, and what survives."""

import re
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path

import httpx
import msgspec
import openai
import pytest
from openai.types.chat import ChatCompletionChunk
from PIL import Image as Pillow

from tests.journeys.movie import Movie, read_movie
from tests.journeys.server import KEY, Address, Connect, Server
from tests.postgres import PASSWORD

MODEL = "veo-3.1-fast"
CONTENT = re.compile(
    r"\[!\[Video preview\]\((http[^\s)]+\.jpg)\)\]\((http[^\s)]+\.mp4)\)\n\n\[Download video\]\(\2\?download=1\)"
)


def streamed(client: openai.OpenAI, prompt: str, model: str = MODEL) -> list[ChatCompletionChunk]:
    """Return every chunk of a streamed chat."""
    return list(
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": prompt}], stream=True)
    )


def content(chunks: list[ChatCompletionChunk]) -> str:
    """Return what a chat window would show."""
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def links(text: str) -> tuple[str, str]:
    """Return the poster's and the video's address."""
    match = CONTENT.fullmatch(text)
    assert match is not None, text
    return match[1], match[2]


def movie(http: httpx.Client, url: str) -> Movie:
    """Fetch and decode a video."""
    return read_movie(http.get(url).content)


def raw_stream(http: httpx.Client, server: Address, prompt: str) -> AbstractContextManager[httpx.Response]:
    """Open a stream without an SDK, to see its bytes or to hang up."""
    return http.stream(
        "POST",
        f"{server.url}/v1/chat/completions",
        json={"model": MODEL, "stream": True, "messages": [{"role": "user", "content": prompt}]},
        headers={"authorization": f"Bearer {KEY}"},
        timeout=60,
    )


@pytest.mark.parametrize(
    ("model", "size"), [(MODEL, (320, 180)), (f"{MODEL}-portrait", (180, 320)), ("sora-2", (320, 180))]
)
def test_a_streamed_chat_ends_in_a_playable_video(
    http: httpx.Client, client: openai.OpenAI, prompt: str, model: str, size: tuple[int, int]
) -> None:
    """H.264, eight seconds, the right orientation, moving, with a poster of the same shape."""
    poster, video = links(content(streamed(client, prompt, model)))
    made = movie(http, video)

    assert (made.codec, made.size) == ("h264", size)
    assert made.seconds == pytest.approx(8.0, abs=0.2)
    assert made.moves
    assert Pillow.open(BytesIO(http.get(poster).content)).size == size


def test_the_chunks_come_in_order(client: openai.OpenAI, prompt: str) -> None:
    """Role, progress, content, end; one id and one choice throughout."""
    chunks = streamed(client, prompt)
    deltas = [chunk.choices[0].delta for chunk in chunks]
    progress = [delta.model_dump().get("reasoning_content") for delta in deltas[1:-2]]

    assert (deltas[0].role, deltas[0].content) == ("assistant", "")
    assert len(progress) >= 3
    assert all(isinstance(line, str) and line.endswith("\n") for line in progress)
    assert CONTENT.fullmatch(deltas[-2].content or "")
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert {len(chunk.choices) for chunk in chunks} == {1}


def test_percentages_never_fall(client: openai.OpenAI, prompt: str) -> None:
    """Somebody is watching."""
    text = "".join(
        str(chunk.choices[0].delta.model_dump().get("reasoning_content")) for chunk in streamed(client, prompt)
    )
    numbers = [int(number) for number in re.findall(r"(\d+) %", text)]

    assert numbers
    assert numbers == sorted(numbers)


def test_the_helper_of_the_sdk_reads_the_stream(client: openai.OpenAI, prompt: str) -> None:
    """It throws on a second id, a missing role or finish reason."""
    if not hasattr(client.chat.completions, "stream"):
        pytest.skip("this version of the client has no chat.completions.stream")
    with client.chat.completions.stream(model=MODEL, messages=[{"role": "user", "content": prompt}]) as stream:
        final = stream.get_final_completion()

    assert CONTENT.fullmatch(final.choices[0].message.content or "")


def test_usage_is_there_when_asked_for(client: openai.OpenAI, prompt: str) -> None:
    """In a last chunk without choices."""
    chunks = list(
        client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": prompt}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_a_chat_without_a_stream_answers_the_same_in_one_piece(
    http: httpx.Client, client: openai.OpenAI, prompt: str
) -> None:
    """The same content, when it is there."""
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": prompt}])

    assert answer.choices[0].finish_reason == "stop"
    assert movie(http, links(answer.choices[0].message.content or "")[1]).codec == "h264"


def test_the_bytes_of_a_stream_are_what_both_sdks_can_read(http: httpx.Client, server: Server, prompt: str) -> None:
    """Headers against buffering, only data lines and comments, a comment in silence, `[DONE]` at the end."""
    with raw_stream(http, server, prompt) as reply:
        text = reply.read().decode()

    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.headers["x-accel-buffering"] == "no"
    assert reply.headers["x-video-id"].startswith("video_")
    blocks = text.split("\n\n")
    assert blocks[-2:] == ["data: [DONE]", ""]
    assert all(re.fullmatch(r"(: [^\n]+\n)*data: [^\n]+", block) for block in blocks[:-1])
    assert "\n: still working\n" in text


def test_a_video_can_be_played_from_the_middle(http: httpx.Client, client: openai.OpenAI, prompt: str) -> None:
    """Range, HEAD and a tag, as players and caches want them."""
    _, video = links(content(streamed(client, prompt)))
    whole = http.get(video).content
    head = http.head(video)
    part = http.get(video, headers={"range": "bytes=1000-1999"})
    tail = http.get(video, headers={"range": "bytes=-10"})
    unchanged = http.get(video, headers={"if-none-match": head.headers["etag"]})

    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(whole)), b"")
    assert head.headers["content-type"] == "video/mp4"
    assert (part.status_code, part.content) == (206, whole[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(whole)}"
    assert tail.content == whole[-10:]
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert http.get(video, headers={"range": f"bytes={len(whole)}-"}).status_code == 416


def test_hanging_up_does_not_stop_the_job(
    http: httpx.Client, server: Server, client: openai.OpenAI, prompt: str
) -> None:
    """Who comes back and asks for the same thing gets the video that is being made; it is paid for once."""
    with raw_stream(http, server, prompt) as reply:
        next(reply.iter_lines())
    answer = content(streamed(client, prompt))

    assert movie(http, links(answer)[1]).codec == "h264"
    assert server.executed(prompt) == 1


def test_a_client_that_gives_up_waiting_and_retries_pays_once(server: Server, connect: Connect, prompt: str) -> None:
    """The SDK's own time-out and retries, without a stream: the answer goes to whoever is there when it is ready."""
    with connect(server, max_retries=5, timeout=0.4) as client:
        answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": prompt}])

    assert CONTENT.fullmatch(answer.choices[0].message.content or "")
    assert server.executed(prompt) == 1


def test_hanging_up_without_a_stream_loses_nothing(
    http: httpx.Client, server: Server, client: openai.OpenAI, prompt: str
) -> None:
    """The video that nobody took answers the next request."""
    with pytest.raises(httpx.ReadTimeout):
        http.post(
            f"{server.url}/v1/chat/completions",
            json={"model": MODEL, "messages": [{"role": "user", "content": prompt}]},
            headers={"authorization": f"Bearer {KEY}"},
            timeout=0.3,
        )
    for _ in range(60):
        if "completed" in server.command("jobs", "list", "--limit", "1"):
            break
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": prompt}])

    assert CONTENT.fullmatch(answer.choices[0].message.content or "")
    assert server.executed(prompt) == 1


def test_asking_again_after_it_was_handed_over_makes_a_new_video(
    server: Server, client: openai.OpenAI, prompt: str
) -> None:
    """Regenerate means regenerate."""
    first, second = (links(content(streamed(client, prompt)))[1] for _ in range(2))

    assert first != second
    assert server.executed(prompt) == 2


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_closes_right_after_the_answer_has_taken_it(
    http: httpx.Client, server: Server, prompt: str, *, stream: bool
) -> None:
    """As curl does: each of its answers was handed over, so each request is a new video."""
    body = {"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": prompt}]}
    for _ in range(3):
        http.post(
            f"{server.url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {KEY}"}, timeout=30
        ).raise_for_status()

    assert server.executed(prompt) == 3


def test_two_keys_do_not_share_a_job(http: httpx.Client, server: Server, connect: Connect, prompt: str) -> None:
    """The same prompt of another owner is another video."""
    with raw_stream(http, server, prompt) as reply:
        next(reply.iter_lines())
        with connect(server, api_key="sk-second") as second:
            links(content(streamed(second, prompt)))

    assert server.executed(prompt) == 2


@pytest.mark.parametrize(
    ("how", "database_url"),
    [("kill", "sqlite"), ("stop", "sqlite"), ("kill", "postgresql")],
    indirect=["database_url"],
)
def test_a_restart_in_the_middle_of_a_job_ends_in_the_finished_video(
    http: httpx.Client, connect: Connect, tmp_path: Path, prompt: str, how: str, database_url: str
) -> None:
    """Killed or stopped: the next process finds the job, and asking again ends in the video, paid for once."""
    server = Server(tmp_path, active_seconds=2.0, database=database_url)
    server.start()
    with raw_stream(http, server, prompt) as reply:
        lines = reply.iter_lines()
        while "Making the video" not in next(lines):
            pass
        if how == "stop":
            assert server.stop() == 0
            rest = "\n".join(lines)
            assert "server_draining" in rest
            assert rest.rstrip().endswith("data: [DONE]")
        else:
            server.kill()
    server.start()
    with connect(server) as client:
        answer = content(streamed(client, prompt))
    executions = server.executed(prompt)
    server.stop()

    assert CONTENT.fullmatch(answer)
    assert executions == 1
    assert PASSWORD not in server.log


def test_a_declined_prompt_is_a_400_before_any_stream_begins(client: openai.OpenAI, prompt: str) -> None:
    """Google's reason is passed on."""
    with pytest.raises(openai.BadRequestError, match="PUBLIC_ERROR_UNSAFE_GENERATION") as caught:
        streamed(client, f"{prompt} [unsafe]")

    assert caught.value.code == "moderation_blocked"


def test_a_video_that_fails_upstream_is_told_inside_the_stream(client: openai.OpenAI, prompt: str) -> None:
    """Readable for a person, and an exception for a program."""
    seen: list[ChatCompletionChunk] = []
    stream = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": f"{prompt} [fails]"}], stream=True
    )
    with pytest.raises(openai.APIError, match="PUBLIC_ERROR_VIDEO_GENERATION_TIMED_OUT"):
        seen.extend(stream)

    assert "could not make the video" in content(seen)


def test_a_video_that_fails_upstream_is_an_error_without_a_stream(client: openai.OpenAI, prompt: str) -> None:
    """The money is spent, so the SDK is told not to try again."""
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": f"{prompt} [fails]"}])

    assert (caught.value.code, caught.value.response.headers["x-should-retry"]) == ("video_generation_failed", "false")


@pytest.mark.parametrize(
    "fault", [{"do": "drop"}, {"do": "truncate"}, {"do": "html", "status": 502}, {"do": "garbage"}]
)
def test_an_ambiguous_submission_is_paid_for_at_most_once(
    server: Server, connect: Connect, prompt: str, fault: dict[str, object]
) -> None:
    """Executed, then cut: even a client that retries by itself causes no second execution."""
    server.fault(on="flow.submit", after=True, prompt=prompt, **fault)
    with connect(server, max_retries=2) as client, pytest.raises(openai.APIError) as caught:
        streamed(client, prompt)

    assert caught.value.code == "upstream_submit_unknown"
    assert server.executed(prompt) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "error", "status": 500},
        {"do": "error", "status": 400},
        {"do": "error", "status": 429},
        {"do": "html", "status": 502},
        {"do": "garbage"},
        {"do": "drop"},
        {"do": "omit"},
        {"do": "no_media"},
        {"do": "flat"},
        {"do": "nested"},
        {"do": "list"},
        {"do": "object"},
    ],
)
def test_whatever_the_status_call_answers_the_paid_video_arrives(
    server: Server, client: openai.OpenAI, prompt: str, fault: dict[str, object]
) -> None:
    """Missed polls and every shape of the answer."""
    server.fault(on="flow.poll", times=2, skip=2, **fault)
    answer = content(streamed(client, prompt))
    server.heal()

    assert CONTENT.fullmatch(answer)
    assert server.executed(prompt) == 1


@pytest.mark.parametrize(
    "fault", [{"do": "truncate"}, {"do": "drop"}, {"do": "error", "status": 503}, {"do": "error", "status": 403}]
)
def test_a_download_that_breaks_is_repeated(
    http: httpx.Client, server: Server, client: openai.OpenAI, prompt: str, fault: dict[str, object]
) -> None:
    """A cut file is never handed out; an expired link is asked for again."""
    server.fault(on="media.get", times=1, **fault)
    _, video = links(content(streamed(client, prompt)))

    assert movie(http, video).moves
    assert server.executed(prompt) == 1


def test_a_job_and_its_request_each_leave_one_line_without_the_prompt(
    http: httpx.Client, server: Server, client: openai.OpenAI, prompt: str
) -> None:
    """The operator sees what happened, and no secret and no wish."""
    answer = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=[{"role": "user", "content": prompt}]
    )
    request_id = answer.headers["x-request-id"]
    for _ in range(200):
        if f'"event": "request.finished", "request_id": "{request_id}"' in server.log:
            break
        http.get(f"{server.url}/health")  # the line is written after the answer was sent
    lines = [msgspec.json.decode(line) for line in server.log.splitlines() if line.startswith("{")]
    [job] = [
        line for line in lines if line["event"] == "job.finished" and line["job_id"] == answer.headers["x-video-id"]
    ]
    [request] = [line for line in lines if line["event"] == "request.finished" and line["request_id"] == request_id]

    assert {"model", "account", "operation", "state", "seconds", "bytes"} <= set(job)
    assert job["cost"] == "20 credits"
    assert {"method", "path", "status", "milliseconds", "bytes"} <= set(request)
    for secret in (prompt, KEY, "AIza-sandbox", "sandbox-flow-token", "Signature="):
        assert secret not in str(lines)
