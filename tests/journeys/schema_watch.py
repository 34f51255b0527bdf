"""Every answer that a journey's client gets, held against the contract."""

import zlib
from collections.abc import AsyncIterator, Iterator

import httpx
import httpx2

from tests.journeys.contract import Answer, faults
from tests.journeys.described import undescribed


class Watch:
    """Remembers the answers of one journey.

    They are judged at its end: the clients turn an exception in the middle of an answer into one of their own, and
    some try again.
    """

    def __init__(self) -> None:
        #: Answers that were seen from elsewhere.
        self.answers: list[Answer] = []
        self._responses: list[tuple[httpx.Response | httpx2.Response, Tee | AsyncTee]] = []

    def on_response(self, response: httpx.Response | httpx2.Response) -> None:
        """Remember what will be read of an answer; a hook for clients of both generations."""
        assert isinstance(response.stream, httpx.SyncByteStream | httpx2.SyncByteStream)
        response.stream = Tee(response.stream)
        self._responses.append((response, response.stream))

    async def on_async_response(self, response: httpx.Response | httpx2.Response) -> None:
        """Remember what will be read of an answer that an asynchronous client gets."""
        assert isinstance(response.stream, httpx.AsyncByteStream | httpx2.AsyncByteStream)
        response.stream = AsyncTee(response.stream)
        self._responses.append((response, response.stream))

    def faults(self) -> list[str]:
        """Return what was wrong with the answers, a sentence each."""
        answers = self.answers + [answer(response, tee) for response, tee in self._responses]
        return [fault for each in answers for fault in (*faults(each), *undescribed(each))]


class Tee(httpx.SyncByteStream, httpx2.SyncByteStream):
    """A body that is read by a client and kept."""

    def __init__(self, stream: httpx.SyncByteStream | httpx2.SyncByteStream) -> None:
        self._stream = stream
        self.read: list[bytes] = []
        self.whole = False

    def __iter__(self) -> Iterator[bytes]:
        """Read on."""
        for chunk in self._stream:
            self.read.append(chunk)
            yield chunk
        self.whole = True

    def close(self) -> None:
        """Give the connection back."""
        self._stream.close()


class AsyncTee(httpx.AsyncByteStream, httpx2.AsyncByteStream):
    """The same for an asynchronous client."""

    def __init__(self, stream: httpx.AsyncByteStream | httpx2.AsyncByteStream) -> None:
        self._stream = stream
        self.read: list[bytes] = []
        self.whole = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Read on."""
        async for chunk in self._stream:
            self.read.append(chunk)
            yield chunk
        self.whole = True

    async def aclose(self) -> None:
        """Give the connection back."""
        await self._stream.aclose()


def answer(response: httpx.Response | httpx2.Response, tee: Tee | AsyncTee) -> Answer:
    """Return what came, as far as it was read. A proxy may have compressed it."""
    body = b"".join(tee.read)
    if response.headers.get("content-encoding") == "gzip":
        body = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body)
    return Answer(
        method=response.request.method,
        path=response.request.url.path,
        status=response.status_code,
        content_type=response.headers.get("content-type", ""),
        body=body,
        whole=tee.whole,
    )
