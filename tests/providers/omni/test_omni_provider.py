"""Gemini Omni against a function that stands for Google: keys, uploads, one send for each submission, refused polls."""

from collections.abc import Callable

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from adapter.domain.job import Intended, Operation, VideoJob, advance
from adapter.domain.media import RemoteFile, RemoteVideo
from adapter.domain.orders import StoredInput, VideoInput, VideoSource
from adapter.domain.ports import Finished, Refused, Unproven, Working
from adapter.errors import (
    InvalidRequest,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamCredential,
    UpstreamForgot,
    UpstreamRejected,
)
from adapter.providers.keys import Key, Keys
from adapter.providers.omni.api import OmniEndpoint
from adapter.providers.omni.provider import OmniProvider
from adapter.providers.omni.refusals import Refusals
from tests.fakes import FakeClock, made_image, video_job, video_order
from tests.upstream import Google, HangUpError, Upstream


class Token:
    """A key that is new after it was refused."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.renewed = 0

    async def read(self) -> str:
        return f"{self.name}-{self.renewed}"

    async def renew(self) -> str:
        self.renewed += 1
        return await self.read()


class Stub:
    """A Google that has files and one interaction, and writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.keys: list[str | None] = []
        self.upload_to = ""
        self.upload_status = 200
        self.answers: dict[str, Callable[[], httpx.Response]] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer by the path."""
        self.asked.append(f"{request.method} {request.url.path}")
        self.keys.append(request.headers.get("x-goog-api-key"))
        path = request.url.path
        if path in self.answers:
            return self.answers[path]()
        if path.startswith("/upload/"):
            if "upload_id" in request.url.query.decode():
                file = {"name": "files/up1", "uri": "https://google/v1beta/files/up1", "state": "ACTIVE"}
                if self.upload_status != 200:
                    return refused(self.upload_status, "service_unavailable")
                return httpx.Response(200, json={"file": file})
            address = self.upload_to or f"{str(request.url).partition('/upload')[0]}/upload/x?upload_id=1"
            return httpx.Response(200, json={}, headers={"X-Goog-Upload-URL": address})
        return httpx.Response(200, json={"id": "v1_a", "status": "in_progress"})


def provider(upstream: Upstream, google: Google, clock: FakeClock | None = None) -> OmniProvider:
    """Return the provider with two keys."""
    upstream.answer = google
    endpoint = OmniEndpoint(base_url=upstream.url, api_version="v1beta", revision="2026-05-20", concurrency=4)
    keys = Keys([Key(name, Token(name)) for name in ("ada", "bob")], FakeClock())
    return OmniProvider(upstream.http, endpoint, keys, clock or FakeClock(), Refusals(3, 120.0), send_seed=False)


def job(pictures: int = 0) -> VideoJob:
    """Return a job that is about to be sent."""
    order = msgspec.structs.replace(
        video_order(),
        input=VideoInput.FRAME if pictures else VideoInput.TEXT,
        pictures=tuple(StoredInput(f"{number}.png", "") for number in range(pictures)),
    )
    return advance(video_job(order=order), Intended("ada"))


def refused(status: int, code: str, message: str = "No.") -> httpx.Response:
    """Answer with a word."""
    return httpx.Response(status, json={"error": {"code": code, "message": message}})


def ask(name: str) -> list[Operation]:
    """Return a question about one job."""
    return [Operation(name, "mark")]


async def test_a_submission_is_sent_once_with_the_key_of_its_job(upstream: Upstream) -> None:
    """And names the revision of the API."""
    google = Stub()

    operation = await provider(upstream, google).submit(job(), ())

    assert (operation.name, google.asked, google.keys) == ("v1_a", ["POST /v1beta/interactions"], ["ada-0"])


async def test_a_refused_key_is_read_anew(upstream: Upstream) -> None:
    """A 401 says that nothing was executed, so it is sent once more; a second one is the operator's."""
    google = Stub()
    google.answers["/v1beta/interactions"] = lambda: refused(401, "authentication")

    with pytest.raises(UpstreamCredential):
        await provider(upstream, google).submit(job(), ())

    assert google.keys == ["ada-0", "ada-1"]


async def test_a_submission_that_one_key_is_refused_moves_to_another(upstream: Upstream) -> None:
    """While the refused key rests, nothing is sent with it."""
    sent: list[str] = []

    def google(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["x-goog-api-key"].partition("-")[0])
        if sent[-1] == "ada":
            return refused(403, "permission_denied")
        return httpx.Response(200, json={"id": "v1_a", "status": "in_progress"})

    omni = provider(upstream, google)
    for _ in range(2):
        with pytest.raises(UpstreamCredential) as caught:
            await omni.submit(job(), ())
        assert caught.value.another_takes_it

    assert sent == ["ada", "ada"]  # the second with a renewed key
    assert [omni.choose_account(video_job()) for _ in range(2)] == ["bob", "bob"]


async def test_a_submission_that_breaks_is_not_sent_again_and_cannot_be_settled(upstream: Upstream) -> None:
    """The API has no list of interactions."""
    calls = []

    def google(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.path)
        raise HangUpError

    async def neighbours(*, refund_seconds: float) -> list[str]:
        raise AssertionError(refund_seconds)

    omni = provider(upstream, google)
    with pytest.raises(UpstreamBroken):
        await omni.submit(job(), ())

    assert calls == ["/v1beta/interactions"]
    assert await omni.credits("ada") is None
    assert isinstance(await omni.settle(job(), neighbours, 60.0), Unproven)


async def test_a_picture_is_uploaded_once_for_each_key(upstream: Upstream) -> None:
    """The bytes go without a key: their address is the permission."""
    google = Stub()
    omni = provider(upstream, google)

    first = await omni.upload([made_image()], account="ada")
    again = await omni.upload([made_image()], account="ada")

    assert first == again == ["https://google/v1beta/files/up1"]
    assert google.keys == ["ada-0", None]


class Film:
    """A stored video."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.sha256 = "00" * 32

    async def read(self, start: int, end: int) -> bytes:
        return bytes(end - start)


async def test_a_video_is_uploaded_in_parts_and_once(upstream: Upstream) -> None:
    """Of 8 MiB, so that no more of it is in memory."""
    google, sent = Stub(), list[tuple[str, str, int]]()

    def noted(request: httpx.Request) -> httpx.Response:
        head = request.headers
        sent.append((head["x-goog-upload-command"], head.get("x-goog-upload-offset", ""), len(request.content)))
        return google(request)

    omni, size = provider(upstream, noted), 16 * 1024 * 1024 + 5
    first = await omni.upload_video(Film(size), account="ada")
    again = await omni.upload_video(Film(size), account="ada")

    assert first == again == "https://google/v1beta/files/up1"
    assert [(command, offset) for command, offset, _ in sent] == [
        ("start", ""),
        ("upload", "0"),
        ("upload", "8388608"),
        ("upload, finalize", "16777216"),
    ]
    assert [size for *_, size in sent[1:]] == [8388608, 8388608, 5]


async def test_a_part_that_is_refused_ends_the_upload(upstream: Upstream) -> None:
    """The next attempt begins anew."""
    google = Stub()
    google.upload_status = 503

    with pytest.raises(UpstreamBusy):
        await provider(upstream, google).upload_video(Film(9 * 1024 * 1024), account="ada")


async def test_a_video_of_ours_that_google_has_deleted_is_the_clients_matter(upstream: Upstream) -> None:
    """It is told what to send instead. Nothing was executed."""
    google = Stub()
    google.answers["/v1beta/interactions"] = lambda: refused(404, "not_found")
    order = msgspec.structs.replace(job().order, input=VideoInput.EDIT, source=VideoSource("v1_before", "ada"))

    with pytest.raises(InvalidRequest, match="Send its file as 'video'") as caught:
        await provider(upstream, google).submit(msgspec.structs.replace(job(), order=order), ())

    assert caught.value.code == "video_expired"


async def test_an_address_for_an_upload_that_lies_elsewhere_is_refused(upstream: Upstream) -> None:
    """The picture is the client's."""
    google = Stub()
    google.upload_to = "http://127.0.0.2:1/upload?upload_id=1"

    with pytest.raises(UpstreamBroken, match="configured origin"):
        await provider(upstream, google).upload([made_image()], account="ada")


async def test_a_forgotten_picture_is_uploaded_anew(upstream: Upstream) -> None:
    """Google keeps it for 48 hours. Nothing was executed."""
    google = Stub()
    google.answers["/v1beta/interactions"] = lambda: refused(404, "not_found")
    omni = provider(upstream, google)
    pictures = await omni.upload([made_image()], account="ada")

    with pytest.raises(UpstreamForgot):
        await omni.submit(job(1), pictures)
    await omni.upload([made_image()], account="ada")
    with pytest.raises(UpstreamRejected) as caught:
        await omni.submit(job(), ())

    assert sum(asked == "POST /upload/v1beta/files" for asked in google.asked) == 2
    assert not isinstance(caught.value, UpstreamForgot)


async def test_a_finished_job_waits_for_its_file(upstream: Upstream) -> None:
    """The file is asked for at the configured address, wherever the answer says that it lies."""
    google, states = Stub(), iter(["PROCESSING", "ACTIVE"])
    output = {"type": "video", "uri": "https://evil.example/files/f1:download?alt=media"}
    done = {"id": "v1_a", "status": "completed", "steps": [{"type": "model_output", "content": [output]}]}
    google.answers["/v1beta/interactions/v1_a"] = lambda: httpx.Response(200, json=done)
    google.answers["/v1beta/files/f1"] = lambda: httpx.Response(200, json={"name": "files/f1", "state": next(states)})
    omni = provider(upstream, google)

    found = [(await omni.poll(ask("v1_a"), account="ada"))["v1_a"] for _ in range(2)]

    assert found == [Working(), Finished(RemoteVideo(name="f1"))]


async def test_a_question_that_fails_leaves_the_other_jobs_alone(upstream: Upstream) -> None:
    """Each job is asked about by itself."""
    google = Stub()
    google.answers["/v1beta/interactions/v1_odd"] = lambda: refused(500, "api_error")

    found = await provider(upstream, google).poll([*ask("v1_a"), *ask("v1_odd")], account="ada")

    assert found == {"v1_a": Working()}


async def test_the_same_refusal_again_and_again_is_the_end_of_a_job(upstream: Upstream) -> None:
    """Google answers so for some jobs that it had taken. One refusal, or many in a short time, is none."""
    google, clock = Stub(), FakeClock()
    google.answers["/v1beta/interactions/v1_odd"] = lambda: refused(
        400, "invalid_request", "Unsupported file uri: blobstore:///x"
    )
    omni = provider(upstream, google, clock)
    both = [*ask("v1_a"), *ask("v1_odd")]

    for _ in range(5):
        assert "v1_odd" not in await omni.poll(both, account="ada")
    await clock.advance(121.0)
    found = (await omni.poll(both, account="ada"))["v1_odd"]

    assert isinstance(found, Refused)
    assert "blobstore" in found.failure.message


async def test_a_place_that_google_does_not_serve_is_never_the_end_of_a_job(upstream: Upstream) -> None:
    """The way to Google is the operator's, and the log says so. The job goes on when the way is another one."""
    google, clock = Stub(), FakeClock()
    google.answers["/v1beta/interactions/v1_odd"] = lambda: refused(
        400, "failed_precondition", "User location is not supported for the API use."
    )
    omni = provider(upstream, google, clock)

    with capture_logs() as lines:
        for _ in range(5):
            assert "v1_odd" not in await omni.poll([*ask("v1_a"), *ask("v1_odd")], account="ada")
            await clock.advance(121.0)

    assert ("upstream.location_refused", "omni", "ada") in [
        (line["event"], line.get("provider"), line.get("account")) for line in lines
    ]


async def test_a_file_is_fetched_with_the_key_and_a_link_elsewhere_gets_none(upstream: Upstream) -> None:
    """A redirect may lead to a store; the key stays with the configured origin."""
    google = Stub()
    google.answers["/v1beta/files/f1:download"] = lambda: httpx.Response(200, content=b"film")
    omni = provider(upstream, google)

    async with omni.download(RemoteFile(name="f1"), account="bob") as download:
        data = await download.read(100)

    assert (data, google.asked, google.keys) == (b"film", ["GET /v1beta/files/f1:download"], ["bob-0"])
