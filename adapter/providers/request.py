"""A request of the HTTP client: where it goes, and its bytes. Pure."""

from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from yarl import URL

from adapter.network.links import Link
from adapter.providers.dialer import Origin
from adapter.providers.reply import broken, unreachable
from adapter.providers.session import HEADERS

#: Addresses that are read once.
KNOWN_ADDRESSES: Final = 256
#: A request up to this size is sent as one piece.
JOINED_BYTES: Final = 64 * 1024
SCHEMES: Final = ("http", "https")


class Target(NamedTuple):
    """What an address says about a request."""

    origin: Origin
    #: The path with its query.
    path: str
    fields: Mapping[str, str]


class UpstreamRequest:
    """A request, ready to be sent."""

    def __init__(self, method: str, target: Target, headers: Mapping[str, str], body: bytes) -> None:
        """Write its head.

        Raises:
            UpstreamBroken: a header that cannot be sent.
        """
        self.origin = target.origin
        self.is_repeatable = method == "GET"
        fields = {**target.fields, **headers}
        if body or not self.is_repeatable:
            fields["content-length"] = str(len(body))
        lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
        try:
            head = f"{method} {target.path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode()
        except UnicodeError as error:
            raise broken() from error
        ends = len(lines) + 2
        # A value may hold none of these: it would end its line.
        if head.count(b"\r") != ends or head.count(b"\n") != ends or b"\0" in head:
            raise broken()
        self.pieces = (head + body,) if len(body) < JOINED_BYTES else (head, body)


@lru_cache(maxsize=KNOWN_ADDRESSES)
def target_of(url: str) -> Target:
    """Read an address. Requests for pictures go to a few, again and again.

    Raises:
        UpstreamUnreachable: it is none.
    """
    address = _address(url)
    fields = {"host": str(address.host_port_subcomponent), "accept": "*/*", **HEADERS}
    if address.user is not None:  # of a relay; aiohttp, which was here before, did so too
        pair = f"{address.user}:{address.password or ''}"
        fields["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    origin = Origin(address.scheme == "https", str(address.host), int(address.port or 0))
    return Target(origin, address.raw_path_qs, fields)


def target_of_link(link: Link) -> Target:
    """Return what a link says. It is not remembered: signed links differ."""
    fields = {"host": link.host_header, "accept": "*/*", **HEADERS}
    return Target(Origin(link.scheme == "https", link.host, link.port), link.target, fields)


def _address(url: str) -> URL:
    try:
        address = URL(url, encoded=True)
        is_address = address.scheme in SCHEMES and bool(address.host) and bool(address.port)
    except ValueError as error:
        raise unreachable("address") from error
    if not is_address:
        raise unreachable("address")
    return address
