"""The configuration: a TOML file and the environment become one frozen `Settings`.

Anything wrong stops the start with a sentence that names the key. `config/adapter.toml` shows every key with its
default; any of them can be given as `ADAPTER__SECTION__KEY` in the environment.
"""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from adapter import shipped
from adapter.domain.allowance import MOST_UNITS, Allowance, SideCallAnswer, read_budget, read_last_day
from adapter.domain.catalogue import Catalogue, CatalogueFile, Listing
from adapter.domain.delivery import Delivery
from adapter.domain.markup import Markup
from adapter.domain.side_calls import Phrasebook, SideCallKind
from adapter.domain.stream_errors import StreamErrors
from adapter.errors import WrongConfiguration
from adapter.mistakes import Mistake, dotted, find_mistakes, in_words
from adapter.providers import registry
from adapter.providers.description import (
    ADDRESS_WORDS,
    REFERENCES,
    AnyProvider,
    HeaderName,
    HeaderValue,
    ProviderSettings,
    Way,
    references,
)
from adapter.providers.proxy import read_proxy
from adapter.sandbox.rules import SandboxRules
from adapter.toml_file import Key, TomlFile, read_toml

PREFIX = "ADAPTER__"

#: The words of known chat programs. They lie beside the code and not in `config/`, because they belong to a version of
#: the program: an old configuration gets the new ones all the same.
PHRASES = Path(__file__).with_name("side_calls.toml")

#: Empty, or an address.
OptionalHttpUrl = Annotated[
    str,
    Meta(pattern=r"^(https?://[^\s]+)?$", description="an address that begins with http:// or https://, or nothing"),
]
#: A name, an IPv4 address, or an IPv6 address in brackets, each with a port.
HostPort = Annotated[
    str,
    Meta(
        pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^\s/@:\[\]]+):[1-9][0-9]{0,4}$",
        description="HOST:PORT, such as images.internal:8443",
    ),
]
Port = Annotated[int, Meta(ge=0, le=65_535)]
#: A name or an IPv4 address, an IPv6 address, or nothing. A port beside it is a mistake: only IPv6 has two colons.
Host = Annotated[
    str,
    Meta(
        pattern=r"^([0-9A-Za-z._-]*|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(%[0-9A-Za-z._-]+)?)$",
        description="an address or a name of this machine without a port, such as 127.0.0.1, 0.0.0.0 or ::",
    ),
]

LogLevel = Literal["debug", "info", "warning", "error"]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file: unknown keys are mistakes."""


class Server(_Section, frozen=True, kw_only=True):
    """Where we listen and what we are called from outside."""

    host: Host = "127.0.0.1"
    port: Port = 8000
    #: Base of every link handed to a client; never taken from a request. Empty: made of host and port.
    public_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^\s/?#@]+(/[^\s?#]*)?)?$",
            description="an address that begins with http:// or https://, without user, ? and #, or nothing",
        ),
    ] = ""
    #: Seconds that open connections get when the process is told to stop: most pictures take less.
    shutdown_seconds: Annotated[int, Meta(ge=1, le=300)] = 25
    #: Addresses and networks of the operator's proxies. From these `X-Forwarded-For` is believed.
    trusted_proxies: tuple[str, ...] = ()
    #: The lowest level of lines in the log.
    log_level: LogLevel = "info"
    #: The folder of the sockets by which `adapter reload` finds the servers of this machine. Empty: none.
    control: str = "var/control"
    #: Whether `/studio` is there, a page for making pictures and videos with a key.
    studio: bool = True


class KeySettings(_Section, frozen=True, kw_only=True):
    """A key of the configuration with a name. What it may do is `domain/allowance.py`."""

    #: A reference to the key.
    key: Annotated[str, Meta(min_length=1)]
    #: The owner of its media; empty: its name.
    owner: Annotated[str, Meta(max_length=60)] = ""
    models: tuple[str, ...] = ()
    rpm: Annotated[int, Meta(ge=1, le=MOST_UNITS)] | None = None
    images_per_day: Annotated[int, Meta(ge=0, le=MOST_UNITS)] | None = None
    videos_per_day: Annotated[int, Meta(ge=0, le=MOST_UNITS)] | None = None
    budget: str = ""
    #: Its last day, in UTC.
    expires: date | None = None
    markup: Markup | None = None
    side_calls: SideCallAnswer | None = None
    response_format: Delivery | None = None
    #: Whether it also opens `/v1/organization/…`.
    admin: bool = False

    @property
    def allowance(self) -> Allowance:
        """What the key may do.

        Raises:
            ValueError: `budget` has another form.
        """
        return Allowance(
            models=self.models,
            rpm=self.rpm,
            images_per_day=self.images_per_day,
            videos_per_day=self.videos_per_day,
            budget=read_budget(self.budget) if self.budget else (),
            expires_at=None if self.expires is None else read_last_day(self.expires),
            markup=self.markup,
            side_calls=self.side_calls,
            response_format=self.response_format,
            admin=self.admin,
        )


#: Names of keys and owners; longer ones do not fit into the column of an owner.
OwnerName = Annotated[str, Meta(min_length=1, max_length=60, description="a name of 1 to 60 characters")]


class AccessSettings(_Section, frozen=True, kw_only=True):
    """Who may ask."""

    #: References to keys, or tables of keys by their names.
    keys: Annotated[
        tuple[str, ...] | dict[OwnerName, KeySettings],
        Meta(description='a list of references, such as ["env:ADAPTER_KEY"], or tables [access.keys.NAME]'),
    ] = ()
    #: They open `/v1/organization/…`, and nothing else unless they are in `keys` too.
    admin_keys: tuple[str, ...] = ()
    anonymous: bool = False
    #: Whether Google's routes take a key in their address (`?key=`). Proxies write addresses into their logs.
    key_in_query: bool = False
    #: Names of owners, each with those of `keys` that belong to it. Media stay with the name when its keys change.
    owners: dict[OwnerName, tuple[str, ...]] = {}

    @property
    def listed_keys(self) -> Sequence[str]:
        """The references of a list of keys."""
        return self.keys if isinstance(self.keys, tuple) else ()

    @property
    def named_keys(self) -> Mapping[str, KeySettings]:
        """The tables of keys."""
        return self.keys if isinstance(self.keys, dict) else {}

    @property
    def known_keys(self) -> Collection[str]:
        """How settings may name a key of the configuration: by its reference in the list, or by its name."""
        return {*self.listed_keys, *self.named_keys}

    def owner_of(self, reference: str) -> str | None:
        """Return the owner that a key belongs to, if one is named."""
        return next((name for name, keys in self.owners.items() if reference in keys), None)


class S3(_Section, frozen=True, kw_only=True):
    """The server of an `s3://` address. What is empty is AWS's own, or what its `AWS_…` variables say."""

    endpoint: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[0-9A-Za-z._:\[\]-]+(/[^\s]*)?)?$",
            description="the address of a server, such as http://127.0.0.1:9000",
        ),
    ] = ""
    region: Annotated[str, Meta(pattern=r"^[0-9A-Za-z-]*$", description="a region, such as eu-central-1")] = ""
    access_key: str = ""
    secret_key: str = ""


class Storage(_Section, frozen=True, kw_only=True):
    """Where things are remembered."""

    database: Annotated[
        str,
        Meta(
            pattern=r"^(sqlite:///.+|postgres(ql)?://(?!$)([^/?#@\[\]]*@)?[^@?#]*(\?[^#]*)?)$",
            description="sqlite:///FILE or postgresql://USER@HOST:PORT/DATABASE; in a user or a password / ? # @ [ ] "
            "are written %2F %3F %23 %40 %5B %5D",
        ),
    ] = "sqlite:///var/adapter.db"
    #: A reference to the password of a PostgreSQL server. Empty: it stands in the address, or libpq's variables say.
    database_password: str = ""
    media: Annotated[
        str,
        Meta(
            pattern=r"^(file://.+|s3://[^/]+(/.*)?|memory://)$",
            description="file://FOLDER or s3://BUCKET/FOLDER",
        ),
    ] = "file://var/media"
    #: Files are deleted after this, unless a job still needs them; 0 keeps everything.
    retention_days: Annotated[float, Meta(ge=0, le=36_500)] = 0.0
    #: How long responses can be looked up, with their pictures (OpenAI's own: 30).
    responses_days: Annotated[float, Meta(gt=0, le=36_500)] = 30.0
    #: How long it is known what was made and spent; 0 keeps everything.
    usage_days: Annotated[float, Meta(ge=0, le=36_500)] = 400.0
    s3: S3 = S3()


class Jobs(_Section, frozen=True, kw_only=True):
    """How video jobs are kept."""

    poll_seconds: Annotated[float, Meta(ge=0.01, le=300)] = 5.0
    #: A dead process's jobs are taken over after this; at least twice `poll_seconds`.
    lease_seconds: Annotated[float, Meta(ge=0.02, le=600)] = 10.0
    deadline_minutes: Annotated[float, Meta(gt=0, le=2880)] = 60.0
    #: How long a video is expected to take until one was measured; 0 leaves it to the model's card.
    typical_seconds: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    #: A finished video that was not delivered yet answers an equal request for so long.
    replay_minutes: Annotated[float, Meta(ge=0, le=10_080)] = 1440.0
    #: What becomes of a submission that got no answer: the account's credits are compared, or it is given up at once.
    on_ambiguous: Literal["reconcile", "fail"] = "reconcile"
    #: From an answer that did not come to the first reading of the credits, and from there to the second.
    reconcile_seconds: Annotated[float, Meta(ge=0.05, le=300)] = 60.0
    #: A local folder for Google's answers until the database has them; empty: none.
    spool: str = "var/spool"


class Chat(_Section, frozen=True, kw_only=True):
    """How chats are answered."""

    #: Silence on a stream before a comment is sent.
    heartbeat_seconds: Annotated[float, Meta(ge=0.05, le=30)] = 10.0
    #: How pictures are shown where the request does not say.
    images: Literal["link", "data"] = "link"
    #: How videos are shown where neither the request nor its key says.
    video_markup: Markup = Markup.MARKDOWN
    #: The same by key: the name of one that was made, or one of `access.keys` as it stands there.
    markup_by_key: dict[str, Markup] = {}
    #: What is refused within this has an HTTP status; then a stream begins, and says inside what fails.
    opening_seconds: Annotated[float, Meta(ge=0, le=60)] = 2.0
    #: How a stream says what fails after its beginning.
    stream_errors: StreamErrors = StreamErrors.AUTO
    #: What becomes of a front-end's requests for titles, tags and the like.
    side_calls: SideCallAnswer = "answer"
    #: A text model of Gemini that answers them; empty: they are answered here.
    side_call_model: Annotated[
        str, Meta(pattern=r"^[0-9A-Za-z._-]*$", description="the name of a model, such as gemini-3.5-flash-lite")
    ] = ""
    #: Further words by which they are known.
    side_call_patterns: dict[SideCallKind, tuple[str, ...]] = {}


class Images(_Section, frozen=True, kw_only=True):
    """How pictures are made."""

    #: What a size in pixels is worth where the request does not say.
    size_policy: Literal["nearest", "cover", "exact"] = "nearest"
    #: How the Images API hands them over where the request does not say.
    response_format: Delivery = Delivery.AUTO
    #: The same by key, as `chat.markup_by_key`.
    response_format_by_key: dict[str, Delivery] = {}


class VideoSettings(_Section, frozen=True, kw_only=True):
    """How videos are made."""

    #: What a length is worth that the model does not make. `by_name`: the nearest one for names of other vendors, whose
    #: client libraries send a default of their own, and a refusal for ours.
    seconds_policy: Literal["by_name", "nearest", "exact"] = "by_name"


class Limits(_Section, frozen=True, kw_only=True):
    """What a request may weigh, and how slow a client may be."""

    #: Largest request body.
    body_bytes: Annotated[int, Meta(ge=1024)] = 128 * 1024 * 1024
    #: Largest picture to work from (OpenAI's own limit is 50 MB), all of one request (Gemini takes 100 MB, as base64),
    #: and one's pixels.
    image_bytes: Annotated[int, Meta(ge=1024)] = 50 * 1024 * 1024
    images_bytes: Annotated[int, Meta(ge=1024)] = 72 * 1024 * 1024
    image_pixels: Annotated[int, Meta(ge=1024)] = 40_000_000
    #: Largest video that is fetched from a provider, or sent by a client to be worked on.
    video_bytes: Annotated[int, Meta(ge=1024)] = 1024 * 1024 * 1024
    #: What all large work together may take in memory, and how many seconds work waits for its part.
    memory_bytes: Annotated[int, Meta(ge=1024 * 1024)] = 1024 * 1024 * 1024
    wait_seconds: Annotated[float, Meta(ge=0, le=600)] = 30.0
    #: Longest prompt, in characters (OpenAI's own limit is 32,000).
    prompt_characters: Annotated[int, Meta(ge=1)] = 32_000
    #: Largest header of a request, and its most fields.
    header_bytes: Annotated[int, Meta(ge=1024, le=1024 * 1024)] = 64 * 1024
    header_count: Annotated[int, Meta(ge=20, le=10_000)] = 200
    #: How many seconds a client may take for a whole header, and between two requests. The second is longer than the
    #: pools of the clients and proxies that come here keep their connections.
    header_seconds: Annotated[float, Meta(ge=1, le=600)] = 10.0
    idle_seconds: Annotated[float, Meta(ge=1, le=3600)] = 75.0
    #: How slowly a body may come, in each 20 seconds (0: as slowly as it likes), and how many seconds it may take.
    body_bytes_per_second: Annotated[int, Meta(ge=0)] = 1024
    body_seconds: Annotated[float, Meta(ge=1)] = 900.0
    #: How many seconds a client may leave an answer unread.
    reader_seconds: Annotated[float, Meta(ge=1)] = 30.0
    #: Connections at once: of all clients, and of one address (0: as many as it likes; a proxy's clients have its own).
    connections: Annotated[int, Meta(ge=10)] = 16_384
    connections_per_address: Annotated[int, Meta(ge=0)] = 0
    #: File descriptors that are kept for the database, files and providers.
    descriptors_reserve: Annotated[int, Meta(ge=16)] = 256
    #: Requests with wrong keys that one address may send in a minute; 0: as many as it likes.
    failed_keys_per_minute: Annotated[int, Meta(ge=0)] = 60


class Fetching(_Section, frozen=True, kw_only=True):
    """Which addresses are fetched: those of clients, and links in answers of a provider. By default public ones."""

    http: bool = False
    #: HOST:PORT of servers that may be private, of any port, and without TLS.
    trusted: tuple[HostPort, ...] = ()
    #: An address or e-mail of the operator, part of what we call ourselves before these servers. Empty: `public_url`.
    contact: Annotated[
        str,
        Meta(
            pattern=r"^[!-'*-~]*$",
            max_length=200,
            description="an address or e-mail without spaces and brackets, of up to 200 characters",
        ),
    ] = ""


class MetricsSettings(_Section, frozen=True, kw_only=True):
    """Who may read `/metrics`, and what it tells."""

    enabled: bool = False
    #: A reference to the key that Prometheus sends. Clients' keys do not open the page.
    key: str = ""
    #: Whether everyone who reaches the port may read it. Only without a key.
    anonymous: bool = False
    #: Whether accepted work is counted by owner: their names are seen then.
    owners: bool = False


class TracesSettings(_Section, frozen=True, kw_only=True):
    """Where traces go, by OpenTelemetry's protocol over HTTP (the extra `traces`)."""

    #: The collector's address, `http://collector:4318/v1/traces`. Empty: nothing is traced.
    endpoint: OptionalHttpUrl = ""
    #: For the requests to the collector. A value may be a reference.
    headers: dict[HeaderName, HeaderValue] = {}
    #: The part of the requests that is traced, of those whose client does not say it.
    sample: Annotated[float, Meta(ge=0, le=1)] = 1.0
    #: What this server is called in the traces.
    service: Annotated[str, Meta(min_length=1, max_length=100)] = "adapter"


class Settings(_Section, frozen=True, kw_only=True):
    """Everything that can be set."""

    server: Server = Server()
    access: AccessSettings = AccessSettings()
    storage: Storage = Storage()
    #: By name. A provider that is left out is not offered.
    providers: dict[str, ProviderSettings] = {}
    jobs: Jobs = Jobs()
    chat: Chat = Chat()
    images: Images = Images()
    videos: VideoSettings = VideoSettings()
    limits: Limits = Limits()
    fetching: Fetching = Fetching()
    metrics: MetricsSettings = MetricsSettings()
    traces: TracesSettings = TracesSettings()
    sandbox: SandboxRules = SandboxRules()
    #: The catalogue's file, relative to the configuration's. Empty: `models.toml` beside it, or else the program's own.
    models: str = ""
    #: Which of its names `GET /v1/models` lists where the request does not say.
    list_models: Listing = Listing.PLAIN
    #: Where relative paths begin, seen from the file. Empty: beside it (`working_folder.py`).
    folder: str = ""

    @property
    def public_url(self) -> str:
        """The base of every link that we hand out. Nobody can ask a wildcard address, so it becomes loopback."""
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.server.host, self.server.host)  # noqa: S104 - compared
        if ":" in host:
            host = f"[{host}]"
        return self.server.public_url.rstrip("/") or f"http://{host}:{self.server.port}"

    @property
    def keys_named(self) -> Mapping[str, Collection[str]]:
        """The names of clients' keys that settings use, by the table that has them."""
        return {
            "chat.markup_by_key": self.chat.markup_by_key,
            "images.response_format_by_key": self.images.response_format_by_key,
        }

    def secrets(self) -> list[tuple[str, str]]:
        """Return where every secret is said to be, by the key that says so."""
        found = [(f"access.keys[{number}]", key) for number, key in enumerate(self.access.listed_keys)]
        found += [(f"access.keys.{name}.key", each.key) for name, each in self.access.named_keys.items()]
        found += [(f"access.admin_keys[{number}]", key) for number, key in enumerate(self.access.admin_keys)]
        if self.storage.database_password:
            found.append(("storage.database_password", self.storage.database_password))
        if self.storage.s3.access_key:
            found += [(f"storage.s3.{name}", getattr(self.storage.s3, name)) for name in ("access_key", "secret_key")]
        if self.metrics.enabled and self.metrics.key:
            found.append(("metrics.key", self.metrics.key))
        found += [(f"traces.headers.{name}", value) for name, value in references(self.traces.headers)]
        for name, section in self.providers.items():
            found += [(f"providers.{name}.{key}", reference) for key, reference in section.secrets()]
            found += [(f"providers.{name}.{key}", reference) for key, reference in section.reach_secrets()]
        return found

    def on_port(self, port: int) -> "Settings":
        """Return the same settings with the port that is really listened on: 0 takes a free one."""
        return msgspec.structs.replace(self, server=msgspec.structs.replace(self.server, port=port))

    def directed_to(self, base_url: str) -> "Settings":
        """Return the same settings with every provider at one address: the sandbox's. No proxy is on the way there."""
        providers = {name: section.directed_to(base_url) for name, section in self.providers.items()}
        return msgspec.structs.replace(self, providers=providers)


def load_settings(
    path: Path, environ: Mapping[str, str], providers: Sequence[AnyProvider] = registry.BUILT_IN
) -> Settings:
    """Read a configuration file and lay the environment over it. `providers` are those that may have a section.

    Raises:
        WrongConfiguration: the file is missing, is no TOML, or has keys or values that do not belong there. The message
            has a line for each of them.
    """
    file = read_toml(path)
    variables = {name: text for name, text in environ.items() if name.startswith(PREFIX)}
    laid = {_lay_over(file.tables, name, text): name for name, text in variables.items()}
    found = msgspec.structs.asdict(_converted(file, file_type(providers), laid))
    configured = msgspec.structs.asdict(found.pop("providers"))
    settings = Settings(**found, providers={name: each for name, each in configured.items() if each is not None})
    if wrong := list(_contradictions(settings, providers)):
        raise WrongConfiguration("\n".join(f"{_place(file, mistake.key, laid)}: {mistake.said}" for mistake in wrong))
    return settings


def file_type(providers: Sequence[AnyProvider]) -> type[msgspec.Struct]:
    """Return the type of a file: that of the settings, with the sections that these providers may have."""
    sections = msgspec.defstruct(
        "Providers",
        [(each.name, each.settings | None, None) for each in providers],
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )
    return msgspec.defstruct(
        "File", [("providers", sections, sections())], bases=(Settings,), frozen=True, kw_only=True
    )


_T = TypeVar("_T")


def _converted(file: TomlFile, wanted: type[_T], laid: Mapping[Key, str]) -> _T:
    """Return the tables of a file as a struct. `laid` are the variables of the environment that gave a value.

    Raises:
        WrongConfiguration: they do not fit; all mistakes are named.
    """
    wrong = list(find_mistakes(file.tables, wanted))
    if not wrong:
        try:
            return msgspec.convert(file.tables, wanted, strict=False)
        except msgspec.ValidationError as error:
            wrong = [in_words(error)]
    raise WrongConfiguration("\n".join(f"{_place(file, mistake.key, laid)}: {mistake.message}" for mistake in wrong))


def _place(file: TomlFile, key: Key, laid: Mapping[Key, str]) -> str:
    """Return what gave a value: a variable, also one that made a table where none may be, or a line of the file."""
    given_by = next((name for given, name in laid.items() if key[: len(given)] == given), None)
    if given_by is None and key not in file.lines:
        given_by = next((name for given, name in laid.items() if given[: len(key)] == key), None)
    return given_by or file.place(key)


def _contradictions(settings: Settings, providers: Sequence[AnyProvider]) -> Iterator[Mistake]:
    """Yield what is wrong between keys that are right by themselves."""
    if settings.jobs.lease_seconds < 2 * settings.jobs.poll_seconds:
        yield Mistake(("jobs", "lease_seconds"), "jobs.lease_seconds has to be at least twice jobs.poll_seconds.")
    yield from _wrong_ways(settings.providers)
    for number, proxy in enumerate(settings.server.trusted_proxies):
        if not _is_network(proxy):
            yield Mistake(
                ("server", "trusted_proxies", number),
                f"server.trusted_proxies: '{proxy}' is no address and no network, such as 10.0.0.0/8.",
            )
    writers = [each.name for each in providers if "text" in each.makes]
    if settings.chat.side_call_model and not settings.providers.keys() & writers:
        needed = " or ".join(f"[providers.{name}]" for name in writers)
        yield Mistake(("chat", "side_call_model"), f"chat.side_call_model needs the section {needed}.")
    if bool(settings.storage.s3.access_key) != bool(settings.storage.s3.secret_key):
        yield Mistake(("storage", "s3"), "storage.s3.access_key and storage.s3.secret_key go together.")
    yield from _contradictions_of_metrics(settings.metrics)
    yield from _contradictions_of_access(settings.access)
    for table, names in settings.keys_named.items():
        for number, name in enumerate(names):
            if name.startswith(REFERENCES) and name not in settings.access.known_keys:
                # Not the name itself: it may be a key in the open.
                yield Mistake(tuple(table.split(".")), f"entry {number + 1} of {table} is none of access.keys.")


def _contradictions_of_access(access: AccessSettings) -> Iterator[Mistake]:
    for name, each in access.named_keys.items():
        try:
            _ = each.allowance
        except ValueError as error:
            yield Mistake(("access", "keys", name, "budget"), f"access.keys.{name}.budget: {error}.")
    owned = [key for keys in access.owners.values() for key in keys]
    if len(owned) != len(set(owned)) or not set(owned) <= set(access.listed_keys):
        # Not the key itself: it may be one in the open.
        yield Mistake(
            ("access", "owners"),
            "each key of access.owners has to be one of the list access.keys, and is named once."
            " A key with a table of its own has its owner there.",
        )


def _contradictions_of_metrics(told: MetricsSettings) -> Iterator[Mistake]:
    if told.enabled and bool(told.key) == told.anonymous:
        yield Mistake(
            ("metrics", "enabled"),
            "metrics.enabled needs either metrics.key, a reference to a key such as env:METRICS_KEY, or"
            " metrics.anonymous = true, with which everyone who reaches the port reads the metrics.",
        )


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _wrong_ways(providers: Mapping[str, ProviderSettings]) -> Iterator[Mistake]:
    """Yield what is wrong with the ways to providers."""
    for name, section in providers.items():
        for way in section.ways():
            yield from _wrong_way(way, ("providers", name, *way.place))
        if section.base_url and not _is_address(section.base_url):
            yield Mistake(
                ("providers", name, "base_url"),
                f"providers.{name}.base_url: its host or its port cannot be read. Give {ADDRESS_WORDS}, such as"
                " https://relay.example:8443.",
            )
        if section.headers and not section.base_url:
            yield Mistake(
                ("providers", name, "headers"),
                f"providers.{name}.headers go to the origin of providers.{name}.base_url, which is missing.",
            )


def _is_address(text: str) -> bool:
    """Return whether an address has a host and a possible port, and nothing behind its path."""
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:
        return False


def _wrong_way(way: Way, place: Key) -> Iterator[Mistake]:
    """Yield what is wrong with a proxy."""
    if way.proxy not in {"", "env"}:
        try:
            read_proxy(way.proxy)
        except ValueError as error:
            yield Mistake((*place, "proxy"), f"{dotted(place)}.proxy: {error}.")
    if way.proxy_auth and way.proxy in {"", "env"}:
        words = f"{dotted(place)}.proxy_auth needs the address of a proxy in {dotted(place)}.proxy."
        yield Mistake((*place, "proxy_auth"), words)


def load_catalogue(path: Path, settings: Settings, providers: Sequence[AnyProvider] = registry.BUILT_IN) -> Catalogue:
    """Read the catalogue that a configuration file names and keep the models whose provider is configured.

    Raises:
        WrongConfiguration: as `load_settings`; or a provider cannot serve one of its models.
    """
    file = catalogue_file(path, settings)
    if settings.models and not file.exists():
        raise WrongConfiguration(f"models: {file} cannot be read: there is no such file.")
    try:
        everything = _converted(read_toml(file), CatalogueFile, {})
        without_videos = [name for name, each in settings.providers.items() if "video" in each.leaves_out()]
        offered = everything.only(settings.providers, without_videos=without_videos)
        described = {each.name: each for each in providers}
        for card in offered.cards:
            described[card.provider].check(card)
        return Catalogue(offered)
    except ValueError as error:
        raise WrongConfiguration(f"{file}: {error}") from error


def catalogue_file(path: Path, settings: Settings) -> Path:
    """Return which file is the catalogue of a configuration file.

    What lies beside the configuration counts even where it cannot be read: that is a mistake of the operator's, and no
    reason to offer other models.
    """
    beside = path.parent / (settings.models or shipped.MODELS.name)
    return beside if settings.models or os.path.lexists(beside) else shipped.MODELS


def load_phrasebook(chat: Chat) -> Phrasebook:
    """Return by which words side calls are known: those of known programs, and the operator's own.

    Raises:
        WrongConfiguration: a pattern of the operator's cannot be read.
    """
    try:
        Phrasebook(chat.side_call_patterns)
    except ValueError as error:
        raise WrongConfiguration(f"chat.side_call_patterns.{error}") from error
    if chat.side_calls == "generate":
        return Phrasebook({})
    known, own = shipped_phrases(), chat.side_call_patterns
    return Phrasebook({kind: [*own.get(kind, ()), *known.get(kind, ())] for kind in SideCallKind})


def shipped_phrases() -> Mapping[SideCallKind, Sequence[str]]:
    """Return the words of known programs."""
    programs = msgspec.convert(read_toml(PHRASES).tables, dict[SideCallKind, dict[str, tuple[str, ...]]])
    return {kind: [phrase for several in known.values() for phrase in several] for kind, known in programs.items()}


def _lay_over(tables: dict[str, object], name: str, text: str) -> Key:
    """Put a variable of the environment into the tables, and return which key it is."""
    *sections, key = name.removeprefix(PREFIX).lower().split("__")
    table = tables
    for section in sections:
        inner = table.setdefault(section, {})
        if not isinstance(inner, dict):
            raise WrongConfiguration(
                f"{name}: '{section}' is a value, not a section. A variable sets a whole list: "
                f"{name.upper().partition(f'__{section.upper()}__')[0]}__{section.upper()}='[…]'."
            )
        table = inner
    table[key] = _value(text)
    return (*sections, key)


def _value(text: str) -> object:
    """Read a value as TOML would (`8080`, `true`, `["a", "b"]`), anything else as the text it is."""
    try:
        return msgspec.toml.decode(f"value = {text}", type=dict[str, object])["value"]
    except (ValueError, RecursionError):
        return text
