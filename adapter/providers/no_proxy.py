"""The variable NO_PROXY: which hosts are reached without the proxies of the environment. Pure.

No standard says how it is written. These are the forms of curl, Go and Python: names with their subdomains, IP
addresses, networks, ports, and `*` for all hosts.
"""

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

#: Commas or blanks stand between two hosts.
_BETWEEN: Final = re.compile(r"[,\s]+")
#: A host and a port. An IPv6 address with a port is in brackets.
_WITH_PORT: Final = re.compile(r"(\[[^\]]+\]|[^:\[\]]+):(\d{1,5})")


class Host(NamedTuple):
    """One entry."""

    #: Without a dot at its ends; empty: all hosts.
    name: str
    #: What the entry says in the place of a name.
    network: IPv4Network | IPv6Network | None
    #: None: all ports.
    port: int | None


class NoProxy:
    """The hosts of the variable."""

    def __init__(self, text: str) -> None:
        """Take its value. An entry that cannot be read is a name that no host has."""
        self._hosts = [_read(each) for each in _BETWEEN.split(text) if each]

    def has(self, host: str, port: int) -> bool:
        """Return whether a host is reached without a proxy. A network has IP addresses only: no name is looked up."""
        name = host.lower().strip("[].")
        return any(each.port in {None, port} and _fits(name, each) for each in self._hosts)


def _read(text: str) -> Host:
    found = _WITH_PORT.fullmatch(text)
    name, port = (found[1], int(found[2])) if found else (text, None)
    if name == "*":
        return Host("", None, port)
    try:
        return Host("", ip_network(name.strip("[]"), strict=False), port)
    except ValueError:
        return Host(name.lower().removeprefix("*").strip("."), None, port)


def _fits(name: str, host: Host) -> bool:
    if host.network is None:
        return not host.name or name == host.name or name.endswith(f".{host.name}")
    try:
        return ip_address(name) in host.network
    except ValueError:
        return False
