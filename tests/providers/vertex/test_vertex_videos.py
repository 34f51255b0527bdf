"""Videos of Gemini Omni on Google Cloud, against a function that stands for Google."""

import base64
from collections.abc import Callable

import httpx
import msgspec
import pytest
import structlog

from adapter.credentials import FixedSecret
from adapter.domain.job import Intended, Operation, VideoJob, advance
from adapter.domain.media import RemoteFile, RemoteVideo
from adapter.domain.orders import StoredInput, VideoInput
from adapter.domain.ports import Empty, Finished, Refused, Report
from adapter.errors import UpstreamBroken, UpstreamCredential
from adapter.providers.keys import Key, Keys
from adapter.providers.omni.provider import OmniProvider
from adapter.providers.omni.refusals import Refusals
from adapter.providers.vertex.bucket import VideoBucket
from adapter.providers.vertex.endpoint import CloudEndpoint, CloudInteractions
from adapter.providers.vertex.files import CloudFiles
from tests.fakes import CLIP, FakeClock, made_image, video_job, video_order
from tests.support import GOLDEN
from tests.upstream import Upstream

PLACE = "/v1beta1/projects/mine/locations/global/interactions"
DONE = {"id": "v1_a", "status": "completed", "usage": {"total_output_tokens": 10}}


class Stub:
    """A Google that has one interaction and a bucket, and writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.headers: list[httpx.Headers] = []
        self.bodies: list[bytes] = []
        self.answers: dict[str, Callable[[], httpx.Response]] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer by the path."""
        self.asked.append(f"{request.method} {request.url.raw_path.decode()}")
        self.headers.append(request.headers)
        self.bodies.append(request.content)
        path = request.url.raw_path.decode().partition("?")[0]
        if path in self.answers:
            return self.answers[path]()
        return httpx.Response(200, json={"id": "v1_a", "status": "in_progress"})

    def finishes(self, *contents: dict[str, str], tokens: int = 10) -> None:
        """Have the interaction be completed with this output."""
        steps = [{"type": "model_output", "content": contents}] if contents else []
        done = {**DONE, "steps": steps, "usage": {"total_output_tokens": tokens}}
        self.answers[f"{PLACE}/v1_a"] = lambda: httpx.Response(200, json=done)


def provider(upstream: Upstream, google: Stub, *, bucket: str = "") -> OmniProvider:
    """Return the provider in a project, with a folder in a bucket if it is named."""
    upstream.answer = google
    endpoint = CloudEndpoint(
        base_url=upstream.url,
        api_version="v1beta1",
        project="mine",
        location="eu",
        quota_project="payer",
        has_output_options=True,
        concurrency=4,
    )
    store = VideoBucket(base_url=upstream.url, name="films", folder=bucket) if bucket else None
    return OmniProvider(
        upstream.http,
        CloudInteractions(endpoint, 4),
        Keys([Key("mine", FixedSecret("ya29.token"))], FakeClock()),
        FakeClock(),
        Refusals(3, 120.0),
        send_seed=False,
        files=CloudFiles(upstream.http, endpoint, store),
    )


def job(pictures: int = 0) -> VideoJob:
    """Return a job that is about to be sent."""
    order = msgspec.structs.replace(
        video_order(),
        upstream="gemini-omni-1.2-flash",
        input=VideoInput.FRAME if pictures else VideoInput.TEXT,
        pictures=tuple(StoredInput(f"{number}.png", "") for number in range(pictures)),
    )
    return advance(video_job(order=order), Intended("mine"))


async def polled(omni: OmniProvider) -> Report:
    """Return how the job stands."""
    return (await omni.poll([Operation("v1_a", "scene-1")], account="mine"))["v1_a"]


@pytest.mark.parametrize(("bucket", "golden"), [("", "first_frame_inline"), ("adapter/videos", "first_frame_bucket")])
async def test_a_job_is_sent_to_the_one_location_that_there_is(upstream: Upstream, bucket: str, golden: str) -> None:
    """With the picture inside of it; the video comes in the answer, or goes to a folder of its own in the bucket."""
    google = Stub()
    omni = provider(upstream, google, bucket=bucket)
    pictures = await omni.upload([made_image()], account="mine")

    operation = await omni.submit(job(1), pictures)

    expected = msgspec.json.decode((GOLDEN / "cloud" / f"{golden}.request.json").read_bytes())
    expected["input"][0]["data"] = base64.b64encode(made_image().decode()).decode()
    assert msgspec.json.decode(google.bodies[0]) == expected
    assert (operation, google.asked) == (Operation("v1_a", "scene-1"), [f"POST {PLACE}"])
    sent = google.headers[0]
    assert (sent["authorization"], sent["x-goog-user-project"]) == ("Bearer ya29.token", "payer")


async def test_a_video_comes_in_the_answer(upstream: Upstream) -> None:
    """Without a bucket."""
    google = Stub()
    google.finishes({"type": "video", "data": base64.b64encode(CLIP).decode()})

    found = await polled(provider(upstream, google))

    assert isinstance(found, Finished)
    assert (found.video, found.data) == (RemoteVideo(), CLIP)


async def test_a_video_of_the_bucket_is_fetched_with_the_same_token(upstream: Upstream) -> None:
    """Its name is percent-encoded as a whole."""
    google = Stub()
    google.finishes({"type": "video", "uri": "gs://films/adapter/scene-1/sample_0.mp4"})
    google.answers["/storage/v1/b/films/o/adapter%2Fscene-1%2Fsample_0.mp4"] = lambda: httpx.Response(200, content=CLIP)
    omni = provider(upstream, google, bucket="adapter")

    found = await polled(omni)
    assert isinstance(found, Finished)
    async with omni.download(found.video.file, account="mine") as download:
        data = await download.read(10_000)

    assert data == CLIP
    assert google.asked[-1] == "GET /storage/v1/b/films/o/adapter%2Fscene-1%2Fsample_0.mp4?alt=media"
    assert google.headers[-1]["authorization"] == "Bearer ya29.token"


@pytest.mark.parametrize(
    "name", ["gs://others/adapter/scene-1/a.mp4", "gs://films/elsewhere/a.mp4", "https://evil.example/a.mp4", "f1"]
)
async def test_a_file_outside_of_the_folder_is_not_fetched(upstream: Upstream, name: str) -> None:
    """The token goes to the configured place only."""
    google = Stub()

    with pytest.raises(UpstreamBroken, match="not in the configured bucket"):
        async with provider(upstream, google, bucket="adapter").download(RemoteFile(name=name), account="mine"):
            pass
    assert google.asked == []


@pytest.mark.parametrize("tokens", [10, 0])
async def test_a_finished_job_without_a_video_may_have_it_in_the_bucket(upstream: Upstream, tokens: int) -> None:
    """Google was seen to forget it in its answer."""
    google = Stub()
    google.finishes(tokens=tokens)
    names = [{"name": "adapter/scene-1/"}, {"name": "adapter/scene-1/sample_0.mp4"}]
    google.answers["/storage/v1/b/films/o"] = lambda: httpx.Response(200, json={"items": names})

    found = await polled(provider(upstream, google, bucket="adapter"))

    assert found == Finished(RemoteVideo(name="gs://films/adapter/scene-1/sample_0.mp4"))
    assert google.asked[-1].startswith("GET /storage/v1/b/films/o?prefix=adapter%2Fscene-1%2F")


@pytest.mark.parametrize(("tokens", "kind"), [(10, Empty), (0, Refused)])
async def test_a_bucket_without_the_video_changes_nothing(upstream: Upstream, tokens: int, kind: type[Report]) -> None:
    """The job stands as its interaction says."""
    google = Stub()
    google.finishes(tokens=tokens)
    google.answers["/storage/v1/b/films/o"] = lambda: httpx.Response(200, json={"kind": "storage#objects"})

    assert isinstance(await polled(provider(upstream, google, bucket="adapter")), kind)


async def test_a_missing_right_is_the_operators_to_mend_and_is_asked_for_once(upstream: Upstream) -> None:
    """In the numeric form of Google Cloud's errors."""
    google = Stub()
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}]
    body = {"error": {"code": 403, "message": "Agent Platform API has not been used", "details": details}}
    google.answers[PLACE] = lambda: httpx.Response(403, json=body)

    with pytest.raises(UpstreamCredential), structlog.testing.capture_logs() as written:
        await provider(upstream, google).submit(job(), ())

    assert google.asked == [f"POST {PLACE}"]
    assert [(line["event"], line["provider"]) for line in written] == [("upstream.credential_denied", "vertex")]
