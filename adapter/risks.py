"""What is risky, or probably not meant, in a configuration. `serve` and `check` say it; nothing is refused."""

import re
from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

import msgspec

from adapter.settings import PREFIX, Settings

#: The key in `config/sandbox.toml`. Everybody can read it there.
DEFAULT_KEYS: Final = frozenset({"sk-sandbox"})
#: A key with fewer characters can be guessed. `adapter keys create` makes 46.
SHORTEST_KEY: Final = 20
#: Addresses at which clouds hand out the credentials of a machine: link-local ones (AWS, Google, Azure, Oracle), AWS's
#: for IPv6, and Alibaba's.
METADATA_NETWORKS: Final = tuple(
    ip_network(each) for each in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "100.100.100.200/32")
)
#: Google's name for its own.
METADATA_NAMES: Final = frozenset({"metadata", "metadata.google.internal", "metadata.goog"})
#: How an address of OpenAI or Google ends that has the version of the API.
VERSION_AT_END: Final = re.compile(r"/v\d+(alpha|beta)?\d*/?$")
#: The rights of the group and of all other users.
OTHERS: Final = 0o077


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about the machine and its secrets."""

    #: What this process may take in all: the RAM, or the limit of its control group.
    memory_bytes: int
    #: The number of characters of each key of clients that is known, by its setting.
    key_lengths: Mapping[str, int] = {}
    #: The settings whose key is one of `DEFAULT_KEYS`.
    default_keys: Collection[str] = ()
    #: The settings whose secret begins or ends with a quotation mark.
    quoted: Collection[str] = ()
    #: The names of the environment's variables.
    variables: Collection[str] = ()
    #: The access rights of what exists already, by its setting: the database's file, the folders of media and spool.
    modes: Mapping[str, int] = {}


class Risk(msgspec.Struct, frozen=True):
    """One risk."""

    #: The settings that it comes from.
    setting: str
    message: str


def risks(settings: Settings, machine: Machine) -> list[Risk]:
    """Return what is risky, in the order of the configuration."""
    return [
        *_of_variables(settings, machine),
        *_of_links(settings),
        *_of_access(settings, machine),
        *_of_stored_things(machine),
        *_of_secrets(settings, machine),
        *_of_providers(settings),
        *_of_memory(settings, machine),
        *_of_fetching(settings),
    ]


def _of_variables(settings: Settings, machine: Machine) -> Iterator[Risk]:
    """Yield variables that look like settings and are none. One that a secret is read from is meant as it is."""
    known = {"ADAPTER_CONFIG"} | {reference.removeprefix("env:") for _, reference in settings.secrets()}
    for name in sorted(set(machine.variables) - known):
        words = name.removeprefix("ADAPTER_").lower()
        if name.startswith("ADAPTER_") and not name.startswith(PREFIX) and (meant := _setting_like(words)):
            yield Risk(name, f"this variable sets nothing. A setting has two underscores: {PREFIX}{meant}.")


def _setting_like(words: str) -> str | None:
    """Return the setting whose section and key are these words with single underscores between them."""
    for section in Settings.__struct_fields__:
        key = words.removeprefix(f"{section}_")
        fields = getattr(getattr(Settings(), section), "__struct_fields__", ())
        if key != words and key in fields:
            return f"{section}__{key}".upper()
    return words.upper() if words in Settings.__struct_fields__ else None


def _of_links(settings: Settings) -> Iterator[Risk]:
    address = urlsplit(settings.public_url)
    if VERSION_AT_END.search(address.path):
        yield Risk(
            "server.public_url", "it ends with a version. Links begin with it; clients add /v1 to it themselves."
        )
    if not _is_loopback(settings.server.host) and _is_loopback(address.hostname or ""):
        yield Risk(
            "server.public_url",
            f"links to pictures and videos begin with {settings.public_url}, which other machines cannot open. Set it "
            "to the address that clients use.",
        )


def _of_access(settings: Settings, machine: Machine) -> Iterator[Risk]:
    if not is_public(settings):
        return
    if settings.access.anonymous:
        yield Risk("access.anonymous", "everybody who reaches this server can spend your credits.")
    if settings.metrics.enabled and settings.metrics.anonymous:
        yield Risk("metrics.anonymous", "everybody who reaches this server can read its metrics. Set metrics.key.")
    default = sorted(machine.default_keys)
    if default:
        yield Risk(", ".join(default), "this key is printed in the documentation. Take another one.")
    short = [name for name, size in machine.key_lengths.items() if size < SHORTEST_KEY and name not in default]
    if short:
        yield Risk(
            ", ".join(short),
            f"a key with fewer than {SHORTEST_KEY} characters can be guessed. `adapter keys create NAME` makes one.",
        )


def is_public(settings: Settings) -> bool:
    """Return whether other machines reach the server: by its own address, or through a proxy at `public_url`."""
    return not (_is_loopback(settings.server.host) and _is_loopback(urlsplit(settings.public_url).hostname or ""))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _of_stored_things(machine: Machine) -> Iterator[Risk]:
    for setting, mode in machine.modes.items():
        if mode & OTHERS:
            yield Risk(
                setting, f"other users of this machine have rights to it ({mode:o}). `chmod go=` takes them away."
            )


def _of_secrets(settings: Settings, machine: Machine) -> Iterator[Risk]:
    for name in machine.quoted:
        yield Risk(name, "the secret has a quotation mark at its beginning or end, which is sent as a part of it.")
    plain = [key for key, reference in settings.secrets() if reference.startswith("plain:")]
    if plain and not settings.sandbox.enabled:
        yield Risk(
            ", ".join(plain),
            "plain: has the secret in the configuration. Use env:NAME, file:/path or cmd:program.",
        )


def _of_providers(settings: Settings) -> Iterator[Risk]:
    if settings.sandbox.enabled:
        return
    for name, section in settings.providers.items():
        for key, doubt in section.doubts():
            yield Risk(f"providers.{name}.{key}", doubt)
        address = urlsplit(section.base_url)
        if VERSION_AT_END.search(address.path):
            yield Risk(f"providers.{name}.base_url", "it ends with a version, which is added to it once more.")
        if address.scheme == "http" and not _is_loopback(address.hostname or ""):
            yield Risk(
                f"providers.{name}.base_url", "http:// sends credentials and prompts without encryption. Use https://."
            )


def _of_memory(settings: Settings, machine: Machine) -> Iterator[Risk]:
    if settings.limits.memory_bytes > machine.memory_bytes:
        yield Risk(
            "limits.memory_bytes",
            f"{_mebibytes(settings.limits.memory_bytes)} MiB are more than the {_mebibytes(machine.memory_bytes)} MiB "
            "that this process may take. The system ends it before it refuses work.",
        )


def _mebibytes(size: int) -> int:
    return size // 1024**2


def _of_fetching(settings: Settings) -> Iterator[Risk]:
    trusted = [place for place in settings.fetching.trusted if _has_credentials(place.rpartition(":")[0].strip("[]"))]
    if trusted:
        yield Risk(
            "fetching.trusted",
            f"{', '.join(trusted)} may hand out the credentials of this machine, and clients could read them.",
        )


def _has_credentials(host: str) -> bool:
    if host.lower().rstrip(".") in METADATA_NAMES:
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in METADATA_NETWORKS)
