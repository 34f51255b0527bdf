"""A name service and sockets that write down who was asked."""

import socket
from collections.abc import Sequence

from aiohappyeyeballs import AddrInfoType

from adapter.providers.session import HttpNetwork

Answers = Sequence[str] | Exception


class Witness:
    """The network of a client. What it is not told about, it does not know, or does not let through.

    Args:
        names: what a host's look-ups say, one after the other, the last for ever; `*` is every other host.
        ways: the loopback port behind an address.
    """

    def __init__(self, names: dict[str, list[Answers]], ways: dict[str, int] | None = None) -> None:
        self.lookups: list[str] = []
        self.connections: list[tuple[str, int]] = []
        self._names = names
        self._ways = ways or {}

    @property
    def network(self) -> HttpNetwork:
        """As a client takes it."""
        return HttpNetwork(resolver=self.resolve, open_socket=self.open_socket)

    async def resolve(self, host: str, _port: int) -> Sequence[str]:
        """Answer a look-up."""
        before = self.lookups.count(host)
        self.lookups.append(host)
        told = self._names.get(host) or self._names.get("*") or [OSError("no such name")]
        answer = told[min(before, len(told) - 1)]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def open_socket(self, asked: AddrInfoType) -> socket.socket:
        """Write a connection down, and let it through if there is something behind it."""
        host, port = asked[4][0], int(asked[4][1])
        self.connections.append((str(host), port))
        if host not in self._ways:
            raise OSError("refused")
        return _Rerouted(self._ways[str(host)])


class _Rerouted(socket.socket):
    """Connects to a loopback port, whatever it is asked for."""

    def __init__(self, port: int) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self._port = port

    def connect(self, _address: object) -> None:
        """Connect to the port."""
        super().connect(("127.0.0.1", self._port))
