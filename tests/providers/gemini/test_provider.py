"""Gemini as a maker of pictures, against a function that stands for Google."""

import asyncio
from collections.abc import Callable, Sequence

import httpx
import msgspec
import pybase64
import pytest
import structlog

from adapter.credentials import FixedSecret
from adapter.domain.media import Frame
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Secret
from adapter.errors import InvalidRequest, NoMedia, UpstreamBroken, UpstreamBusy, UpstreamCredential, UpstreamLocation
from adapter.providers.gemini.provider import GeminiEndpoint, GeminiProvider, address, requests
from adapter.providers.keys import Key, Keys
from tests.fakes import FakeClock, made_image, png
from tests.upstream import Google, Upstream, hang_up

ENDPOINT = GeminiEndpoint(
    base_url="https://gemini.example",
    api_version="v1beta",
    auth="header",
    concurrency=3,
)


KEYS = (FixedSecret("AIza-one"), FixedSecret("AIza-two"))


def order(n: int = 1) -> ImageOrder:
    """Return an order for n pictures."""
    return ImageOrder(model="m", provider="gemini", upstream="m", prompt="a fox", n=n, frame=Frame(), seed=100)


def provider(
    upstream: Upstream, google: Google, endpoint: GeminiEndpoint = ENDPOINT, keys: Sequence[Secret] = KEYS
) -> GeminiProvider:
    """Return the provider before a function that stands for Google."""
    upstream.answer = google
    endpoint = msgspec.structs.replace(endpoint, base_url=upstream.url)
    named = [Key(f"key-{number}", key) for number, key in enumerate(keys, 1)]
    return GeminiProvider(upstream.http, endpoint, Keys(named, FakeClock()))


def picture(request: httpx.Request) -> httpx.Response:
    """Answer with a picture whose width is the seed."""
    seed = msgspec.json.decode(request.content)["generationConfig"]["seed"]
    data = pybase64.b64encode(png(seed, 50)).decode()
    return httpx.Response(200, json={"candidates": [{"content": {"parts": [{"inlineData": {"data": data}}]}}]})


async def test_n_pictures_are_n_calls_and_come_in_order(upstream: Upstream) -> None:
    """These models refuse more than one candidate, so each picture has a call and a seed of its own."""
    images = await provider(upstream, picture).make_images(order(5), ())

    assert [image.pixels.width for image in images] == [100, 101, 102, 103, 104]


@pytest.mark.parametrize(("seed", "bodies"), [(None, 1), (7, 5)])
async def test_calls_that_nothing_tells_apart_share_one_body(seed: int | None, bodies: int) -> None:
    """It may carry 100 MB of pictures."""
    made = await requests(msgspec.structs.replace(order(5), seed=seed), [made_image()])

    assert (len(made), len({id(body) for body in made}), len(set(made))) == (5, bodies, bodies)


async def test_no_more_calls_are_under_way_than_allowed(upstream: Upstream) -> None:
    """Ten pictures, three at a time."""
    under_way, most = 0, 0
    three = asyncio.Event()

    async def google(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == 3:
            three.set()
        await three.wait()
        under_way -= 1
        return picture(request)

    await provider(upstream, google).make_images(order(10), ())

    assert most == 3


async def test_the_keys_are_used_in_turn(upstream: Upstream) -> None:
    """Two keys, four pictures: each is used twice, in the header."""
    seen: list[str] = []

    def google(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["x-goog-api-key"])
        return picture(request)

    await provider(upstream, google).make_images(order(4), ())

    assert sorted(seen) == ["AIza-one", "AIza-one", "AIza-two", "AIza-two"]


@pytest.mark.parametrize(
    ("auth", "url", "header"),
    [
        ("header", "https://gemini.example/v1beta/models/m:generateContent", ("x-goog-api-key", "k&y")),
        ("bearer", "https://gemini.example/v1beta/models/m:generateContent", ("authorization", "Bearer k&y")),
        ("query", "https://gemini.example/v1beta/models/m:generateContent?key=k%26y", None),
    ],
)
def test_the_key_goes_where_the_operator_says(auth: str, url: str, header: tuple[str, str] | None) -> None:
    """A header by default; in the URL only for relays that want it."""
    found, headers = address(msgspec.structs.replace(ENDPOINT, auth=auth), "m", "k&y")

    assert found == url
    assert [pair for pair in headers.items() if pair[0] != "content-type"] == ([header] if header else [])


class Renewable:
    """A key that is new after it was refused."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)

    async def read(self) -> str:
        return self.keys[0]

    async def renew(self) -> str:
        if len(self.keys) > 1:
            self.keys.pop(0)
        return self.keys[0]


def only(key: str) -> Callable[[httpx.Request], httpx.Response]:
    """Stand for a Google that knows one key."""
    refusal = {"error": {"code": 400, "message": "no", "details": [{"reason": "API_KEY_INVALID"}]}}

    def google(request: httpx.Request) -> httpx.Response:
        return picture(request) if request.headers["x-goog-api-key"] == key else httpx.Response(400, json=refusal)

    return google


async def test_a_refused_key_is_renewed_once(upstream: Upstream) -> None:
    """As a file or a command has it now."""
    key = Renewable("old", "new")

    assert len(await provider(upstream, only("new"), keys=[key]).make_images(order(), ())) == 1


async def test_a_key_that_stays_refused_is_the_operators_to_mend(upstream: Upstream) -> None:
    """502, and no endless asking."""
    key = Renewable("old")

    with pytest.raises(UpstreamCredential), structlog.testing.capture_logs() as written:
        await provider(upstream, only("new"), keys=[key]).make_images(order(), ())
    assert [line["event"] for line in written] == ["upstream.credential_refused"]


async def test_a_picture_that_one_key_is_refused_is_made_with_another(upstream: Upstream) -> None:
    """Within the same answer; the refused key rests."""
    seen: list[str] = []

    def google(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["x-goog-api-key"])
        return only("AIza-two")(request)

    gemini = provider(upstream, google)
    for _ in range(3):
        assert len(await gemini.make_images(order(), ())) == 1

    assert seen.count("AIza-one") == 1


async def test_a_model_that_draws_nothing_is_asked_once_more(upstream: Upstream) -> None:
    """The second answer counts."""
    answers = [httpx.Response(200, json={"candidates": [{"finishReason": "NO_IMAGE"}]})]

    def google(request: httpx.Request) -> httpx.Response:
        return answers.pop() if answers else picture(request)

    assert len(await provider(upstream, google).make_images(order(), ())) == 1


async def test_a_model_that_draws_nothing_twice_is_an_error(upstream: Upstream) -> None:
    """Two tries are paid for, a third is not."""
    calls = 0

    def google(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        return httpx.Response(200, json={"candidates": [{"finishReason": "NO_IMAGE"}]})

    with pytest.raises(NoMedia, match="NO_IMAGE"):
        await provider(upstream, google).make_images(order(), ())
    assert calls == 2


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize(
    "reply",
    [
        {"content": b'{"\xff\xfe": "\xc3\x28"}'},
        {"content": b'{"candidates": [{"finishRea'},
        {"content": b"<!DOCTYPE html>", "headers": {"content-type": "text/html"}},
        {"content": b""},
        {"json": {}},
        {"json": {"data": [{"b64_json": "aGVsbG8="}]}},
        {"json": {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}},
    ],
)
async def test_a_success_that_cannot_be_read_is_asked_for_once(
    upstream: Upstream, reply: dict[str, object], n: int
) -> None:
    """It was carried out and paid for, and it is not an answer without a picture."""
    calls = 0
    all_asked = asyncio.Event()

    async def google(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        if calls == n:
            all_asked.set()
        await all_asked.wait()  # the first failure stops the others
        return httpx.Response(200, **reply)  # type: ignore[arg-type]

    with pytest.raises(UpstreamBroken) as caught:
        await provider(upstream, google).make_images(order(n), ())
    assert (calls, caught.value.should_retry, caught.value.spent) == (n, False, True)


async def test_the_content_type_of_an_answer_is_not_looked_at(upstream: Upstream) -> None:
    """A relay may get it wrong; the picture is paid for."""

    def google(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=picture(request).content, headers={"content-type": "text/html"})

    assert len(await provider(upstream, google).make_images(order(), ())) == 1


async def test_a_second_try_that_fails_for_free_comes_after_the_first_was_paid_for(upstream: Upstream) -> None:
    """So the SDK does not send all of it again."""
    answers = [
        httpx.Response(429, json={"error": {"code": 429, "message": "busy", "status": "RESOURCE_EXHAUSTED"}}),
        httpx.Response(200, json={"candidates": [{"finishReason": "NO_IMAGE"}]}),
    ]

    with pytest.raises(UpstreamBusy) as caught:
        await provider(upstream, lambda _: answers.pop(), keys=KEYS[:1]).make_images(order(), ())
    assert caught.value.should_retry is False


async def test_one_failure_fails_the_whole_order(upstream: Upstream) -> None:
    """All or nothing: three of four pictures are not what was asked for."""

    def google(request: httpx.Request) -> httpx.Response:
        if b'"seed":103' in request.content:
            return httpx.Response(400, json={"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}})
        return picture(request)

    with pytest.raises(InvalidRequest, match="Google: no"):
        await provider(upstream, google).make_images(order(4), ())


@pytest.mark.parametrize(("n", "should_retry"), [(1, True), (2, False)])
async def test_a_free_failure_beside_sisters_is_not_retried_by_the_sdk(
    upstream: Upstream, n: int, *, should_retry: bool
) -> None:
    """A 429 alone may be retried; a sister that is on its way may be paid for, so then it may not."""
    busy = httpx.Response(429, json={"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}})

    with pytest.raises(UpstreamBusy) as caught:
        await provider(upstream, lambda _: busy).make_images(order(n), ())

    assert caught.value.should_retry is should_retry


async def test_an_answer_that_breaks_off_is_broken(upstream: Upstream) -> None:
    """Never an uncaught exception of the HTTP library."""
    with pytest.raises(UpstreamBroken):
        await provider(upstream, hang_up).make_images(order(), ())


async def test_a_place_that_google_does_not_serve_is_the_operators_to_mend(upstream: Upstream) -> None:
    """The client cannot change it, and the log says so once."""
    words = {"error": {"code": 400, "message": "User location is not supported for the API use."}}

    with pytest.raises(UpstreamLocation, match="The operator") as caught, structlog.testing.capture_logs() as written:
        await provider(upstream, lambda _: httpx.Response(400, json=words)).make_images(order(), ())

    assert caught.value.status == 502
    assert [(line["event"], line["provider"]) for line in written] == [("upstream.location_refused", "gemini")]
