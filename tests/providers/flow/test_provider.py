"""Flow against a function that stands for Google: accounts, tokens, and one send per submission."""

import asyncio
from collections.abc import Collection
from decimal import Decimal

import httpx
import msgspec
import pybase64
import pytest
import structlog

from adapter.domain.job import Intended, Operation, VideoJob, advance
from adapter.domain.media import Frame, Ratio
from adapter.domain.orders import ImageOrder, VideoInput, VideoSource
from adapter.domain.ports import Working
from adapter.domain.usage import Cost, Currency
from adapter.errors import (
    AdapterError,
    ContentRefused,
    InvalidRequest,
    NoMedia,
    UpstreamBroken,
    UpstreamCredential,
    UpstreamForgot,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnreachable,
)
from adapter.providers.flow import videos
from adapter.providers.flow.accounts import Account, Accounts
from adapter.providers.flow.provider import FlowProvider
from adapter.providers.reply import Reply
from tests.fakes import FakeClock, made_image, png, video_job, video_order
from tests.support import GOLDEN
from tests.upstream import Google, Upstream, hang_up


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


def provider(
    upstream: Upstream, google: Google, clock: FakeClock | None = None, *, disabled: Collection[str] = ()
) -> FlowProvider:
    """Return the provider with two accounts."""
    upstream.answer = google
    clock = clock or FakeClock(1762958374.159)
    accounts = [
        Account(
            name=name,
            token=Token(name),
            project_id=f"project-{name}",
            tier="PAYGATE_TIER_ONE",
            enabled=name not in disabled,
        )
        for name in ("ada", "bob")
    ]
    return FlowProvider(upstream.http, upstream.url, Accounts(accounts, clock), clock)


def job(account: str) -> VideoJob:
    """Return a job that is about to be sent."""
    return advance(video_job(), Intended(account))


def accepted(request: httpx.Request) -> httpx.Response:
    """Answer a submission."""
    return httpx.Response(200, json={"operations": [{"operation": {"name": "op"}}], "remainingCredits": 1})


def test_accounts_take_turns(upstream: Upstream) -> None:
    """Jobs are spread over what there is."""
    flow = provider(upstream, accepted)

    assert [flow.choose_account(video_job()) for _ in range(4)] == ["ada", "bob", "ada", "bob"]


async def test_a_disabled_account_takes_no_new_work_and_finishes_what_it_has(upstream: Upstream) -> None:
    """Only the account that submitted a job can ask about it."""
    asked: list[str] = []

    def google(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["authorization"])
        return httpx.Response(200, json=[])

    flow = provider(upstream, google, disabled=["ada"])
    assert [flow.choose_account(video_job()) for _ in range(3)] == ["bob"] * 3
    await flow.poll([Operation("op", "scene")], account="ada")
    assert asked == ["Bearer ada-0"]

    with pytest.raises(UpstreamCredential, match="No Flow account takes new work"):
        provider(upstream, google, disabled=["ada", "bob"]).choose_account(video_job())


async def test_the_credits_are_those_of_the_account_that_is_asked_about(upstream: Upstream) -> None:
    """The golden answer (`flow.md` section 2), by a request that changes nothing."""
    seen: list[httpx.Request] = []

    def google(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=(GOLDEN / "flow" / "credits.response.json").read_bytes())

    assert await provider(upstream, google).credits("bob") == 680
    assert [(each.method, each.url.path, each.content) for each in seen] == [("GET", "/v1/credits", b"")]
    assert seen[0].headers["authorization"] == "Bearer bob-0"


@pytest.mark.parametrize(
    "google",
    [
        lambda _: httpx.Response(500, json={"error": {"code": 500, "message": "Internal"}}),
        lambda _: httpx.Response(404, content=b"<html>"),
        lambda _: httpx.Response(401, json={"error": {"code": 401, "message": "expired"}}),
        lambda _: httpx.Response(200, json={"userPaygateTier": "PAYGATE_TIER_ONE"}),
        lambda _: httpx.Response(200, content=b"\xff"),
        hang_up,
    ],
)
async def test_credits_that_are_not_told_are_unknown(upstream: Upstream, google: Google) -> None:
    """They never stop a submission."""
    assert await provider(upstream, google).credits("ada") is None


async def test_credits_of_an_account_that_is_gone_are_unknown(upstream: Upstream) -> None:
    """As above."""
    assert await provider(upstream, accepted).credits("carol") is None


async def test_a_job_is_sent_with_its_own_account(upstream: Upstream) -> None:
    """Address, token and project belong together."""
    seen: list[httpx.Request] = []

    def google(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return accepted(request)

    operation = await provider(upstream, google).submit(job("bob"), ())

    context = msgspec.json.decode(seen[0].content)["clientContext"]
    assert operation == Operation("op", "scene-1")
    assert seen[0].url.path == "/v1/video:batchAsyncGenerateVideoText"
    assert seen[0].headers["authorization"] == "Bearer bob-0"
    assert context == {
        "sessionId": ";1762958374159",
        "projectId": "project-bob",
        "tool": "PINHOLE",
        "userPaygateTier": "PAYGATE_TIER_ONE",
    }


async def test_an_expired_token_is_renewed_once(upstream: Upstream) -> None:
    """A 401 is a refusal before any work, so the same submission may go out with a fresh token."""
    tokens: list[str] = []

    def google(request: httpx.Request) -> httpx.Response:
        tokens.append(request.headers["authorization"])
        return accepted(request) if tokens[1:] else httpx.Response(401, json={"error": {"message": "expired"}})

    await provider(upstream, google).submit(job("ada"), ())

    assert tokens == ["Bearer ada-0", "Bearer ada-1"]


async def test_a_token_that_stays_refused_is_the_operators_to_mend(upstream: Upstream) -> None:
    """Two tries, then 502, never 401."""
    tries = 0

    def google(_: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        return httpx.Response(401, json={"error": {"message": "expired"}})

    with pytest.raises(UpstreamCredential):
        await provider(upstream, google).submit(job("ada"), ())
    assert tries == 2


async def test_a_submission_that_got_no_answer_is_not_sent_again(upstream: Upstream) -> None:
    """It may have been executed and paid for."""
    tries = 0

    def google(request: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        return hang_up(request)

    with pytest.raises(UpstreamBroken):
        await provider(upstream, google).submit(job("ada"), ())
    assert tries == 1


async def test_an_account_that_is_no_longer_configured_is_an_error(upstream: Upstream) -> None:
    """Another account must not poll it: Google answers only the one that submitted."""
    with pytest.raises(UpstreamCredential, match="'carol' is no longer configured"):
        await provider(upstream, accepted).poll([Operation("op", "scene")], account="carol")


async def test_many_jobs_are_asked_about_in_one_call(upstream: Upstream) -> None:
    """The status call takes a batch."""
    bodies: list[bytes] = []

    def google(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        asked = msgspec.json.decode(request.content)["operations"]
        return httpx.Response(200, json=[{**each, "status": "MEDIA_GENERATION_STATUS_ACTIVE"} for each in asked])

    operations = [Operation(f"op-{number}", f"scene-{number}") for number in range(60)]
    reports = await provider(upstream, google).poll(operations, account="ada")

    assert len(bodies) == 1
    assert reports == {operation.name: Working() for operation in operations}


@pytest.mark.parametrize("status", [400, 403, 404, 500])
@pytest.mark.parametrize("odd", [{"op-3"}, {"op-0", "op-6"}])
async def test_an_odd_operation_does_not_sink_its_batch(upstream: Upstream, status: int, odd: set[str]) -> None:
    """A refused batch is halved by lot: sooner or later all others are told, and only the odd ones are left out."""

    def google(request: httpx.Request) -> httpx.Response:
        asked = msgspec.json.decode(request.content)["operations"]
        if odd & {each["operation"]["name"] for each in asked}:
            return httpx.Response(status, json={"error": {"code": status, "message": "no"}})
        return httpx.Response(200, json=[{**each, "status": "MEDIA_GENERATION_STATUS_ACTIVE"} for each in asked])

    flow = provider(upstream, google)
    operations = [Operation(f"op-{number}", "mark") for number in range(7)]
    told: set[str] = set()
    for _ in range(60):
        try:
            told |= set(await flow.poll(operations, account="ada"))
        except AdapterError:
            continue

    assert told == {operation.name for operation in operations} - odd


async def test_an_outage_is_not_asked_about_again_and_again(upstream: Upstream) -> None:
    """Both halves refused: it is not one of them."""
    calls = 0

    def google(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        return httpx.Response(500, json={"error": {"code": 500, "message": "Internal error encountered."}})

    with pytest.raises(UpstreamBroken):
        await provider(upstream, google).poll(
            [Operation(f"op-{number}", "mark") for number in range(64)], account="ada"
        )
    assert calls == 3


async def test_a_linked_picture_that_cannot_be_fetched_is_paid_for_all_the_same(upstream: Upstream) -> None:
    """So the client's SDK does not order the batch again."""

    def google(request: httpx.Request) -> httpx.Response:
        link = "https://nowhere.invalid/a"
        return httpx.Response(200, json={"media": [{"image": {"generatedImage": {"fifeUrl": link}}}]})

    with pytest.raises(UpstreamUnreachable) as caught:
        await provider(upstream, google).make_images(order(1), ())
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


async def test_n_pictures_are_one_batch_call_with_distinct_seeds(upstream: Upstream) -> None:
    """Flow takes up to ten requests at once."""
    bodies: list[bytes] = []

    def google(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        made = [
            {"image": {"generatedImage": {"encodedImage": pybase64.b64encode(png(each["seed"], 9)).decode()}}}
            for each in msgspec.json.decode(request.content)["requests"]
        ]
        return httpx.Response(200, json=made)

    images = await provider(upstream, google).make_images(order(4), ())

    assert len(bodies) == 1
    assert [image.pixels.width for image in images] == [5, 6, 7, 8]


async def test_pictures_that_come_as_links_are_fetched_without_the_token(upstream: Upstream) -> None:
    """The newer answer has links only; they are signed and open."""

    def google(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/a":
            assert "authorization" not in request.headers
            return httpx.Response(200, content=png(40, 30))
        link = f"{upstream.url}/a"
        return httpx.Response(200, json={"media": [{"image": {"generatedImage": {"fifeUrl": link}}}]})

    images = await provider(upstream, google).make_images(order(1), ())

    assert images[0].decode() == png(40, 30)


class Shelf:
    """Flow with uploads: it names what it is given, draws from what it knows, and forgets when it is told to."""

    def __init__(self) -> None:
        self.uploads: list[str] = []
        self.drawn_from: list[list[str]] = []
        self._known: set[str] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = msgspec.json.decode(request.content)
        if request.url.path.endswith(":uploadUserImage"):
            self.uploads.append(request.headers["authorization"].removeprefix("Bearer "))
            name = f"upload-{len(self.uploads)}"
            self._known.add(name)
            return httpx.Response(200, json={"mediaGenerationId": {"mediaGenerationId": name}})
        names = [given["name"] for given in body["requests"][0]["imageInputs"]]
        self.drawn_from.append(names)
        if not self._known.issuperset(names):
            return httpx.Response(404, json={"error": {"code": 404, "message": "Requested entity was not found."}})
        made = [{"image": {"generatedImage": {"encodedImage": pybase64.b64encode(png()).decode()}}}]
        return httpx.Response(200, json=made * len(body["requests"]))

    def forget(self) -> None:
        self._known.clear()


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_account_is_the_operators_to_mend(upstream: Upstream, status: int) -> None:
    """502 for the client, a line for the operator."""
    body = {"error": {"code": status, "message": "no", "status": "PERMISSION_DENIED"}}

    with pytest.raises(UpstreamCredential), structlog.testing.capture_logs() as written:
        await provider(upstream, lambda _: httpx.Response(status, json=body)).make_images(order(1), ())
    refused = [line["account"] for line in written if line["event"] == "upstream.credential_refused"]
    set_aside = [line["credential"] for line in written if line["event"] == "credential.set_aside"]
    assert refused == set_aside == ["ada", "bob"]


def quota_of(name: str, google: Google, asked: list[str]) -> Google:
    """Stand for a Google that has no credits left for one account."""
    body = {"error": {"code": 402, "message": "no credits", "status": "RESOURCE_EXHAUSTED"}}

    def answer(request: httpx.Request) -> httpx.Response:
        caller = request.headers["authorization"].removeprefix("Bearer ").partition("-")[0]
        asked.append(caller)
        if caller == name:
            return httpx.Response(402, json=body)
        said = google(request)
        assert isinstance(said, httpx.Response)
        return said

    return answer


async def test_pictures_that_one_account_cannot_make_are_made_by_another(upstream: Upstream) -> None:
    """Within the same answer; their pictures to work from are uploaded to that one too."""
    asked: list[str] = []
    google = Shelf()
    flow = provider(upstream, quota_of("ada", google, asked))

    assert len(await flow.make_images(order(1), [made_image()])) == 1
    assert len(await flow.make_images(order(1), [made_image()])) == 1
    assert asked.count("ada") == 1
    assert google.uploads == ["bob-0"]


async def test_a_submission_without_credits_moves_to_another_account(upstream: Upstream) -> None:
    """The job hears that it may; while the account rests, nothing is sent with it."""
    asked: list[str] = []
    flow = provider(upstream, quota_of("ada", accepted, asked))
    for _ in range(3):
        with pytest.raises(UpstreamQuota) as caught:
            await flow.submit(job("ada"), [])
        assert caught.value.another_takes_it

    assert asked == ["ada"]
    assert [flow.choose_account(video_job()) for _ in range(2)] == ["bob", "bob"]
    assert (await flow.submit(job("bob"), [])).name == "op"


def priced(account: str, credits_of_it: int) -> VideoJob:
    """Return a job that is about to be sent, with its price."""
    return msgspec.structs.replace(job(account), cost=Cost(Decimal(credits_of_it), Currency.CREDITS))


async def test_an_account_without_enough_credits_is_not_asked_for_a_video(upstream: Upstream) -> None:
    """The answer to a submission says what is left; the next job moves before anything is sent."""
    asked: list[str] = []

    def google(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["authorization"])
        return accepted(request)

    flow = provider(upstream, google)
    await flow.submit(priced("ada", 20), [])
    with pytest.raises(UpstreamQuota, match="fewer credits") as caught:
        await flow.submit(priced("ada", 20), [])
    assert caught.value.another_takes_it

    assert {flow.choose_account(priced("ada", 20)) for _ in range(4)} == {"bob"}
    assert asked == ["Bearer ada-0"]


async def test_credits_that_are_read_before_a_video_count(upstream: Upstream) -> None:
    """Also the tier is remembered, for the operator."""

    def google(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"credits": 15, "userPaygateTier": "PAYGATE_TIER_TWO"})

    flow = provider(upstream, google)
    assert await flow.credits("ada") == 15
    assert {flow.choose_account(priced("ada", 20)) for _ in range(4)} == {"bob"}
    assert {flow.choose_account(priced("ada", 15)) for _ in range(4)} == {"ada", "bob"}


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (b'{"operations": [], "remainingCredits": 120}', 120),
        (b'{"operations": [], "remainingCredits": "120"}', 120),
        (b'{"operations": [], "remainingCredits": null}', None),
        (b'{"operations": []}', None),
        (b"[]", None),
    ],
)
def test_what_is_left_after_a_submission_is_read(body: bytes, left: int | None) -> None:
    """In whatever shape; it is never a reason to lose a job."""
    assert videos.remaining_credits(Reply(200, body)) == left


async def test_a_token_that_ends_is_renewed_once_for_all_who_wait(upstream: Upstream) -> None:
    """Also for a call whose refusal comes after the renewal."""
    renewed_first = asyncio.Event()
    seen: list[str] = []

    async def google(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        if seen[-1].endswith("-0"):
            if len(seen) > 1:
                await renewed_first.wait()
            return httpx.Response(401, json={"error": {"code": 401, "message": "expired"}})
        renewed_first.set()
        return httpx.Response(200, json={"credits": 680})

    flow = provider(upstream, google, disabled=["bob"])
    found = await asyncio.gather(*(flow.credits("ada") for _ in range(5)))

    assert found == [680] * 5
    assert set(seen) == {"Bearer ada-0", "Bearer ada-1"}


@pytest.mark.parametrize("tries", [1, 2])
async def test_a_batch_without_pictures_is_asked_for_once_more(upstream: Upstream, tries: int) -> None:
    """As with Gemini; twice nothing is an error that the SDK leaves alone."""
    calls = 0

    def google(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        made = [{"image": {"generatedImage": {"encodedImage": pybase64.b64encode(png()).decode()}}}]
        return httpx.Response(200, json=[] if calls <= tries else made)

    if tries == 1:
        assert len(await provider(upstream, google).make_images(order(1), ())) == 1
    else:
        with pytest.raises(NoMedia) as caught:
            await provider(upstream, google).make_images(order(1), ())
        assert caught.value.should_retry is False
    assert calls == 2


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"media": [], "\xff": 1}', b'{"error": {"code": 500}}'])
async def test_a_batch_that_cannot_be_read_is_asked_for_once(upstream: Upstream, body: bytes) -> None:
    """It was carried out and paid for."""
    calls = 0

    def google(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        return httpx.Response(200, content=body)

    with pytest.raises(UpstreamBroken) as caught:
        await provider(upstream, google).make_images(order(1), ())
    assert (calls, caught.value.should_retry, caught.value.spent) == (1, False, True)


@pytest.mark.parametrize("body", [b"<html>", b"", b"{}", b'{"mediaGenerationId": "\xff"}'])
async def test_an_upload_that_cannot_be_read_costs_nothing(upstream: Upstream, body: bytes) -> None:
    """No picture was asked for yet, so the client's SDK may send all of it again."""
    asked: list[str] = []

    def google(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, content=body)

    with pytest.raises(UpstreamBroken) as caught:
        await provider(upstream, google).make_images(order(1), [made_image()])
    assert (asked, caught.value.should_retry, caught.value.spent) == (["/v1:uploadUserImage"], True, False)


async def test_a_picture_is_uploaded_once_per_account(upstream: Upstream) -> None:
    """The second request from the same picture uses the first one's upload; another account has none of it."""
    flow = Shelf()
    maker = provider(upstream, flow)
    for _ in range(4):  # two accounts take turns
        await maker.make_images(order(1), [made_image(16, 9), made_image(9, 16)])

    assert flow.uploads == ["ada-0", "ada-0", "bob-0", "bob-0"]
    # The two uploads of a request go side by side, so either arrives first.
    assert [sorted(each) for each in flow.drawn_from] == [["upload-1", "upload-2"], ["upload-3", "upload-4"]] * 2
    assert flow.drawn_from[:2] == flow.drawn_from[2:]


async def test_the_same_picture_twice_in_one_request_is_uploaded_once(upstream: Upstream) -> None:
    """And stands in the request twice, as the prompt counts them."""
    flow = Shelf()
    await provider(upstream, flow).make_images(order(1), [made_image(), made_image()])

    assert (len(flow.uploads), flow.drawn_from) == (1, [["upload-1", "upload-1"]])


async def test_an_upload_that_flow_forgot_is_sent_again_once(upstream: Upstream) -> None:
    """Flow answers 404 and has made nothing."""
    flow = Shelf()
    maker = provider(upstream, flow)
    pictures = [made_image()]
    await maker.make_images(order(1), pictures)
    await maker.make_images(order(1), pictures)
    flow.forget()
    await maker.make_images(order(1), pictures)

    assert flow.drawn_from == [["upload-1"], ["upload-2"], ["upload-1"], ["upload-3"]]


async def test_an_upload_that_flow_forgot_is_sent_again_for_all_who_share_it(upstream: Upstream) -> None:
    """Who hears of it second finds the upload on its way, and waits for it."""
    flow = Shelf()
    maker = provider(upstream, flow)
    for _ in range(2):
        await maker.make_images(order(1), [made_image()])
    flow.forget()
    await asyncio.gather(*(maker.make_images(order(1), [made_image()]) for _ in range(8)))

    assert len(flow.uploads) == 4


async def test_an_upload_that_flow_never_knows_is_not_sent_for_ever(upstream: Upstream) -> None:
    """Twice, then it is an error that is not the client's."""
    flow = Shelf()

    def forgetful(request: httpx.Request) -> httpx.Response:
        flow.forget()
        return flow(request)

    with pytest.raises(UpstreamForgot):
        await provider(upstream, forgetful).make_images(order(1), [made_image()])
    assert len(flow.uploads) == 2


async def test_uploads_grow_old(upstream: Upstream) -> None:
    """After three quarters of an hour Flow is not relied on to know a picture any more."""
    flow, clock = Shelf(), FakeClock()
    maker = provider(upstream, flow, clock)
    await maker.make_images(order(1), [made_image()])
    await clock.advance(46 * 60)
    await maker.make_images(order(1), [made_image()])
    await maker.make_images(order(1), [made_image()])

    assert flow.uploads == ["ada-0", "bob-0", "ada-0"]


async def test_a_failed_upload_is_not_remembered(upstream: Upstream) -> None:
    """The next request tries again."""
    flow = Shelf()
    fails = iter([True, False, False])

    def google(request: httpx.Request) -> httpx.Response:
        if "uploadUserImage" in request.url.path and next(fails):
            return httpx.Response(400, json={"error": {"code": 400, "message": "Internal"}})
        return flow(request)

    maker = provider(upstream, google)
    with pytest.raises(InvalidRequest):
        await maker.make_images(order(1), [made_image()])
    for _ in range(2):
        await maker.make_images(order(1), [made_image()])
    assert len(flow.uploads) == 2


async def test_a_videos_picture_is_uploaded_to_the_account_that_carries_it(upstream: Upstream) -> None:
    """And not again for the next one; the name goes along with the submission."""
    sent: list[dict[str, object]] = []
    flow = Shelf()

    def google(request: httpx.Request) -> httpx.Response:
        if "uploadUserImage" in request.url.path:
            return flow(request)
        sent.append(msgspec.json.decode(request.content)["requests"][0])
        return accepted(request)

    maker = provider(upstream, google)
    first_frame = msgspec.structs.replace(
        job("bob"), order=msgspec.structs.replace(job("bob").order, input=VideoInput.FRAME)
    )
    for _ in range(2):
        await maker.submit(first_frame, await maker.upload([made_image()], account="bob"))

    assert flow.uploads == ["bob-0"]
    assert [each["startImage"] for each in sent] == [{"mediaId": "upload-1"}] * 2


async def test_a_video_whose_picture_flow_forgot_gets_a_new_upload(upstream: Upstream) -> None:
    """Nothing was executed; the engine uploads and submits again."""
    flow = Shelf()

    def google(request: httpx.Request) -> httpx.Response:
        if "uploadUserImage" in request.url.path:
            return flow(request)
        return httpx.Response(404, json={"error": {"code": 404, "message": "Requested entity was not found."}})

    maker = provider(upstream, google)
    [name] = await maker.upload([made_image()], account="ada")
    with pytest.raises(UpstreamForgot):
        await maker.submit(job("ada"), [name])

    assert await maker.upload([made_image()], account="ada") != [name]


async def test_a_video_that_flow_forgot_is_not_asked_for_again(upstream: Upstream) -> None:
    """There is nothing that an upload could mend; the job ends with the reason."""

    def google(_: httpx.Request) -> httpx.Response:
        return httpx.Response(404, json={"error": {"code": 404, "message": "Requested entity was not found."}})

    order = msgspec.structs.replace(
        video_order(), input=VideoInput.UPSCALE, resolution="1080p", source=VideoSource("CAUS-name", "ada")
    )
    wish = msgspec.structs.replace(job("ada"), order=order)
    with pytest.raises(UpstreamRejected, match="no longer has the video to work on") as caught:
        await provider(upstream, google).submit(wish, ())

    assert not isinstance(caught.value, UpstreamForgot)


@pytest.mark.parametrize(
    ("given", "ratio"),
    [((1600, 900), "LANDSCAPE"), ((400, 900), "PORTRAIT"), ((800, 900), "SQUARE"), (None, "LANDSCAPE")],
)
async def test_a_picture_from_a_picture_keeps_its_shape(
    upstream: Upstream, given: tuple[int, int] | None, ratio: str
) -> None:
    """Where none was asked for; without a picture Flow's own pages begin with landscape."""
    shapes: list[str] = []
    flow = Shelf()

    def google(request: httpx.Request) -> httpx.Response:
        if "uploadUserImage" not in request.url.path:
            shapes.append(msgspec.json.decode(request.content)["requests"][0]["imageAspectRatio"])
        return flow(request)

    open_frame = msgspec.structs.replace(order(1), frame=Frame())
    await provider(upstream, google).make_images(open_frame, [made_image(*given)] if given else [])

    assert shapes == [f"IMAGE_ASPECT_RATIO_{ratio}"]


async def test_a_refused_prompt_keeps_googles_words(upstream: Upstream) -> None:
    """The client reads why."""
    details = [{"reason": "PUBLIC_ERROR_UNSAFE_GENERATION"}]
    body = {"error": {"code": 400, "message": "Request contains an invalid argument.", "details": details}}

    with pytest.raises(ContentRefused, match="PUBLIC_ERROR_UNSAFE_GENERATION"):
        await provider(upstream, lambda _: httpx.Response(400, json=body)).make_images(order(1), ())
