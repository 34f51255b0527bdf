"""A server that is told to stop while much is going on: nobody is cut off, and nothing is lost."""

import asyncio
import socket
import time
from contextlib import closing
from pathlib import Path

import httpx

from adapter.database.engine import open_database
from adapter.domain.job import JobState
from adapter.jobs.store import SqlJobStore
from tests.journeys.server import KEY, START_SECONDS, Server
from tests.postgres import BOTH_ENGINES
from tests.support import WITHOUT_TLS

STREAMS, VIDEOS = 50, 20
HEADERS = {"authorization": f"Bearer {KEY}"}
#: A request whose body is not there yet when the server is told to stop.
HEAD = (
    f"POST /v1/images/generations HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {KEY}\r\n"
    "Content-Type: application/json\r\nContent-Length: 16\r\nExpect: 100-continue\r\n\r\n"
).encode()
BODY = b'{"prompt":"fox"}'


def body(prompt: str, *, stream: bool = True) -> dict[str, object]:
    """Return a request for a video."""
    return {"model": "veo-3.1-fast", "stream": stream, "messages": [{"role": "user", "content": prompt}]}


async def streamed(http: httpx.AsyncClient, server: Server, prompt: str, opened: asyncio.Semaphore) -> str:
    """Read a stream to its end, which has to be a clean one: else this raises."""
    async with http.stream("POST", f"{server.url}/v1/chat/completions", json=body(prompt)) as reply:
        text = ""
        async for line in reply.aiter_lines():
            text += f"{line}\n"
            if line.startswith("data: ") and "Making the video" in line:
                opened.release()
        return text


async def remembered(url: str) -> dict[str, JobState]:
    """Return where the job behind each prompt stands."""
    database = await open_database(url)
    jobs = await SqlJobStore(database).recent(100)
    await database.dispose()
    return {job.order.prompt: job.state for job in jobs}


@BOTH_ENGINES
async def test_a_server_with_streams_jobs_and_a_submission_stops_in_order(tmp_path: Path, database_url: str) -> None:
    """Streams end at once and say why; the submission is recorded; new work is refused; the rest goes on later."""
    server = Server(tmp_path, active_seconds=300.0, database=database_url)
    await asyncio.to_thread(server.start)
    server.fault(on="flow.submit", do="delay", seconds=2.0, after=True, prompt="slow")
    opened = asyncio.Semaphore(0)
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(verify=WITHOUT_TLS, headers=HEADERS, timeout=START_SECONDS, limits=limits) as http:
        streams = [
            asyncio.create_task(streamed(http, server, f"waves {number % VIDEOS}", opened)) for number in range(STREAMS)
        ]
        async with asyncio.timeout(START_SECONDS):
            for _ in streams:
                await opened.acquire()
        slow = asyncio.create_task(http.post(f"{server.url}/v1/chat/completions", json=body("slow", stream=False)))
        async with asyncio.timeout(START_SECONDS):
            while not await asyncio.to_thread(server.executed, "slow"):
                await asyncio.sleep(0.01)
        with closing(socket.create_connection(("127.0.0.1", server.port), timeout=START_SECONDS)) as late:
            late.sendall(HEAD)
            assert b"100 Continue" in await asyncio.to_thread(late.recv, 65536)  # it is being read
            server.ask_to_stop()
            told = time.monotonic()
            texts = await asyncio.gather(*streams)
            streams_ended = time.monotonic() - told
            late.sendall(BODY)
            refused = b"".join(iter(lambda: late.recv(65536), b"")).decode().lower()
        unfinished = await slow
        status = await asyncio.to_thread(server.end)
    ended = time.monotonic() - told
    print(f"streams ended after {streams_ended:.2f} s, the process after {ended:.2f} s")
    states = await remembered(database_url)

    assert status == 0
    assert all("server_draining" in text and text.endswith("data: [DONE]\n\n") for text in texts)
    assert (unfinished.status_code, unfinished.json()["error"]["code"]) == (503, "server_draining")
    assert (unfinished.headers["x-should-retry"], unfinished.headers["retry-after"]) == ("true", "2")
    assert refused.startswith("http/1.1 503 ")
    for header in ("connection: close", "x-should-retry: true", "retry-after: 2"):
        assert f"\r\n{header}\r\n" in refused
    assert len(states) == VIDEOS + 1
    assert set(states.values()) == {JobState.SUBMITTED}
    assert "request.crashed" not in server.log
    assert "Traceback" not in server.log
