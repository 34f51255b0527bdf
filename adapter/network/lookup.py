"""Where the host of a link may be connected to. It is looked up once, and the result is all that is connected to."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address
from typing import Final

from adapter.network.addresses import is_public
from adapter.network.links import Link

#: The most addresses of one host that are tried.
MAX_ADDRESSES: Final = 4
#: A thread pool of its own: a domain's owner decides how long its look-up takes, and calls to Google need look-ups.
LOOKUPS: Final = ThreadPoolExecutor(16, thread_name_prefix="lookup")

#: Ends of names that no public name service has (RFC 6761, RFC 6762, RFC 8375, and the reserved `internal`).
LOCAL_ENDS: Final = ("localhost", "local", "internal", "home.arpa")

#: A host and a port to addresses.
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


class NotPublicError(OSError):
    """A host has no address, or one that is not on the public internet."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system for a host's addresses.

    Raises:
        OSError: there are none, or no answer.
    """
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    answers = await asyncio.get_running_loop().run_in_executor(LOOKUPS, ask)
    return [str(answer[4][0]) for answer in answers]


async def addresses_of(link: Link, resolver: Resolver, *, seconds: float, may_be_private: bool) -> Sequence[str]:
    """Return where a link may be connected to, within `seconds`.

    Raises:
        NotPublicError: nowhere. One address that is not public spoils them all.
        OSError: the look-up fails, or takes too long.
        ValueError: the resolver cannot encode the name.
    """
    try:
        found: Sequence[str] = [str(ip_address(link.host))]
    except ValueError:
        async with asyncio.timeout(seconds):
            found = await resolver(link.host, link.port)
    private = [] if may_be_private else [each for each in found if not is_public(ip_address(each))]
    if private or not found:
        raise NotPublicError(f"{link.host} has the addresses {list(found)}, not public are {private}")
    return list(dict.fromkeys(found))[:MAX_ADDRESSES]


def is_ip_address(host: str) -> bool:
    """Say whether a host is written as an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_local_name(host: str) -> bool:
    """Say whether a name is one of a private network, as far as its words tell: without a dot, or with such an end."""
    return "." not in host or host.endswith(tuple(f".{end}" for end in LOCAL_ENDS))
