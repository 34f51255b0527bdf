"""Requests and downloads by a proxy: real proxies on real sockets."""

import asyncio
import socket
import ssl
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapter.credentials import FixedSecret
from adapter.errors import UpstreamBroken, UpstreamUnreachable, WrongConfiguration
from adapter.network.links import Rules
from adapter.providers.environment_routes import EnvironmentRoutes
from adapter.providers.http import Http
from adapter.providers.limits import HttpLimits
from adapter.providers.no_proxy import NoProxy
from adapter.providers.origin import OwnOrigin
from adapter.providers.proxy import Proxy, Scheme, read_proxy
from adapter.providers.reach import OneProxy
from adapter.providers.session import HttpNetwork, Route
from tests.providers.helpers import HEAD, free_port, is_silent, raw_server, says, server
from tests.providers.identity import identity_of_localhost
from tests.providers.proxies import RunningProxy, running

ANSWER = HEAD + b"content-length: 2\r\n\r\n{}"
SCHEMES = ("http", "https", "socks5", "socks5h")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """The certificate of every server here, with its key."""
    return identity_of_localhost(tmp_path)


@pytest.fixture
def identity(certificate: Path) -> ssl.SSLContext:
    """As a server shows it."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(certificate)
    return found


def client(proxy: Proxy, certificate: Path | None = None, user: str = "", connect: float = 5.0) -> Http:
    """Return a client that reaches everything by a proxy."""
    route = OneProxy(proxy, FixedSecret(user) if user else None)
    trust = ssl.create_default_context(cafile=certificate) if certificate else None
    network = HttpNetwork(trust=trust, route=route)
    return Http(network, HttpLimits(connect=connect), Rules.reading(http=False, trusted=()))


async def post(http: Http, url: str) -> bytes:
    """Send, and return the body."""
    async with http.open():
        return bytes((await http.post(url, headers={}, body=b"x", seconds=5)).body)


async def download(http: Http, url: str, own: OwnOrigin | None = None) -> bytes:
    """Return a file."""
    async with http.open(), http.download(url, own or OwnOrigin(url)) as found:
        return await found.read(1000)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("user", ["", "ada:secret"])
@pytest.mark.parametrize("is_tls", [True, False])
async def test_requests_and_downloads_go_by_the_proxy(
    scheme: Scheme, user: str, is_tls: bool, certificate: Path, identity: ssl.SSLContext
) -> None:
    """By each kind of proxy, with and without a user, to a server with and without TLS."""
    async with (
        server(says(ANSWER), identity if is_tls else None) as url,
        running(RunningProxy(scheme, user=user, asked=[]), identity if scheme == "https" else None) as proxy,
    ):
        http = client(proxy.proxy, certificate, user)
        assert await post(http, url) == b"{}"
        assert await download(http, url) == b"{}"
        async with http.open():
            assert (await http.post_for_header(url, "content-type", headers={}, body=b"", seconds=5))[1]

    assert len(proxy.asked) == 3


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_the_proxy_looks_names_up(scheme: Scheme) -> None:
    """Where Google is not reached, its name is often not found either."""
    async with (
        server(says(ANSWER)) as url,
        running(RunningProxy(scheme, hosts={"google.example": "127.0.0.1"}, asked=[])) as proxy,
    ):
        named = url.replace("127.0.0.1", "google.example")
        assert await post(client(proxy.proxy), named) == b"{}"
        assert await download(client(proxy.proxy), named) == b"{}"

    assert {host for host, _ in proxy.asked} == {"google.example"}


async def test_names_are_looked_up_here_with_socks5() -> None:
    """The proxy gets an IP address."""
    async with server(says(ANSWER)) as url, running(RunningProxy("socks5", asked=[])) as proxy:
        assert await post(client(proxy.proxy), url.replace("127.0.0.1", "localhost")) == b"{}"

    assert proxy.asked[0][0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("scheme", "user", "refusal", "cause", "said"),
    [
        ("http", "ada:wrong", 0, "proxy_auth", 407),
        ("socks5h", "ada:wrong", 0, "proxy_auth", 1),
        ("http", "ada:secret", 403, "proxy_denied", 403),
        ("http", "ada:secret", 502, "proxy_denied", 502),
        ("socks5h", "ada:secret", 2, "proxy_denied", 2),
    ],
)
async def test_a_refusal_of_the_proxy_has_words_of_its_own(
    scheme: Scheme, user: str, refusal: int, cause: str, said: int
) -> None:
    """For clients, and with the number for the log. The password is in neither."""
    wanted = RunningProxy(scheme, user="ada:secret", refusal=refusal, asked=[])
    async with running(wanted) as proxy:
        with capture_logs() as lines, pytest.raises(UpstreamUnreachable, match="the adapter's proxy") as caught:
            await post(client(proxy.proxy, user=user), "http://google.example/?key=hidden")
        with pytest.raises(UpstreamUnreachable) as of_download:
            await download(client(proxy.proxy, user=user), "http://google.example/")

    assert caught.value.cause == of_download.value.cause == cause
    assert lines == [
        {
            "event": "upstream.unreachable",
            "log_level": "warning",
            "cause": cause,
            "host": "google.example",
            "proxy": f"127.0.0.1:{proxy.port}",
            "said": said,
        }
    ]


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_proxy_that_nothing_listens_on_is_named(scheme: Scheme) -> None:
    """It is not Google that cannot be reached."""
    with pytest.raises(UpstreamUnreachable) as caught:
        await post(client(Proxy(scheme, "127.0.0.1", free_port())), "http://127.0.0.1/")
    assert caught.value.cause == "proxy_away"


async def test_a_proxy_whose_name_is_not_known_is_named() -> None:
    """A name without an address."""
    with pytest.raises(UpstreamUnreachable) as caught:
        await post(client(Proxy("http", "proxy.invalid", 3128)), "http://127.0.0.1/")
    assert caught.value.cause == "proxy_dns"


async def test_a_proxy_with_a_strangers_certificate_is_not_used(identity: ssl.SSLContext) -> None:
    """It would see the password."""
    async with running(RunningProxy("https", asked=[]), identity) as proxy:
        with pytest.raises(UpstreamUnreachable) as caught:
            await post(client(proxy.proxy, user="ada:secret"), "http://127.0.0.1/")
    assert caught.value.cause == "proxy_tls"


@pytest.mark.parametrize("scheme", ["http", "socks5"])
@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"x" * 100_000])
async def test_what_is_no_proxy_is_named(scheme: Scheme, answer: bytes) -> None:
    """A web server, or a proxy of the other kind."""
    async with raw_server(says(answer)) as port:
        with pytest.raises(UpstreamUnreachable) as caught:
            await post(client(Proxy(scheme, "127.0.0.1", port)), "http://127.0.0.1/")
    assert caught.value.cause in {"proxy_odd", "proxy_away"}


async def test_a_silent_proxy_is_waited_for_as_long_as_for_a_connection() -> None:
    """The time of a connection has the proxy's part in it."""
    async with raw_server(is_silent) as port:
        with pytest.raises(UpstreamUnreachable) as caught:
            await post(client(Proxy("http", "127.0.0.1", port), connect=0.05), "http://google.example/")
    assert caught.value.cause == "timeout"


async def test_what_is_late_before_a_connection_stands_was_not_sent() -> None:
    """The time for an answer begins later. So a slow proxy leaves no video that may be paid for."""
    async with raw_server(is_silent) as port:
        http = client(Proxy("http", "127.0.0.1", port), connect=0.2)
        async with http.open():
            for send in (http.post, http.get, http.post_once):
                with pytest.raises(UpstreamUnreachable):
                    await send("http://google.example/", headers={}, body=b"", seconds=0.05)
            with pytest.raises(UpstreamUnreachable):
                await http.post_for_header("http://google.example/", "x", headers={}, body=b"", seconds=0.05)
            with pytest.raises(UpstreamUnreachable):
                async with http.stream("http://google.example/", headers={}, body=b"", seconds=0.05, silence=0.05):
                    pass


async def test_the_certificate_of_google_is_checked_behind_a_proxy(identity: ssl.SSLContext) -> None:
    """The proxy sees nothing of a request to a server with TLS."""
    async with server(says(ANSWER), identity) as url, running(RunningProxy("http", asked=[])) as proxy:
        with pytest.raises(UpstreamUnreachable) as caught:
            await post(client(proxy.proxy), url)
    assert caught.value.cause == "tls"


@pytest.mark.parametrize(
    "link", ["https://127.0.0.1/", "https://10.0.0.1/a", "https://[::1]/", "https://metadata.google.internal/a"]
)
@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
async def test_a_link_of_the_upstream_never_leads_into_a_private_network(scheme: Scheme, link: str) -> None:
    """The proxy is not even asked, as far as the link itself tells."""
    async with running(RunningProxy(scheme, asked=[])) as proxy:
        with pytest.raises((UpstreamBroken, UpstreamUnreachable)):
            await download(client(proxy.proxy), link, OwnOrigin("https://google.example"))

    assert proxy.asked == []


async def test_proxies_of_the_environment_are_those_of_the_scheme() -> None:
    """With `ALL_PROXY` behind them, and `NO_PROXY` before them."""
    routes = EnvironmentRoutes(
        {"https": "http://ada:s%40cret@tls.example:3128", "all": "socks5://all.example", "no": "near.example,127.0.0.1"}
    )
    by_tls, by_all = routes("far.example", 443, is_tls=True), routes("far.example", 80, is_tls=False)

    assert by_tls is not None
    assert by_tls.user is not None
    assert (by_tls.proxy.address, await by_tls.user.read()) == ("tls.example:3128", "ada:s@cret")
    assert by_all == Route(Proxy("socks5", "all.example", 1080))
    assert routes("near.example", 443, is_tls=True) is None
    assert routes("127.0.0.1", 443, is_tls=True) is None


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (
            "google.example",
            ["google.example", "GOOGLE.example.", "api.google.example"],
            ["notgoogle.example", "example"],
        ),
        (".google.example", ["google.example", "api.google.example"], ["notgoogle.example"]),
        ("*.google.example", ["google.example", "a.b.google.example"], ["google.example.org"]),
        ("*", ["google.example", "10.0.0.1", "::1"], []),
        ("", [], ["google.example", "10.0.0.1"]),
        (" ,a.example, b.example c.example", ["a.example", "b.example", "c.example"], ["d.example"]),
        ("google.example:443", ["google.example", "api.google.example"], []),
        ("google.example:8080", [], ["google.example"]),
        ("10.1.2.3", ["10.1.2.3"], ["10.1.2.30", "10.1.2.4"]),
        ("10.1.2.3:443,10.1.2.4:80", ["10.1.2.3"], ["10.1.2.4"]),
        ("10.0.0.0/8", ["10.1.2.3"], ["11.1.2.3", "10.example", "::1"]),
        ("10.1.2.3/8", ["10.9.9.9"], ["11.1.2.3"]),
        ("::1", ["::1", "[::1]", "0:0:0:0:0:0:0:1"], ["::2"]),
        ("[::1]:443", ["::1"], ["::2"]),
        ("[::1]:80", [], ["::1"]),
        ("fd00::/8", ["fd12::1"], ["fe80::1"]),
        ("10.0.0.0/33,:443,[", [], ["10.0.0.1", "google.example", "::1"]),
    ],
)
def test_no_proxy_is_read_as_other_programs_read_it(text: str, inside: list[str], outside: list[str]) -> None:
    """Names, addresses, networks, ports. Here for port 443."""
    without = NoProxy(text)

    assert [host for host in [*inside, *outside] if without.has(host, 443)] == inside


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_a_page_in_the_place_of_a_way_is_named(scheme: Scheme) -> None:
    """A captive portal answers everything with success."""
    page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>Log in</html>"
    if scheme == "socks5h":
        page = b"\5\0" + b"\5\0\0\1" + bytes(6) + b"<html>Log in</html>"
    for url in ("http://google.example/", "https://google.example/"):
        async with raw_server(says(page)) as port:
            with pytest.raises(UpstreamUnreachable) as caught:
                await post(client(Proxy(scheme, "127.0.0.1", port)), url)
        assert caught.value.cause == "proxy_odd"


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_a_proxy_and_google_may_have_addresses_of_ipv6(scheme: Scheme) -> None:
    """In brackets, as URLs have them."""
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    listening = await asyncio.start_server(answers, "::1", 0)
    async with listening, running(RunningProxy(scheme, asked=[]), host="::1") as proxy:
        port = listening.sockets[0].getsockname()[1]
        found = read_proxy(f"{scheme}://[::1]:{proxy.port}")
        assert (found.host, found.address) == ("::1", f"[::1]:{proxy.port}")
        assert await post(client(found), f"http://[::1]:{port}/") == b"{}"

    assert proxy.asked == [("::1", port)]


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ANSWER)
    writer.close()


def has_ipv6() -> bool:
    """Return whether there is an address of the loopback interface."""
    try:
        with socket.socket(socket.AF_INET6) as found:
            found.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_a_variable_that_names_no_proxy_is_named_without_its_words() -> None:
    """A password may stand in it."""
    with pytest.raises(WrongConfiguration, match="HTTPS_PROXY") as caught:
        EnvironmentRoutes({"https": "ftp://ada:secret@proxy.example:1"})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says_what"),
    [
        ("ftp://proxy.example:1", "begins with one of"),
        ("http://ada:secret@proxy.example:1", "proxy_auth"),
        ("http://proxy.example:1/path", "SCHEME://HOST:PORT"),
        ("http://", "SCHEME://HOST:PORT"),
        ("http://proxy.example:99999", "cannot be read"),
        ("http://[::1", "cannot be read"),
        ("http://::1:3128", "cannot be read|SCHEME://HOST:PORT"),
        ("http://[fe80::1%eth0]:3128", "SCHEME://HOST:PORT"),
    ],
)
def test_a_wrong_address_of_a_proxy_is_refused_without_its_words(text: str, says_what: str) -> None:
    """A password may stand in it."""
    with pytest.raises(ValueError, match=says_what) as caught:
        read_proxy(text)
    assert "secret" not in str(caught.value)


async def test_a_client_that_leaves_closes_the_connection_to_the_proxy() -> None:
    """Nothing of a connection that never stood is left."""
    closed = asyncio.Event()

    async def waits(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.read()
        closed.set()

    async with raw_server(waits) as port:
        http = client(Proxy("http", "127.0.0.1", port), connect=0.05)
        with pytest.raises(UpstreamUnreachable):
            await post(http, "http://google.example/")
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await closed.wait()
    assert closed.is_set()
