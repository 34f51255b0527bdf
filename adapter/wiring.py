"""Builds stores, providers, options and time limits from the settings."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from adapter.access.admins import Admins
from adapter.access.keyring import ConfiguredKey
from adapter.access.keys import digest, owner_named
from adapter.connection_table import ConnectionLimits
from adapter.credentials import secret
from adapter.domain.catalogue import Catalogue, LengthPolicy
from adapter.domain.media import SizePolicy
from adapter.domain.media_links import MediaLinks
from adapter.domain.ports import Clock, MediaStore, Metrics, RequestStore, Secret
from adapter.domain.telemetry import Telemetry
from adapter.errors import WrongConfiguration
from adapter.generation.liveness import Liveness
from adapter.generation.timeouts import Timeouts
from adapter.google_api.read.addresses import native_path
from adapter.jobs.poll_schedule import PollSchedule
from adapter.jobs.spool import Spool
from adapter.media.agent import user_agent
from adapter.media.fetch import SafeFetcher
from adapter.media.input_images import InputImageLoader, InputLimits
from adapter.media.janitor import Retention
from adapter.media.s3 import S3Access
from adapter.media.store import ObjectMediaStore, open_media
from adapter.metrics.measured import Calls, MeasuredImages, MeasuredPassing, MeasuredTexts, MeasuredVideos
from adapter.metrics.page import MetricsPage
from adapter.metrics.spending import CountedUsage
from adapter.network.links import Rules
from adapter.openai_api.read.context import KeyContexts, ReadContext
from adapter.openai_api.read.deployments import read_address
from adapter.openai_api.routes.route_names import Rewrite
from adapter.openai_api.routes.services import ChatOptions, ImageOptions
from adapter.providers.description import REFERENCES, AnyProvider, Provider, ProviderContext, ProviderSettings, Way
from adapter.providers.http import Http
from adapter.providers.limits import HttpLimits
from adapter.providers.reach import network_of, routes_of
from adapter.providers.session import HttpNetwork, OpenSecret
from adapter.providers.token_requests import way_of_tokens
from adapter.settings import Settings, load_phrasebook

if TYPE_CHECKING:
    from adapter.tracing.open_telemetry import Collector, OpenTelemetryTracer

_T = TypeVar("_T")

#: The shortest lease of a process, in seconds. A claim of a job may be shorter.
SHORTEST_LEASE_SECONDS = 5.0
#: Seconds of a day.
DAY_SECONDS = 86_400
#: The part of `server.shutdown_seconds` that is kept for the last error messages.
DRAIN_SECONDS = 0.5
#: The part of `limits.memory_bytes` that comes on top of it, for pictures that went out lately: 32 MB of 1 GB.
RECENT_RESULTS_SHARE = 32
#: The part of `limits.memory_bytes` that the kernel may hold of unread answers, on top of it: 128 MB of 1 GB.
UNSENT_SHARE = 8


def build_s3_access(settings: Settings) -> S3Access:
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


def build_media_store(settings: Settings) -> ObjectMediaStore:
    """Open the media store.

    Raises:
        WrongConfiguration: it cannot be used.
    """
    return open_media(settings.storage.media, build_s3_access(settings))


def build_spool(settings: Settings) -> Spool:
    """Return the second memory of answered submissions."""
    return Spool(Path(settings.jobs.spool) if settings.jobs.spool else None)


def build_http(settings: Settings) -> Http:
    """Return the client of the providers. Links in their answers may lead where links of clients may, over https."""
    return Http(rules=Rules.reading(http=False, trusted=settings.fetching.trusted))


def build_providers(
    settings: Settings, providers: Sequence[AnyProvider], http: Http, clock: Clock, metrics: Metrics
) -> Mapping[str, Provider]:
    """Return the providers that are configured, by name.

    Raises:
        WrongConfiguration: a secret that is referred to is not there.
    """
    return {
        each.name: each.build(
            settings.providers[each.name],
            build_provider_context(each.name, settings.providers[each.name], http, clock, metrics),
        )
        for each in providers
        if each.name in settings.providers
    }


def provider_secret(name: str, section: ProviderSettings, reference: str, *, key: str) -> Secret:
    """Return a secret of the provider `name`. Access tokens of Google Cloud are fetched on the provider's way.

    `key` is the setting inside the provider's section, for messages.

    Raises:
        WrongConfiguration: it is not there, or what is set for the way cannot be used.
    """

    def open_plainly(reference: str, *, key: str) -> Secret:
        return secret(reference, key=f"providers.{name}.{key}")

    # Each has a way of its own, because a token is fetched in a thread, and the secret of the proxy is read there.
    is_token = reference.startswith("google:")
    tokens = way_of_tokens(name, section, open_plainly, section.way_of(key)) if is_token else None
    return secret(reference, key=f"providers.{name}.{key}", tokens=tokens)


def settings_secret(settings: Settings, key: str, reference: str) -> Secret:
    """Return the secret of a setting, as the server would read it; `key` is as in `Settings.secrets`.

    Raises:
        WrongConfiguration: as `provider_secret`.
    """
    table, name, *_ = key.split(".")
    if table == "providers":
        return provider_secret(name, settings.providers[name], reference, key=key.removeprefix(f"{table}.{name}."))
    return secret(reference, key=key)


def build_provider_context(
    name: str, section: ProviderSettings, http: Http, clock: Clock, metrics: Metrics
) -> ProviderContext:
    """Return the outside world of one provider, with its own way to it.

    Raises:
        WrongConfiguration: what is set for the way cannot be used.
    """

    def open_secret(reference: str, *, key: str) -> Secret:
        return provider_secret(name, section, reference, key=key)

    network, limits = network_of(name, section, open_secret, section.way), section.limits()
    # Providers without settings of their own share connections and the certificates of the system.
    has_own_way = (network, limits) != (HttpNetwork(), HttpLimits())
    own = http.through(network, limits) if has_own_way else http

    def open_client(way: Way) -> Http:
        return http.through(msgspec.structs.replace(network, route=routes_of(way, open_secret)), limits)

    return ProviderContext(http=own, clock=clock, open_secret=open_secret, open_client=open_client, metrics=metrics)


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """What measures, where `metrics.enabled` says so."""

    telemetry: Telemetry
    page: MetricsPage
    #: Opens the page; None: it is open.
    key: Secret | None


def build_measurement(settings: Settings, clock: Clock, telemetry: Telemetry) -> Measurement | None:
    """Return what measures, around the given recorder of usage; None if nothing does.

    Raises:
        WrongConfiguration: the key that is referred to is not there.
    """
    told = settings.metrics
    if not told.enabled:
        return None
    # Prometheus's library takes 0.07 s and brings an HTTP server along. Without metrics it is not loaded.
    from adapter.metrics.prometheus import PrometheusMetrics  # noqa: PLC0415

    metrics = PrometheusMetrics()
    return Measurement(
        telemetry=Telemetry(
            usage=CountedUsage(telemetry.usage, metrics, owners=told.owners), metrics=metrics, tracer=telemetry.tracer
        ),
        page=MetricsPage(metrics.write, clock),
        key=secret(told.key, key="metrics.key") if told.key else None,
    )


class Tracing(msgspec.Struct, frozen=True, kw_only=True):
    """What traces, where `traces.endpoint` says so."""

    tracer: "OpenTelemetryTracer"
    collector: "Collector"

    def sending(self) -> AbstractAsyncContextManager[None]:
        """Send what is traced, for as long as this lasts."""
        return self.tracer.sending(self.collector)


def build_tracing(settings: Settings) -> Tracing | None:
    """Return what traces; None if nothing does.

    Raises:
        WrongConfiguration: the library is not installed, or a secret that is referred to is not there.
    """
    told = settings.traces
    if not told.endpoint:
        return None
    try:
        # OpenTelemetry is an extra: it takes 0.3 s and 20 MB.
        from adapter.tracing.open_telemetry import Collector, OpenTelemetryTracer  # noqa: PLC0415
    except ImportError as error:
        raise WrongConfiguration(
            "traces.endpoint needs OpenTelemetry's library, which is not installed. docs/traces.md says how."
        ) from error
    headers = {
        name: secret(value, key=f"traces.headers.{name}") if value.startswith(REFERENCES) else OpenSecret(value)
        for name, value in told.headers.items()
    }
    return Tracing(
        tracer=OpenTelemetryTracer(service=told.service, sample=told.sample),
        collector=Collector(endpoint=told.endpoint, headers=headers),
    )


def measured_providers(providers: Mapping[str, Provider], telemetry: Telemetry, clock: Clock) -> Mapping[str, Provider]:
    """Return providers whose calls are measured and traced."""
    return {name: _measured(each, Calls(name, telemetry, clock)) for name, each in providers.items()}


def _measured(provider: Provider, calls: Calls) -> Provider:
    return Provider(
        images=provider.images and MeasuredImages(provider.images, calls),
        videos=provider.videos and MeasuredVideos(provider.videos, calls),
        texts=provider.texts and MeasuredTexts(provider.texts, calls),
        passed_texts=provider.passed_texts and MeasuredPassing(provider.passed_texts, calls),
        credentials=provider.credentials,
        close=provider.close,
    )


def _google_path(method: str, path: str) -> str | None:
    return native_path(method, path, has_key=False)


def _azure_path(_method: str, path: str) -> str | None:
    address = read_address(path)
    return None if address is None else address.path


#: What other addresses stand for, for names of routes.
ADDRESSES: Sequence[Rewrite] = (_google_path, _azure_path)


def build_keys(settings: Settings) -> Sequence[ConfiguredKey]:
    """Return the clients' keys of the configuration.

    Raises:
        WrongConfiguration: one that is referred to is not there.
    """
    access = settings.access
    named = [
        ConfiguredKey(
            secret=secret(each.key, key=f"access.keys.{name}.key"),
            id=name,
            owner=owner_named(each.owner or name),
            allowance=each.allowance,
        )
        for name, each in access.named_keys.items()
    ]
    return named + [
        ConfiguredKey(
            secret=secret(reference, key=f"access.keys[{number}]"),
            id=key_id(reference),
            owner=None if (owner := access.owner_of(reference)) is None else owner_named(owner),
        )
        for number, reference in enumerate(access.listed_keys)
    ]


def build_admins(settings: Settings) -> Admins:
    """Return the keys of administrators.

    Raises:
        WrongConfiguration: one that is referred to is not there.
    """
    told = enumerate(settings.access.admin_keys)
    return Admins([secret(reference, key=f"access.admin_keys[{number}]") for number, reference in told])


def key_id(name: str) -> str:
    """Return the id of a key by its name or reference. A key in the open is not shown."""
    return f"plain:{digest(name)[:8]}" if name.startswith("plain:") else name


def build_input_loader(settings: Settings, media: MediaStore) -> InputImageLoader:
    """Return who brings pictures to work from."""
    told = settings.limits
    fetching = settings.fetching
    agent = user_agent(fetching.contact or settings.server.public_url)
    fetcher = SafeFetcher(http=fetching.http, trusted=fetching.trusted, agent=agent)
    limits = InputLimits(bytes=told.image_bytes, bytes_in_all=told.images_bytes, pixels=told.image_pixels)
    return InputImageLoader(fetcher, media, limits)


def build_read_context(settings: Settings, catalogue: Catalogue) -> ReadContext:
    """Return what requests are read against.

    Raises:
        WrongConfiguration: a pattern of `chat.side_call_patterns` cannot be read.
    """
    lengths = settings.videos.seconds_policy
    return ReadContext(
        catalogue=catalogue,
        longest_prompt=settings.limits.prompt_characters,
        size_policy=SizePolicy(settings.images.size_policy),
        length_policy=None if lengths == "by_name" else LengthPolicy(lengths),
        media_links=build_media_links(settings),
        phrasebook=load_phrasebook(settings.chat),
        refuse_side_calls=settings.chat.side_calls == "refuse",
        listing=settings.list_models,
    )


def build_key_contexts(settings: Settings, context: ReadContext) -> KeyContexts:
    """Return what requests of keys with settings of their own are read against."""
    known = context.phrasebook
    if settings.chat.side_calls == "generate":
        known = load_phrasebook(msgspec.structs.replace(settings.chat, side_calls="answer"))
    return KeyContexts(context, known)


def _by_key_id(table: Mapping[str, _T]) -> Mapping[str, _T]:
    return {key_id(name): value for name, value in table.items()}


def build_image_options(settings: Settings) -> ImageOptions:
    """Return how the Images API answers where a request does not say."""
    told = settings.images
    return ImageOptions(delivery_by_key=_by_key_id(told.response_format_by_key), delivery=told.response_format)


def build_chat_options(settings: Settings) -> ChatOptions:
    """Return how chats are answered."""
    told = settings.chat
    return ChatOptions(
        enclose_pictures=told.images == "data",
        markup_by_key=_by_key_id(told.markup_by_key),
        markup=told.video_markup,
        stream_errors=told.stream_errors,
        side_call_model=told.side_call_model,
    )


def build_media_links(settings: Settings) -> MediaLinks:
    """Return where finished files are found, and for how long."""
    return MediaLinks(public_url=settings.public_url, keep=settings.storage.retention_days * DAY_SECONDS)


def build_retention(settings: Settings) -> Retention | None:
    """Return how long files are kept; None keeps everything."""
    if not settings.storage.retention_days:
        return None
    return Retention(keep=settings.storage.retention_days * DAY_SECONDS, replay=settings.jobs.replay_minutes * 60)


def build_poll_schedule(settings: Settings) -> PollSchedule:
    """Return the times of video jobs."""
    told = settings.jobs
    return PollSchedule(
        poll_seconds=told.poll_seconds,
        lease_seconds=told.lease_seconds,
        deadline_seconds=told.deadline_minutes * 60,
        reconcile_seconds=told.reconcile_seconds if told.on_ambiguous == "reconcile" else None,
    )


def build_liveness(settings: Settings, requests: RequestStore, clock: Clock) -> Liveness:
    """Return what other processes know this one by."""
    return Liveness(requests, clock, max(settings.jobs.lease_seconds, SHORTEST_LEASE_SECONDS))


def build_connection_limits(settings: Settings) -> ConnectionLimits:
    """Return the limits of clients' connections."""
    told = settings.limits
    return ConnectionLimits(
        header_bytes=told.header_bytes,
        header_count=told.header_count,
        header_seconds=told.header_seconds,
        idle_seconds=told.idle_seconds,
        body_bytes_per_second=told.body_bytes_per_second,
        body_seconds=told.body_seconds,
        reader_seconds=told.reader_seconds,
        connections=told.connections,
        connections_per_address=told.connections_per_address,
        unsent_bytes=told.memory_bytes // UNSENT_SHARE,
    )


def build_timeouts(settings: Settings) -> Timeouts:
    """Return what the use cases wait for, and how long."""
    return Timeouts(
        heartbeat=settings.chat.heartbeat_seconds,
        replay=settings.jobs.replay_minutes * 60,
        typical=settings.jobs.typical_seconds,
        drain_seconds=settings.server.shutdown_seconds - DRAIN_SECONDS,
        recent_results_bytes=settings.limits.memory_bytes // RECENT_RESULTS_SHARE,
    )
