"""Text models of Gemini: requests are passed to Google's own routes, and answers come back byte for byte.

Google has two: one in OpenAI's form and one in its own (reference: `gemini.md` section 3.1).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from adapter.domain.answer_memory import SMALL_ANSWER_BYTES
from adapter.domain.texts import TextMethod, TextReply, TextRequest
from adapter.errors import free_of_charge
from adapter.providers.gemini import translate
from adapter.providers.gemini.credential import keyed, with_key
from adapter.providers.gemini.provider import GeminiEndpoint
from adapter.providers.http import Http, StreamedAnswer
from adapter.providers.keys import Key, Keys
from adapter.providers.reply import Reply, collect, deadline


class TextTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How long a text may take, in seconds. Models that think are silent for minutes."""

    #: Until its answer begins; one that is no stream has to be whole by then.
    begin: float = 600.0
    #: Between two pieces of a stream.
    silence: float = 300.0


class GeminiTexts:
    """Passes requests for texts on (the port `TextProvider`)."""

    def __init__(self, http: Http, endpoint: GeminiEndpoint, keys: Keys, times: TextTimes | None = None) -> None:
        self._http = http
        self._endpoint = endpoint
        self._keys = keys
        self._times = times or TextTimes()
        # Of their own: texts do not queue behind pictures, and do not take all connections.
        self._places = asyncio.Semaphore(endpoint.concurrency)

    @asynccontextmanager
    async def open_text(self, request: TextRequest) -> AsyncIterator[TextReply]:
        """Open the answer to a request (the port of that name)."""
        with free_of_charge():
            async with self._places, AsyncExitStack() as stack:
                if request.is_stream:
                    answer = await self._answer(request, stack)
                    yield TextReply(answer.pieces())
                else:
                    async with deadline(self._times.begin):
                        answer = await self._answer(request, stack)
                        whole = await collect(answer.pieces(), SMALL_ANSWER_BYTES)
                    yield TextReply(_once(whole))

    async def _answer(self, request: TextRequest, stack: AsyncExitStack) -> StreamedAnswer:
        async def ask(key: Key) -> StreamedAnswer:
            return await with_key(self._endpoint.provider, key, lambda secret: self._ask(request, secret, stack))

        return await self._keys.run(request.model, ask)

    async def _ask(self, request: TextRequest, key: str, stack: AsyncExitStack) -> StreamedAnswer:
        url, headers = text_address(self._endpoint, request, key)
        async with AsyncExitStack() as opened:
            answer = await opened.enter_async_context(
                self._http.stream(
                    url, headers=headers, body=request.body, seconds=self._times.begin, silence=self._times.silence
                )
            )
            if answer.status != 200:
                raise translate.fault(Reply(answer.status, await collect(answer.pieces(), SMALL_ANSWER_BYTES)))
            stack.push_async_exit(opened.pop_all())
        return answer


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


def text_address(endpoint: GeminiEndpoint, request: TextRequest, key: str) -> tuple[str, Mapping[str, str]]:
    """Return the URL and the headers of a request. OpenAI's form has its key as OpenAI's clients send it."""
    root = f"{endpoint.base_url}/{endpoint.api_version}"
    if request.method is TextMethod.CHAT:
        return keyed(f"{root}/openai/chat/completions", "bearer", key)
    url, headers = keyed(f"{root}/models/{request.model}:{request.method}", endpoint.auth, key)
    if not request.is_events:
        return url, headers
    return f"{url}{'&' if '?' in url else '?'}alt=sse", headers
