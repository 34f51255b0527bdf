"""Wrong keys: which ones were tried lately, and how many came from each address.

A look-up in the database takes milliseconds, and a client without a key could ask for any number of them.
"""

import asyncio
import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import TypeVar

import msgspec

from adapter.domain.ports import KeyStore

#: Digests of wrong keys that are remembered; about 200 bytes each.
REMEMBERED_KEYS = 10_000
#: Seconds for which a wrong key is answered from memory. A key is random, so one that is made later is never in there.
REMEMBERED_SECONDS = 300.0
#: Addresses that are remembered. The one that was seen least recently is forgotten first.
REMEMBERED_ADDRESSES = 10_000
#: Addresses whose network is known: each request asks for it.
KNOWN_ADDRESSES = 1000
#: Seconds between two readings of all valid keys.
READING_SECONDS = 1.0

_T = TypeVar("_T")


class _Allowance(msgspec.Struct):
    """What an address may still do (a token bucket)."""

    tokens: float
    at: float


class FailedKeys:
    """Bounded records of wrong keys. An address has an allowance of failures, which fills up again evenly."""

    def __init__(self, clock: Callable[[], float], *, per_minute: int) -> None:
        """Take the clock, in seconds, and how many failures an address may have in a minute; 0 is no limit."""
        self._clock = clock
        self._most = float(per_minute)
        self._wrong: OrderedDict[str, float] = OrderedDict()
        self._addresses: OrderedDict[str, _Allowance] = OrderedDict()

    def is_wrong(self, digest: str) -> bool:
        """Say whether a key was wrong a short time ago."""
        return self._clock() < self._wrong.get(digest, 0.0) + REMEMBERED_SECONDS

    def add_wrong(self, digest: str) -> None:
        """Remember a wrong key."""
        self._wrong[digest] = self._clock()
        _keep_newest(self._wrong, digest, REMEMBERED_KEYS)

    def count(self, address: str | None) -> None:
        """Count a request with wrong keys."""
        if address is not None and self._most:
            allowance = self._allowance(address)
            allowance.tokens = max(allowance.tokens - 1, 0.0)

    def wait_seconds(self, address: str | None) -> float:
        """Return how long an address has to wait until it may try a wrong key again; 0: it may now."""
        if address is None or network_of(address) not in self._addresses:
            return 0.0
        missing = 1 - self._allowance(address).tokens
        return max(missing * 60 / self._most, 0.0)

    def _allowance(self, address: str) -> _Allowance:
        name, now = network_of(address), self._clock()
        found = self._addresses.setdefault(name, _Allowance(self._most, now))
        found.tokens = min(found.tokens + max(now - found.at, 0.0) * self._most / 60, self._most)
        found.at = now
        _keep_newest(self._addresses, name, REMEMBERED_ADDRESSES)
        return found


class ValidDigests:
    """The digests of all valid keys, from the database. They are read once a second at most, and when somebody asks."""

    def __init__(self, made: KeyStore, clock: Callable[[], float]) -> None:
        """Take the store of keys, and the clock, in seconds."""
        self._made = made
        self._clock = clock
        self._digests: Collection[str] = ()
        self._read_at: float | None = None
        self._reading = asyncio.Lock()

    async def has(self, digest: str) -> bool:
        """Say whether a key was valid a second ago. While the database fails, the last known keys count."""
        async with self._reading:
            if self._read_at is None or abs(self._clock() - self._read_at) >= READING_SECONDS:
                self._read_at = self._clock()
                self._digests = await self._made.digests()
        return digest in self._digests


def _keep_newest(table: OrderedDict[str, _T], key: str, most: int) -> None:
    table.move_to_end(key)
    if len(table) > most:
        table.popitem(last=False)


@lru_cache(maxsize=KNOWN_ADDRESSES)
def network_of(address: str) -> str:
    """Return what is counted as one address: of IPv6 the 64 bits of a network, which one machine may use freely.

    What is no address, as a proxy may send, is counted as one.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
