"""The composition root: the only place that knows every room."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import structlog
from litestar import Litestar, Request, Router
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException

from adapter.access.keyring import Keyring
from adapter.access.keys import SqlKeyStore
from adapter.clock import SystemClock
from adapter.credentials import secret
from adapter.database.engine import open_database
from adapter.domain.catalogue import Catalogue
from adapter.domain.ports import Clock, ImageProvider, Memory, VideoProvider
from adapter.drain import on_stop_signal
from adapter.errors import AdapterError
from adapter.generation import Generation, Patience
from adapter.jobs.feed import LocalFeed
from adapter.jobs.pace import Pace
from adapter.jobs.poller import Poller
from adapter.jobs.steps import Steps
from adapter.jobs.store import SqlJobStore
from adapter.media.convert import ConvertingProvider
from adapter.media.store import open_media
from adapter.openai_api.routes import chat, failures, health, images, media, models
from adapter.openai_api.routes.access import require_key
from adapter.openai_api.routes.desk import Desk
from adapter.openai_api.routes.request_log import RequestLog
from adapter.providers.flow.accounts import Account, Accounts
from adapter.providers.flow.provider import FlowProvider
from adapter.providers.gemini.provider import GeminiEndpoint, GeminiProvider
from adapter.providers.http import Http
from adapter.settings import Settings

log = structlog.get_logger()

#: Front-ends append `/v1` to what they are given, or leave it out (`frontends.md` R1).
PREFIXES = ("/v1", "/", "/v1/v1")
API = (images.create_images, chat.complete_chat, models.list_models, models.retrieve_model)
PUBLIC = (media.read_media, health.health, health.ready)


def create_app(
    settings: Settings,
    catalogue: Catalogue,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Clock | None = None,
) -> Litestar:
    """Build the application. The network and the time are arguments; everything else is in the settings.

    Raises:
        WrongConfiguration: a secret that a setting refers to is not there.
    """
    house = House(settings, catalogue, transport, clock or SystemClock())
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
        cors_config=CORSConfig(expose_headers=["x-request-id"]),
        logging_config=None,
        openapi_config=None,
    )
    app.asgi_handler = RequestLog(app.asgi_handler)
    return app


def _desk(request: Request[object, object, State]) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


class House:
    """The rooms of a running application."""

    def __init__(
        self, settings: Settings, catalogue: Catalogue, transport: httpx.AsyncBaseTransport | None, clock: Clock
    ) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._clock = clock
        self._http = http = Http(transport)
        self._flow = _flow(settings, http, clock)
        self._gemini = _gemini(settings, http)
        self._keys = [secret(key, key=f"access.keys[{number}]") for number, key in enumerate(settings.access.keys)]

    @asynccontextmanager
    async def open(self, app: Litestar) -> AsyncIterator[None]:
        """Open everything, hand the handlers their desk, and close in the opposite order."""
        settings, clock = self._settings, self._clock
        pace = Pace(
            poll_seconds=settings.jobs.poll_seconds,
            lease_seconds=settings.jobs.lease_seconds,
            deadline_seconds=settings.jobs.deadline_minutes * 60,
        )
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._http.open())
            database = await open_database(settings.storage.database)
            stack.push_async_callback(database.dispose)
            feed = LocalFeed(clock)
            memory = Memory(SqlJobStore(database), feed, open_media(settings.storage.media))
            steps = Steps(self._video_providers(), memory, clock=clock, pace=pace)
            poller = Poller(memory.jobs, steps, clock=clock, pace=pace)
            patience = Patience(
                heartbeat=settings.chat.heartbeat_seconds,
                replay=settings.jobs.replay_minutes * 60,
                typical=settings.jobs.typical_seconds,
            )
            generation = Generation(self._image_providers(), memory, clock, patience, poller.nudge)
            stack.push_async_callback(generation.finish_notes)
            app.state.desk = Desk(
                access=Keyring(self._keys, SqlKeyStore(database), anonymous=settings.access.anonymous),
                generation=generation,
                catalogue=self._catalogue,
                clock=clock,
                public_url=settings.public_url,
                longest_prompt=settings.limits.prompt_characters,
            )
            running = asyncio.create_task(poller.run())
            stack.push_async_callback(_stop, poller, running)
            stack.callback(feed.close)
            stack.enter_context(on_stop_signal(feed.close))
            log.info(
                "server.started",
                public_url=settings.public_url,
                providers=sorted({*self._image_providers(), *self._video_providers()}),
                database=settings.storage.database,
                media=settings.storage.media,
            )
            yield
            log.info("server.stopping")

    def _image_providers(self) -> Mapping[str, ImageProvider]:
        offered: dict[str, ImageProvider | None] = {"flow": self._flow, "gemini": self._gemini}
        return {name: ConvertingProvider(provider) for name, provider in offered.items() if provider}

    def _video_providers(self) -> Mapping[str, VideoProvider]:
        return {"flow": self._flow} if self._flow else {}


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
        )
        for number, account in enumerate(told.accounts)
    ]
    return FlowProvider(http, told.base_url, Accounts(accounts), clock)


async def _stop(poller: Poller, running: asyncio.Task[None]) -> None:
    poller.stop()
    await running
