"""Flow against a function that stands for Google: accounts, tokens, and one send per submission."""

from collections.abc import Callable

import httpx
import msgspec
import pybase64
import pytest

from adapter.domain.job import Intended, Operation, VideoJob, advance
from adapter.domain.media import Frame, Ratio
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Working
from adapter.errors import (
    AdapterError,
    ContentRefused,
    UpstreamBroken,
    UpstreamCredential,
    UpstreamSilent,
    UpstreamUnreachable,
)
from adapter.providers.flow.accounts import Account, Accounts
from adapter.providers.flow.provider import FlowProvider
from adapter.providers.http import Http
from tests.fakes import FakeClock, png, video_job
from tests.support import Answering

Google = Callable[[httpx.Request], httpx.Response]


class Token:
    """A token that is new after it was refused."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.renewed = 0

    async def read(self) -> str:
        return f"{self.name}-{self.renewed}"

    async def renew(self) -> str:
        self.renewed += 1
        return await self.read()


def provider(google: Google) -> FlowProvider:
    """Return the provider with two accounts."""
    accounts = [
        Account(name=name, token=Token(name), project_id=f"project-{name}", tier="PAYGATE_TIER_ONE")
        for name in ("ada", "bob")
    ]
    http = Http(Answering(google))
    return FlowProvider(http, "https://flow.example", Accounts(accounts), FakeClock(1762958374.159))


def job(account: str) -> VideoJob:
    """Return a job that is about to be sent."""
    return advance(video_job(), Intended(account))


def accepted(request: httpx.Request) -> httpx.Response:
    """Answer a submission."""
    return httpx.Response(200, json={"operations": [{"operation": {"name": "op"}}], "remainingCredits": 1})


def test_accounts_take_turns() -> None:
    """Jobs are spread over what there is."""
    flow = provider(accepted)

    assert [flow.choose_account() for _ in range(4)] == ["ada", "bob", "ada", "bob"]


async def test_a_job_is_sent_with_its_own_account() -> None:
    """Address, token and project belong together."""
    seen: list[httpx.Request] = []

    def google(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return accepted(request)

    operation = await provider(google).submit(job("bob"))

    context = msgspec.json.decode(seen[0].content)["clientContext"]
    assert operation == Operation("op", "scene-1")
    assert str(seen[0].url) == "https://flow.example/v1/video:batchAsyncGenerateVideoText"
    assert seen[0].headers["authorization"] == "Bearer bob-0"
    assert context == {
        "sessionId": ";1762958374159",
        "projectId": "project-bob",
        "tool": "PINHOLE",
        "userPaygateTier": "PAYGATE_TIER_ONE",
    }


async def test_an_expired_token_is_renewed_once() -> None:
    """A 401 is a refusal before any work, so the same submission may go out with a fresh token."""
    tokens: list[str] = []

    def google(request: httpx.Request) -> httpx.Response:
        tokens.append(request.headers["authorization"])
        return accepted(request) if tokens[1:] else httpx.Response(401, json={"error": {"message": "expired"}})

    await provider(google).submit(job("ada"))

    assert tokens == ["Bearer ada-0", "Bearer ada-1"]


async def test_a_token_that_stays_refused_is_the_operators_to_mend() -> None:
    """Two tries, then 502, never 401."""
    tries = 0

    def google(_: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        return httpx.Response(401, json={"error": {"message": "expired"}})

    with pytest.raises(UpstreamCredential):
        await provider(google).submit(job("ada"))
    assert tries == 2


async def test_a_submission_that_got_no_answer_is_not_sent_again() -> None:
    """It may have been executed and paid for."""
    tries = 0

    def google(request: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        raise httpx.ReadTimeout("silence", request=request)

    with pytest.raises(UpstreamSilent):
        await provider(google).submit(job("ada"))
    assert tries == 1


async def test_an_account_that_is_no_longer_configured_is_an_error() -> None:
    """Another account must not poll it: Google answers only the one that submitted."""
    with pytest.raises(UpstreamCredential, match="'carol' is no longer configured"):
        await provider(accepted).poll([Operation("op", "scene")], account="carol")


async def test_many_jobs_are_asked_about_in_one_call() -> None:
    """The status call takes a batch."""
    bodies: list[bytes] = []

    def google(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        asked = msgspec.json.decode(request.content)["operations"]
        return httpx.Response(200, json=[{**each, "status": "MEDIA_GENERATION_STATUS_ACTIVE"} for each in asked])

    operations = [Operation(f"op-{number}", f"scene-{number}") for number in range(60)]
    reports = await provider(google).poll(operations, account="ada")

    assert len(bodies) == 1
    assert reports == {operation.name: Working() for operation in operations}


@pytest.mark.parametrize("status", [400, 403, 404, 500])
@pytest.mark.parametrize("odd", [{"op-3"}, {"op-0", "op-6"}])
async def test_an_odd_operation_does_not_sink_its_batch(status: int, odd: set[str]) -> None:
    """A refused batch is halved by lot: sooner or later all others are told, and only the odd ones are left out."""

    def google(request: httpx.Request) -> httpx.Response:
        asked = msgspec.json.decode(request.content)["operations"]
        if odd & {each["operation"]["name"] for each in asked}:
            return httpx.Response(status, json={"error": {"code": status, "message": "no"}})
        return httpx.Response(200, json=[{**each, "status": "MEDIA_GENERATION_STATUS_ACTIVE"} for each in asked])

    flow = provider(google)
    operations = [Operation(f"op-{number}", "mark") for number in range(7)]
    told: set[str] = set()
    for _ in range(60):
        try:
            told |= set(await flow.poll(operations, account="ada"))
        except AdapterError:
            continue

    assert told == {operation.name for operation in operations} - odd


async def test_an_outage_is_not_asked_about_again_and_again() -> None:
    """Both halves refused: it is not one of them."""
    calls = 0

    def google(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        return httpx.Response(500, json={"error": {"code": 500, "message": "Internal error encountered."}})

    with pytest.raises(UpstreamBroken):
        await provider(google).poll([Operation(f"op-{number}", "mark") for number in range(64)], account="ada")
    assert calls == 3


async def test_a_linked_picture_that_cannot_be_fetched_is_paid_for_all_the_same() -> None:
    """So the client's SDK does not order the batch again."""

    def google(request: httpx.Request) -> httpx.Response:
        if request.url.host == "storage.example":
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(
            200, json={"media": [{"image": {"generatedImage": {"fifeUrl": "https://storage.example/a"}}}]}
        )

    with pytest.raises(UpstreamUnreachable) as caught:
        await provider(google).make_images(order(1))
    assert caught.value.should_retry is False


def order(n: int) -> ImageOrder:
    """Return an order for n pictures."""
    return ImageOrder(
        model="flow-gem-pix",
        provider="flow",
        upstream="GEM_PIX",
        prompt="a fox",
        n=n,
        frame=Frame(Ratio.SQUARE),
        seed=5,
    )


async def test_n_pictures_are_one_batch_call_with_distinct_seeds() -> None:
    """Flow takes up to ten requests at once."""
    bodies: list[bytes] = []

    def google(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        made = [
            {"image": {"generatedImage": {"encodedImage": pybase64.b64encode(png(each["seed"], 9)).decode()}}}
            for each in msgspec.json.decode(request.content)["requests"]
        ]
        return httpx.Response(200, json=made)

    images = await provider(google).make_images(order(4))

    assert len(bodies) == 1
    assert [image.pixels.width for image in images] == [5, 6, 7, 8]


async def test_pictures_that_come_as_links_are_fetched_without_the_token() -> None:
    """The newer answer has links only; they are signed and open."""

    def google(request: httpx.Request) -> httpx.Response:
        if request.url.host == "storage.example":
            assert "authorization" not in request.headers
            return httpx.Response(200, content=png(40, 30))
        return httpx.Response(
            200, json={"media": [{"image": {"generatedImage": {"fifeUrl": "https://storage.example/a"}}}]}
        )

    images = await provider(google).make_images(order(1))

    assert images[0].decode() == png(40, 30)


async def test_a_refused_prompt_keeps_googles_words() -> None:
    """The client reads why."""
    details = [{"reason": "PUBLIC_ERROR_UNSAFE_GENERATION"}]
    body = {"error": {"code": 400, "message": "Request contains an invalid argument.", "details": details}}

    with pytest.raises(ContentRefused, match="PUBLIC_ERROR_UNSAFE_GENERATION"):
        await provider(lambda _: httpx.Response(400, json=body)).make_images(order(1))
