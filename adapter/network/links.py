"""An address from a client or from an answer of an upstream, parsed once and strictly. Pure.

Only the parsed parts are used. A filter can be bypassed when the filter and the HTTP client parse an address
differently (reference: `peers.md` section 4). So there is one parser, stricter than any browser, and the request is
built from its result.
"""

import re
import unicodedata
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Self
from urllib.parse import urljoin

import idna
import msgspec

from adapter.errors import InvalidRequest, WrongConfiguration

#: Characters of an address, unless its reader takes more.
MAX_CHARACTERS: Final = 2048
PORTS: Final = {"https": 443, "http": 80}
#: Statuses that send the client somewhere else.
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

#: RFC 3986 section 3, without what is not fetched. ASCII: else U+017F would be an `s`.
URL: Final = re.compile(r"(https?)://([^/?#]*)(/[^?#]*)?(\?[^#]*)?(?:#.*)?", re.IGNORECASE | re.ASCII)
AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::([1-9][0-9]{0,4}))?", re.IGNORECASE | re.ASCII)
LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
NAME: Final = re.compile(rf"(?=.{{1,253}}$)(?:{LABEL}\.)*{LABEL}")
#: A last label that makes a host a number for some resolvers (WHATWG URL, "ends in a number"): `2130706433`, `0x7f.1`.
NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
#: What a browser escapes in a path and in a query (WHATWG URL, "path percent-encode set" and "special-query
#: percent-encode set"), beside all that is not ASCII. `%` stays, because a signed link is signed as it is written.
ESCAPED_IN_PATH: Final = re.compile(r"""[^!$-;=@-\]_a-z|~]""")
ESCAPED_IN_QUERY: Final = re.compile(r"""[^!$-&(-;=?-~]""")
#: Unicode's kinds of characters that stand in no address: control characters, and halves of a pair.
NO_CHARACTERS: Final = frozenset({"Cc", "Cs"})


class Link(msgspec.Struct, frozen=True):
    """The parts of an address."""

    scheme: str
    #: In ASCII and lower case, without a final dot; an IPv6 address without brackets.
    host: str
    port: int
    #: Path and query, in ASCII.
    target: str

    @property
    def origin(self) -> str:
        """Host and port."""
        return f"{self._bracketed}:{self.port}"

    @property
    def url(self) -> str:
        """All of it, with the port."""
        return f"{self.scheme}://{self.origin}{self.target}"

    @property
    def host_header(self) -> str:
        """As HTTP names the host: the port only if it is not the scheme's (RFC 9110 section 7.2)."""
        return self._bracketed if self.port == PORTS[self.scheme] else self.origin

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


class Rules(msgspec.Struct, frozen=True):
    """Which addresses the operator lets the program ask."""

    http: bool
    #: `host:port` in our own spelling: may be private, of any port, and without TLS.
    trusted: frozenset[str]

    @classmethod
    def reading(cls, *, http: bool, trusted: Iterable[str]) -> Self:
        """Return rules with the trusted origins spelled as links are.

        Raises:
            WrongConfiguration: one of them is no HOST:PORT.
        """
        return cls(http, frozenset(map(_spelled, trusted)))

    def admit(self, link: Link) -> Link:
        """Return a link that may be followed, as far as its words tell.

        Raises:
            InvalidRequest: it may not.
        """
        if self.trusts(link):
            return link
        if link.scheme == "http" and not self.http:
            raise refusal("The address has to begin with https://.")
        if link.port != PORTS[link.scheme]:
            raise refusal(f"The address may name no other port than {PORTS[link.scheme]}.")
        return link

    def trusts(self, link: Link) -> bool:
        """Return whether the operator trusts the server of a link."""
        return link.origin in self.trusted


def refusal(message: str) -> InvalidRequest:
    """Return the error for an address that was not fetched. The code is one of OpenAI's (Responses, `error.code`)."""
    return InvalidRequest(message, code="failed_to_download_image")


def read_link(text: str, *, longest: int = MAX_CHARACTERS) -> Link:
    """Take an address apart. Spaces around it are no part of it; inside of a path or a query they are escaped.

    Raises:
        InvalidRequest: it is none, or not of the narrow kind that is fetched.
    """
    text = text.strip(" ")
    _check_characters(text, longest)
    found = URL.fullmatch(text)
    if found is None:
        raise refusal("The address has to begin with https:// or http:// and a host.")
    scheme, authority, path, query = found.groups()
    if "@" in authority:
        raise refusal("The address must not carry a user name or password.")
    try:
        host, port = _read_authority(authority)
    except ValueError as error:
        raise refusal("The address names no valid host, or no valid port.") from error
    scheme = scheme.lower()
    target = _escaped(path or "/", ESCAPED_IN_PATH) + _escaped(query or "", ESCAPED_IN_QUERY)
    return Link(scheme, host, port or PORTS[scheme], target)


def _escaped(text: str, characters: re.Pattern[str]) -> str:
    return characters.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)


def redirected(link: Link, location: bytes, *, longest: int = MAX_CHARACTERS) -> Link:
    """Return where a link's server sends us.

    Raises:
        InvalidRequest: the target is not allowed, or it leads from https to http.
    """
    try:
        text = location.decode().strip(" ")
        _check_characters(text, longest)
        target = read_link(urljoin(link.url, text), longest=longest)
    except ValueError as error:
        raise refusal("The redirect is no address.") from error
    if link.scheme == "https" != target.scheme:
        raise refusal("The redirect leads from https to http.")
    return target


def _check_characters(text: str, longest: int) -> None:
    """Refuse what parsers drop, trim or turn into something else, before any of them sees it."""
    if len(text) > longest:
        raise refusal(f"The address is longer than {longest} characters.")
    if "\\" in text or any(unicodedata.category(character) in NO_CHARACTERS for character in text):
        raise refusal("The address must not contain control characters or backslashes.")


def _read_authority(text: str) -> tuple[str, int]:
    """Return host and port (0 if there is none), or raise ValueError."""
    found = AUTHORITY.fullmatch(text)
    if found is None or int(found[2] or 0) > 65_535:
        raise ValueError("no HOST or HOST:PORT")
    return _read_host(found[1]), int(found[2] or 0)


def _read_host(text: str) -> str:
    if text.startswith("["):
        return str(IPv6Address(text[1:-1].lower()))
    host = (text.lower() if text.isascii() else _in_ascii(text)).removesuffix(".")
    if text.isascii() and NUMBER.fullmatch(host):
        return str(IPv4Address(host))
    if NUMBER.fullmatch(host) or not NAME.fullmatch(host):
        raise ValueError("no DNS name")
    return host


def _in_ascii(host: str) -> str:
    """Return an international name as the name service knows it: mapped as browsers do (UTS 46), then in Punycode.

    The caller refuses a name that becomes a number: such a name is an IP address in disguise.
    """
    labels = idna.uts46_remap(host, std3_rules=False).split(".")
    return ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)


def _spelled(entry: str) -> str:
    try:
        host, port = _read_authority(entry)
    except ValueError as error:
        raise WrongConfiguration(f"fetching.trusted: '{entry}' is no HOST:PORT.") from error
    if not port:
        raise WrongConfiguration(f"fetching.trusted: '{entry}' names no port.")
    return Link("http", host, port, "/").origin
