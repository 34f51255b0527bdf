"""The composition root: the only place that knows every room."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import msgspec
import structlog
from litestar import Litestar

from adapter.access.keyring import Keyring
from adapter.access.keys import SqlKeyStore
from adapter.budget import MemoryBudget
from adapter.clock import SystemClock
from adapter.database.address import without_password
from adapter.database.engine import Database
from adapter.domain.catalogue import Catalogue
from adapter.domain.ports import Clock, Keeper, Memory, RequestStore, VideoProvider, Workshop
from adapter.drain import cancel, on_stop_signal
from adapter.fittings import (
    DAY_SECONDS,
    database_of,
    flow_of,
    gemini_of,
    hosting_of,
    image_options_of,
    inputs_of,
    key_names_of,
    keys_of,
    manners_of,
    media_of,
    pace_of,
    patience_of,
    retention_of,
    spool_of,
    terms_of,
)
from adapter.generation.cabinet import Cabinet
from adapter.generation.contents import Contents
from adapter.generation.files import Files
from adapter.generation.pictures import Pictures
from adapter.generation.prior_executions import PriorExecutions
from adapter.generation.replies import Background, Replies
from adapter.generation.texts import Texts
from adapter.generation.uploads import Uploads
from adapter.generation.videos import Videos
from adapter.jobs.feed import LocalFeed
from adapter.jobs.follow import Follower
from adapter.jobs.kit import Kit
from adapter.jobs.poller import Poller
from adapter.jobs.requests import SqlRequestStore
from adapter.jobs.spool import Spool
from adapter.jobs.steps import Steps
from adapter.jobs.store import SqlJobStore
from adapter.media.darkroom import Darkroom
from adapter.media.frames import CuttingRoom
from adapter.media.janitor import Janitor
from adapter.media.sweeper import Sweeper
from adapter.openai_api.routes.api import api
from adapter.openai_api.routes.azure import AzurePaths
from adapter.openai_api.routes.cors import Cors
from adapter.openai_api.routes.decoding import DecodedBodies
from adapter.openai_api.routes.desk import Desk
from adapter.openai_api.routes.farewell import Farewell
from adapter.openai_api.routes.head import HeadRequests
from adapter.openai_api.routes.request_log import RequestLog
from adapter.openai_api.routes.room import HoldingRoom
from adapter.providers.http import Http
from adapter.records.files import SqlFileStore
from adapter.records.replies import SqlReplyStore
from adapter.settings import Settings

log = structlog.get_logger()


class Parts(msgspec.Struct, frozen=True):
    """What the rooms are built around: everything through which a job meets the world, and the memory of requests."""

    memory: Memory
    requests: RequestStore
    video_providers: Mapping[str, VideoProvider]
    spool: Spool


#: Returns the parts that shall be used instead of those that the settings call for.
Dress = Callable[[Parts], Parts]


def as_they_are(parts: Parts) -> Parts:
    """Return the parts unchanged."""
    return parts


#: Builds the application that is served.
Build = Callable[[Settings, Catalogue], Litestar]


def create_app(
    settings: Settings,
    catalogue: Catalogue,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Clock | None = None,
    dress: Dress = as_they_are,
) -> Litestar:
    """Build the application. The outside world is an argument; everything else is in the settings.

    That is the network, the time, and what `dress` makes of the parts that videos are made with: the trials of
    `tests/torture` put their own around the real ones.

    Raises:
        WrongConfiguration: a secret that a setting refers to is not there, or the media store cannot be used.
    """
    house = House(settings, catalogue, transport, clock or SystemClock(), dress)
    app = api(house.open, body_bytes=settings.limits.body_bytes)
    decoded = DecodedBodies(app.asgi_handler, body_bytes=settings.limits.body_bytes)
    farewell = Farewell(HeadRequests(AzurePaths(HoldingRoom(decoded))))
    house.drains.append(farewell.drain)
    app.asgi_handler = Cors(RequestLog(farewell))
    return app


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What is open before the rooms are: whoever is put into the stack is waited for before it closes."""

    stack: AsyncExitStack
    database: Database
    parts: Parts
    feed: LocalFeed
    files: SqlFileStore
    replies: SqlReplyStore

    @property
    def memory(self) -> Memory:
        """What outlives a request."""
        return self.parts.memory

    @property
    def keepers(self) -> Sequence[Keeper]:
        """Who has files that no job knows of."""
        return self.files, self.replies

    def keep_running(self, work: Coroutine[None, None, None]) -> None:
        """Do something beside everything else, until everything ends."""
        self.stack.push_async_callback(cancel, asyncio.create_task(work))


class House:
    """The rooms of a running application."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        transport: httpx.AsyncBaseTransport | None,
        clock: Clock,
        dress: Dress = as_they_are,
    ) -> None:
        #: What else is to be done when the process is told to stop.
        self.drains: list[Callable[[], None]] = []
        self._settings = settings
        self._clock = clock
        self._dress = dress
        self._http = http = Http(transport)
        self._flow = flow_of(settings, http, clock)
        self._gemini = gemini_of(settings, http)
        self._terms = terms_of(settings, catalogue)
        self._keys = keys_of(settings)
        self._media = media_of(settings)

    @asynccontextmanager
    async def open(self, app: Litestar) -> AsyncIterator[None]:
        """Open everything, hand the handlers their desk, and close in the opposite order."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._http.open())
            ground = await self._ground(stack)
            poller = self._poller(ground.parts)
            desk = app.state.desk = self._desk(ground, poller.nudge)
            ground.keep_running(self._follower(ground).run())
            stack.push_async_callback(_stop, poller, asyncio.create_task(poller.run()))
            self._tidy(ground)
            stack.callback(ground.feed.close)
            for drain in (*self.drains, ground.feed.close, desk.pictures.drain, poller.stop):
                stack.enter_context(on_stop_signal(drain))
            log.info(
                "server.started",
                public_url=self._settings.public_url,
                providers=[name for name, one in (("flow", self._flow), ("gemini", self._gemini)) if one],
                database=without_password(self._settings.storage.database),
                media=self._settings.storage.media,
            )
            yield
            log.info("server.stopping")

    async def _ground(self, stack: AsyncExitStack) -> Ground:
        database = await database_of(self._settings)
        stack.push_async_callback(database.dispose)
        feed = LocalFeed(self._clock)
        memory = Memory(SqlJobStore(database), feed, self._media)
        makers = {"flow": self._flow} if self._flow else {}
        parts = self._dress(Parts(memory, SqlRequestStore(database), makers, spool_of(self._settings)))
        stack.push_async_callback(parts.spool.close)
        return Ground(
            stack=stack,
            database=database,
            parts=parts,
            feed=feed,
            files=SqlFileStore(database),
            replies=SqlReplyStore(database),
        )

    def _follower(self, ground: Ground) -> Follower:
        silence = self._settings.chat.heartbeat_seconds
        return Follower(ground.memory.jobs, ground.feed, ground.database.changes, self._clock, silence=silence)

    def _poller(self, parts: Parts) -> Poller:
        clock, pace = self._clock, pace_of(self._settings)
        kit = Kit(providers=parts.video_providers, memory=parts.memory, clock=clock, pace=pace, spool=parts.spool)
        return Poller(parts.memory.jobs, Steps(kit), clock=clock, pace=pace)

    def _desk(self, ground: Ground, nudge: Callable[[], None]) -> Desk:
        settings, clock, memory = self._settings, self._clock, ground.memory
        patience = patience_of(settings)
        budget = MemoryBudget(clock, capacity=settings.limits.memory_bytes, patience=settings.limits.wait_seconds)
        workshop = self._workshop(memory, budget)
        repeats = PriorExecutions(ground.parts.requests, memory.media, clock, patience)
        pictures = Pictures(workshop, repeats, ground.feed, clock, patience)
        ground.stack.push_async_callback(pictures.finish)
        ground.keep_running(pictures.run())
        replies = Replies(ground.replies, Cabinet(memory.media), clock)
        background = Background(replies, pictures, clock, patience)
        ground.stack.push_async_callback(background.finish)
        videos = Videos(workshop.inputs, memory, clock, patience, nudge)
        ground.stack.push_async_callback(videos.finish)
        ground.keep_running(videos.run())
        store = SqlKeyStore(ground.database)
        return Desk(
            key_names=key_names_of(settings, self._keys),
            access=Keyring([*self._keys.values()], store, anonymous=settings.access.anonymous),
            pictures=pictures,
            videos=videos,
            texts=Texts(self._gemini),
            files=Files(memory.media),
            contents=Contents(memory, CuttingRoom(memory.media, budget)),
            uploads=Uploads(ground.files, memory.media, clock, [ground.replies]),
            replies=replies,
            background=background,
            reply_seconds=settings.storage.responses_days * DAY_SECONDS,
            budget=budget,
            clock=clock,
            terms=self._terms,
            chats=manners_of(settings),
            image_options=image_options_of(settings),
            hosting=hosting_of(settings),
            longest_file=settings.limits.image_bytes,
            poll_seconds=settings.jobs.poll_seconds,
            opening_seconds=settings.chat.opening_seconds,
            heartbeat_seconds=settings.chat.heartbeat_seconds,
        )

    def _workshop(self, memory: Memory, budget: MemoryBudget) -> Workshop:
        inputs = inputs_of(self._settings, memory.media)
        offered = (("flow", self._flow), ("gemini", self._gemini))
        return Workshop({name: Darkroom(one, inputs, budget) for name, one in offered if one}, inputs)

    def _tidy(self, ground: Ground) -> None:
        media, keepers, clock = ground.memory.media, ground.keepers, self._clock
        ground.keep_running(Sweeper(media, keepers, clock).run())
        if retention := retention_of(self._settings):
            ground.keep_running(Janitor(media, ground.memory.jobs, clock, retention, keepers).run())


async def _stop(poller: Poller, running: asyncio.Task[None]) -> None:
    poller.stop()
    await running
