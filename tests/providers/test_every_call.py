"""Every call of every provider: in the time that the operator sets, and by the way that the operator sets."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapter.providers.http import Http, StreamedAnswer
from adapter.providers.limits import HttpLimits
from adapter.providers.proxy import Scheme
from adapter.providers.reply import Reply
from adapter.providers.session import HttpNetwork
from adapter.sandbox.cloud.rules import CloudRules
from adapter.sandbox.rules import SandboxAccount, SandboxRules
from adapter.sandbox.server import RunningSandbox, running_sandbox
from adapter.settings import Settings, load_settings
from tests.providers.every_call import ALL_METHODS, SIDE_CALL_SECONDS, EveryCall
from tests.providers.proxies import RunningProxy, running

RULES = SandboxRules(
    port=0,
    pending_seconds=0.0,
    active_seconds=0.0,
    file_seconds=0.0,
    clip_seconds=0.2,
    clip_long_edge=64,
    accounts=(
        SandboxAccount(token="seed-token", project_id="one"),
        SandboxAccount(token="media-token", project_id="two", dialect="media"),
    ),
    cloud=CloudRules(),
)
#: The section of each provider, by what is tried with it, and the credential that its jobs have. `WAY` stands where the
#: proxy of the credential does.
SECTIONS = {
    "gemini": ("[providers.gemini]\nkeys = [{name = 'a', key = 'plain:AIza-sandbox', WAY}]\ninline_bytes = 0", "a"),
    "omni": ("[providers.omni]\nkeys = [{name = 'a', key = 'plain:AIza-sandbox', WAY}]", "a"),
    "vertex": (
        """
[providers.vertex]
project = 'sandbox-project'
credential = 'plain:ya29.sandbox'
WAY
""",
        "sandbox-project",
    ),
    "vertex with a bucket": (
        """
[providers.vertex]
project = 'sandbox-project'
credential = 'plain:ya29.sandbox'
bucket = 'gs://sandbox-bucket/a'
WAY
""",
        "sandbox-project",
    ),
    "flow": ("[providers.flow]\naccounts = [{name = 'a', token = 'plain:seed-token', project_id = 'one', WAY}]", "a"),
    "flow with files in its answers": (
        """
[providers.flow]
accounts = [{name = 'a', token = 'plain:media-token', project_id = 'two', dialect = 'media', WAY}]
""",
        "a",
    ),
}
#: Has one credential only. Its proxy is that of the section.
ALONE = "vertex"
#: Addresses by what their time is called, the most special ones first. All others are questions.
TIMES = {
    "answer": r":generateContent|:streamGenerateContent|chat/completions|batchGenerateImages",
    "upload": r"/upload/|uploadUserImage",
    "submit": r"POST .*/interactions$|batchAsyncGenerateVideo",
}
#: Times that nothing else has.
SECONDS = {"answer": 601.0, "submit": 71.0, "question": 41.0, "upload": 121.0}
#: What has a time of its own: the credits before a submission, and the text of a side call.
EXCEPTIONS = {3.0: "/v1/credits", SIDE_CALL_SECONDS: "generateContent"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """All of Google's services, emulated."""
    with running_sandbox(RULES) as started:
        yield started


def load(tmp_path: Path, name: str, url: str, more: str = "", way: Sequence[str] = ()) -> tuple[str, Settings, str]:
    """Return a provider's name, its configuration at an address, and the credential of its jobs."""
    section, account = SECTIONS[name]
    told = "\n".join(way) if name.startswith(ALONE) else ", ".join(["enabled = true", *way])
    file = tmp_path / "adapter.toml"
    file.write_text(f"{section.replace('WAY', told)}\nbase_url = '{url}'\n{more}")
    return name.partition(" ")[0], load_settings(file, {}), account


class Noting(Http):
    """A client that notes the seconds of each request."""

    def __init__(
        self,
        network: HttpNetwork | None = None,
        limits: HttpLimits | None = None,
        noted: list[tuple[str, float]] | None = None,
    ) -> None:
        super().__init__(network, limits)
        self.noted: list[tuple[str, float]] = [] if noted is None else noted

    def through(self, network: HttpNetwork, limits: HttpLimits) -> Http:
        """Return one that notes in the same list."""
        child = Noting(network, limits, self.noted)
        self._others.append(child)
        return child

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """Note it."""
        self.noted.append((f"POST {url}", seconds))
        return await super().post(url, headers=headers, body=body, seconds=seconds)

    async def get(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """Note it."""
        self.noted.append((f"GET {url}", seconds))
        return await super().get(url, headers=headers, body=body, seconds=seconds)

    async def post_once(self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Reply:
        """Note it."""
        self.noted.append((f"POST {url}", seconds))
        return await super().post_once(url, headers=headers, body=body, seconds=seconds)

    async def post_for_header(
        self, url: str, header: str, *, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> tuple[Reply, str]:
        """Note it."""
        self.noted.append((f"POST {url}", seconds))
        return await super().post_for_header(url, header, headers=headers, body=body, seconds=seconds)

    @asynccontextmanager
    async def stream(
        self, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float, silence: float
    ) -> AsyncIterator[StreamedAnswer]:
        """Note it."""
        self.noted += [(f"POST {url}", seconds), (f"POST {url}", silence)]
        async with super().stream(url, headers=headers, body=body, seconds=seconds, silence=silence) as answer:
            yield answer


def time_of(request: str) -> str:
    """Return what the time of a request is called."""
    path = request.partition("?")[0]
    return next((name for name, pattern in TIMES.items() if re.search(pattern, path)), "question")


@pytest.mark.parametrize("name", SECTIONS)
async def test_every_call_waits_for_as_long_as_the_operator_says(
    tmp_path: Path, sandbox: RunningSandbox, name: str
) -> None:
    """Each kind of call has a time of its own."""
    provider, settings, account = load(tmp_path, name, sandbox.base_url)
    known = type(settings.providers[provider]).__struct_fields__
    more = "\n".join(f"{kind}_seconds = {value}" for kind, value in SECONDS.items() if f"{kind}_seconds" in known)
    _, settings, _ = load(tmp_path, name, sandbox.base_url, more)
    http = Noting()
    async with http.open():
        calls = [call async for call in EveryCall(provider, settings, http, account).run()]

    assert calls
    wrong = {each for each in http.noted if each[1] != SECONDS[time_of(each[0])]}
    assert {each for each in wrong if not each[0].endswith(EXCEPTIONS.get(each[1], "no exception"))} == set()
    assert {time_of(request) for request, _ in http.noted} == {kind for kind in SECONDS if f"{kind}_seconds" in known}


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
@pytest.mark.parametrize("name", SECTIONS)
async def test_every_call_goes_by_the_proxy_of_its_credential(
    tmp_path: Path, sandbox: RunningSandbox, name: str, scheme: Scheme
) -> None:
    """And none past it: only this proxy knows the name of the host, and only it is given the password."""
    (tmp_path / "user").write_text("ada:secret")
    hosts = {"google.example": "127.0.0.1"}
    async with (
        running(RunningProxy(scheme, user="ada:secret", hosts=hosts, asked=[])) as own,
        running(RunningProxy("http", asked=[])) as of_all,
    ):
        way = [f"proxy = '{scheme}://127.0.0.1:{own.port}'", f"proxy_auth = 'file:{tmp_path}/user'"]
        more = "" if name.startswith(ALONE) else f"proxy = 'http://127.0.0.1:{of_all.port}'"
        url = sandbox.base_url.replace("127.0.0.1", "google.example")
        provider, settings, account = load(tmp_path, name, url, more, way)
        http = Http()
        async with http.open():
            calls = [call async for call in EveryCall(provider, settings, http, account).run()]

    assert calls
    assert {host for host, _ in own.asked} == {"google.example"}
    assert of_all.asked == []


async def test_the_calls_that_are_tried_are_all_that_there_are(tmp_path: Path, sandbox: RunningSandbox) -> None:
    """A new method of a port is to be tried here too."""
    tried = set()
    for name in SECTIONS:
        provider, settings, account = load(tmp_path, name, sandbox.base_url)
        http = Http()
        async with http.open():
            tried |= {method async for method, _ in EveryCall(provider, settings, http, account).run()}

    assert tried == ALL_METHODS
