"""Access tokens of Google Cloud on the way that the settings say: by a proxy, with certificates of the operator."""

import json
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from google.auth import transport
from structlog.testing import capture_logs

from adapter.clock import SystemClock
from adapter.domain.ports import Secret, TokenReply
from adapter.domain.telemetry import NoMetrics
from adapter.errors import UpstreamCredential, UpstreamUnreachable
from adapter.google_credentials import TokenTransport, WayTransport, google_secret, is_metadata
from adapter.providers.environment_routes import EnvironmentRoutes
from adapter.providers.http import Http
from adapter.providers.limits import HttpLimits
from adapter.providers.proxy import Scheme
from adapter.providers.session import HttpNetwork
from adapter.providers.token_requests import WayOfTokens
from adapter.sandbox.cloud.rules import CloudRules
from adapter.sandbox.rules import SandboxRules
from adapter.sandbox.server import RunningSandbox, running_sandbox
from adapter.settings import load_settings
from adapter.wiring import build_provider_context, settings_secret
from tests.providers.helpers import HEAD, free_port, says, server
from tests.providers.identity import identity_of_localhost
from tests.providers.proxies import RunningProxy, running
from tests.support import WITHOUT_TLS

HIDDEN = "hidden-pass"
USER = f"ada:{HIDDEN}"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """Google Cloud's token service, emulated."""
    with running_sandbox(SandboxRules(port=0, cloud=CloudRules())) as started:
        yield started


@pytest.fixture
def key_file(sandbox: RunningSandbox, tmp_path: Path) -> Path:
    """A key of a service account. Its token service has a name that only the proxy knows."""
    with httpx.Client(base_url=sandbox.base_url, verify=WITHOUT_TLS) as http:
        described = json.loads(http.get("/sandbox/cloud/key").content)
    file = tmp_path / "key.json"
    token_uri = described["token_uri"].replace("127.0.0.1", "tokens.example")
    file.write_text(json.dumps(described | {"token_uri": token_uri}))
    return file


def opened(tmp_path: Path, key_file: Path, way: str) -> Secret:
    """Return the credential of a configuration, as the server opens it."""
    file = tmp_path / "adapter.toml"
    file.write_text(f"[providers.vertex]\nproject = 'mine-123'\ncredential = 'google:{key_file}'\n{way}\n")
    section = load_settings(file, {}).providers["vertex"]
    context = build_provider_context("vertex", section, Http(), SystemClock(), NoMetrics())
    return context.open_secret(f"google:{key_file}", key="credential")


def by(proxy: RunningProxy, tmp_path: Path, user: str = "") -> str:
    """Return the settings of a way by a proxy."""
    if not user:
        return f"proxy = '{proxy.scheme}://127.0.0.1:{proxy.port}'"
    (tmp_path / "proxy").write_text(user)
    return f"proxy = '{proxy.scheme}://127.0.0.1:{proxy.port}'\nproxy_auth = 'file:{tmp_path}/proxy'"


async def test_a_token_of_a_single_key_is_fetched_by_its_own_proxy(
    sandbox: RunningSandbox, key_file: Path, tmp_path: Path
) -> None:
    """A relay may take access tokens in the place of keys."""
    file = tmp_path / "adapter.toml"
    async with running(proxy_of("http")) as of_all, running(proxy_of("socks5h")) as own:
        file.write_text(f"""
[providers.gemini]
auth = "bearer"
keys = [
    "plain:first",
    {{name = "b", key = "google:{key_file}", proxy = "socks5h://127.0.0.1:{own.port}"}},
]
proxy = "http://127.0.0.1:{of_all.port}"
""")
        section = load_settings(file, {}).providers["gemini"]
        context = build_provider_context("gemini", section, Http(), SystemClock(), NoMetrics())
        token = await context.open_secret(f"google:{key_file}", key="keys[1]").read()

    assert token.startswith("ya29.")
    assert (len(own.asked), len(of_all.asked)) == (1, 0)


def proxy_of(scheme: Scheme, **told: object) -> RunningProxy:
    """Return a proxy that knows where the token service is."""
    return RunningProxy(scheme, hosts={"tokens.example": "127.0.0.1"}, asked=[], **told)  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_a_token_is_fetched_by_the_proxy_of_the_provider(
    sandbox: RunningSandbox, key_file: Path, tmp_path: Path, scheme: Scheme
) -> None:
    """With its user and password. The name of the token service is looked up there."""
    async with running(proxy_of(scheme, user=USER)) as proxy:
        token = await opened(tmp_path, key_file, by(proxy, tmp_path, USER)).read()

    assert token.startswith("ya29.")
    assert [host for host, _ in proxy.asked] == ["tokens.example"]


async def test_the_password_of_the_proxy_may_come_from_a_program(
    sandbox: RunningSandbox, key_file: Path, tmp_path: Path
) -> None:
    """It runs in the thread that fetches the token."""
    async with running(proxy_of("http", user=USER)) as proxy:
        way = f"proxy = 'http://127.0.0.1:{proxy.port}'\nproxy_auth = 'cmd:echo {USER}'"

        assert (await opened(tmp_path, key_file, way).read()).startswith("ya29.")


async def test_a_token_is_fetched_by_a_proxy_of_the_environment(sandbox: RunningSandbox, key_file: Path) -> None:
    """Its user and password stand in the variable."""
    async with running(proxy_of("http", user=USER)) as proxy:
        routes = EnvironmentRoutes({"all": f"http://{USER}@127.0.0.1:{proxy.port}"})
        way = WayTransport(WayOfTokens(HttpNetwork(route=routes), HttpLimits()), TokenTransport())
        token = await google_secret(str(key_file), key="k", request=way).read()

    assert (token[:5], len(proxy.asked)) == ("ya29.", 1)


async def test_a_check_fetches_the_token_by_the_proxy_too(
    sandbox: RunningSandbox, key_file: Path, tmp_path: Path
) -> None:
    """What `adapter check` reads is what the server will read."""
    name, reference = "providers.vertex.credential", f"google:{key_file}"
    async with running(proxy_of("socks5h")) as proxy:
        file = tmp_path / "adapter.toml"
        file.write_text(
            f"[providers.vertex]\nproject = 'mine-123'\ncredential = '{reference}'\n{by(proxy, tmp_path)}\n"
        )
        token = await settings_secret(load_settings(file, {}), name, reference).read()

    assert (token[:5], len(proxy.asked)) == ("ya29.", 1)


@pytest.mark.parametrize(
    ("scheme", "refusal", "user", "cause", "says_what"),
    [
        ("http", 0, "ada:wrong", "proxy_auth", "the adapter's proxy refuses its user or password"),
        ("socks5h", 0, "ada:wrong", "proxy_auth", "the adapter's proxy refuses its user or password"),
        ("http", 403, USER, "proxy_denied", "the adapter's proxy opens no connection to Google"),
    ],
)
async def test_a_proxy_that_refuses_is_named_and_no_secret_is(
    sandbox: RunningSandbox,
    key_file: Path,
    tmp_path: Path,
    scheme: Scheme,
    refusal: int,
    user: str,
    cause: str,
    says_what: str,
) -> None:
    """In the error and in the log, as for other requests of the provider."""
    async with running(proxy_of(scheme, user=USER, refusal=refusal)) as proxy:
        secret = opened(tmp_path, key_file, by(proxy, tmp_path, user))
        with capture_logs() as written, pytest.raises(UpstreamUnreachable) as caught:
            await secret.read()

    assert (caught.value.cause, says_what in caught.value.message) == (cause, True)
    assert [line["event"] for line in written] == ["upstream.unreachable", "credential.no_token"]
    assert written[0]["proxy"] == proxy.proxy.address
    assert written[1]["reason"] == f"the token service gives no connection ({cause})"
    private = json.loads(key_file.read_text())["private_key"][28:80]
    told = f"{written} {caught.value!r}"
    assert [each for each in (HIDDEN, user, private, "eyJ") if each in told] == []


async def test_a_proxy_that_is_away_is_named(sandbox: RunningSandbox, key_file: Path, tmp_path: Path) -> None:
    """The token service is not asked by another way."""
    with pytest.raises(UpstreamUnreachable) as caught:
        await opened(tmp_path, key_file, f"proxy = 'http://127.0.0.1:{free_port()}'").read()

    assert caught.value.cause == "proxy_away"


async def test_a_token_service_is_trusted_by_the_certificates_of_the_provider(key_file: Path, tmp_path: Path) -> None:
    """A proxy that opens TLS shows its own. Without `ca_file` it is refused."""
    certificate = identity_of_localhost(tmp_path)
    identity = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    identity.load_cert_chain(certificate)
    said = b'{"access_token":"ya29.own","expires_in":3600}'
    async with server(says(HEAD + b"content-length: %d\r\n\r\n" % len(said) + said), identity) as url:
        key_file.write_text(json.dumps(json.loads(key_file.read_text()) | {"token_uri": f"{url}token"}))
        with pytest.raises(UpstreamUnreachable):
            await opened(tmp_path, key_file, "").read()

        assert await opened(tmp_path, key_file, f"ca_file = '{certificate}'").read() == "ya29.own"


async def test_a_token_service_that_refuses_behind_a_proxy_is_heard(
    sandbox: RunningSandbox, key_file: Path, tmp_path: Path
) -> None:
    """Its refusal is that of the credential, and not of the way."""
    async with (
        httpx.AsyncClient(base_url=sandbox.base_url, verify=WITHOUT_TLS) as http,
        running(proxy_of("http")) as proxy,
    ):
        await http.post("/sandbox/cloud/revoked", json=[json.loads(key_file.read_text())["private_key_id"]])
        with pytest.raises(UpstreamCredential) as caught:
            await opened(tmp_path, key_file, by(proxy, tmp_path)).read()
        await http.post("/sandbox/cloud/revoked", json=[])

    assert (caught.value.reason or "").startswith("invalid_grant")


class Empty(transport.Response):
    """An answer with nothing in it."""

    status = 200
    headers: Mapping[str, str] = {}
    data = b""


class Asked(transport.Request):
    """What was asked directly."""

    def __init__(self) -> None:
        self.directly: list[object] = []

    def __call__(self, *asked: object, **_: object) -> transport.Response:
        self.directly.append(asked[0])
        return Empty()


class Way:
    """What was asked on the way of the provider (the port `TokenRequests`)."""

    seconds = 10.0

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes) -> TokenReply:
        assert (method, dict(headers), body) == ("GET", {}, b"")
        self.asked.append(url)
        return TokenReply(200, b"{}")


def test_metadata_servers_are_asked_directly() -> None:
    """They belong to the machine: a proxy would give the token of its own one."""
    asked, way = Asked(), Way()
    request = WayTransport(way, asked)
    near = ["http://169.254.169.254", "http://metadata.google.internal/computeMetadata/v1/", "http://[fd00:ec2::254]/"]
    far = ["https://oauth2.googleapis.com/token", "https://metadata.google.internal.example/", "http://10.0.0.1/"]
    for url in near + far:
        request(url)

    assert (asked.directly, way.asked) == (near, far)


def test_the_metadata_server_may_have_another_name() -> None:
    """Google's own variable says it."""
    environ = {"GCE_METADATA_HOST": "localhost:8080"}

    assert is_metadata("http://localhost:8080/computeMetadata/v1/", environ)
    assert not is_metadata("http://localhost:8081/", environ)
