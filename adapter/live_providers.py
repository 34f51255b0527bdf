"""The providers of a server that runs. A reload replaces them as a whole; a job stays with its credential."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import msgspec

from adapter.domain.job import Operation, VideoJob
from adapter.domain.media import Image, RemoteFile
from adapter.domain.ports import (
    Credentials,
    Download,
    ImageMaker,
    ImageProvider,
    Neighbours,
    Report,
    Settlement,
    TextMaker,
    TextProvider,
    VideoFile,
    VideoProvider,
)
from adapter.providers.description import Provider, ProviderSettings

_T = TypeVar("_T")

#: Puts what comes before and after a provider of pictures around it.
Pipeline = Callable[[ImageProvider], ImageMaker]


class ConfiguredProvider(msgspec.Struct, frozen=True):
    """A provider with the section that it was built from."""

    settings: ProviderSettings
    provider: Provider


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What is made, by the names of providers. Those that left the configuration finish what they accepted."""

    #: Those that are configured now.
    configured: Mapping[str, ConfiguredProvider] = {}
    image_makers: Mapping[str, ImageMaker] = {}
    videos: Mapping[str, "VideosByAccount"] = {}
    passed_texts: Mapping[str, TextProvider] = {}

    @property
    def texts(self) -> TextMaker | None:
        """What writes side calls."""
        return next((each.provider.texts for each in self.configured.values() if each.provider.texts), None)

    @property
    def credentials(self) -> Sequence[Credentials]:
        """The pools of those that take new work."""
        return [each.provider.credentials for each in self.configured.values() if each.provider.credentials]

    def closing(self, before: "Offer") -> Sequence[Callable[[], Awaitable[None]]]:
        """Return what ends the providers that an earlier offer did not have."""
        known = {id(each.provider) for each in before.configured.values()}
        new = [each.provider for each in self.configured.values() if id(each.provider) not in known]
        return [each.close for each in new if each.close]

    def unchanged(self, sections: Mapping[str, ProviderSettings]) -> Mapping[str, ConfiguredProvider]:
        """Return the providers that these sections leave as they are."""
        return {name: each for name, each in self.configured.items() if sections.get(name) == each.settings}

    def followed_by(self, configured: Mapping[str, ConfiguredProvider], pipeline: Pipeline) -> "Offer":
        """Return what is made with other providers from now on."""
        new = {name: each for name, each in configured.items() if each is not self.configured.get(name)}
        makers = {name: pipeline(each.provider.images) for name, each in new.items() if each.provider.images}
        videos = {
            name: self._videos(name, each, found) for name, each in new.items() if (found := each.provider.videos)
        }
        texts = {name: each.provider.passed_texts for name, each in new.items() if each.provider.passed_texts}
        return Offer(
            configured=configured,
            image_makers={**self.image_makers, **makers},
            videos={**self.videos, **videos},
            passed_texts={**self.passed_texts, **texts},
        )

    def _videos(self, name: str, new: ConfiguredProvider, videos: VideoProvider) -> "VideosByAccount":
        """Return a new maker of videos, together with the earlier ones whose credentials it lacks."""
        holders = self.videos[name].holders if name in self.videos else {}
        accounts = {each.name: videos for each in new.settings.credentials()}
        return VideosByAccount(videos, {**holders, **accounts})


class LiveProviders:
    """The offer that counts now, for parts that are built once."""

    def __init__(self) -> None:
        self.offer = Offer()
        self.image_makers: Mapping[str, ImageMaker] = _Live(lambda: self.offer.image_makers)
        self.videos: Mapping[str, VideoProvider] = _Live(lambda: self.offer.videos)
        self.passed_texts: Mapping[str, TextProvider] = _Live(lambda: self.offer.passed_texts)


class _Live(Mapping[str, _T]):
    """A mapping that is looked up anew each time. What was taken from it stays what it is."""

    def __init__(self, now: Callable[[], Mapping[str, _T]]) -> None:
        self._now = now

    def __getitem__(self, name: str) -> _T:
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())


class VideosByAccount:
    """Makers of videos of one provider, one after the other (the port `VideoProvider`).

    The newest one takes new work. A job is looked after by the newest one that has its account.
    """

    def __init__(self, newest: VideoProvider, holders: Mapping[str, VideoProvider]) -> None:
        """Take the newest one, and for each account the one that has it."""
        self._newest = newest
        self.holders = holders

    def choose_account(self, job: VideoJob) -> str:
        """Name an account for a new job (the port of that name)."""
        return self._newest.choose_account(job)

    async def credits(self, account: str) -> int | None:
        """Ask for credits (the port of that name)."""
        return await self._of(account).credits(account)

    async def settle(self, job: VideoJob, neighbours: Neighbours, seconds: float) -> Settlement:
        """Look for a proof (the port of that name)."""
        return await self._of(job.account).settle(job, neighbours, seconds)

    async def upload(self, pictures: Sequence[Image], *, account: str) -> Sequence[str]:
        """Upload pictures (the port of that name)."""
        return await self._of(account).upload(pictures, account=account)

    async def upload_video(self, video: VideoFile, *, account: str) -> str:
        """Upload a video (the port of that name)."""
        return await self._of(account).upload_video(video, account=account)

    async def submit(self, job: VideoJob, uploads: Sequence[str]) -> Operation:
        """Submit a job (the port of that name)."""
        return await self._of(job.account).submit(job, uploads)

    async def poll(self, operations: Sequence[Operation], *, account: str) -> Mapping[str, Report]:
        """Ask about jobs (the port of that name)."""
        return await self._of(account).poll(operations, account=account)

    def download(self, file: RemoteFile, *, account: str) -> AbstractAsyncContextManager[Download]:
        """Open a file (the port of that name)."""
        return self._of(account).download(file, account=account)

    def _of(self, account: str | None) -> VideoProvider:
        return self.holders.get(account or "", self._newest)
