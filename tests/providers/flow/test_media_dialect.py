"""Flow's `media` dialect: golden exchanges, and what decides in which dialect a job is asked about."""

from collections.abc import Callable

import httpx
import msgspec
import pytest
import structlog

from adapter.credentials import FixedSecret
from adapter.domain.job import Operation
from adapter.domain.media import Ratio, RemoteFile, RemoteVideo
from adapter.domain.orders import VideoInput, VideoSource
from adapter.domain.ports import Empty, Finished, Refused, Report, Working
from adapter.errors import (
    AdapterError,
    NoMedia,
    UpstreamBroken,
    UpstreamCredential,
    UpstreamForgot,
)
from adapter.providers.flow import videos
from adapter.providers.flow.accounts import Account, Accounts
from adapter.providers.flow.provider import FlowProvider
from adapter.providers.flow.video_wire import MEDIA
from adapter.providers.reply import Reply
from tests.fakes import FakeClock, video_job, video_order
from tests.providers.flow.test_provider import Token
from tests.support import GOLDEN
from tests.upstream import Google, Upstream, hang_up

PROJECT = "02ac868b-925f-40c1-9187-a688bd03a84d"
MEDIUM = "5f0c1f3e-7d0b-4a51-9a3a-6e1f3c2b9d10"
MARK = "b35919a4-3a87-4d9e-8843-f292b7df4723"
WORKFLOW = "01db1fca-c2e0-4ee7-ace2-0ee4ec0ea573"
OPERATION = Operation(MEDIUM, MARK, dialect=MEDIA, project=PROJECT, workflow=WORKFLOW)
ACCOUNT = Account(name="ada", token=FixedSecret("t"), project_id=PROJECT, tier="PAYGATE_TIER_ONE", dialect=MEDIA)
STATUS = "MEDIA_GENERATION_STATUS_"


def golden(name: str) -> bytes:
    """Return a body of the golden exchange."""
    return (GOLDEN / "flow" / f"media.{name}.json").read_bytes()


def as_json(body: msgspec.Struct) -> object:
    """Return what goes over the wire."""
    return msgspec.json.decode(msgspec.json.encode(body))


def provider(upstream: Upstream, google: Google, token: Token | None = None) -> FlowProvider:
    """Return the provider with one account of the media dialect."""
    upstream.answer = google
    account = msgspec.structs.replace(ACCOUNT, token=token or Token("ada"))
    return FlowProvider(upstream.http, upstream.url, Accounts([account], FakeClock()), FakeClock())


def test_a_video_order_is_the_golden_request() -> None:
    """Field for field; our own mark is the batch's id."""
    order = msgspec.structs.replace(
        video_order("一个美女跳舞"), ratio=Ratio.PORTRAIT, upstream="veo_3_1_t2v_fast_portrait"
    )
    job = msgspec.structs.replace(video_job(order=order), mark=MARK, seed=18237)
    request = videos.video_request(job, (), ACCOUNT, ";1762958374159")

    assert as_json(request) == msgspec.json.decode(golden("submit.request"))


@pytest.mark.parametrize(
    ("kind", "field"),
    [(VideoInput.FRAME, "startImage"), (VideoInput.FRAMES, "endImage"), (VideoInput.REFERENCES, "referenceImages")],
)
def test_pictures_are_given_as_in_the_older_dialect(kind: VideoInput, field: str) -> None:
    """Only the prompt, the metadata and what stands around the requests are different."""
    job = video_job(order=msgspec.structs.replace(video_order(), input=kind))
    newer = as_json(videos.video_request(job, ["a", "b"], ACCOUNT, ";1"))
    older = as_json(videos.video_request(job, ["a", "b"], msgspec.structs.replace(ACCOUNT, dialect="seed"), ";1"))
    [new], [old] = newer["requests"], older["requests"]  # type: ignore[index]

    assert field in new
    assert {**new, "textInput": 0, "metadata": 0} == {**old, "textInput": 0, "metadata": 0}


@pytest.mark.parametrize("dialect", ["seed", "media"])
def test_an_upscale_is_the_golden_request(dialect: str) -> None:
    """It has no prompt, and our mark in its place; around it stands what the dialect wants."""
    order = msgspec.structs.replace(
        video_order(),
        ratio=Ratio.PORTRAIT,
        upstream="veo_3_1_upsampler_1080p",
        resolution="1080p",
        input=VideoInput.UPSCALE,
        source=VideoSource(MEDIUM, "ada"),
    )
    job = msgspec.structs.replace(video_job(order=order), mark=MARK, seed=18237)
    request = videos.video_request(job, (), msgspec.structs.replace(ACCOUNT, dialect=dialect), ";1762958374159")
    around = msgspec.json.decode(golden("submit.request"))
    del around["requests"], around["clientContext"]
    known = msgspec.json.decode((GOLDEN / "flow" / "upscale.request.json").read_bytes())

    assert as_json(request) == (known | around if dialect == "media" else known)
    assert videos.video_path(job) == "/v1/video:batchAsyncGenerateVideoUpsampleVideo"


@pytest.mark.parametrize("dialect", ["seed", "media"])
def test_an_extension_is_the_golden_request(dialect: str) -> None:
    """In the newer form, whatever form the account has: no source has another one."""
    order = msgspec.structs.replace(
        video_order("一个美女跳舞"),
        ratio=Ratio.PORTRAIT,
        upstream="veo_3_1_extend_portrait",
        input=VideoInput.EXTEND,
        source=VideoSource(MEDIUM, "ada", WORKFLOW),
    )
    job = msgspec.structs.replace(video_job(order=order), mark=MARK, seed=18237)
    request = videos.video_request(job, (), msgspec.structs.replace(ACCOUNT, dialect=dialect), ";1762958374159")

    assert as_json(request) == msgspec.json.decode(golden("extend.request"))
    assert videos.video_path(job) == "/v1/video:batchAsyncGenerateVideoExtendVideo"


@pytest.mark.parametrize(
    ("workflows", "workflow"),
    [
        (b'[{"name": "w"}]', "w"),
        (b'[{"name": "v", "metadata": {"primaryMediaId": "other"}}]', "v"),
        (b'[{"name": "v"}, {"name": "w", "metadata": {"primaryMediaId": "m1"}}]', "w"),
        (b'[{"name": "v"}, {"name": "w"}]', ""),
        (b'[7, {"name": "w", "metadata": {"primaryMediaId": "m1"}}]', "w"),
        (b"[]", ""),
        (b"7", ""),
    ],
)
def test_the_workflow_of_a_medium_is_kept(workflows: bytes, workflow: str) -> None:
    """The one that names it, or the only one. An odd one loses nothing that is paid for."""
    body = b'{"workflows": %b, "media": [{"name": "m1", "projectId": "p"}]}' % workflows

    assert videos.submitted(Reply(200, body), MARK) == Operation(
        "m1", MARK, dialect=MEDIA, project="p", workflow=workflow
    )


def test_a_submission_is_named_by_its_medium() -> None:
    """And remembers in which dialect it has to be asked about, and of which project and workflow it is."""
    assert videos.submitted(Reply(200, golden("submit.response")), MARK) == OPERATION


def test_an_answer_with_operations_is_asked_about_by_them() -> None:
    """Flow was seen to answer with both lists (`flow.md` section 2)."""
    body = b'{"operations": [{"operation": {"name": "op"}}], "media": [{"name": "m1"}]}'

    assert videos.submitted(Reply(200, body), MARK) == Operation("op", MARK)


@pytest.mark.parametrize(
    "body",
    [
        b'{"media": []}',
        b'{"media": [{"name": ""}]}',
        b'{"media": [{"projectId": "p"}]}',
        b'{"media": [{"name": "a"}, {"name": "b"}]}',
        b'{"remainingCredits": 1, "workflows": [{"name": "w"}]}',
        b'{"media": [{"name": 7}]}',
    ],
)
def test_an_acceptance_without_one_medium_is_ambiguous(body: bytes) -> None:
    """The money may be gone, so it is called broken and never refused."""
    with pytest.raises(UpstreamBroken):
        videos.submitted(Reply(200, body), MARK)


def test_a_status_question_is_the_golden_request() -> None:
    """Name and project of each medium."""
    assert as_json(videos.status_request([OPERATION], ACCOUNT)) == msgspec.json.decode(golden("status.request"))


def test_a_medium_without_a_project_is_asked_about_with_the_accounts() -> None:
    """An answer may lack it."""
    bare = msgspec.structs.replace(OPERATION, project="")

    assert as_json(videos.status_request([bare], ACCOUNT)) == msgspec.json.decode(golden("status.request"))


def test_a_running_medium_is_read() -> None:
    """Under its own name, and under the operation's: a question in the older dialect may be answered so."""
    told = videos.reports(Reply(200, golden("status.running.response")))

    assert told == {MEDIUM: Working(), "f1c22d03926da6fde596fbf0859404b7": Working()}


def test_a_finished_medium_has_no_link_and_is_known_by_its_name() -> None:
    """Since May 2026."""
    told = videos.reports(Reply(200, golden("status.finished.response")))

    assert told[MEDIUM] == Finished(RemoteVideo(name=MEDIUM))


def test_a_failed_medium_says_why_once() -> None:
    """The error and the reasons have the same word here."""
    report = videos.reports(Reply(200, golden("status.failed.response")))[MEDIUM]

    assert isinstance(report, Refused)
    assert (report.failure.code, report.failure.status) == ("video_generation_failed", 502)
    assert report.failure.message == "Flow could not make the video: PUBLIC_ERROR_VIDEO_GENERATION_TIMED_OUT."


def state(status: object, video: object = None) -> Reply:
    """Return an answer about one medium."""
    medium = {"name": MEDIUM, "projectId": PROJECT, "mediaMetadata": {"mediaStatus": status}, "video": video or {}}
    return Reply(200, msgspec.json.encode({"media": [medium]}))


@pytest.mark.parametrize(
    "status",
    [
        {"error": {"message": "PUBLIC_ERROR_UNSAFE_GENERATION"}},
        {"failureReasons": ["PUBLIC_ERROR_UNSAFE_GENERATION"]},
        {"error": {"code": 3, "message": "no"}, "failureReasons": ["PUBLIC_ERROR_AUDIO_FILTERED"]},
    ],
)
def test_a_judgement_of_the_content_is_told_as_one(status: dict[str, object]) -> None:
    """Wherever Flow says it."""
    report = videos.reports(state({"mediaGenerationStatus": f"{STATUS}FAILED", **status}))[MEDIUM]

    assert isinstance(report, Refused)
    assert (report.failure.code, report.failure.status) == ("moderation_blocked", 400)


@pytest.mark.parametrize("reasons", [None, [], "word", [{"reason": "x"}], 7])
def test_reasons_in_a_form_that_no_source_shows_do_no_harm(reasons: object) -> None:
    """The job has failed all the same."""
    told = videos.reports(state({"mediaGenerationStatus": f"{STATUS}FAILED", "failureReasons": reasons}))

    assert isinstance(told[MEDIUM], Refused)


@pytest.mark.parametrize("status", [None, {}, {"mediaGenerationStatus": None}, {"mediaGenerationStatus": "NEW"}, 7])
def test_a_state_that_is_unknown_is_left_out(status: object) -> None:
    """A paid job is neither failed nor finished by it; it is asked about again."""
    assert videos.reports(state(status)) == {}


@pytest.mark.parametrize(
    ("video", "remote"),
    [
        (None, RemoteVideo(name=MEDIUM)),
        (7, RemoteVideo(name=MEDIUM)),
        ({"generatedVideo": {"fifeUrl": "https://s/v"}}, RemoteVideo("https://s/v", name=MEDIUM)),
        (
            {"generatedVideo": {"fifeUrl": "https://s/v", "servingBaseUri": "https://s/p"}},
            RemoteVideo("https://s/v", "https://s/p", MEDIUM),
        ),
    ],
)
def test_a_link_is_taken_where_there_is_one(video: object, remote: RemoteVideo) -> None:
    """Whatever else stands there, the medium has a name."""
    assert videos.reports(state({"mediaGenerationStatus": f"{STATUS}SUCCESSFUL"}, video))[MEDIUM] == Finished(remote)


def test_a_success_in_the_older_dialect_without_a_link_stays_empty() -> None:
    """It has no name by which its file could be asked for."""
    body = b'[{"operation": {"name": "op"}, "status": "MEDIA_GENERATION_STATUS_SUCCESSFUL"}]'

    assert videos.reports(Reply(200, body)) == {"op": Empty()}


class Services:
    """Flow's status desk, which answers each dialect in its own form and may refuse one of them."""

    def __init__(self, refused: Callable[[str], bool] = lambda _: False) -> None:
        self.asked: list[tuple[str, list[str]]] = []
        self._refused = refused

    def __call__(self, request: httpx.Request) -> httpx.Response:
        [(dialect, items)] = msgspec.json.decode(request.content).items()
        names = [item["name"] if dialect == "media" else item["operation"]["name"] for item in items]
        self.asked.append((dialect, names))
        if self._refused(dialect):
            return httpx.Response(500, json={"error": {"code": 500, "message": "Internal"}})
        running = f"{STATUS}ACTIVE"
        if dialect == "operations":
            return httpx.Response(200, json=[{"operation": {"name": name}, "status": running} for name in names])
        metadata = {"mediaStatus": {"mediaGenerationStatus": running}}
        return httpx.Response(200, json={"media": [{"name": name, "mediaMetadata": metadata} for name in names]})


OLD = [Operation(f"op-{number}", "mark") for number in range(3)]
NEW = [Operation(f"m-{number}", "mark", dialect=MEDIA) for number in range(3)]


async def test_each_dialect_is_asked_in_one_call(upstream: Upstream) -> None:
    """However the jobs of an account are mixed."""
    services = Services()
    mixed = [each for pair in zip(OLD, NEW, strict=True) for each in pair]
    told = await provider(upstream, services).poll(mixed, account="ada")

    assert services.asked == [("operations", ["op-0", "op-1", "op-2"]), ("media", ["m-0", "m-1", "m-2"])]
    assert told == {each.name: Working() for each in mixed}


@pytest.mark.parametrize(("refused", "told"), [("media", OLD), ("operations", NEW)])
async def test_a_dialect_that_fails_leaves_the_other_one_alone(
    upstream: Upstream, refused: str, told: list[Operation]
) -> None:
    """Its jobs are missed, and the others are told."""
    with structlog.testing.capture_logs() as written:
        found = await provider(upstream, Services(lambda dialect: dialect == refused)).poll([*OLD, *NEW], account="ada")

    assert found == {each.name: Working() for each in told}
    assert [line["dialect"] for line in written] == ["media" if refused == "media" else "seed"]


async def test_a_poll_of_which_nothing_came_is_a_fault(upstream: Upstream) -> None:
    """As with one dialect."""
    with pytest.raises(UpstreamBroken):
        await provider(upstream, Services(lambda _: True)).poll([*OLD, *NEW], account="ada")


async def test_a_dialect_that_a_newer_version_wrote_is_left_alone(upstream: Upstream) -> None:
    """It is missed and not asked about in a form that it does not have."""
    services = Services()
    told: dict[str, Report] = dict(
        await provider(upstream, services).poll([Operation("x", "m", dialect="third")], account="ada")
    )

    assert (told, services.asked) == ({}, [])


async def test_an_odd_medium_does_not_hide_the_others(upstream: Upstream) -> None:
    """A refused batch is halved in this dialect as well."""

    def google(request: httpx.Request) -> httpx.Response:
        names = [item["name"] for item in msgspec.json.decode(request.content)["media"]]
        if "m-1" in names:
            return httpx.Response(404, json={"error": {"code": 404, "message": "Requested entity was not found."}})
        return Services()(request)

    assert set(await provider(upstream, google).poll(NEW, account="ada")) == {"m-0", "m-2"}


async def fetched(upstream: Upstream, google: Google, name: str = MEDIUM, token: Token | None = None) -> bytes:
    """Download a medium by its name."""
    flow = provider(upstream, google, token)
    async with flow.download(RemoteFile(name=name), account="ada") as download:
        return await download.read(1024)


async def test_a_medium_is_asked_for_with_the_accounts_token(upstream: Upstream) -> None:
    """At the configured address, as the golden answer has it."""
    seen: list[httpx.Request] = []

    def google(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=golden("file.response"))

    assert (await fetched(upstream, google, name="a/../b?c"))[4:8] == b"ftyp"
    assert [(each.method, each.url.raw_path) for each in seen] == [("GET", b"/v1/media/a%2F..%2Fb%3Fc")]
    assert seen[0].headers["authorization"] == "Bearer ada-0"


async def test_a_link_is_opened_without_the_token(upstream: Upstream) -> None:
    """Wherever it leads."""
    seen: list[httpx.Request] = []

    def google(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b"film")

    flow = provider(upstream, google)
    async with flow.download(RemoteFile(f"{upstream.url}/v", MEDIUM), account="ada") as download:
        assert await download.read(4) == b"film"
    assert [each.url.path for each in seen] == ["/v"]
    assert "authorization" not in seen[0].headers


async def test_an_expired_token_is_renewed_once_for_a_medium(upstream: Upstream) -> None:
    """A refusal comes before any work."""

    def google(request: httpx.Request) -> httpx.Response:
        if request.headers["authorization"] == "Bearer ada-1":
            return httpx.Response(200, content=golden("file.response"))
        return httpx.Response(401, json={"error": {"message": "expired"}})

    assert await fetched(upstream, google)
    with pytest.raises(UpstreamCredential), structlog.testing.capture_logs() as written:
        await fetched(upstream, lambda _: httpx.Response(401, json={"error": {"message": "expired"}}))
    assert [line["event"] for line in written] == ["upstream.credential_refused"]


@pytest.mark.parametrize(
    ("answer", "fault", "words"),
    [
        (httpx.Response(400, json={"error": {"message": "Not an Omni thing."}}), NoMedia, "hand it out: Not an Omni"),
        (httpx.Response(400, content=b"<html>"), NoMedia, "no reason given"),
        (httpx.Response(200, json={"video": {}}), NoMedia, "without it"),
        (httpx.Response(200, json={}), NoMedia, "without it"),
        (httpx.Response(200, content=b"<html>"), UpstreamBroken, "cannot be read"),
        (httpx.Response(200, content=b""), UpstreamBroken, "cannot be read"),
        (httpx.Response(404, json={"error": {"message": "gone"}}), UpstreamForgot, "gone"),
        (httpx.Response(403, json={"error": {"message": "no"}}), UpstreamCredential, "credential"),
        (httpx.Response(500, content=b"<html>"), UpstreamBroken, "500"),
        (httpx.Response(302, headers={"location": "http://elsewhere/"}), UpstreamBroken, "not fetched"),
        (httpx.Response(302), UpstreamBroken, "302"),
    ],
)
async def test_a_medium_that_is_not_handed_out_is_an_honest_error(
    upstream: Upstream, answer: httpx.Response, fault: type[AdapterError], words: str
) -> None:
    """One request; a redirect to where a link may not lead is not followed."""
    seen: list[str] = []

    def google(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return answer

    with pytest.raises(fault, match=words):
        await fetched(upstream, google)
    assert seen == [f"/v1/media/{MEDIUM}"]


async def test_a_medium_whose_connection_breaks_is_broken(upstream: Upstream) -> None:
    """As everywhere."""
    with pytest.raises(UpstreamBroken):
        await fetched(upstream, hang_up)
