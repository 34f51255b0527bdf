"""Requests to token services on the way of a provider: by its proxy, with its certificates. They block."""

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec

from adapter.domain.ports import TokenReply
from adapter.providers.description import ProviderSettings, SecretOpener, Way
from adapter.providers.http import Http
from adapter.providers.limits import HttpLimits
from adapter.providers.reach import network_of
from adapter.providers.reply import Reply
from adapter.providers.session import HttpNetwork

#: Bytes of an answer. A token has some thousand at most.
LONGEST_ANSWER: Final = 1024 * 1024


class WayOfTokens:
    """Asks token services from a thread (the port `TokenRequests`), with a client and an event loop for each request.

    A token is fetched once an hour. So no connection is kept.
    """

    def __init__(self, network: HttpNetwork, limits: HttpLimits) -> None:
        """Take a network of its own: the secret of its proxy is read in another event loop than the server's."""
        self._network = network
        self._limits = limits

    @property
    def seconds(self) -> float:
        """For how long an answer is waited for (the port of that name)."""
        return self._limits.connect + self._limits.question

    def __call__(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes) -> TokenReply:
        """Send, and wait for the answer.

        Raises:
            UpstreamUnreachable, UpstreamSilent, UpstreamBroken: there is none.
            SecretUnreadable: the secret of the proxy cannot be read.
        """
        reply = asyncio.run(self._asked(method, url, headers, body))
        return TokenReply(reply.status, bytes(reply.body))

    async def _asked(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        http = Http(self._network, self._limits)
        async with http.open():
            send = http.get if method == "GET" else http.post_once
            return await send(url, headers=headers, body=body, seconds=self._limits.question)


def way_of_tokens(name: str, settings: ProviderSettings, open_secret: SecretOpener, way: Way) -> WayOfTokens:
    """Return how the provider `name` asks token services on one of its ways.

    Raises:
        WrongConfiguration: as `network_of`.
    """
    # `headers` are for a relay.
    network = network_of(name, msgspec.structs.replace(settings, headers={}), open_secret, way)
    return WayOfTokens(network, msgspec.structs.replace(settings.limits(), answer_bytes=LONGEST_ANSWER))
