"""Access tokens of Google Cloud: renewed in time, once for all who wait, and never shown."""

import asyncio
import json
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
import structlog
from google.auth import transport

from adapter.credentials import secret
from adapter.domain.media import Frame
from adapter.domain.orders import ImageOrder
from adapter.errors import AdapterError, UpstreamCredential, UpstreamUnreachable, WrongConfiguration, reason_of
from adapter.google_credentials import EARLY_SECONDS, REST_SECONDS, GoogleSecret, Token, TokenTransport, google_secret
from adapter.providers.gemini.provider import GeminiProvider
from adapter.providers.http import Http
from adapter.providers.keys import Key, Keys
from adapter.providers.vertex.endpoint import CloudEndpoint
from adapter.sandbox.cloud.rules import CloudRules
from adapter.sandbox.rules import SandboxRules
from adapter.sandbox.server import RunningSandbox, running_sandbox
from tests.fakes import FakeClock
from tests.programs import run_program
from tests.support import ROOT, WITHOUT_TLS

RULES = SandboxRules(port=0, cloud=CloudRules())
REFRESH_TOKEN = RULES.cloud.refresh_token


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Tokens:
    """A token service in this process: it counts, and may be held up or fail."""

    def __init__(self, clock: Clock, wait_seconds: float = 10.0) -> None:
        self.clock = clock
        self.secret = GoogleSecret(self.fetch, clock, wait_seconds=wait_seconds)
        self.fetched = 0
        self.fault: AdapterError | None = None
        self.gate = threading.Event()
        self.gate.set()
        self._ended = threading.Semaphore(0)

    def fetch(self) -> Token | AdapterError:
        self.gate.wait(10)
        self.fetched += 1
        self._ended.release()
        return self.fault or Token(f"token-{self.fetched}", 3600.0, "quota")

    async def until_fetched(self, times: int) -> None:
        """Wait for a renewal that runs beside the work."""
        while self.fetched < times:
            assert await asyncio.to_thread(self._ended.acquire, timeout=10), "nothing is fetched beside the work"
        for _ in range(5):  # its result is taken in a turn after the thread's end
            await asyncio.to_thread(int)


@pytest.fixture
def tokens() -> Tokens:
    """A token service, and the secret that asks it."""
    return Tokens(Clock())


async def test_a_token_is_kept_until_four_minutes_before_its_end(tokens: Tokens) -> None:
    """Then another one is fetched beside the work, which goes on with the first."""
    assert await tokens.secret.read() == "token-1"
    tokens.clock.now += 3600 - EARLY_SECONDS - 1
    assert (await tokens.secret.read(), tokens.fetched) == ("token-1", 1)

    tokens.clock.now += 1
    assert await tokens.secret.read() == "token-1"
    await tokens.until_fetched(2)

    assert (await tokens.secret.read(), tokens.fetched) == ("token-2", 2)


async def test_work_waits_for_a_token_only_if_there_is_no_valid_one(tokens: Tokens) -> None:
    """A renewal that fails costs nothing while the old token is good, and is not repeated at every request."""
    await tokens.secret.read()
    tokens.clock.now += 3600 - 10
    tokens.fault = UpstreamUnreachable("away")
    for _ in range(5):
        assert await tokens.secret.read() == "token-1"
        await tokens.until_fetched(2)
    assert tokens.fetched == 2

    tokens.clock.now += 11
    with pytest.raises(UpstreamUnreachable):
        await tokens.secret.read()


async def test_one_renewal_serves_all_who_wait(tokens: Tokens) -> None:
    """Also those that come after one that left."""
    tokens.gate.clear()
    reading = [asyncio.create_task(tokens.secret.read()) for _ in range(20)]
    await asyncio.sleep(0)
    reading.pop(0).cancel()
    reading.append(asyncio.create_task(tokens.secret.renew()))
    await asyncio.sleep(0)
    tokens.gate.set()

    assert (set(await asyncio.gather(*reading)), tokens.fetched) == ({"token-1"}, 1)


async def test_a_refused_token_is_renewed_once_for_all_who_met_the_refusal(tokens: Tokens) -> None:
    """A burst of refusals is one renewal. A token that was fetched just now is not exchanged."""
    await tokens.secret.read()
    tokens.clock.now += REST_SECONDS

    renewed = await asyncio.gather(*(tokens.secret.renew() for _ in range(10)))

    assert (set(renewed), tokens.fetched) == ({"token-2"}, 2)
    assert (await tokens.secret.renew(), tokens.fetched) == ("token-2", 2)


async def test_a_refusal_is_told_again_for_a_moment(tokens: Tokens) -> None:
    """A token service that refuses is not asked by every request."""
    tokens.fault = UpstreamCredential("no", reason="invalid_grant")
    for _ in range(3):
        with pytest.raises(UpstreamCredential):
            await tokens.secret.read()
    assert tokens.fetched == 1

    tokens.fault = None
    tokens.clock.now += REST_SECONDS

    assert await tokens.secret.read() == "token-2"


async def test_a_token_service_that_hangs_holds_up_a_request_for_the_time_of_a_connection_only() -> None:
    """The renewal goes on, and serves the next request."""
    tokens = Tokens(Clock(), wait_seconds=0.0)
    tokens.gate.clear()

    for _ in range(2):
        with pytest.raises(UpstreamUnreachable) as caught:
            await tokens.secret.read()
        assert caught.value.cause == "timeout"
    tokens.gate.set()
    await tokens.until_fetched(1)

    assert (await tokens.secret.read(), tokens.fetched) == ("token-1", 1)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """Google Cloud's token service, emulated."""
    with running_sandbox(RULES) as running:
        yield running


class Control:
    """A line to the sandbox of the token service."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def new_key(self) -> bytes:
        """Return a new key file of the service account."""
        return self._http.get("/sandbox/cloud/key").content

    def revoke(self, *names: str) -> None:
        """Take back keys and logins."""
        self._http.post("/sandbox/cloud/revoked", json=names)

    def fail(self, **fault: object) -> None:
        """Have the next request fail."""
        self._http.post("/sandbox/faults", json=[{"on": "cloud.token", **fault}])

    def end_tokens(self) -> None:
        """End every access token before its time."""
        self._http.post("/sandbox/cloud/end-tokens")

    def requests(self) -> int:
        """Return how often the token service was asked."""
        asked: int = self._http.get("/sandbox/ledger").json()["requests"]["cloud.token"]
        return asked

    def forget(self) -> None:
        """Make good what a test did."""
        self.revoke()
        self._http.delete("/sandbox/faults")


@pytest.fixture
def control(sandbox: RunningSandbox) -> Iterator[Control]:
    """A line to the sandbox."""
    with httpx.Client(base_url=sandbox.base_url, verify=WITHOUT_TLS) as http:
        control = Control(http)
        yield control
        control.forget()


@pytest.fixture
def key_file(control: Control, tmp_path: Path) -> Path:
    """A key of a service account."""
    file = tmp_path / "key.json"
    file.write_bytes(control.new_key())
    return file


class Redirected(TokenTransport):
    """A transport that finds Google's token service in the sandbox."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self._url = sandbox.base_url

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: object,
    ) -> transport.Response:
        place = url.replace("https://oauth2.googleapis.com", self._url)
        return super().__call__(place, method, body, headers, timeout)


@pytest.fixture
def login_file(tmp_path: Path) -> Path:
    """What `gcloud auth application-default login` writes. Google's library knows its token service by itself."""
    cloud = RULES.cloud
    file = tmp_path / "application_default_credentials.json"
    login = {
        "type": "authorized_user",
        "client_id": cloud.client_id,
        "client_secret": cloud.client_secret,
        "refresh_token": cloud.refresh_token,
        "quota_project_id": cloud.project,
    }
    file.write_text(json.dumps(login))
    return file


async def test_a_key_of_a_service_account_is_exchanged_for_a_token(control: Control, key_file: Path) -> None:
    """By an assertion that it signs. The second reading asks nothing."""
    before = control.requests()
    opened = secret(f"google:{key_file}", key="k")
    token = await opened.read()

    assert token.startswith("ya29.")
    assert (await opened.read(), control.requests()) == (token, before + 1)


async def test_a_login_of_a_person_names_the_project_that_calls_are_counted_for(
    sandbox: RunningSandbox, login_file: Path
) -> None:
    """Google wants that in a header of each call."""
    opened = google_secret(str(login_file), key="k", request=Redirected(sandbox))

    assert (await opened.read()).startswith("ya29.")
    assert opened.quota_project == RULES.cloud.project


def run(program: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )


def test_without_a_path_the_surroundings_are_asked(key_file: Path) -> None:
    """As programs of Google's do: first of all a variable."""
    program = "import asyncio; from adapter.credentials import secret; asyncio.run(secret('google:', key='k').read())"

    assert run(program, GOOGLE_APPLICATION_CREDENTIALS=str(key_file)).returncode == 0


def test_a_missing_library_is_named_with_the_extra_that_has_it() -> None:
    """At the start, by the setting."""
    program = """
import sys
sys.modules["google.auth"] = None
from adapter.credentials import secret
from adapter.errors import WrongConfiguration
try:
    secret("google:", key="providers.vertex.credential")
except WrongConfiguration as fault:
    print(fault.message)
"""
    said = run(program).stdout

    assert said.startswith("providers.vertex.credential: google: needs the library google-auth,")
    assert "the extra `vertex` has: pip install '.[vertex]' in a checkout" in said


async def test_a_key_that_was_exchanged_is_read_at_the_next_renewal(control: Control, key_file: Path) -> None:
    """Mounted secrets are replaced while we run."""
    clock = Clock()
    opened = google_secret(str(key_file), key="k", clock=clock)
    first = await opened.read()
    old = json.loads(key_file.read_text())["private_key_id"]
    key_file.write_bytes(control.new_key())
    control.revoke(old)

    clock.now += 4000

    assert await opened.read() != first


async def test_a_picture_is_made_with_a_new_token_if_the_old_one_ended_early(
    sandbox: RunningSandbox, control: Control, key_file: Path
) -> None:
    """Google refuses before any work, so the request is sent once more."""
    clock = Clock()
    endpoint = CloudEndpoint(
        base_url=sandbox.base_url,
        api_version="v1beta1",
        project=RULES.cloud.project,
        location="global",
        quota_project="",
        has_output_options=True,
        concurrency=4,
    )
    order = ImageOrder(
        model="m", provider="vertex", upstream="gemini-nano-banana-2.1", prompt="a fox", n=3, frame=Frame()
    )
    before, http = control.requests(), Http()
    key = Key("mine", google_secret(str(key_file), key="k", clock=clock))
    async with http.open():
        vertex = GeminiProvider(http, endpoint, Keys([key], FakeClock()))
        first = await vertex.make_images(order, ())
        control.end_tokens()
        clock.now += REST_SECONDS
        second = await vertex.make_images(order, ())

    assert (len(first), len(second), control.requests()) == (3, 3, before + 2)


@pytest.mark.parametrize("kind", ["key", "login"])
async def test_a_credential_that_was_taken_back_is_the_operators_to_mend(
    sandbox: RunningSandbox, control: Control, key_file: Path, login_file: Path, kind: str
) -> None:
    """The client is told that it is not its fault; the log says what to do."""
    control.revoke(json.loads(key_file.read_text())["private_key_id"], REFRESH_TOKEN)

    file = key_file if kind == "key" else login_file
    with structlog.testing.capture_logs() as written, pytest.raises(UpstreamCredential) as caught:
        await google_secret(str(file), key="k", request=Redirected(sandbox)).read()

    assert "invalid_grant" not in caught.value.message
    assert "invalid_grant: the key or the login is not valid any more" in reason_of(caught.value)
    assert [(line["event"], line["reason"][:13]) for line in written] == [("credential.no_token", "invalid_grant")]


def test_a_check_says_what_is_the_matter_with_a_credential(control: Control, key_file: Path, tmp_path: Path) -> None:
    """By the setting, and in words that say what to do."""
    config = tmp_path / "adapter.toml"
    config.write_text(
        f"""
[access]
keys = ["plain:{"k" * 30}"]
[storage]
database = "sqlite:///{tmp_path}/adapter.db"
media = "file://{tmp_path}/media"
[jobs]
spool = ""
[providers.vertex]
project = "mine"
credential = "google:{key_file}"
"""
    )
    good = run_program("check", "--config", str(config), folder=tmp_path, environ={})
    control.revoke(json.loads(key_file.read_text())["private_key_id"])
    bad = run_program("check", "--config", str(config), folder=tmp_path, environ={})

    assert "secret       ok  providers.vertex.credential" in good.stdout
    assert bad.returncode == 1
    assert "adapter: providers.vertex.credential: Google refused" in bad.stderr
    assert "(invalid_grant: the key or the login is not valid any more" in bad.stderr


@pytest.mark.parametrize(
    "fault",
    [{"do": "error", "status": 503}, {"do": "html", "status": 502}, {"do": "garbage"}, {"do": "drop"}, {"do": "short"}],
)
async def test_a_token_service_that_fails_is_asked_again_later(
    control: Control, key_file: Path, fault: dict[str, object]
) -> None:
    """Nothing was sent to what costs money, so a retry is free. One request is enough to see it."""
    before = control.requests()
    control.fail(**fault)

    with pytest.raises(UpstreamUnreachable) as caught:
        await secret(f"google:{key_file}", key="k").read()
    assert caught.value.should_retry
    assert control.requests() == before + 1


async def test_a_token_service_that_is_away_is_unreachable(key_file: Path) -> None:
    """No connection: refused at once, else after ten seconds."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    described = json.loads(key_file.read_text()) | {"token_uri": f"http://127.0.0.1:{port}/token"}
    key_file.write_text(json.dumps(described))

    with pytest.raises(UpstreamUnreachable):
        await secret(f"google:{key_file}", key="k").read()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "k: the file .* cannot be read: No such file or directory"),
        ("AIza-no-json", "k: the file .* is no credential of Google Cloud"),
        (
            '{"type": "web", "client_secret": "GOCSPX-own"}',
            "It is JSON with a 'type': authorized_user, service_account",
        ),
        ("[]", "is no credential of Google Cloud"),
    ],
)
def test_a_file_that_is_no_credential_stops_the_start(tmp_path: Path, text: str | None, says: str) -> None:
    """The key is named; what is in the file is not repeated."""
    file = tmp_path / "key.json"
    if text is not None:
        file.write_text(text)

    with pytest.raises(WrongConfiguration, match=says) as caught:
        secret(f"google:{file}", key="k")
    assert "AIza" not in caught.value.message
    assert "GOCSPX" not in caught.value.message


async def test_a_damaged_key_is_the_operators_to_mend(key_file: Path) -> None:
    """It has the right form, and no key in it."""
    key_file.write_text(
        json.dumps(json.loads(key_file.read_text()) | {"private_key": "-----BEGIN PRIVATE KEY-----\nx"})
    )

    with pytest.raises(UpstreamCredential) as caught:
        await secret(f"google:{key_file}", key="k").read()
    assert "a part of it is missing or damaged" in reason_of(caught.value)


async def test_nothing_of_a_credential_is_written_down(
    sandbox: RunningSandbox, control: Control, key_file: Path, login_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither keys nor assertions nor tokens: by our log, by the library's, in errors."""
    described = json.loads(key_file.read_text())
    secrets = [described["private_key"][28:80], REFRESH_TOKEN, RULES.cloud.client_secret, "ya29.", "eyJ"]
    told: list[object] = []
    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as written:
        for file in (key_file, login_file):
            await google_secret(str(file), key="k", request=Redirected(sandbox)).read()
        control.revoke(described["private_key_id"], REFRESH_TOKEN)
        for file in (key_file, login_file):
            with pytest.raises(UpstreamCredential) as caught:
                await google_secret(str(file), key="k", request=Redirected(sandbox)).read()
            told += [caught.value, reason_of(caught.value), repr(caught.value.__cause__)]
    text = f"{told} {written} {caplog.text}"

    assert [each for each in secrets if each in text] == []
