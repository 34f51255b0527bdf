"""An answer of Google's, its limits, and the faults that can come in its place."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Final, TypeVar

import msgspec

from adapter.domain.answer_memory import add_answer
from adapter.errors import (
    UNREADABLE_JSON,
    AdapterError,
    UnreachableCause,
    UpstreamBroken,
    UpstreamSilent,
    UpstreamUnreachable,
)

_T = TypeVar("_T")


class Reply(msgspec.Struct, frozen=True):
    """What came back, whatever the status."""

    status: int
    body: bytes | bytearray


def deadline(seconds: float) -> "_Deadline":
    """End what takes longer: an upstream that drips a byte now and then is as good as silent.

    Raises:
        UpstreamSilent: it took longer.
    """
    return _Deadline(seconds)


class _Deadline:
    """A class, because each request has one, and a generator costs four times as much."""

    def __init__(self, seconds: float) -> None:
        self._limit = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._limit.__aexit__(kind, error, trace)
        except TimeoutError as late:
            raise silent() from late
        if isinstance(error, TimeoutError):
            raise silent() from error


def is_text(body: bytes | bytearray) -> bool:
    """Say whether a body is UTF-8 to its end. msgspec does not look at the bytes of strings that it skips."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


#: What a client reads about a proxy between the adapter and Google.
PROXY_WORDS: Final[Mapping[str, str]] = {
    "proxy_dns": "the name of the adapter's proxy is not known",
    "proxy_tls": "the certificate of the adapter's proxy is not valid",
    "proxy_away": "there is no connection to the adapter's proxy",
    "proxy_auth": "the adapter's proxy refuses its user or password",
    "proxy_denied": "the adapter's proxy opens no connection to Google",
    "proxy_odd": "the adapter's proxy does not answer as a proxy of its kind",
}


def unreachable(cause: UnreachableCause) -> UpstreamUnreachable:
    """Provably nothing was sent."""
    if words := PROXY_WORDS.get(cause):
        return UpstreamUnreachable(f"Google cannot be reached: {words}. The operator has to look at it.", cause=cause)
    return UpstreamUnreachable("Google cannot be reached from here at the moment.", cause=cause)


def silent() -> UpstreamSilent:
    """It may have been executed."""
    return UpstreamSilent("Google did not answer in time.")


def broken() -> UpstreamBroken:
    """It may have been executed as well."""
    return UpstreamBroken("The connection to Google broke before its answer was complete.")


def too_long(limit: int) -> UpstreamBroken:
    """It is not read to its end."""
    return UpstreamBroken(f"Google's answer is longer than {limit} bytes.")


def decoded(decoder: msgspec.json.Decoder[_T], reply: Reply, fault: Callable[[Reply], AdapterError]) -> _T:
    """Read an answer. `fault` says what any other status than 200 means.

    Raises:
        AdapterError: what `fault` says; UpstreamBroken if a success cannot be read.
    """
    if reply.status != 200:
        raise fault(reply)
    try:
        return decoder.decode(reply.body)
    except UNREADABLE_JSON as error:
        raise UpstreamBroken("Google's answer cannot be read.") from error


async def collect(pieces: AsyncIterator[bytes], limit: int) -> bytes:
    """Return a body as it travels, if it is no longer than `limit` bytes.

    Raises:
        UpstreamBroken: it is longer; the rest is not read.
    """
    collected, size = [], 0
    async for piece in pieces:
        size += len(piece)
        if size > limit:
            raise too_long(limit)
        await add_answer(len(piece))
        collected.append(piece)
    return b"".join(collected)
