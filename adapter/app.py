"""The composition root: the only place that knows every room."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import structlog
from litestar import Litestar, Request, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException

from adapter.access.keyring import Keyring
from adapter.access.keys import SqlKeyStore
from adapter.access.names import ConfiguredNames
from adapter.budget import MemoryBudget
from adapter.clock import SystemClock
from adapter.credentials import secret
from adapter.database.address import without_password
from adapter.database.engine import Database, open_database
from adapter.domain.catalogue import Catalogue
from adapter.domain.media import SizePolicy
from adapter.domain.ports import Clock, ImageProvider, MediaStore, Memory, VideoProvider, Workshop
from adapter.drain import cancel, on_stop_signal
from adapter.errors import AdapterError
from adapter.generation.contents import Contents
from adapter.generation.files import Files
from adapter.generation.patience import Patience
from adapter.generation.pictures import Pictures
from adapter.generation.repeats import Repeats
from adapter.generation.texts import Texts
from adapter.generation.videos import Videos
from adapter.jobs.feed import LocalFeed
from adapter.jobs.follow import Follower
from adapter.jobs.pace import Pace
from adapter.jobs.poller import Poller
from adapter.jobs.requests import SqlRequestStore
from adapter.jobs.spool import Spool
from adapter.jobs.steps import Steps
from adapter.jobs.store import SqlJobStore
from adapter.media.darkroom import Darkroom
from adapter.media.fetch import SafeFetcher
from adapter.media.frames import CuttingRoom
from adapter.media.inputs import InputLimits, Inputs
from adapter.media.janitor import Janitor, Retention
from adapter.media.s3 import S3Access
from adapter.media.store import open_media
from adapter.openai_api.read.terms import Terms
from adapter.openai_api.routes import chat, failures, health, images, media, models, videos
from adapter.openai_api.routes.access import require_key
from adapter.openai_api.routes.cors import Cors
from adapter.openai_api.routes.desk import Desk
from adapter.openai_api.routes.farewell import Farewell
from adapter.openai_api.routes.request_log import RequestLog
from adapter.openai_api.routes.room import HoldingRoom
from adapter.openai_api.write.videos import Shelf
from adapter.providers.flow.accounts import Account, Accounts
from adapter.providers.flow.provider import FlowProvider
from adapter.providers.gemini.provider import GeminiEndpoint, GeminiProvider
from adapter.providers.http import Http
from adapter.settings import Settings, load_phrasebook

log = structlog.get_logger()

#: Of what the settings count in days.
DAY_SECONDS = 86_400
#: What is left of `server.shutdown_seconds` to say that a picture did not come in time.
FAREWELL_SECONDS = 0.5

#: The part of `limits.memory_bytes` that comes on top of it, for pictures that went out lately: 32 MB of 1 GB.
AFTERGLOW_SHARE = 32

#: Front-ends append `/v1` to what they are given, or leave it out (`frontends.md` R1).
PREFIXES = ("/v1", "/", "/v1/v1")
API = (
    images.create_images,
    images.edit_images,
    images.vary_images,
    chat.complete_chat,
    videos.create_video,
    videos.list_videos,
    videos.retrieve_video,
    videos.delete_video,
    videos.read_content,
    videos.remix_video,
    videos.watch_video,
    videos.refuse_work,
    videos.refuse_character,
    models.list_models,
    models.retrieve_model,
)
PUBLIC = (media.read_media, health.health, health.ready)


class Parts(msgspec.Struct, frozen=True):
    """What the rooms are built around: everything through which a video job meets the world."""

    memory: Memory
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
        WrongConfiguration: a secret that a setting refers to is not there.
    """
    house = House(settings, catalogue, transport, clock or SystemClock(), dress)
    app = Litestar(
        [*(Router(prefix, route_handlers=API, guards=[require_key]) for prefix in PREFIXES), *PUBLIC],
        dependencies={"desk": Provide(_desk, sync_to_thread=False)},
        exception_handlers={
            AdapterError: failures.answer_fault,
            HTTPException: failures.answer_framework,
            Exception: failures.answer_anything,
        },
        lifespan=[house.open],
        request_max_body_size=settings.limits.body_bytes,
        logging_config=None,
        openapi_config=None,
    )
    farewell = Farewell(HoldingRoom(app.asgi_handler))
    house.drains.append(farewell.drain)
    app.asgi_handler = Cors(RequestLog(farewell))
    return app


def _desk(request: Request[object, object, State]) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


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
        self._catalogue = catalogue
        self._clock = clock
        self._dress = dress
        self._http = http = Http(transport)
        self._s3 = s3_access(settings)
        self._flow = _flow(settings, http, clock)
        self._gemini = _gemini(settings, http)
        self._phrasebook = load_phrasebook(settings.chat)
        self._keys = {key: secret(key, key=f"access.keys[{number}]") for number, key in enumerate(settings.access.keys)}

    @asynccontextmanager
    async def open(self, app: Litestar) -> AsyncIterator[None]:
        """Open everything, hand the handlers their desk, and close in the opposite order."""
        settings, clock = self._settings, self._clock
        pace = Pace(
            poll_seconds=settings.jobs.poll_seconds,
            lease_seconds=settings.jobs.lease_seconds,
            deadline_seconds=settings.jobs.deadline_minutes * 60,
            reconcile_seconds=settings.jobs.reconcile_seconds if settings.jobs.on_ambiguous == "reconcile" else None,
        )
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._http.open())
            database = await database_of(settings)
            stack.push_async_callback(database.dispose)
            feed = LocalFeed(clock)
            memory = Memory(SqlJobStore(database), feed, self._media())
            parts = self._dress(Parts(memory, self._video_providers(), self._spool()))
            stack.push_async_callback(parts.spool.close)
            memory = parts.memory
            budget = MemoryBudget(clock, capacity=settings.limits.memory_bytes, patience=settings.limits.wait_seconds)
            workshop = self._workshop(memory.media, budget)
            steps = Steps(parts.video_providers, memory, clock=clock, pace=pace, spool=parts.spool)
            poller = Poller(memory.jobs, steps, clock=clock, pace=pace)
            patience = Patience(
                heartbeat=settings.chat.heartbeat_seconds,
                opening=settings.chat.opening_seconds,
                replay=settings.jobs.replay_minutes * 60,
                typical=settings.jobs.typical_seconds,
                farewell=settings.server.shutdown_seconds - FAREWELL_SECONDS,
                afterglow=settings.limits.memory_bytes // AFTERGLOW_SHARE,
            )
            repeats = Repeats(SqlRequestStore(database), memory.media, clock, patience)
            pictures = Pictures(workshop, repeats, feed, clock, patience)
            stack.push_async_callback(pictures.finish)
            stack.push_async_callback(cancel, asyncio.create_task(pictures.run()))
            video_jobs = Videos(workshop.inputs, memory, clock, patience, poller.nudge)
            stack.push_async_callback(video_jobs.finish_notes)
            stack.push_async_callback(video_jobs.finish_beginnings)
            by_key = settings.chat.markup_by_key
            app.state.desk = Desk(
                access=Keyring([*self._keys.values()], SqlKeyStore(database), anonymous=settings.access.anonymous),
                pictures=pictures,
                videos=video_jobs,
                texts=Texts(self._gemini),
                files=Files(memory.media),
                contents=Contents(memory, CuttingRoom(memory.media, budget)),
                budget=budget,
                clock=clock,
                terms=self._terms(),
                longest_file=settings.limits.image_bytes,
                enclose_pictures=settings.chat.images == "data",
                key_names=ConfiguredNames({name: self._keys[name] for name in by_key if name in self._keys}),
                markup_by_key=by_key,
                markup=settings.chat.video_markup,
                side_call_model=settings.chat.side_call_model,
                shelf=Shelf(public_url=settings.public_url, keep=settings.storage.retention_days * DAY_SECONDS),
                poll_seconds=pace.poll_seconds,
            )
            following = asyncio.create_task(Follower(memory.jobs, feed, database.changes, clock).run())
            stack.push_async_callback(cancel, following)
            running = asyncio.create_task(poller.run())
            stack.push_async_callback(_stop, poller, running)
            if settings.storage.retention_days:
                retention = Retention(
                    keep=settings.storage.retention_days * DAY_SECONDS, replay=settings.jobs.replay_minutes * 60
                )
                tidying = asyncio.create_task(Janitor(memory.media, memory.jobs, clock, retention).run())
                stack.push_async_callback(cancel, tidying)
            stack.callback(feed.close)
            for drain in (*self.drains, feed.close, pictures.drain, poller.stop):
                stack.enter_context(on_stop_signal(drain))
            log.info(
                "server.started",
                public_url=settings.public_url,
                providers=sorted({*workshop.image_makers, *parts.video_providers}),
                database=without_password(settings.storage.database),
                media=settings.storage.media,
            )
            yield
            log.info("server.stopping")

    def _terms(self) -> Terms:
        return Terms(
            catalogue=self._catalogue,
            longest_prompt=self._settings.limits.prompt_characters,
            size_policy=SizePolicy(self._settings.images.size_policy),
            public_url=self._settings.public_url,
            phrasebook=self._phrasebook,
            refuse_side_calls=self._settings.chat.side_calls == "refuse",
        )

    def _workshop(self, media: MediaStore, budget: MemoryBudget) -> Workshop:
        told = self._settings
        fetcher = SafeFetcher(http=told.fetching.http, trusted=told.fetching.trusted)
        limits = InputLimits(
            bytes=told.limits.image_bytes, bytes_in_all=told.limits.images_bytes, pixels=told.limits.image_pixels
        )
        inputs = Inputs(fetcher, media, limits)
        offered: dict[str, ImageProvider | None] = {"flow": self._flow, "gemini": self._gemini}
        makers = {name: Darkroom(provider, inputs, budget) for name, provider in offered.items() if provider}
        return Workshop(makers, inputs)

    def _spool(self) -> Spool:
        return Spool(Path(self._settings.jobs.spool) if self._settings.jobs.spool else None)

    def _media(self) -> MediaStore:
        return open_media(self._settings.storage.media, self._s3)

    def _video_providers(self) -> Mapping[str, VideoProvider]:
        return {"flow": self._flow} if self._flow else {}


async def database_of(settings: Settings) -> Database:
    """Open the database that the settings name.

    Raises:
        WrongConfiguration: it cannot be used, or its password is not there.
        SecretUnreadable: its password cannot be read.
    """
    told = settings.storage
    reference = told.database_password
    password = secret(reference, key="storage.database_password") if reference else None
    return await open_database(told.database, password)


def s3_access(settings: Settings) -> S3Access:
    """Return how to reach the server of an `s3://` address.

    Raises:
        WrongConfiguration: a key that is referred to is not there.
    """
    told = settings.storage.s3
    keys = None
    if told.access_key:
        keys = (
            secret(told.access_key, key="storage.s3.access_key"),
            secret(told.secret_key, key="storage.s3.secret_key"),
        )
    return S3Access(endpoint=told.endpoint, region=told.region, keys=keys)


def _gemini(settings: Settings, http: Http) -> GeminiProvider | None:
    told = settings.providers.gemini
    if told is None:
        return None
    endpoint = GeminiEndpoint(
        base_url=told.base_url,
        api_version=told.api_version,
        auth=told.auth,
        keys=tuple(secret(key, key=f"providers.gemini.keys[{number}]") for number, key in enumerate(told.keys)),
        concurrency=told.concurrency,
    )
    return GeminiProvider(http, endpoint)


def _flow(settings: Settings, http: Http, clock: Clock) -> FlowProvider | None:
    told = settings.providers.flow
    if told is None:
        return None
    accounts = [
        Account(
            name=account.name,
            token=secret(account.token, key=f"providers.flow.accounts[{number}].token"),
            project_id=account.project_id,
            tier=account.tier,
            enabled=account.enabled,
        )
        for number, account in enumerate(told.accounts)
    ]
    return FlowProvider(http, told.base_url, Accounts(accounts), clock)


async def _stop(poller: Poller, running: asyncio.Task[None]) -> None:
    poller.stop()
    await running
