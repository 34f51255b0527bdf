"""Gemini as a maker of pictures, and of a few words."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import ClassVar, Protocol, TypeVar

import msgspec

from adapter.domain.answer_memory import SMALL_ANSWER_BYTES, bounded
from adapter.domain.media import Image
from adapter.domain.orders import ImageOrder
from adapter.domain.texts import TextLimits, TextMethod, TextRequest, Turn
from adapter.errors import AdapterError, NoMedia, UpstreamForgot, already_paid
from adapter.providers.gemini import translate
from adapter.providers.gemini.credential import keyed, with_key
from adapter.providers.gemini.files import GeminiFiles
from adapter.providers.http import Http
from adapter.providers.keys import Key, Keys
from adapter.providers.reply import Reply
from adapter.tasks import all_of

_T = TypeVar("_T")

_encoder = msgspec.json.Encoder()


class GenerateEndpoint(Protocol):
    """Where `generateContent` is offered: the Gemini API, or Google Cloud (`providers/vertex`)."""

    @property
    def provider(self) -> str:
        """The provider's name, for the log."""
        ...

    @property
    def concurrency(self) -> int:
        """Calls under way at once."""
        ...

    @property
    def has_output_options(self) -> bool:
        """Whether the format of a picture can be asked for."""
        ...

    def address(self, model: str, key: Key, secret: str) -> tuple[str, Mapping[str, str]]:
        """Return the URL and the headers of a call with what a key was read as."""
        ...


class GeminiEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where Gemini is and how it wants its key."""

    provider: ClassVar[str] = "gemini"
    has_output_options: ClassVar[bool] = False

    base_url: str
    api_version: str
    #: `header` (x-goog-api-key), `query` (?key=, as the relay of seed 003 wants it) or `bearer`.
    auth: str
    #: Calls under way at once.
    concurrency: int

    def address(self, model: str, key: Key, secret: str) -> tuple[str, Mapping[str, str]]:  # noqa: ARG002 - of a protocol
        """Return the URL and the headers of a call."""
        return address(self, model, secret)

    def text_address(self, request: TextRequest, key: Key, secret: str) -> tuple[str, Mapping[str, str]]:  # noqa: ARG002
        """Return the URL and the headers of a request. OpenAI's form has its key as OpenAI's clients send it."""
        root = f"{self.base_url}/{self.api_version}"
        if request.method is TextMethod.CHAT:
            return keyed(f"{root}/openai/chat/completions", "bearer", secret)
        url, headers = keyed(f"{root}/models/{request.model}:{request.method}", self.auth, secret)
        if not request.is_events:
            return url, headers
        return f"{url}{'&' if '?' in url else '?'}alt=sse", headers

    def chat_model(self, model: str) -> str:
        """Return what a model is called in a chat's body: by its own name."""
        return model


class Call(msgspec.Struct, frozen=True):
    """One request: to which model, what, and how long it may take."""

    model: str
    body: bytes
    seconds: float


class LargeOrder(msgspec.Struct, frozen=True):
    """One picture of an order whose inputs are too large for its request."""

    order: ImageOrder
    inputs: Sequence[Image]
    #: The number of the picture, from 0.
    index: int
    files: GeminiFiles


class GeminiProvider:
    """Makes each picture of an order by a call of its own: these models refuse more than one candidate."""

    def __init__(self, http: Http, endpoint: GenerateEndpoint, keys: Keys, files: GeminiFiles | None = None) -> None:
        """Take the outside world. Without `files` all pictures stay inside of the requests."""
        self._http = http
        self._endpoint = endpoint
        self._keys = keys
        self._files = files
        self._places = asyncio.Semaphore(endpoint.concurrency)

    async def make_images(self, order: ImageOrder, inputs: Sequence[Image]) -> Sequence[Image]:
        """Return all pictures, or raise the first call's fault (the port of that name)."""
        made = await all_or_nothing([self._make_image(ask) for ask in await self._calls(order, inputs)])
        return made if order.is_signed else [msgspec.structs.replace(image, signatures=None) for image in made]

    async def _calls(self, order: ImageOrder, inputs: Sequence[Image]) -> Sequence[Callable[[], Awaitable[Image]]]:
        """Return a function for each picture that asks for it."""
        if self._files is not None and self._files.takes(inputs):
            large = [LargeOrder(order, inputs, index, self._files) for index in range(order.n)]
            return [partial(self._ask_by_files, one) for one in large]
        bodies = await requests(order, inputs, output_options=self._endpoint.has_output_options)
        calls = [Call(order.upstream, body, self._http.limits.answer) for body in bodies]
        return [partial(self._generate, call, translate.image) for call in calls]

    async def close(self) -> None:
        """End the uploads that no request waits for."""
        if self._files is not None:
            await self._files.close()

    async def make_text(self, model: str, turns: Sequence[Turn], limits: TextLimits) -> str:
        """Return a text (the port of that name). It does not queue behind pictures, because it has to be quick."""
        call = Call(model, _encoder.encode(translate.text_request(turns, limits)), limits.seconds)
        with bounded(SMALL_ANSWER_BYTES):
            return await self._generate(call, translate.text)

    async def _make_image(self, ask: Callable[[], Awaitable[Image]]) -> Image:
        async with self._places:
            try:
                return await ask()
            except NoMedia:
                # A model that draws nothing does so by chance: one more try, as `gemini.md` section 3 advises.
                with already_paid():
                    return await ask()

    async def _ask_by_files(self, large: LargeOrder) -> Image:
        """Ask for a picture by the addresses of its inputs. Files that Google has forgotten are uploaded once more."""

        async def ask(key: Key) -> Image:
            try:
                return await self._ask_by_files_of(key, large)
            except UpstreamForgot:
                return await self._ask_by_files_of(key, large)

        return await self._keys.run(large.order.upstream, ask)

    async def _ask_by_files_of(self, key: Key, large: LargeOrder) -> Image:
        addresses = await with_key(
            self._endpoint.provider, key, lambda secret: large.files.addresses(key, secret, large.inputs)
        )
        body = _encoder.encode(translate.image_request(large.order, large.inputs, large.index, addresses=addresses))
        call = Call(large.order.upstream, body, self._http.limits.answer)
        try:
            return await self._send(call, translate.image, key)
        except UpstreamForgot:
            large.files.forget(addresses)
            raise

    async def _generate(self, call: Call, read: Callable[[Reply], _T]) -> _T:
        return await self._keys.run(call.model, lambda key: self._send(call, read, key))

    async def _send(self, call: Call, read: Callable[[Reply], _T], key: Key) -> _T:
        async def send(secret: str) -> _T:
            url, headers = self._endpoint.address(call.model, key, secret)
            return read(await key.client(self._http).post(url, headers=headers, body=call.body, seconds=call.seconds))

        return await with_key(self._endpoint.provider, key, send)


async def requests(order: ImageOrder, inputs: Sequence[Image], *, output_options: bool = False) -> Sequence[bytes]:
    """Return the body of each call: one for all if nothing tells them apart, for each may carry 100 MB of pictures."""
    bodies = [_encoder.encode(translate.image_request(order, inputs, 0, output_options=output_options))]
    while len(bodies) < order.n:
        if order.seed is None:
            bodies.append(bodies[0])
            continue
        await asyncio.sleep(0)  # others have their turn between two large ones
        request = translate.image_request(order, inputs, len(bodies), output_options=output_options)
        bodies.append(_encoder.encode(request))
    return bodies


def address(endpoint: GeminiEndpoint, model: str, key: str) -> tuple[str, Mapping[str, str]]:
    """Return the URL and the headers of a call; a key stands in the URL only where the operator asked for that."""
    url = f"{endpoint.base_url}/{endpoint.api_version}/models/{model}:generateContent"
    return keyed(url, endpoint.auth, key)


async def all_or_nothing(calls: Sequence[Coroutine[None, None, Image]]) -> Sequence[Image]:
    """Run calls side by side; the first that fails stops the others and is raised.

    Stopping a call does not undo it: sisters that are on their way may be charged, so the client's SDK is told not to
    send all of it again, even where the failed call by itself cost nothing.
    """
    if len(calls) == 1:
        return [await calls[0]]
    try:
        return await all_of(calls)
    except AdapterError as fault:
        fault.should_retry, fault.spent = False, True
        raise
