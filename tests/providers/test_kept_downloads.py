"""Connections of downloads: which are kept for the next file."""

import asyncio
from collections.abc import Sequence

import pytest

from adapter.errors import UpstreamBroken
from adapter.network.links import Rules
from adapter.providers.download import BLOCK_BYTES
from adapter.providers.http import Http
from adapter.providers.origin import OwnOrigin
from tests.providers.helpers import HEAD, raw_server
from tests.providers.witness import Witness

ELSEWHERE = OwnOrigin("https://flow.example")


class FileServer:
    """Answers each request of a connection with the next of its answers, and counts connections."""

    def __init__(self, answers: Sequence[bytes], *, per_connection: int) -> None:
        self.connections = 0
        self._answers = iter(answers)
        self._per_connection = per_connection

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection (as `raw_server` wants it)."""
        self.connections += 1
        try:
            for _ in range(self._per_connection):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(next(self._answers))
        except (asyncio.IncompleteReadError, ConnectionError):
            return


def whole(body: bytes) -> bytes:
    """Return an answer of announced length."""
    return HEAD + b"content-length: %d\r\n\r\n" % len(body) + body


async def fetched(http: Http, url: str, own: OwnOrigin | None = None) -> bytes:
    """Return what a link leads to."""
    async with http.download(url, own or OwnOrigin(url)) as download:
        return b"".join([piece async for piece in download])


@pytest.mark.parametrize("size", [3, BLOCK_BYTES, 2 * BLOCK_BYTES + 5])
async def test_the_next_file_comes_on_the_same_connection(size: int) -> None:
    """Of any length, and whole."""
    film = bytes(range(256)) * (size // 256) + bytes(size % 256)
    files = FileServer([whole(film), whole(b"poster")], per_connection=2)
    http = Http()
    async with raw_server(files.serve) as port, http.open():
        url = f"http://127.0.0.1:{port}/a"

        assert await fetched(http, url) == film
        assert await fetched(http, url) == b"poster"
    assert files.connections == 1


async def test_a_kept_connection_that_was_closed_costs_no_file() -> None:
    """The file is asked for once more, on a new connection."""
    files = FileServer([whole(b"film"), whole(b"poster")], per_connection=1)
    http = Http()
    async with raw_server(files.serve) as port, http.open():
        url = f"http://127.0.0.1:{port}/a"

        assert await fetched(http, url) == b"film"
        assert await fetched(http, url) == b"poster"
    assert files.connections == 2


@pytest.mark.parametrize("extra", [b"x", HEAD + b"content-length: 4\r\n\r\nfake"])
async def test_what_comes_behind_a_file_is_not_taken_for_the_next_one(extra: bytes) -> None:
    """A server that sends more than it announced gets no second request on that connection."""
    film = bytes(BLOCK_BYTES + 1)
    files = FileServer([whole(film) + extra, whole(b"poster")], per_connection=1)
    http = Http()
    async with raw_server(files.serve) as port, http.open():
        url = f"http://127.0.0.1:{port}/a"

        assert await fetched(http, url) == film
        assert await fetched(http, url) == b"poster"
    assert files.connections == 2


async def test_a_connection_to_a_private_address_is_only_used_for_links_that_may_lead_there() -> None:
    """The provider's own origin may; the same address in a link of another provider may not."""
    files = FileServer([whole(b"film"), whole(b"inside")], per_connection=2)
    async with raw_server(files.serve) as port:
        witness = Witness({"relay.test": [["127.0.0.1"]]}, {"127.0.0.1": port})
        http = Http(witness.network, rules=Rules.reading(http=True, trusted=()))
        async with http.open():
            assert await fetched(http, "http://relay.test/a", OwnOrigin("http://relay.test")) == b"film"
            with pytest.raises(UpstreamBroken):
                await fetched(http, "http://relay.test/a", ELSEWHERE)


async def test_a_name_is_not_looked_up_for_a_kept_connection() -> None:
    """It leads to an address that was checked."""
    files = FileServer([whole(b"film"), whole(b"poster")], per_connection=2)
    async with raw_server(files.serve) as port:
        witness = Witness({"relay.test": [["127.0.0.1"], ["10.0.0.1"]]}, {"127.0.0.1": port})
        http = Http(witness.network)
        async with http.open():
            own = OwnOrigin("http://relay.test")
            files_read = [await fetched(http, "http://relay.test/a", own) for _ in range(2)]

    assert files_read == [b"film", b"poster"]
    assert (witness.lookups, witness.connections) == (["relay.test"], [("127.0.0.1", 80)])
