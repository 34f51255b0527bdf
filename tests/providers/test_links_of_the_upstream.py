"""A link in an answer is as foreign as one that a client gave: it leads to no place that is not public."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from adapter.errors import UpstreamBroken, UpstreamFault, UpstreamUnreachable
from adapter.network.links import Rules, read_link
from adapter.providers.http import Http
from adapter.providers.origin import OwnOrigin
from adapter.providers.session import HttpNetwork
from tests.media.internet import PUBLIC, redirect
from tests.media.spellings import CORPUS, INNOCENT
from tests.providers.helpers import free_port, says, server
from tests.providers.identity import identity_of_localhost
from tests.providers.witness import Answers, Witness
from tests.upstream import Upstream, listening

#: The worst name service: whatever it does not know leads inside.
NAMES: dict[str, list[Answers]] = {INNOCENT: [[PUBLIC]], "*": [["10.0.0.1"]]}
SECRET = {"authorization": "Bearer secret"}
ELSEWHERE = OwnOrigin("https://flow.example", SECRET)


def http(witness: Witness, *trusted: str) -> Http:
    """Return a client in a world that writes down who was asked."""
    return Http(witness.network, rules=Rules.reading(http=False, trusted=trusted))


async def fetched(http: Http, url: str, own: OwnOrigin = ELSEWHERE) -> bytes:
    """Return what a link leads to."""
    async with http.download(url, own) as download:
        return await download.read(100)


async def fault(http: Http, url: str, own: OwnOrigin = ELSEWHERE) -> UpstreamFault:
    """Return why a link was not opened."""
    with pytest.raises(UpstreamFault) as caught:
        await fetched(http, url, own)
    return caught.value


@pytest.fixture
async def other() -> AsyncIterator[Upstream]:
    """A second server: of another origin."""
    async with listening(Http()) as other:
        yield other


def trusting(*servers: Upstream) -> Http:
    """Return a client whose operator trusts servers."""
    return Http(rules=Rules.reading(http=False, trusted=[each.url.removeprefix("http://") for each in servers]))


@pytest.mark.parametrize("turn", range(4))
async def test_no_spelling_of_a_private_address_is_connected_to(turn: int) -> None:
    """Thousands of forms; the few that are followed name the public host in truth, and that is where they end."""
    witness = Witness(NAMES)
    for url in CORPUS[turn::4]:
        await fault(http(witness), url)

    assert {host for host, _ in witness.connections} <= {PUBLIC}


async def test_no_redirect_leads_to_a_private_address() -> None:
    """From the provider's own server only to itself, by a relative redirect, or to the public host."""
    location = b""

    async def redirects(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(redirect(location))

    async with server(redirects) as url:
        own = OwnOrigin(url, SECRET)
        port = int(url.rstrip("/").rpartition(":")[2])
        for each in CORPUS[::8]:
            location = each.encode()
            witness = Witness(NAMES, {"127.0.0.1": port})
            await fault(http(witness), url, own)

            assert witness.connections[0] == ("127.0.0.1", port)
            assert set(witness.connections) <= {("127.0.0.1", port), (PUBLIC, 443)}, each


async def test_the_witness_sees_a_link_that_is_followed(upstream: Upstream) -> None:
    """Else the counts above would prove nothing."""
    upstream.answer = lambda _: httpx.Response(200, content=b"film")
    witness = Witness({"cdn.example": [[PUBLIC]]}, {PUBLIC: int(upstream.url.rpartition(":")[2])})

    assert await fetched(http(witness, "cdn.example:80"), "http://cdn.example/a") == b"film"
    assert witness.connections == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example/a",
        "https://cdn.example:8443/a",
        "https://ada:secret@cdn.example/a",
        "https://cdn.example@10.0.0.1/a",
        "https://10.0.0.1/a",
        "https://127.0.0.1/a",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/a",
        "https://[::ffff:10.0.0.1]/a",
        "https://inside.example/a",
        "https://2130706433/a",
        "ftp://cdn.example/a",
        "//cdn.example/a",
        "/a",
    ],
)
async def test_a_link_that_is_not_fetched_is_an_honest_error_without_an_address(url: str) -> None:
    """The client reads that the link was the reason; the operator reads which host."""
    witness = Witness({"cdn.example": [[PUBLIC]], "inside.example": [[PUBLIC, "10.0.0.1"]]})
    with capture_logs() as written:
        found = await fault(http(witness), f"{url}?Signature=secret")

    assert isinstance(found, UpstreamBroken)
    assert "media link leads to an address that is not" in found.message
    assert witness.connections == []
    assert [line["event"] for line in written] == ["upstream.link_refused"]
    assert "secret" not in f"{found} {written}"


async def test_a_name_is_looked_up_once_and_connected_to_at_what_was_checked(upstream: Upstream) -> None:
    """A second look-up would say 127.0.0.1."""
    upstream.answer = lambda _: httpx.Response(200, content=b"film")
    port = int(upstream.url.rpartition(":")[2])
    witness = Witness({"cdn.example": [[PUBLIC], ["127.0.0.1"]]}, {PUBLIC: port, "127.0.0.1": port})
    client = http(witness, "other.example:80")

    assert isinstance(await fault(client, "https://cdn.example/a"), UpstreamUnreachable)  # no TLS is spoken there
    assert witness.lookups == ["cdn.example"]
    assert {host for host, _ in witness.connections} == {PUBLIC}
    assert isinstance(await fault(client, "https://cdn.example/a"), UpstreamBroken)  # now it says 127.0.0.1


async def test_the_next_hop_is_looked_up_anew(upstream: Upstream) -> None:
    """A name that was public for the first hop may be private for the second."""
    upstream.answer = lambda _: httpx.Response(302, headers={"location": "https://cdn.example/b"})
    witness = Witness(
        {"relay.test": [["127.0.0.1"]], "cdn.example": [["10.0.0.1"]]},
        {"127.0.0.1": int(upstream.url.rpartition(":")[2])},
    )

    assert isinstance(await fault(http(witness), "http://relay.test/a", OwnOrigin("http://relay.test")), UpstreamBroken)
    assert witness.lookups == ["relay.test", "cdn.example"]
    assert [host for host, _ in witness.connections] == ["127.0.0.1"]


@pytest.mark.parametrize("answer", [OSError("no such name"), UnicodeError("label too long")])
async def test_a_host_that_is_not_found_is_unreachable(answer: Exception) -> None:
    """As everywhere."""
    found = await fault(http(Witness({"cdn.example": [answer]})), "https://cdn.example/a")

    assert isinstance(found, UpstreamUnreachable)
    assert found.cause == "dns"


async def test_the_providers_own_origin_gets_the_credential(upstream: Upstream) -> None:
    """The sandbox and relays have it on a private address, without TLS."""
    upstream.answer = lambda asked: httpx.Response(200, content=asked.headers.get("authorization", "nothing").encode())

    own = OwnOrigin(f"{upstream.url}/flow", SECRET)
    assert await fetched(upstream.http, f"{upstream.url}/a", own) == b"Bearer secret"


async def test_no_other_origin_gets_the_credential(upstream: Upstream, other: Upstream) -> None:
    """Neither by a link nor by a redirect, not even one that the operator trusts on the same host."""
    heads: list[httpx.Headers] = []

    def google(asked: httpx.Request) -> httpx.Response:
        heads.append(asked.headers)
        return httpx.Response(200, content=b"film")

    other.answer = google
    upstream.answer = lambda _: httpx.Response(302, headers={"location": f"{other.url}/b"})
    client, own = trusting(other), OwnOrigin(upstream.url, {**SECRET, "x-goog-api-key": "secret"})
    for url in (f"{upstream.url}/a", f"{other.url}/a"):
        assert await fetched(client, url, own) == b"film"

    assert len(heads) == 2
    assert not [head for head in heads if {"authorization", "x-goog-api-key", "cookie"} & set(head)]
    assert not [head for head in heads if "secret" in str(head)]


@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        ("https://flow.example/a", True),
        ("https://FLOW.example.:443/a", True),
        ("http://flow.example/a", False),
        ("http://flow.example:443/a", False),
        ("https://flow.example:8443/a", False),
        ("https://flow.example.evil.test/a", False),
        ("https://evil.flow.example/a", False),
        ("https://evil.test/https://flow.example/", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, *, is_own: bool) -> None:
    """Of the configured address, whose path does not count."""
    assert OwnOrigin("https://flow.example/v1", SECRET).has(read_link(url)) is is_own


async def test_a_private_server_is_reached_when_the_operator_trusts_it(upstream: Upstream, other: Upstream) -> None:
    """A link to it, a redirect to it; of all others none."""
    other.answer = lambda _: httpx.Response(200, content=b"film")

    assert await fetched(trusting(other), f"{other.url}/a") == b"film"
    assert isinstance(await fault(trusting(upstream), f"{other.url}/a"), UpstreamBroken)


async def test_a_redirect_never_leads_from_https_to_http(other: Upstream, tmp_path: Path) -> None:
    """Not even to a server that the operator trusts."""
    other.answer = lambda _: httpx.Response(200, content=b"film")
    certificate = identity_of_localhost(tmp_path)
    identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(certificate)
    client = Http(
        HttpNetwork(trust=ssl.create_default_context(cafile=certificate)),
        rules=Rules.reading(http=True, trusted=[other.url.removeprefix("http://")]),
    )

    async with server(says(redirect(f"{other.url}/b".encode())), identity) as url:
        assert isinstance(await fault(client, url, OwnOrigin(url)), UpstreamBroken)
    assert await fetched(client, f"{other.url}/b") == b"film"


async def test_a_link_with_a_long_signature_is_followed(upstream: Upstream) -> None:
    """Longer than the addresses that clients may give."""
    upstream.answer = lambda asked: httpx.Response(200, content=b"%d" % len(asked.url.raw_path))

    assert await fetched(upstream.http, f"{upstream.url}/a?{'s' * 4000}", OwnOrigin(upstream.url)) == b"4003"
    too_long = await fault(upstream.http, f"{upstream.url}/a?{'s' * 9000}", OwnOrigin(upstream.url))
    assert isinstance(too_long, UpstreamBroken)


async def test_a_port_that_nothing_listens_on_is_refused() -> None:
    """A word for the log."""
    url = f"http://127.0.0.1:{free_port()}"
    found = await fault(Http(), f"{url}/a", OwnOrigin(url))

    assert isinstance(found, UpstreamUnreachable)
    assert found.cause == "refused"
