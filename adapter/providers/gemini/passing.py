"""Text models of Gemini: requests are passed to Google's own routes, and answers come back byte for byte.

Google has two: one in OpenAI's form and one in its own (reference: `gemini.md` section 3.1).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

import msgspec

from adapter.domain.answer_memory import SMALL_ANSWER_BYTES
from adapter.domain.named_model import with_model
from adapter.domain.texts import TextMethod, TextReply, TextRequest
from adapter.errors import free_of_charge
from adapter.providers.gemini import translate
from adapter.providers.gemini.credential import with_key
from adapter.providers.http import Http, StreamedAnswer
from adapter.providers.keys import Key, Keys
from adapter.providers.reply import Reply, collect, deadline


class TextEndpoint(Protocol):
    """Where texts are written: the Gemini API, or Google Cloud."""

    @property
    def provider(self) -> str:
        """A word for the log."""
        ...

    @property
    def concurrency(self) -> int:
        """Calls under way at once."""
        ...

    def text_address(self, request: TextRequest, key: Key, secret: str) -> tuple[str, Mapping[str, str]]:
        """Return the URL and the headers of a request with what a key was read as.

        Raises:
            InvalidRequest: there is no such route with this kind of key.
        """
        ...

    def chat_model(self, model: str) -> str:
        """Return what a model is called in a chat's body."""
        ...


class GeminiTexts:
    """Passes requests for texts on (the port `TextProvider`)."""

    def __init__(self, http: Http, endpoint: TextEndpoint, keys: Keys) -> None:
        self._http = http
        self._endpoint = endpoint
        self._keys = keys
        # Of their own: texts do not queue behind pictures, and do not take all connections.
        self._places = asyncio.Semaphore(endpoint.concurrency)

    @asynccontextmanager
    async def open_text(self, request: TextRequest) -> AsyncIterator[TextReply]:
        """Open the answer to a request (the port of that name)."""
        request = self._named(request)
        with free_of_charge():
            async with self._places, AsyncExitStack() as stack:
                if request.is_stream:
                    answer = await self._answer(request, stack)
                    yield TextReply(answer.pieces())
                else:
                    async with deadline(self._http.limits.answer):
                        answer = await self._answer(request, stack)
                        whole = await collect(answer.pieces(), SMALL_ANSWER_BYTES)
                    yield TextReply(_once(whole))

    def _named(self, request: TextRequest) -> TextRequest:
        """Return a request with the name that its model has at this address."""
        name = self._endpoint.chat_model(request.model)
        if request.method is not TextMethod.CHAT or name == request.model:
            return request
        return msgspec.structs.replace(request, body=with_model(request.body, name))

    async def _answer(self, request: TextRequest, stack: AsyncExitStack) -> StreamedAnswer:
        async def ask(key: Key) -> StreamedAnswer:
            return await with_key(self._endpoint.provider, key, lambda secret: self._ask(request, key, secret, stack))

        return await self._keys.run(request.model, ask)

    async def _ask(self, request: TextRequest, key: Key, secret: str, stack: AsyncExitStack) -> StreamedAnswer:
        url, headers = self._endpoint.text_address(request, key, secret)
        seconds = self._http.limits.answer
        async with AsyncExitStack() as opened:
            answer = await opened.enter_async_context(
                # Models that think are silent for minutes, also between two pieces.
                key.client(self._http).stream(url, headers=headers, body=request.body, seconds=seconds, silence=seconds)
            )
            if answer.status != 200:
                raise translate.fault(Reply(answer.status, await collect(answer.pieces(), SMALL_ANSWER_BYTES)))
            stack.push_async_exit(opened.pop_all())
        return answer


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
