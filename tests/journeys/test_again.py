"""Posted again, reloaded, regenerated: the same on the wire, told apart by what became of the first (`frontends.md`).

The requests are LibreChat's, whose retries all say that they are the first.
"""

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager

import httpx

from tests.journeys.server import KEY, Server, wait_until

HEADERS = {
    "authorization": f"Bearer {KEY}",
    "user-agent": "langchainjs-openai/1.0.0",
    "x-stainless-lang": "js",
    "x-stainless-retry-count": "0",
}
LINK = re.compile(r"\((http[^\s)]+\.mp4)\)")


def posted(http: httpx.Client, server: Server, prompt: str) -> AbstractContextManager[httpx.Response]:
    """Post a chat's turn as LibreChat does."""
    said = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "What shall I film?"},
        {"role": "user", "content": prompt},
    ]
    body = {"model": "veo-3.1-fast", "user": "6650f0", "stream": True, "messages": said}
    return http.stream("POST", f"{server.url}/v1/chat/completions", json=body, headers=HEADERS, timeout=60)


def link(lines: Iterator[str]) -> str:
    """Read a stream to its end and return the video that it shows."""
    events = [line.removeprefix("data: ") for line in lines if line.startswith("data: {")]
    [found] = LINK.findall("".join(json.loads(event)["choices"][0]["delta"].get("content") or "" for event in events))
    return str(found)


def until_it_is_made(lines: Iterator[str]) -> None:
    """Read a stream until the video is under way."""
    next(line for line in lines if "Making the video" in line)


def test_two_tabs_with_the_same_words_show_a_video_each(http: httpx.Client, server: Server, prompt: str) -> None:
    """Both listen, so both want one."""
    with posted(http, server, prompt) as first, posted(http, server, prompt) as second:
        shown = {link(first.iter_lines()), link(second.iter_lines())}
    assert len(shown) == 2
    assert server.executed(prompt) == 2


def test_a_post_that_comes_again_after_the_first_was_stopped_joins_it(
    http: httpx.Client, server: Server, prompt: str
) -> None:
    """The rest of the progress and the video, paid for once; regenerating then makes a new one."""
    with posted(http, server, prompt) as stopped:
        until_it_is_made(stopped.iter_lines())
        job = stopped.headers["x-video-id"]
    with posted(http, server, prompt) as again:
        assert again.headers["x-video-id"] == job
        shown = link(again.iter_lines())
    assert server.executed(prompt) == 1

    with posted(http, server, prompt) as regenerated:
        assert link(regenerated.iter_lines()) != shown
    assert server.executed(prompt) == 2


def test_a_closed_page_finds_its_video_and_regenerates_afterwards(
    http: httpx.Client, server: Server, prompt: str
) -> None:
    """No client was given the first one, so the next request is; the one after that is paid for."""
    with posted(http, server, prompt) as closed:
        until_it_is_made(closed.iter_lines())
        job = closed.headers["x-video-id"]
    wait_until(lambda: job in finished(server), "the video was not finished")

    with posted(http, server, prompt) as reloaded:
        assert reloaded.headers["x-video-id"] == job
        kept = link(reloaded.iter_lines())
    assert server.executed(prompt) == 1
    with posted(http, server, prompt) as regenerated:
        assert link(regenerated.iter_lines()) != kept
    assert server.executed(prompt) == 2


def finished(server: Server) -> str:
    """Return the lines of the log that tell of finished jobs."""
    return "\n".join(line for line in server.log.splitlines() if "job.finished" in line)
