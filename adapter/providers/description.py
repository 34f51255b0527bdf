"""What a provider says of itself. A provider is a folder; its description is all that the rest of the program sees.

`registry.py` lists the descriptions that come with the program; `docs/providers.md` shows how to write one.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Generic, Literal, Protocol, Self, TypeVar

import msgspec
from msgspec import Meta

from adapter.domain.catalogue import Card
from adapter.domain.credentials import ConfiguredCredential
from adapter.domain.ports import (
    Clock,
    Credentials,
    ImageProvider,
    Metrics,
    Secret,
    TextMaker,
    TextProvider,
    VideoProvider,
)
from adapter.domain.telemetry import NoMetrics
from adapter.providers.http import Http
from adapter.providers.limits import HttpLimits
from adapter.providers.probe import CredentialReport

#: What `HttpUrl` takes, for messages.
ADDRESS_WORDS: Final = "an address that begins with http:// or https://, without a / at its end"
HttpUrl = Annotated[str, Meta(pattern=r"^https?://[^\s]+[^/\s]$", description=ADDRESS_WORDS)]
#: How a reference to a secret begins.
REFERENCES: Final = ("env:", "file:", "cmd:", "google:", "plain:")
ProxyText = Annotated[
    str,
    Meta(
        pattern=r"^(env|(https?|socks5h?)://[^\s/@?#]+/?)?$",
        description=(
            "http://, https://, socks5:// or socks5h:// with a host and a port, without user and password (they belong "
            "to `proxy_auth`); or env, or nothing"
        ),
    ),
]
#: What stands in a head already, or frames the body.
HeaderName = Annotated[
    str,
    Meta(
        pattern=r"^(?!(?i:host|connection|content-length|transfer-encoding|accept-encoding)$)[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
        description="the name of a header, and none that HTTP itself needs",
    ),
]
HeaderValue = Annotated[str, Meta(pattern=r"^[!-~]+( +[!-~]+)*$", description="one line of plain ASCII")]
#: Times of requests, as `HttpLimits` explains them.
AnswerSeconds = Annotated[float, Meta(ge=1, le=3600)]
QuestionSeconds = Annotated[float, Meta(ge=1, le=600)]
UploadSeconds = Annotated[float, Meta(ge=1, le=3600)]
DownloadSeconds = Annotated[float, Meta(ge=1, le=86_400)]
SilenceSeconds = Annotated[float, Meta(ge=1, le=3600)]
#: The least: an answer that comes later leaves open whether the video was paid for. The most: a process that stops
#: waits for 100 s (`poller.FINISH_SECONDS`), and connecting takes its part of them.
SubmitSeconds = Annotated[float, Meta(ge=10, le=85)]
#: What can be made. A row of the catalogue is of the kind `image`, `video` or `text`; the last one needs `chat`. Here
#: `text` is for side calls.
Kind = Literal["image", "video", "text", "chat"]


def references(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the names and values of the headers whose value is a reference to a secret."""
    return ((name, value) for name, value in headers.items() if value.startswith(REFERENCES))


class Way(msgspec.Struct, frozen=True):
    """A proxy of the configuration."""

    #: The list and the number of the credential that it is for, such as `accounts`, 0; empty: the whole section.
    place: tuple[()] | tuple[str, int]
    proxy: str
    proxy_auth: str

    @property
    def auth_key(self) -> str:
        """The key of `proxy_auth` inside the section."""
        return f"{self._prefix}proxy_auth"

    def leads(self, key: str) -> bool:
        """Return whether it is for the credential of a setting of the section."""
        return key.startswith(self._prefix) or f"{key}." == self._prefix

    @property
    def _prefix(self) -> str:
        return f"{self.place[0]}[{self.place[1]}]." if self.place else ""


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section `[providers.NAME]` of the configuration. Unknown keys are mistakes."""

    base_url: HttpUrl
    #: The proxy on the way to the provider and its files; `env`: that of the environment; empty: none.
    proxy: ProxyText = ""
    #: A reference to `user:password` for the proxy. Empty: it wants none.
    proxy_auth: str = ""
    #: A file of certificates (PEM) that are trusted beside those of the system. Empty: none.
    ca_file: str = ""
    #: For requests to `base_url`, such as a relay wants them. A value may be a reference.
    headers: dict[HeaderName, HeaderValue] = {}
    #: Until a connection stands, with the proxy's part.
    connect_seconds: Annotated[float, Meta(gt=0, le=300)] = 10.0
    #: The level of the line that says why there is no connection.
    unreachable_level: Literal["debug", "info", "warning", "error"] = "warning"

    def own_ways(self) -> Iterable[Way]:
        """Return the proxies of single credentials."""
        return ()

    def ways(self) -> Iterable[Way]:
        """Return every proxy of the section."""
        return [self.way, *self.own_ways()]

    @property
    def way(self) -> Way:
        """The proxy of the section itself."""
        return Way((), self.proxy, self.proxy_auth)

    def way_of(self, key: str) -> Way:
        """Return by which proxy the credential of a setting of the section is used."""
        return next((way for way in self.own_ways() if way.leads(key)), self.way)

    def limits(self) -> HttpLimits:
        """Return what requests to the provider may take."""
        return HttpLimits(connect=self.connect_seconds)

    def directed_to(self, base_url: str) -> Self:
        """Return the same settings with another address, that of the sandbox. No proxy is on the way there."""
        return msgspec.structs.replace(self, base_url=base_url, proxy="", proxy_auth="")

    def reach_secrets(self) -> Iterable[tuple[str, str]]:
        """Return each reference that the way to the provider needs, by its key inside the section."""
        if self.proxy_auth:
            yield "proxy_auth", self.proxy_auth
        for name, value in references(self.headers):
            yield f"headers.{name}", value

    def secrets(self) -> Iterable[tuple[str, str]]:
        """Return each reference to a secret, by its key inside the section."""
        return ()

    def credentials(self) -> Iterable[ConfiguredCredential]:
        """Return the operator's credentials by name, for `adapter accounts`."""
        return ()

    def doubts(self) -> Iterable[tuple[str, str]]:
        """Return what is possible and probably not meant: the key inside the section, and a sentence."""
        return ()

    def leaves_out(self) -> Collection[Kind]:
        """Return what cannot be made with these settings, though the provider makes it."""
        return ()


class VideoProviderSettings(ProviderSettings, frozen=True, kw_only=True):
    """The same for a provider that makes videos: they are submitted, asked about, and fetched as files."""

    #: Times of requests (`HttpLimits`).
    submit_seconds: SubmitSeconds = 75.0
    question_seconds: QuestionSeconds = 45.0
    download_seconds: DownloadSeconds = 900.0
    silence_seconds: SilenceSeconds = 60.0

    def limits(self) -> HttpLimits:
        """Return what requests to the provider may take."""
        return msgspec.structs.replace(
            super().limits(),
            submit=self.submit_seconds,
            question=self.question_seconds,
            download=self.download_seconds,
            silence=self.silence_seconds,
        )


class SecretOpener(Protocol):
    """Finds the secret of a reference."""

    def __call__(self, reference: str, *, key: str) -> Secret:
        """Return the secret; `key` is the setting inside the provider's section, for messages.

        Raises:
            WrongConfiguration: it is not there.
        """
        ...


class ClientOpener(Protocol):
    """Makes clients with another proxy than the provider's."""

    def __call__(self, way: Way) -> Http:
        """Return the client.

        Raises:
            WrongConfiguration: what is set for the way cannot be used.
        """
        ...


class ProviderContext(msgspec.Struct, frozen=True, kw_only=True):
    """The outside world of a provider."""

    http: Http
    clock: Clock
    open_secret: SecretOpener
    open_client: ClientOpener
    metrics: Metrics = msgspec.field(default_factory=NoMetrics)


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A configured provider by what it makes; None: it does not make that."""

    images: ImageProvider | None = None
    videos: VideoProvider | None = None
    texts: TextMaker | None = None
    #: Serves the catalogue's text models.
    passed_texts: TextProvider | None = None
    #: The pool of its credentials; None: there is nothing to tell of them.
    credentials: Credentials | None = None
    #: Ends what runs by itself, when the process stops.
    close: Callable[[], Awaitable[None]] | None = None


_Settings = TypeVar("_Settings", bound=ProviderSettings)


def accept(card: Card) -> None:
    """Accept every row of the catalogue."""


class ProviderDescription(msgspec.Struct, Generic[_Settings], frozen=True, kw_only=True):
    """A kind of provider: its name, its settings, and how it is built from them."""

    #: The name in the configuration and in the catalogue. Jobs remember it.
    name: str
    settings: type[_Settings]
    build: Callable[[_Settings, ProviderContext], Provider]
    makes: Collection[Kind]
    #: Asks Google one free thing with each credential, one after the other; None: there is nothing to ask.
    probe: Callable[[_Settings, ProviderContext], Awaitable[Sequence[CredentialReport]]] | None = None
    #: Raises ValueError for a row of the catalogue that the provider cannot serve.
    check_card: Callable[[Card], None] = accept

    def check(self, card: Card) -> None:
        """Look at a row of the catalogue.

        Raises:
            ValueError: the provider cannot serve it.
        """
        if ("chat" if card.kind == "text" else card.kind) not in self.makes:
            raise ValueError(f"the model '{card.name}' is a {card.kind} model, and '{self.name}' makes no {card.kind}s")
        self.check_card(card)


#: A description, whatever its settings are.
AnyProvider = ProviderDescription[Any]
