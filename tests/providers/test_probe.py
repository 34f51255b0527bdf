"""What a credential is worth, by one free call."""

from collections.abc import Sequence

import httpx
import pytest

from adapter.clock import SystemClock
from adapter.credentials import secret
from adapter.domain.ports import Secret
from adapter.providers.description import AnyProvider, ProviderContext, ProviderSettings, Way
from adapter.providers.flow.description import FLOW
from adapter.providers.flow.settings import FlowAccount, FlowSettings
from adapter.providers.gemini.description import GEMINI
from adapter.providers.gemini.settings import GeminiSettings
from adapter.providers.http import Http
from adapter.providers.omni.description import OMNI
from adapter.providers.omni.settings import OmniSettings
from adapter.providers.probe import CredentialReport
from adapter.providers.vertex.description import VERTEX
from adapter.providers.vertex.settings import VertexSettings
from tests.upstream import Upstream


async def reports(upstream: Upstream, provider: AnyProvider, settings: ProviderSettings) -> list[tuple[bool, str]]:
    """Ask with each credential of a provider."""

    def open_secret(reference: str, *, key: str) -> Secret:
        return secret(reference, key=key)

    def open_client(way: Way) -> Http:
        raise NotImplementedError(way)

    context = ProviderContext(http=upstream.http, clock=SystemClock(), open_secret=open_secret, open_client=open_client)
    assert provider.probe is not None
    found: Sequence[CredentialReport] = await provider.probe(settings, context)
    return [(each.is_good, each.words) for each in found]


async def test_keys_of_gemini_and_omni_are_asked_for_their_models(upstream: Upstream) -> None:
    """The list may have more pages."""
    asked: list[tuple[str, ...]] = []

    def google(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.path, request.headers["x-goog-api-key"]))
        return httpx.Response(200, json={"models": [{"name": "a"}, {"name": "b"}], "nextPageToken": "more"})

    upstream.answer = google
    two = ("plain:one", "plain:two")
    gemini = await reports(upstream, GEMINI, GeminiSettings(base_url=upstream.url, keys=two))
    omni = await reports(upstream, OMNI, OmniSettings(base_url=upstream.url, keys=two))

    assert gemini == omni == [(True, "2 models and more")] * 2
    assert asked == [("GET", "/v1beta/models", "one"), ("GET", "/v1beta/models", "two")] * 2


@pytest.mark.parametrize("auth", ["bearer", "key"])
async def test_the_credential_of_google_cloud_is_asked_for_its_models(upstream: Upstream, auth: str) -> None:
    """A token, or a key."""
    asked: list[tuple[str, ...]] = []

    def google(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, request.headers.get("authorization") or request.headers["x-goog-api-key"]))
        return httpx.Response(200, json={"publisherModels": [{}]})

    upstream.answer = google
    settings = VertexSettings(
        base_url=upstream.url,
        auth="key" if auth == "key" else "bearer",
        credential="plain:token",
        project="" if auth == "key" else "mine",
    )
    assert await reports(upstream, VERTEX, settings) == [(True, "1 models")]
    assert asked == [("/v1beta1/publishers/google/models", "token" if auth == "key" else "Bearer token")]


async def test_accounts_of_flow_are_asked_for_credits_and_tier(upstream: Upstream) -> None:
    """A tier that is configured in another way is said, and so is an account that takes no work."""
    upstream.answer = lambda _: httpx.Response(200, json={"credits": 40, "userPaygateTier": "PAYGATE_TIER_TWO"})
    accounts = (
        FlowAccount(name="a", token="plain:t", project_id="p", tier="PAYGATE_TIER_TWO"),
        FlowAccount(name="b", token="plain:t", project_id="p", enabled=False),
    )
    found = await reports(upstream, FLOW, FlowSettings(base_url=upstream.url, accounts=accounts))

    assert [is_good for is_good, _ in found] == [True, True]
    assert found[0][1] == "40 credits, PAYGATE_TIER_TWO"
    assert found[1][1].startswith("40 credits, PAYGATE_TIER_TWO; the configuration says PAYGATE_TIER_ONE; it takes no")


async def test_a_refusal_is_a_report_and_the_next_credential_is_asked(upstream: Upstream) -> None:
    """A key that was deleted, beside one from a place that Google does not serve."""

    def google(request: httpx.Request) -> httpx.Response:
        words = {"one": "API key not valid.", "two": "User location is not supported for the API use."}
        error: dict[str, object] = {
            "code": 400,
            "message": words[request.headers["x-goog-api-key"]],
            "status": "FAILED_PRECONDITION",
        }
        if request.headers["x-goog-api-key"] == "one":
            error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
        return httpx.Response(400, json={"error": error})

    upstream.answer = google
    one, two = await reports(upstream, GEMINI, GeminiSettings(base_url=upstream.url, keys=("plain:one", "plain:two")))

    assert one == (
        False,
        "Google refused the adapter's own credential. The operator has to look at it. (API_KEY_INVALID)",
    )
    assert two[0] is False
    assert two[1].startswith("Google does not serve the place that the adapter asks from.")
