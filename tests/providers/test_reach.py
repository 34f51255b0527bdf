"""The way to a provider, from its settings."""

import asyncio
import ssl
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapter.clock import SystemClock
from adapter.domain.media import RemoteFile
from adapter.domain.telemetry import NoMetrics
from adapter.domain.texts import TextMethod, TextRequest
from adapter.errors import UpstreamUnreachable, WrongConfiguration
from adapter.network.links import Rules
from adapter.providers.description import AnyProvider
from adapter.providers.http import Http
from adapter.providers.limits import HttpLimits
from adapter.providers.origin import OwnOrigin
from adapter.providers.registry import BUILT_IN
from adapter.settings import Settings, load_settings
from adapter.wiring import build_provider_context
from tests.providers.helpers import HEAD, free_port, raw_server, says, server
from tests.providers.identity import identity_of_localhost
from tests.providers.proxies import RunningProxy, running

ANSWER = HEAD + b"content-length: 2\r\n\r\n{}"


class Heard:
    """A server that remembers the heads of requests, and answers each."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(ANSWER)
        await writer.drain()


def load(tmp_path: Path, text: str) -> Settings:
    """Load a section `[providers.gemini]`."""
    file = tmp_path / "adapter.toml"
    file.write_text(f"[providers.gemini]\nkeys = ['plain:key']\n{text}")
    return load_settings(file, {})


FLOW_ACCOUNTS = """
[providers.flow]
base_url = "{url}"
{way}

[[providers.flow.accounts]]
name = "ada"
token = "plain:ya29.ada"
project_id = "one"
{ada}

[[providers.flow.accounts]]
name = "bob"
token = "plain:ya29.bob"
project_id = "two"
{bob}
"""


def load_accounts(
    tmp_path: Path, *, url: str = "http://flow.example", way: str = "", ada: str = "", bob: str = ""
) -> Settings:
    """Load a section `[providers.flow]` with two accounts."""
    file = tmp_path / "adapter.toml"
    file.write_text(FLOW_ACCOUNTS.format(url=url, way=way, ada=ada, bob=bob))
    return load_settings(file, {})


def described(name: str) -> AnyProvider:
    """Return the description of a provider."""
    return next(each for each in BUILT_IN if each.name == name)


def client(settings: Settings, http: Http) -> Http:
    """Return the client that the provider gets."""
    return build_provider_context("gemini", settings.providers["gemini"], http, SystemClock(), NoMetrics()).http


async def test_a_provider_without_settings_of_its_own_shares_the_client(tmp_path: Path) -> None:
    """The certificates of the system are read once."""
    http = Http()

    assert client(load(tmp_path, ""), http) is http
    assert client(load(tmp_path, "connect_seconds = 3"), http) is not http


async def test_a_proxy_and_its_password_come_from_the_settings(tmp_path: Path) -> None:
    """The reference is read, and the request goes by the proxy."""
    secret = tmp_path / "proxy"
    secret.write_text("ada:secret")
    http, heard = Http(), Heard()
    async with (
        raw_server(heard) as port,
        running(RunningProxy("socks5h", user="ada:secret", asked=[])) as proxy,
        http.open(),
    ):
        way = f"proxy = 'socks5h://127.0.0.1:{proxy.port}'\nproxy_auth = 'file:{secret}'"
        own = client(load(tmp_path, way), http)
        reply = await own.post(f"http://127.0.0.1:{port}/", headers={}, body=b"", seconds=5)

    assert reply.status == 200
    assert proxy.asked == [("127.0.0.1", port)]


async def test_an_account_has_a_proxy_of_its_own(tmp_path: Path) -> None:
    """Its calls, and no others, go by it: here the call of the check, and a download."""
    http, heard = Http(rules=Rules.reading(http=True, trusted=())), Heard()
    (tmp_path / "secret").write_text("bob:secret")
    async with (
        raw_server(heard) as port,
        running(RunningProxy("http", asked=[])) as of_all,
        running(RunningProxy("socks5h", user="bob:secret", asked=[])) as of_bob,
        http.open(),
    ):
        settings = load_accounts(
            tmp_path,
            url=f"http://127.0.0.1:{port}",
            way=f"proxy = 'http://127.0.0.1:{of_all.port}'",
            bob=f"proxy = 'socks5h://127.0.0.1:{of_bob.port}'\nproxy_auth = 'file:{tmp_path}/secret'",
        )
        context = build_provider_context("flow", settings.providers["flow"], http, SystemClock(), NoMetrics())
        videos = described("flow").build(settings.providers["flow"], context).videos
        assert videos is not None
        counts = []
        for account in ("ada", "bob"):
            assert await videos.credits(account) is None  # "{}" says nothing of credits
            file = RemoteFile(url=f"http://127.0.0.1:{port}/clip.mp4")
            async with videos.download(file, account=account) as download:
                await download.read(1000)
            counts.append((len(of_all.asked), len(of_bob.asked)))

    assert counts == [(2, 0), (2, 2)]
    assert len(heard.heads) == 4


async def test_an_account_may_go_without_the_proxy_of_the_others(tmp_path: Path) -> None:
    """By an empty text."""
    http, heard = Http(), Heard()
    async with raw_server(heard) as port, running(RunningProxy("http", asked=[])) as proxy, http.open():
        settings = load_accounts(
            tmp_path, url=f"http://127.0.0.1:{port}", way=f"proxy = 'http://127.0.0.1:{proxy.port}'", ada="proxy = ''"
        )
        context = build_provider_context("flow", settings.providers["flow"], http, SystemClock(), NoMetrics())
        probe = described("flow").probe
        assert probe is not None
        await probe(settings.providers["flow"], context)

    assert (len(heard.heads), len(proxy.asked)) == (2, 1)


def test_the_proxies_of_accounts_are_checked_too(tmp_path: Path) -> None:
    """Their secrets are read by `adapter check`, and none is on the way to the sandbox."""
    settings = load_accounts(tmp_path, bob="proxy = 'http://proxy.example'\nproxy_auth = 'env:PROXY'")
    flow = settings.directed_to("http://127.0.0.1:1").providers["flow"]

    assert ("providers.flow.accounts[1].proxy_auth", "env:PROXY") in settings.secrets()
    assert [(way.proxy, way.proxy_auth) for way in flow.ways()] == [("", "")]


@pytest.mark.parametrize("section", ["gemini", "omni"])
def test_the_proxies_of_keys_are_checked_too(tmp_path: Path, section: str) -> None:
    """As those of accounts. A key without a name has none."""
    file = tmp_path / "adapter.toml"
    file.write_text(f"""
[providers.{section}]
keys = ["plain:first", {{name = "b", key = "plain:second", proxy = "http://proxy.example", proxy_auth = "env:PROXY"}}]
""")
    settings = load_settings(file, {})
    directed = settings.directed_to("http://127.0.0.1:1").providers[section]

    assert (f"providers.{section}.keys[1].proxy_auth", "env:PROXY") in settings.secrets()
    assert [(way.place, way.proxy) for way in settings.providers[section].own_ways()] == [
        (("keys", 1), "http://proxy.example")
    ]
    assert list(directed.own_ways()) == []
    assert [each.name for each in directed.credentials()] == [
        each.name for each in settings.providers[section].credentials()
    ]


@pytest.mark.parametrize(
    ("key", "says_what"),
    [
        ("proxy = 'http://proxy.example:0'", r"providers.gemini.keys\[0\].proxy: .*SCHEME://HOST:PORT"),
        ("proxy_auth = 'env:PROXY'", r"providers.gemini.keys\[0\].proxy_auth needs the address of a proxy"),
        ("proxy = 'http://ada:secret@proxy.example'", r"keys\[0\].proxy: .*without user and password"),
        ("proxi = 'http://proxy.example'", r"keys\[0\].proxi: there is no such key. Did you mean 'proxy'"),
    ],
)
def test_a_wrong_proxy_of_a_key_stops_the_start(tmp_path: Path, key: str, says_what: str) -> None:
    """The message names the key, and no password."""
    file = tmp_path / "adapter.toml"
    file.write_text(f"[providers.gemini]\nkeys = [{{name = 'a', key = 'plain:first', {key}}}]")
    with pytest.raises(WrongConfiguration, match=says_what) as caught:
        load_settings(file, {})
    assert "ada:secret" not in str(caught.value)


def test_one_key_goes_by_one_way(tmp_path: Path) -> None:
    """A job finds its key by its name."""
    file = tmp_path / "adapter.toml"
    file.write_text("""
[providers.gemini]
keys = [{name = "a", key = "plain:first"}, {name = "a", key = "plain:first", proxy = "http://proxy.example"}]
""")
    with pytest.raises(WrongConfiguration, match="two keys have the name 'a'"):
        load_settings(file, {})


async def test_a_key_whose_proxy_is_away_leaves_its_work_to_another_one(tmp_path: Path) -> None:
    """Nothing was sent, so the request goes on within the same answer, and the key rests."""
    http, heard = Http(), Heard()
    file = tmp_path / "adapter.toml"
    async with raw_server(heard) as port, http.open():
        file.write_text(f"""
[providers.gemini]
base_url = "http://127.0.0.1:{port}"
keys = [
    {{name = "ada", key = "plain:first", proxy = "http://127.0.0.1:{free_port()}"}},
    {{name = "bob", key = "plain:second"}},
]
""")
        section = load_settings(file, {}).providers["gemini"]
        context = build_provider_context("gemini", section, http, SystemClock(), NoMetrics())
        built = described("gemini").build(section, context)
        assert built.passed_texts is not None
        request = TextRequest(provider="gemini", model="m", method=TextMethod.CHAT, body=b"{}")
        with capture_logs() as lines:
            for _ in range(4):
                async with built.passed_texts.open_text(request) as reply:
                    assert [piece async for piece in reply.pieces] == [b"{}"]

    assert [b"Bearer second" in head for head in heard.heads] == [True] * 4
    assert [(line["event"], line.get("credential"), line.get("cause")) for line in lines] == [
        ("upstream.unreachable", None, "proxy_away"),
        ("credential.set_aside", "ada", None),
    ]


@pytest.mark.parametrize(
    ("bob", "says_what"),
    [
        ("proxy = 'http://proxy.example:0'", r"providers.flow.accounts\[1\].proxy: .*SCHEME://HOST:PORT"),
        ("proxy_auth = 'env:PROXY'", r"providers.flow.accounts\[1\].proxy_auth needs the address of a proxy"),
        ("proxy = 'proxy.example'", "socks5h:// with a host and a port"),
    ],
)
def test_a_wrong_proxy_of_an_account_stops_the_start(tmp_path: Path, bob: str, says_what: str) -> None:
    """The message names the account."""
    with pytest.raises(WrongConfiguration, match=says_what):
        load_accounts(tmp_path, bob=bob)


@pytest.mark.parametrize(
    ("section", "usual"),
    [
        ("[providers.gemini]\nkeys = ['plain:key']", HttpLimits()),
        ("[providers.omni]\nkeys = ['plain:key']", HttpLimits()),
        ("[providers.vertex]\nproject = 'p'\ncredential = 'plain:token'", HttpLimits()),
        ("[providers.flow]\naccounts = [{name = 'a', token = 'plain:t', project_id = 'p'}]", HttpLimits(answer=300.0)),
    ],
    ids=["gemini", "omni", "vertex", "flow"],
)
def test_requests_take_the_usual_times_without_a_word_of_the_operator(
    tmp_path: Path, section: str, usual: HttpLimits
) -> None:
    """Each time is a setting; `test_every_call.py` tries them."""
    file = tmp_path / "adapter.toml"
    file.write_text(section)
    [settings] = load_settings(file, {}).providers.values()

    assert settings.limits() == usual


@pytest.mark.parametrize(
    ("text", "says_what"),
    [
        ("answer_seconds = 0", "a number from 1 to 3600"),
        ("question_seconds = 601", "a number from 1 to 600"),
        ("submit_seconds = 75", "submit_seconds"),
    ],
)
def test_a_wrong_time_stops_the_start(tmp_path: Path, text: str, says_what: str) -> None:
    """Gemini has no submissions, so their time is unknown there."""
    with pytest.raises(WrongConfiguration, match=says_what):
        load(tmp_path, text)


async def test_a_file_of_certificates_is_trusted_beside_the_systems(tmp_path: Path) -> None:
    """For requests and for downloads."""
    certificate = identity_of_localhost(tmp_path)
    identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(certificate)
    http = Http()
    async with server(says(ANSWER), identity) as url, http.open():
        own = client(load(tmp_path, f"ca_file = '{certificate}'"), http)
        reply = await own.post(url, headers={}, body=b"", seconds=5)
        async with own.download(url, OwnOrigin(url)) as found:
            assert await found.read(10) == b"{}"
    assert reply.body == b"{}"


@pytest.mark.parametrize("text", ["", "no certificate"])
async def test_a_file_without_certificates_stops_the_start(tmp_path: Path, text: str) -> None:
    """The message names the setting."""
    file = tmp_path / "ca.pem"
    file.write_text(text)
    for name, says_what in (("ca.pem", "no certificates"), ("missing.pem", "cannot be read")):
        settings = load(tmp_path, f"ca_file = '{tmp_path / name}'")
        with pytest.raises(WrongConfiguration, match=rf"providers\.gemini\.ca_file.*{says_what}"):
            client(settings, Http())


async def test_headers_for_a_relay_go_to_its_origin_and_to_no_other_one(tmp_path: Path) -> None:
    """A value may be a secret."""
    secret = tmp_path / "relay"
    secret.write_text("hidden")
    http, relay, other = Http(), Heard(), Heard()
    async with raw_server(relay) as port, raw_server(other) as elsewhere, http.open():
        url = f"http://127.0.0.1:{port}"
        own = client(
            load(tmp_path, f"base_url = '{url}'\nheaders = {{ x-relay = 'file:{secret}', x-team = 'blue team' }}"), http
        )
        for place in (url, f"http://127.0.0.1:{elsewhere}"):
            await own.post(f"{place}/a", headers={}, body=b"", seconds=5)
            await own.post_for_header(f"{place}/b", "x", headers={}, body=b"", seconds=5)
        async with own.download(f"{url}/c", OwnOrigin(url)) as found:
            await found.read(10)

    assert len(relay.heads) == 3
    for head in relay.heads:
        assert b"x-relay: hidden\r\n" in head
        assert b"x-team: blue team\r\n" in head
    assert len(other.heads) == 2
    assert not any(b"x-relay" in head or b"x-team" in head for head in other.heads)


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
async def test_the_cause_of_a_failure_is_logged_at_the_level_of_the_setting(tmp_path: Path, level: str) -> None:
    """Without a path and its key."""
    http = Http()
    own = client(load(tmp_path, f"unreachable_level = '{level}'\nconnect_seconds = 3"), http)
    url = f"http://127.0.0.1:{free_port()}/a?key=secret"
    async with http.open():
        with capture_logs() as lines:
            with pytest.raises(UpstreamUnreachable):
                await own.post(url, headers={}, body=b"", seconds=5)
            with pytest.raises(UpstreamUnreachable):
                await own.post_for_header(url, "x", headers={}, body=b"", seconds=5)
            with pytest.raises(UpstreamUnreachable):
                async with own.download(url, OwnOrigin(url)):
                    pass

    line = {"event": "upstream.unreachable", "log_level": level, "cause": "refused", "host": "127.0.0.1"}
    assert lines == [line] * 3


@pytest.mark.parametrize(
    ("text", "says_what"),
    [
        ("proxy = 'proxy.example:3128'", "proxy_auth"),
        ("proxy = 'http://ada:secret@proxy.example'", "without user and password"),
        ("base_url = 'http://[::1'", "base_url: its host or its port cannot be read"),
        ("base_url = 'http://relay.example:99999'", "base_url: its host or its port cannot be read"),
        ("base_url = 'http://relay.example/v?key=hidden'", "base_url: its host or its port cannot be read"),
        ("proxy = 'http://proxy.example:0'", "SCHEME://HOST:PORT"),
        ("proxy_auth = 'env:PROXY'", "needs the address of a proxy"),
        ("proxy = 'env'\nproxy_auth = 'env:PROXY'", "needs the address of a proxy"),
        ("headers = { host = 'x' }", "the name of a header"),
        ("headers = { 'x y' = 'x' }", "the name of a header"),
        ("headers = { x = '' }", "one line of plain ASCII"),
        ("connect_seconds = 0", "connect_seconds"),
        ("unreachable_level = 'loud'", "unreachable_level"),
    ],
)
def test_a_wrong_way_stops_the_start(tmp_path: Path, text: str, says_what: str) -> None:
    """The message names what is allowed."""
    with pytest.raises(WrongConfiguration, match=says_what):
        load(tmp_path, text)


def test_the_secrets_of_a_way_are_among_all_secrets(tmp_path: Path) -> None:
    """`adapter check` reads each of them."""
    settings = load(
        tmp_path,
        "proxy = 'http://proxy.example'\nproxy_auth = 'env:PROXY'\nheaders = { x-a = 'env:RELAY', x-b = 'open' }",
    )
    assert settings.secrets() == [
        ("providers.gemini.keys[0]", "plain:key"),
        ("providers.gemini.proxy_auth", "env:PROXY"),
        ("providers.gemini.headers.x-a", "env:RELAY"),
    ]


def test_no_proxy_is_on_the_way_to_the_sandbox(tmp_path: Path) -> None:
    """It listens on this machine."""
    settings = load(tmp_path, "proxy = 'http://proxy.example'\nproxy_auth = 'env:PROXY'")
    directed = settings.directed_to("http://127.0.0.1:1").providers["gemini"]

    assert (directed.proxy, directed.proxy_auth) == ("", "")
