"""The kept connections, on real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

import pytest
from structlog.testing import capture_logs

from adapter.budget import MemoryBudget
from adapter.domain.answer_memory import counted
from adapter.errors import ServerBusy, UpstreamBroken, UpstreamUnreachable
from adapter.providers.dialer import Dialer, Origin
from adapter.providers.http import READERS, Http
from adapter.providers.limits import HttpLimits
from adapter.providers.pool import MAX_CONNECTIONS, Pool
from adapter.providers.session import HttpNetwork
from tests.fakes import FakeClock
from tests.providers.helpers import HEAD, is_silent, raw_server, says, server

MEGABYTE = 1024 * 1024
#: After which uvicorn and Node close an idle connection, sooner than other servers.
SOONEST_SECONDS = 5.0
ANSWER = HEAD + b"content-length: 2\r\n\r\n{}"


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    """The way out, over real sockets."""
    http = Http()
    async with http.open():
        yield http


async def post(http: Http, url: str, body: bytes = b"", seconds: float = 5.0) -> bytes:
    """Send and return the answer's body."""
    return bytes((await http.post(url, headers={"x-key": "k"}, body=body, seconds=seconds)).body)


class Google:
    """Answers requests of one byte; remembers what it was asked, and on which connections."""

    def __init__(self, *, answers: int) -> None:
        self.asked: list[tuple[int, bytes]] = []
        self._answers = answers

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer so many requests of a connection; read one more, and hang up on it."""
        port = writer.get_extra_info("peername")[1]
        for number in range(self._answers + 1):
            self.asked.append((port, await reader.read(1)))
            if number < self._answers:
                writer.write(ANSWER)
                await reader.readuntil(b"\r\n\r\n")

    @property
    def connections(self) -> int:
        """How many were used."""
        return len({port for port, _ in self.asked})


async def test_a_request_on_a_connection_that_breaks_is_not_sent_again(http: Http) -> None:
    """Who sent it decides that; for all that is known here it was executed."""
    google = Google(answers=1)
    async with server(google) as url:
        await post(http, url, b"1")
        with pytest.raises(UpstreamBroken):
            await post(http, url, b"2")

    assert [body for _, body in google.asked] == [b"1", b"2"]
    assert google.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER + ANSWER,
        ANSWER + b"x",
        HEAD + b"content-length: 100000\r\n\r\n" + b" " * 100_001,
        HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + ANSWER,
        HEAD + b"connection: close\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 204 No Content\r\n\r\n{}",
    ],
    ids=["two answers", "a byte more", "a body longer than said", "behind chunks", "close", "HTTP/1.0", "no body"],
)
async def test_what_stands_behind_an_answer_is_not_taken_for_the_next_one(http: Http, answer: bytes) -> None:
    """Such a connection is not used again."""
    ports: list[int] = []

    async def google(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ports.append(writer.get_extra_info("peername")[1])
        writer.write(answer)
        await reader.read()

    async with server(google) as url, asyncio.timeout(10):
        for _ in range(2):
            await post(http, url)

    assert len(set(ports)) == 2


async def test_an_idle_connection_on_which_something_comes_is_closed(http: Http) -> None:
    """It was not asked for, and would be taken for the next answer."""
    go_on, left = asyncio.Event(), asyncio.Event()

    async def google(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ANSWER)
        await go_on.wait()
        writer.write(ANSWER)
        with suppress(ConnectionError):
            await reader.read()
        left.set()

    async with server(google) as url, asyncio.timeout(10):
        await post(http, url)
        go_on.set()
        await left.wait()


async def test_an_idle_connection_is_closed_after_a_while() -> None:
    """Before the server closes it in the moment in which a request is sent."""
    left = asyncio.Event()

    async def google(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ANSWER)
        with suppress(ConnectionError):
            await reader.read()
        left.set()

    hasty = Http(limits=HttpLimits(idle=0.01))
    async with server(google) as url, hasty.open(), asyncio.timeout(10):
        await post(hasty, url)
        await left.wait()

    assert HttpLimits().idle < SOONEST_SECONDS


async def test_a_read_that_finds_its_connection_closed_is_sent_again(http: Http) -> None:
    """It changes nothing, so a second time does no harm."""
    google = Google(answers=1)
    async with server(google) as url:
        await post(http, url, b"1")
        reply = await http.get(url, headers={"x-key": "k"}, body=b"2", seconds=5.0)

    assert bytes(reply.body) == b"{}"
    assert [body for _, body in google.asked] == [b"1", b"2", b"2"]


async def test_who_no_longer_waits_hangs_up(http: Http) -> None:
    """A cancelled call leaves no answer behind that the next one would be given."""
    begun, left = asyncio.Event(), asyncio.Event()

    async def is_slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if begun.is_set():
            writer.write(ANSWER)
            return
        writer.write(HEAD + b"content-length: 2\r\n\r\n{")
        begun.set()
        await reader.read()
        left.set()

    async with server(is_slow) as url, asyncio.timeout(10):
        call = asyncio.create_task(post(http, url))
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await left.wait()

        assert await post(http, url) == b"{}"


async def test_answers_that_come_slowly_keep_no_other_waiting(http: Http) -> None:
    """They are read a few at a time, but a turn is not waited for for ever."""
    dripping = 0
    all_drip = asyncio.Event()

    async def drips_at_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal dripping
        if dripping == READERS:
            writer.write(HEAD + b"content-length: 1000000\r\n\r\n" + b" " * 1_000_000)
            return
        dripping += 1
        writer.write(HEAD + b"content-length: 1000000\r\n\r\n ")
        if dripping == READERS:
            all_drip.set()
        await reader.read()

    async with server(drips_at_first) as url, asyncio.timeout(10):
        slow = [asyncio.create_task(post(http, url)) for _ in range(READERS)]
        await all_drip.wait()

        assert len(await post(http, url)) == 1_000_000
        assert not any(call.done() for call in slow)
        for call in slow:
            call.cancel()
        await asyncio.wait(slow)


@pytest.mark.parametrize("head", [b"content-length: 3000000", b"transfer-encoding: chunked"])
async def test_many_answers_at_once_arrive_whole(http: Http, head: bytes) -> None:
    """Larger than what is taken from a socket before it is their turn."""
    body = bytes(range(250)) * 12_000
    framed = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if b"chunked" in head else body
    async with server(says(HEAD + head + b"\r\n\r\n" + framed)) as url:
        answers = await asyncio.gather(*(post(http, url) for _ in range(3 * READERS)))

    assert all(answer == body for answer in answers)


async def test_an_address_is_sent_as_it_is_written(http: Http) -> None:
    """A key may stand in it."""
    lines: list[bytes] = []

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(await reader.readline())
        writer.write(ANSWER)
        writer.close()

    target = "/v/a%3Ac%7Ed:generate?key=a%2F2%40"
    async with await asyncio.start_server(read, "127.0.0.1", 0) as listening:
        await post(http, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}{target}")

    assert lines == [f"POST {target} HTTP/1.1\r\n".encode()]


WHOLE = HEAD + b"content-length: %d\r\n\r\n%b" % (6 * MEGABYTE, b"1" * 6 * MEGABYTE)
IN_A_CHUNK = HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (6 * MEGABYTE, b"1" * 6 * MEGABYTE)


@pytest.mark.parametrize("answer", [WHOLE, IN_A_CHUNK], ids=["of known length", "of unknown length"])
async def test_memory_for_an_answer_is_reserved_as_it_arrives(http: Http, answer: bytes) -> None:
    """What is larger than expected waits until the memory is there, and is kept until the work is over."""
    clock = FakeClock()
    budget = MemoryBudget(clock, capacity=20 * MEGABYTE, wait_seconds=0.001)
    async with server(says(answer)) as url, AsyncExitStack() as others:
        await others.enter_async_context(budget.reserve(16 * MEGABYTE))
        async with budget.reserve(2 * MEGABYTE) as reservation:
            with counted(reservation, 2 * MEGABYTE):
                reading = asyncio.ensure_future(post(http, url))
            while not clock.alarms:
                await asyncio.sleep(0)
            assert not reading.done()

            await others.aclose()
            assert len(await reading) == 6 * MEGABYTE
            late = asyncio.ensure_future(others.enter_async_context(budget.reserve(9 * MEGABYTE)))
            await asyncio.sleep(0)
            await clock.advance(31)
            with pytest.raises(ServerBusy):
                await late


async def test_a_request_for_which_there_is_no_connection_says_so() -> None:
    """All of them are under way. It was not sent, and the line names no other cause."""
    async with raw_server(is_silent) as port:
        origin = Origin(is_tls=False, host="127.0.0.1", port=port)
        pool = Pool(Dialer(HttpNetwork(), seconds=5.0), connect_seconds=0.01, idle_seconds=4.0)
        lent = [await pool.lend(origin, is_fresh=True) for _ in range(MAX_CONNECTIONS)]
        with capture_logs() as lines, pytest.raises(UpstreamUnreachable) as caught:
            await pool.lend(origin, is_fresh=False)
        for connection in lent:
            pool.take_back(origin, connection, is_fresh=True)

    assert caught.value.cause == "full"
    assert [(line["event"], line["cause"], line["host"]) for line in lines] == [
        ("upstream.unreachable", "full", "127.0.0.1")
    ]
