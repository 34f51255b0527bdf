"""The composition root: the only module that knows every package."""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import cast

import msgspec
import structlog
from litestar import Litestar

from adapter.access.keyring import ConfiguredKey, Keyring
from adapter.access.keys import SqlKeyStore, digest
from adapter.access.owners import take_over
from adapter.access.quotas import SqlQuotas
from adapter.accounts import summaries
from adapter.allocator import give_memory_back_when_quiet
from adapter.budget import MemoryBudget
from adapter.clock import SystemClock
from adapter.control import ReloadCommand, controlled
from adapter.database.address import without_password
from adapter.database.engine import Database
from adapter.database.probe import probe
from adapter.domain.catalogue import Catalogue
from adapter.domain.credentials import CredentialSummary
from adapter.domain.image_job import ImageJob
from adapter.domain.job_kinds import IMAGE
from adapter.domain.ports import (
    Access,
    Clock,
    FileOwner,
    ImageMaker,
    ImageMakers,
    InputImages,
    JobStore,
    KeyStore,
    Memory,
    Quotas,
    RequestStore,
    VideoProvider,
)
from adapter.domain.telemetry import Telemetry
from adapter.drain import on_stop_signal
from adapter.fair_semaphore import FairSemaphore
from adapter.generation.credential_watch import CredentialWatch
from adapter.generation.files import Files
from adapter.generation.image_files import ImageFiles
from adapter.generation.orders import BackgroundOrders, ImageOrders, VideoOrders
from adapter.generation.passing import PassedTexts
from adapter.generation.pictures import Pictures
from adapter.generation.prior_executions import PriorExecutions
from adapter.generation.readiness import Probe, Readiness
from adapter.generation.responses import Background, Responses
from adapter.generation.texts import Texts
from adapter.generation.uploads import Uploads
from adapter.generation.video_contents import VideoContents
from adapter.generation.videos import Videos
from adapter.google_api.routes.api import google_routes
from adapter.google_api.routes.paths import GooglePaths
from adapter.jobs.census import count_live
from adapter.jobs.engine import Engine
from adapter.jobs.feed import LocalFeed
from adapter.jobs.follow import Follower
from adapter.jobs.image_steps import ImageContext
from adapter.jobs.requests import SqlRequestStore
from adapter.jobs.spool import Spool
from adapter.jobs.step_context import StepContext
from adapter.jobs.store import SqlJobStore
from adapter.key_models import unknown_models
from adapter.live_providers import ConfiguredProvider, LiveProviders, Offer
from adapter.logs import set_log_level
from adapter.media.frames import FileMeasurer, FrameThumbnailer
from adapter.media.image_pipeline import ImagePipeline
from adapter.media.janitor import Janitor
from adapter.media.leftovers import Leftovers
from adapter.media.sweeper import Sweeper
from adapter.metrics.facts import credit_facts, memory_facts, traffic_facts, write_facts
from adapter.metrics.loop_lag import watch_loop
from adapter.metrics.page import Source
from adapter.metrics.route import metrics_route
from adapter.openai_api.routes.api import DIRECT, PREFIXES, api
from adapter.openai_api.routes.azure import AzurePaths
from adapter.openai_api.routes.cors import OPEN, Cors
from adapter.openai_api.routes.decoding import DecodedBodies
from adapter.openai_api.routes.direct import DirectRoutes
from adapter.openai_api.routes.drain import AnswerHeaders
from adapter.openai_api.routes.event_streams import EventStreams
from adapter.openai_api.routes.file_turns import FileTurns
from adapter.openai_api.routes.head import HeadRequests
from adapter.openai_api.routes.request_log import RequestLog, unnamed
from adapter.openai_api.routes.reservation import ReservationMiddleware
from adapter.openai_api.routes.route_names import RouteNames
from adapter.openai_api.routes.services import Services
from adapter.providers import registry
from adapter.providers.description import AnyProvider
from adapter.records.credentials import SqlCredentialStore
from adapter.records.files import SqlFileStore
from adapter.records.registry import SqlFileRegistry
from adapter.records.responses import SqlResponseStore
from adapter.records.sizes import SqlFileSizes
from adapter.records.usage import SqlUsageStore
from adapter.records.usage_recorder import CountedWork, UsageWriter
from adapter.reload_plan import Configuration
from adapter.reload_signal import on_reload_signal
from adapter.reloading import Read, Reloader, ReloadReport
from adapter.retirements import RetirementWatch
from adapter.settings import Settings
from adapter.settings_database import build_database
from adapter.studio.routes import studio_routes
from adapter.tasks import Tasks
from adapter.tracing.requests import TracedRequests
from adapter.wiring import (
    ADDRESSES,
    DAY_SECONDS,
    Measurement,
    Tracing,
    build_admins,
    build_chat_options,
    build_http,
    build_image_options,
    build_input_loader,
    build_key_contexts,
    build_keys,
    build_liveness,
    build_measurement,
    build_media_store,
    build_poll_schedule,
    build_providers,
    build_read_context,
    build_retention,
    build_spool,
    build_timeouts,
    build_tracing,
    measured_providers,
)

log = structlog.get_logger()


class Ports(msgspec.Struct, frozen=True):
    """The ports that tests may replace: the stores, the providers, and the spool."""

    memory: Memory
    requests: RequestStore
    video_providers: Mapping[str, VideoProvider]
    spool: Spool
    image_jobs: JobStore[ImageJob]
    image_makers: Mapping[str, ImageMaker]

    @property
    def image_memory(self) -> Memory[ImageJob]:
        """The memory of pictures in the background."""
        return Memory(self.image_jobs, self.memory.feed, self.memory.media)


#: Large requests that are read at once. Each takes a core.
READERS = 2
#: Returns the ports to use instead of those that the settings call for.
Override = Callable[[Ports], Ports]


def unchanged(ports: Ports) -> Ports:
    """Return the ports unchanged."""
    return ports


def create_app(  # noqa: PLR0913 - each argument is a part of the outside world
    settings: Settings,
    catalogue: Catalogue,
    *,
    clock: Clock | None = None,
    override: Override = unchanged,
    providers: Sequence[AnyProvider] = registry.BUILT_IN,
    telemetry: Telemetry | None = None,
    read: Read | None = None,
) -> Litestar:
    """Build the application. The outside world is an argument; everything else is in the settings.

    That is the time, and what `override` makes of the parts that videos are made with: the trials of
    `tests/torture` put their own around the real ones. `read` reads the configuration anew, for a reload while the
    application runs; without it there is none.

    Raises:
        WrongConfiguration: a secret that a setting refers to is not there, or the media store cannot be used.
    """
    clock = clock or SystemClock()
    telemetry = telemetry or Telemetry()
    work = CountedWork(telemetry.usage)
    tracing = build_tracing(settings)
    telemetry = msgspec.structs.replace(telemetry, usage=work)
    if tracing:
        telemetry = msgspec.structs.replace(telemetry, tracer=tracing.tracer)
    measurement = build_measurement(settings, clock, telemetry)
    telemetry = measurement.telemetry if measurement else telemetry
    outside = Outside(
        clock=clock,
        override=override,
        providers=providers,
        telemetry=telemetry,
        measurement=measurement,
        tracing=tracing,
        work=work,
        read=read,
    )
    application = Application(settings, catalogue, outside)
    beside = [google_routes(), studio_routes(is_offered=settings.server.studio)]
    if measurement:
        beside.append(metrics_route(measurement.page, measurement.key))
    app = api(application.open, body_bytes=settings.limits.body_bytes, beside=beside)
    direct = DirectRoutes(app.asgi_handler, DIRECT, PREFIXES)
    decoded = DecodedBodies(direct, body_bytes=settings.limits.body_bytes)
    paths = GooglePaths(AzurePaths(ReservationMiddleware(decoded)), key_in_query=settings.access.key_in_query)
    headers = AnswerHeaders(OPEN)
    application.drains.append(headers.drain)
    events = EventStreams(FileTurns(HeadRequests(paths)))
    name_route = RouteNames(app.routes, ADDRESSES).name if measurement or tracing else unnamed
    requests = RequestLog(events, outside.telemetry.metrics, headers, name_route)
    application.sources.append(partial(traffic_facts, requests.traffic))
    app.asgi_handler = Cors(TracedRequests(requests, tracing.tracer, name_route) if tracing else requests)
    return app


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """What is opened first and closed last: the database, the ports, the stores."""

    stack: AsyncExitStack
    budget: MemoryBudget
    inputs: InputImages
    database: Database
    quotas: Quotas
    ports: Ports
    feed: LocalFeed
    files: SqlFileStore
    responses: SqlResponseStore

    @property
    def memory(self) -> Memory:
        """What outlives a request."""
        return self.ports.memory

    @property
    def file_owners(self) -> Sequence[FileOwner]:
        """Who has files that no job knows of."""
        return self.files, self.responses

    def keep_running(self, owner: str, work: Coroutine[None, None, None]) -> None:
        """Do something beside everything else, until everything ends."""
        tasks = Tasks(owner)
        self.stack.push_async_callback(tasks.cancel)
        tasks.start(work)


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """The outside world of the application, as `create_app` takes it."""

    clock: Clock = msgspec.field(default_factory=SystemClock)
    override: Override = unchanged
    providers: Sequence[AnyProvider] = registry.BUILT_IN
    telemetry: Telemetry = Telemetry()
    #: None: nothing is measured.
    measurement: Measurement | None = None
    #: None: nothing is traced.
    tracing: Tracing | None = None
    #: Counts what ends.
    work: CountedWork = msgspec.field(default_factory=CountedWork)
    #: Reads the configuration anew; None: it stays.
    read: Read | None = None


class Application:
    """Everything that a running application consists of: built from the settings, opened and closed in order."""

    def __init__(self, settings: Settings, catalogue: Catalogue, outside: Outside) -> None:
        #: What else is to be done when the process is told to stop.
        self.drains: list[Callable[[], None]] = []
        #: What else `/metrics` reads.
        self.sources: list[Source] = []
        #: What counts now. A reload replaces both, and the services of the handlers, in one step.
        self._configuration = Configuration(settings, catalogue)
        self._live = LiveProviders()
        self._outside = outside
        self._settings = settings
        self._clock = outside.clock
        self._override = outside.override
        self._telemetry = outside.telemetry
        self._measurement = outside.measurement
        self._work = outside.work
        self._http = build_http(settings)
        self._retirements = RetirementWatch(
            lambda: (self._configuration.settings, self._configuration.catalogue), outside.clock
        )
        self._tracing = outside.tracing
        self._media = build_media_store(settings)
        self._inputs = build_input_loader(settings, self._media)
        self._live.offer = self._offer(settings)
        #: Ends what providers have under way, also those that left the configuration.
        self._closing = [*self._live.offer.closing(Offer())]
        self._context = build_read_context(settings, catalogue)
        self._keys = build_keys(settings)
        self._admins = build_admins(settings)

    @asynccontextmanager
    async def open(self, app: Litestar) -> AsyncIterator[None]:
        """Open everything, give the handlers their services, and close in the opposite order."""
        async with AsyncExitStack() as stack:
            if self._tracing:  # first, so that it sends what everything else records to its end
                await stack.enter_async_context(self._tracing.sending())
            await stack.enter_async_context(self._http.open())
            stack.push_async_callback(self._close_providers)
            resources = await self._resources(stack)
            await self._watch_credentials(resources)
            engine = self._engine(resources)
            services = app.state.services = self._services(resources, engine)
            resources.keep_running("follower", self._follower(resources).run())
            await stack.enter_async_context(engine.running())
            self._tidy(resources)
            self._measure(resources)
            resources.keep_running("retirements", self._retirements.run())
            stack.callback(resources.feed.close)
            for drain in (
                *self.drains,
                resources.feed.close,
                services.pictures.drain,
                services.passed_texts.drain,
                engine.stop,
            ):
                stack.enter_context(on_stop_signal(drain))
            if self._outside.read:
                await self._reload_on_demand(stack, app, resources, self._outside.read)
            log.info(
                "server.started",
                public_url=self._settings.public_url,
                providers=[*self._live.offer.configured],
                database=without_password(self._settings.storage.database),
                media=self._settings.storage.media,
            )
            await self._warn_of_keys(resources.database)
            yield
            log.info("server.stopping")

    def _offer(self, settings: Settings) -> Offer:
        """Return what is made with these settings. A provider stays the same where its section does."""
        outside, before = self._outside, self._live.offer
        kept = before.unchanged(settings.providers)
        descriptions = [each for each in outside.providers if each.name not in kept]
        built = build_providers(settings, descriptions, self._http, outside.clock, outside.telemetry.metrics)
        if self._measurement or self._tracing:
            built = measured_providers(built, self._telemetry, self._clock)
        new = {name: ConfiguredProvider(settings.providers[name], each) for name, each in built.items()}
        found = {**kept, **new}
        return before.followed_by(
            {each.name: found[each.name] for each in outside.providers if each.name in found},
            lambda images: ImagePipeline(images, self._inputs),
        )

    async def _close_providers(self) -> None:
        for close in self._closing:
            await close()

    async def _reload_on_demand(self, stack: AsyncExitStack, app: Litestar, resources: Resources, read: Read) -> None:
        """Take a changed configuration over when a signal or a command asks for it."""
        reloader = Reloader(self._configuration, read, partial(self._prepare, app, resources.database))
        reloads = Tasks("reload")
        stack.push_async_callback(reloads.cancel)
        stack.enter_context(on_reload_signal(lambda: reloads.start(reloader.run())))
        if self._settings.server.control:

            async def answer(command: ReloadCommand) -> ReloadReport:
                return await reloader.reload(dry_run=command.dry_run)

            await stack.enter_async_context(controlled(Path(self._settings.server.control), answer))

    async def _prepare(self, app: Litestar, database: Database, new: Configuration) -> Callable[[], None]:
        """Build what another configuration needs, and return the function that puts it in place.

        A request that is under way keeps the services with which it began.

        Raises:
            WrongConfiguration: as `create_app`; nothing is in place then.
            StorageFailed: what the operator disabled cannot be read.
        """
        settings, offer, running = new.settings, self._offer(new.settings), cast("Services", app.state.services)
        disabled = await SqlCredentialStore(database).disabled()
        for each in offer.credentials:
            each.disable(disabled)
        context = build_read_context(settings, new.catalogue)
        services = msgspec.structs.replace(
            running,
            access=self._access(settings, build_keys(settings), SqlKeyStore(database)),
            admins=build_admins(settings),
            context=context,
            key_contexts=build_key_contexts(settings, context),
            texts=Texts(offer.texts),
            chat_options=build_chat_options(settings),
            image_options=build_image_options(settings),
            opening_seconds=settings.chat.opening_seconds,
        )

        def use() -> None:
            self._closing += offer.closing(self._live.offer)
            set_log_level(settings.server.log_level)
            self._configuration, self._live.offer, app.state.services = new, offer, services

        return use

    def _access(self, settings: Settings, keys: Sequence[ConfiguredKey], store: KeyStore) -> Access:
        return Keyring(
            keys,
            store,
            anonymous=settings.access.anonymous,
            clock=self._clock.now,
            failed_per_minute=settings.limits.failed_keys_per_minute,
        )

    async def _watch_credentials(self, resources: Resources) -> None:
        """Take no work with what the operator disabled, from the first request on."""
        store = SqlCredentialStore(resources.database)
        watch = CredentialWatch(store, lambda: self._live.offer.credentials, self._clock)
        await watch.look()
        resources.stack.push_async_callback(watch.close)
        resources.keep_running("credentials", watch.run())

    async def _account_summaries(self, database: Database) -> Sequence[CredentialSummary]:
        return await summaries(self._configuration.settings, database, now=self._clock.now())

    async def _warn_of_keys(self, database: Database) -> None:
        access, made = self._settings.access, [key for key in await SqlKeyStore(database).all() if not key.revoked_at]
        if not (access.keys or access.anonymous or made):
            log.warning("access.no_key", message="Every request is refused. `adapter keys create NAME` makes a key.")
        for key in made:
            for message in unknown_models(self._configuration.catalogue, key.allowance.models):
                log.warning("access.unknown_model", key=key.name, message=message)

    async def _resources(self, stack: AsyncExitStack) -> Resources:
        database = await build_database(self._settings)
        stack.push_async_callback(database.dispose)
        database.order_writers(self._clock)
        await self._name_owners(database)
        self._count_work(stack, database)
        feed = LocalFeed(self._clock)
        quotas = SqlQuotas(database, self._clock.now)
        videos_store = SqlJobStore(database, usage=self._telemetry.usage, quotas=quotas)
        memory = Memory(videos_store, feed, self._media)
        budget = MemoryBudget(
            self._clock,
            capacity=self._settings.limits.memory_bytes,
            wait_seconds=self._settings.limits.wait_seconds,
        )
        ports = self._override(
            Ports(
                memory=memory,
                requests=SqlRequestStore(database),
                video_providers=self._live.videos,
                spool=build_spool(self._settings),
                image_jobs=SqlJobStore(database, IMAGE, self._telemetry.usage, quotas),
                image_makers=self._live.image_makers,
            )
        )
        stack.push_async_callback(ports.spool.close)
        return Resources(
            stack=stack,
            budget=budget,
            inputs=build_input_loader(self._settings, ports.memory.media),
            database=database,
            quotas=quotas,
            ports=ports,
            feed=feed,
            files=SqlFileStore(database),
            responses=SqlResponseStore(database),
        )

    def _count_work(self, stack: AsyncExitStack, database: Database) -> None:
        """Write what is made and spent until everything else has ended."""
        keep_seconds = self._settings.storage.usage_days * DAY_SECONDS
        writer = UsageWriter(self._work, SqlUsageStore(database), self._clock, keep_seconds=keep_seconds)
        tasks = Tasks("usage")
        stack.push_async_callback(writer.run_once)
        stack.push_async_callback(tasks.finish)
        stack.callback(writer.close)
        tasks.start(writer.run())

    async def _name_owners(self, database: Database) -> None:
        """Give what belonged to the digest of a key to the owner that is named for it now."""
        for key in self._keys:
            if key.owner is not None:
                await take_over(database, [digest(await key.secret.read())], key.owner)

    def _follower(self, resources: Resources) -> Follower:
        silence = self._settings.chat.heartbeat_seconds
        return Follower(resources.memory.jobs, resources.feed, resources.database.changes, self._clock, silence=silence)

    def _engine(self, resources: Resources) -> Engine:
        clock, schedule, ports = self._clock, build_poll_schedule(self._settings), resources.ports
        videos = StepContext(
            providers=ports.video_providers,
            memory=ports.memory,
            clock=clock,
            schedule=schedule,
            longest_video=self._settings.limits.video_bytes,
            spool=ports.spool,
            metrics=self._telemetry.metrics,
            tracer=self._telemetry.tracer,
            budget=resources.budget,
        )
        images = ImageContext(
            makers=ports.image_makers,
            memory=ports.image_memory,
            budget=resources.budget,
            clock=clock,
            schedule=schedule,
            drain_seconds=build_timeouts(self._settings).drain_seconds,
            metrics=self._telemetry.metrics,
            tracer=self._telemetry.tracer,
        )
        return Engine(videos, images, clock)

    def _services(self, resources: Resources, engine: Engine) -> Services:
        settings, clock, memory, budget = self._settings, self._clock, resources.memory, resources.budget
        timeouts, tracer = build_timeouts(settings), self._telemetry.tracer
        image_makers = ImageMakers(resources.ports.image_makers, resources.inputs)
        liveness = build_liveness(settings, resources.ports.requests, clock)
        # Before the others, so that it runs until their work is over.
        resources.keep_running("liveness", liveness.run())
        repeats = PriorExecutions(resources.ports.requests, memory.media, clock, timeouts, liveness)
        pictures = Pictures(
            image_makers,
            repeats,
            resources.feed,
            clock,
            timeouts,
            telemetry=self._telemetry,
            quotas=resources.quotas,
        )
        resources.stack.push_async_callback(pictures.finish)
        resources.keep_running("pictures.run", pictures.run())
        responses = Responses(resources.responses, ImageFiles(memory.media), clock)
        background = Background(
            responses, resources.ports.image_memory, clock, timeouts, liveness, wake=engine.images.wake, tracer=tracer
        )
        resources.stack.push_async_callback(background.finish)
        videos = Videos(image_makers.inputs, memory, clock, timeouts, liveness, wake=engine.videos.wake, tracer=tracer)
        resources.stack.push_async_callback(videos.finish)
        readiness = self._readiness(resources)
        store = SqlKeyStore(resources.database)
        uploads = Uploads(resources.files, memory.media, clock, [resources.responses])
        return Services(
            access=self._access(settings, self._keys, store),
            admins=self._admins,
            usage=SqlUsageStore(resources.database),
            accounts=partial(self._account_summaries, resources.database),
            quotas=resources.quotas,
            trusts_proxies=bool(settings.server.trusted_proxies),
            readiness=readiness,
            pictures=pictures,
            videos=videos,
            image_orders=ImageOrders(uploads, pictures),
            background_orders=BackgroundOrders(uploads, background),
            video_orders=VideoOrders(uploads, videos),
            texts=Texts(self._live.offer.texts),
            passed_texts=PassedTexts(
                self._live.passed_texts, clock, timeouts, resources.quotas, telemetry=self._telemetry
            ),
            files=Files(memory.media, SqlFileSizes(resources.database)),
            contents=VideoContents(memory, FrameThumbnailer(memory.media, budget)),
            clips=FileMeasurer(),
            uploads=uploads,
            responses=responses,
            background=background,
            response_seconds=settings.storage.responses_days * DAY_SECONDS,
            budget=budget,
            readers=FairSemaphore(READERS),
            clock=clock,
            context=self._context,
            key_contexts=build_key_contexts(settings, self._context),
            chat_options=build_chat_options(settings),
            image_options=build_image_options(settings),
            longest_body=settings.limits.body_bytes,
            longest_file=settings.limits.image_bytes,
            longest_video=min(settings.limits.video_bytes, settings.limits.body_bytes),
            poll_seconds=settings.jobs.poll_seconds,
            opening_seconds=settings.chat.opening_seconds,
            heartbeat_seconds=settings.chat.heartbeat_seconds,
        )

    def _readiness(self, resources: Resources) -> Readiness:
        probes: dict[str, Probe] = {"database": partial(probe, resources.database), "media": self._media.probe}
        readiness = Readiness(probes, resources.feed, self._clock)
        resources.stack.push_async_callback(readiness.close)
        return readiness

    def _measure(self, resources: Resources) -> None:
        if self._measurement is None:
            return
        sources: list[Source] = [
            *self.sources,
            partial(memory_facts, resources.budget),
            lambda: credit_facts(self._live.offer.credentials),
        ]
        if resources.database.queue:
            sources.append(partial(write_facts, resources.database.queue))
        self._measurement.page.open(sources, partial(count_live, resources.database))
        resources.keep_running("metrics.loop_lag", watch_loop(self._clock, self._telemetry.metrics))

    def _tidy(self, resources: Resources) -> None:
        media, file_owners, clock = resources.memory.media, resources.file_owners, self._clock
        resources.keep_running("memory", give_memory_back_when_quiet(lambda: resources.budget.grants, clock))
        resources.keep_running("sweeper", Sweeper(media, file_owners, clock).run())
        resources.keep_running("leftovers", Leftovers(media, SqlFileRegistry(resources.database), clock).run())
        if retention := build_retention(self._settings):
            janitor = Janitor(media, resources.memory.jobs, clock, retention, file_owners)
            resources.keep_running("janitor", janitor.run())
