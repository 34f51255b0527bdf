"""Every call that a provider makes, by the methods of its ports, to the sandbox: pictures, texts, videos, files."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from uuid import uuid4

import msgspec

from adapter.clock import SystemClock
from adapter.domain.job import Ambiguity, Failure, Intended, Unanswered, VideoJob, advance
from adapter.domain.media import Frame, RemoteFile
from adapter.domain.orders import ImageOrder, StoredInput, VideoInput
from adapter.domain.ports import Finished, ImageProvider, TextMaker, TextProvider, VideoProvider
from adapter.domain.telemetry import NoMetrics
from adapter.domain.texts import TextLimits, TextMethod, TextRequest, Turn
from adapter.errors import AdapterError, UpstreamSilent
from adapter.providers.description import AnyProvider, Provider
from adapter.providers.http import Http
from adapter.providers.registry import BUILT_IN
from adapter.settings import Settings
from adapter.wiring import build_provider_context
from tests.fakes import CLIP, made_image, video_job, video_order

#: What a provider is asked for: the name of a port's method, and what about it.
Call = tuple[str, str]

IMAGE_MODELS = {"gemini": "gemini-nano-banana-2.1", "vertex": "gemini-nano-banana-2.1", "flow": "GEM_PIX_2"}
VIDEO_MODELS = {"omni": "gemini-omni-1.2-flash", "vertex": "gemini-omni-1.2-flash", "flow": "veo_3_1_t2v_fast"}
#: What a side call may take.
SIDE_CALL_SECONDS = 30.0
TEXT_MODEL = "gemini-3.5-flash-lite"
#: Questions about a video, at the most: the sandbox makes one in less.
LOOKS = 2000
#: Methods of ports that ask nobody.
SILENT_METHODS = frozenset({"choose_account"})


class Clip:
    """A stored video (the port `VideoFile`)."""

    def __init__(self) -> None:
        self.size = len(CLIP)
        self.sha256 = hashlib.sha256(CLIP).hexdigest()

    async def read(self, start: int, end: int) -> bytes:
        """Return a part of it."""
        return CLIP[start:end]


def described(name: str) -> AnyProvider:
    """Return the description of a provider."""
    return next(each for each in BUILT_IN if each.name == name)


def methods(*ports: type) -> set[str]:
    """Return the methods of ports by which Google is asked."""
    found = {name for port in ports for name in vars(port) if not name.startswith("_")}
    return found - SILENT_METHODS


#: Every way to have a provider ask Google.
ALL_METHODS = methods(ImageProvider, TextMaker, TextProvider, VideoProvider) | {"probe"}


class EveryCall:
    """Makes every call of a provider, one after the other."""

    def __init__(self, name: str, settings: Settings, http: Http, account: str) -> None:
        """Take the provider's name, its configuration, and the credential that works."""
        self._name = name
        self._section = settings.providers[name]
        self._context = build_provider_context(name, self._section, http, SystemClock(), NoMetrics())
        self._account = account
        self._provider: Provider = described(name).build(self._section, self._context)

    async def run(self) -> AsyncIterator[Call]:
        """Make them, and yield the name of each that succeeded."""
        provider = self._provider
        for what, ask in [
            *(self._of_pictures(provider.images) if provider.images else ()),
            *(self._of_side_calls(provider.texts) if provider.texts else ()),
            *(self._of_texts(provider.passed_texts) if provider.passed_texts else ()),
        ]:
            await ask()
            yield what
        if provider.videos:
            async for what in self._of_videos(provider.videos):
                yield what
        probe = described(self._name).probe
        assert probe is not None
        reports = await probe(self._section, self._context)
        assert [each.words for each in reports if not each.is_good] == []
        yield "probe", ""
        if provider.close:
            await provider.close()

    def _of_pictures(self, images: ImageProvider) -> Sequence[tuple[Call, Callable[[], Awaitable[object]]]]:
        order = ImageOrder(
            model="m",
            provider=self._name,
            upstream=IMAGE_MODELS[self._name],
            prompt="a fox",
            n=1,
            frame=Frame(),
        )
        return [
            (("make_images", "from a text"), lambda: images.make_images(order, [])),
            (("make_images", "from a picture"), lambda: images.make_images(order, [made_image()])),
        ]

    def _of_side_calls(self, texts: TextMaker) -> Sequence[tuple[Call, Callable[[], Awaitable[object]]]]:
        limits = TextLimits(tokens=100, seconds=SIDE_CALL_SECONDS)
        return [(("make_text", ""), lambda: texts.make_text(TEXT_MODEL, [Turn("user", "hello")], limits))]

    def _of_texts(self, texts: TextProvider) -> Sequence[tuple[Call, Callable[[], Awaitable[object]]]]:
        chat = msgspec.json.encode({"model": TEXT_MODEL, "messages": [{"role": "user", "content": "hello"}]})
        own = msgspec.json.encode({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]})

        def ask(method: TextMethod, body: bytes, *, is_stream: bool) -> Callable[[], Awaitable[object]]:
            request = TextRequest(provider=self._name, model=TEXT_MODEL, method=method, body=body, is_stream=is_stream)

            async def read() -> bytes:
                async with texts.open_text(request) as reply:
                    return b"".join([piece async for piece in reply.pieces])

            return read

        return [
            (("open_text", "a chat"), ask(TextMethod.CHAT, chat, is_stream=False)),
            (("open_text", "Google's form"), ask(TextMethod.GENERATE, own, is_stream=False)),
            (("open_text", "a stream"), ask(TextMethod.STREAM, own, is_stream=True)),
        ]

    async def _of_videos(self, videos: VideoProvider) -> AsyncIterator[Call]:
        account = self._account
        await videos.credits(account)
        yield "credits", ""
        uploads = await videos.upload([made_image()], account=account)
        yield "upload", ""
        try:
            await videos.upload_video(Clip(), account=account)
        except AdapterError:
            assert self._name in {"flow", "vertex"}  # they take none, and are not asked
        yield "upload_video", ""
        job = self._job()
        operation = await videos.submit(job, uploads if job.order.pictures else [])
        yield "submit", ""
        report = None
        for _ in range(LOOKS):
            report = (await videos.poll([operation], account=account)).get(operation.name)
            if isinstance(report, Finished):
                break
        yield "poll", ""
        assert isinstance(report, Finished), report
        if report.data is None:
            poster = report.video.poster
            for file in (report.video.file, *([poster] if poster else [])):
                assert await self._fetched(videos, file)
            yield "download", ""
        fault = Failure.of(UpstreamSilent("No answer."))
        unanswered = advance(job, Unanswered(Ambiguity(failure=fault, sender_saw_end=True, at=0.0)))
        await videos.settle(unanswered, self._neighbours, 1.0)
        yield "settle", ""

    async def _fetched(self, videos: VideoProvider, file: RemoteFile) -> bytes:
        async with videos.download(file, account=self._account) as download:
            return await download.read(10_000_000)

    @staticmethod
    async def _neighbours(*, refund_seconds: float) -> Collection[str]:
        return [] if refund_seconds else ["never"]

    def _job(self) -> VideoJob:
        order = msgspec.structs.replace(
            video_order(),
            provider=self._name,
            upstream=VIDEO_MODELS[self._name],
            input=VideoInput.FRAME if self._name != "flow" else VideoInput.TEXT,
            pictures=(StoredInput("0.png", ""),) if self._name != "flow" else (),
        )
        job = msgspec.structs.replace(video_job(order=order), mark=str(uuid4()))
        return advance(job, Intended(self._account))
