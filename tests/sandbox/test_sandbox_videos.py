"""Flow's video desks: the seed's bodies, the life of a job, the shapes of its status, and every refusal."""

import io

import av
import pytest

from tests.sandbox.helpers import (
    FLOW,
    OTHER,
    VIDEO,
    Client,
    Clock,
    Json,
    faulty,
    finished,
    ledger,
    opened,
    reason,
    seed,
    shape,
    status,
    submitted,
    uploaded,
)

PENDING = "MEDIA_GENERATION_STATUS_PENDING"
ACTIVE = "MEDIA_GENERATION_STATUS_ACTIVE"
SUCCESSFUL = "MEDIA_GENERATION_STATUS_SUCCESSFUL"


def text_body(**changes: Json) -> Json:
    """Return seed 002's portrait video with changes to its one request."""
    body = seed("flow.video.text.portrait.request")
    body["requests"][0] |= changes
    return body


async def test_the_seeds_texts_are_taken(client: Client) -> None:
    """Both text bodies of seed 002 give the seed's answer, and each costs 20 credits."""
    bodies = [seed(f"flow.video.text.{name}.request") for name in ("portrait", "landscape")]

    first, second = [(await client.post(f"{VIDEO}Text", headers=FLOW, json=body)).json() for body in bodies]

    assert shape(first) == shape(second) == shape(seed("flow.video.submit.response"))
    assert (first["remainingCredits"], second["remainingCredits"]) == (660, 640)
    assert second["operations"][0]["sceneId"] == "d2485960-b2b8-499b-8289-e927e63556b5"


@pytest.mark.parametrize(
    ("key", "ratio", "left"),
    [
        ("veo_3_1_t2v_lite", "PORTRAIT", 670),
        ("veo_3_1_t2v_lite_4s", "LANDSCAPE", 670),
        ("veo_3_1_t2v_fast_6s", "PORTRAIT", 660),
        ("veo_3_1_t2v", "LANDSCAPE", 580),
        ("veo_3_1_t2v_quality_4s", "PORTRAIT", 580),
    ],
)
async def test_every_model_has_its_price(client: Client, key: str, ratio: str, left: int) -> None:
    """Lite half of the fast one, quality five times as much; the short keys serve both shapes."""
    body = text_body(videoModelKey=key, aspectRatio=f"VIDEO_ASPECT_RATIO_{ratio}")

    answer = await client.post(f"{VIDEO}Text", headers=FLOW, json=body)

    assert answer.json()["remainingCredits"] == left


async def test_the_seeds_frames_are_taken(client: Client) -> None:
    """First and last frame of seed 002, with pictures that exist."""
    body = seed("flow.video.start_end.request")
    for frame in ("startImage", "endImage"):
        body["requests"][0][frame]["mediaId"] = await uploaded(client)

    answer = await client.post(f"{VIDEO}StartAndEndImage", headers=FLOW, json=body)

    assert shape(answer.json()) == shape(seed("flow.video.submit.response"))


async def test_the_seeds_references_are_taken(client: Client) -> None:
    """Three references of seed 004, from the account of its project."""
    body = seed("flow.video.references.request")
    for image in body["requests"][0]["referenceImages"]:
        image["mediaId"] = await uploaded(client, OTHER)

    answer = await client.post(f"{VIDEO}ReferenceImages", headers=OTHER, json=body)

    assert shape(answer.json()) == shape(seed("flow.video.references.response"))


@pytest.mark.parametrize("key", ["veo_3_1_i2v_s_fast_portrait", "veo_3_1_i2v_s_fast_portrait_fl"])
async def test_a_first_frame_is_enough(client: Client, key: str) -> None:
    """StartImage takes the key without `_fl` and the seed's own."""
    start = {"mediaId": await uploaded(client)}
    body = text_body(videoModelKey=key, startImage=start)

    answer = await client.post(f"{VIDEO}StartImage", headers=FLOW, json=body)

    assert answer.status_code == 200


async def test_a_job_goes_from_pending_to_successful(client: Client, clock: Clock) -> None:
    """Pending for 2 s, active for 8 s as a bare list, then an object with the seed's keys."""
    operations = await submitted(client)
    seen = []
    for seconds in (0, 2, 7.9, 0.2):
        clock.now += seconds
        seen.append((await status(client, operations)).json())

    assert [answer[0]["status"] for answer in seen[:3]] == [PENDING, ACTIVE, ACTIVE]
    assert shape(seen[1]) == shape(seed("flow.status.running.response"))
    assert seen[3]["operations"][0]["status"] == SUCCESSFUL


async def test_a_finished_job_has_the_seeds_keys(client: Client, clock: Clock) -> None:
    """Nested, the answer has exactly the keys and the type of seed 002."""
    operations = await submitted(client)
    clock.now += 60
    await faulty(client, {"on": "flow.poll", "do": "nested"})

    answer = (await status(client, operations)).json()

    expected = seed("flow.status.finished.response")
    assert shape(answer) == shape(expected)
    got, wanted = (one["operations"][0]["operation"]["metadata"] for one in (answer, expected))
    assert got["@type"] == wanted["@type"]
    assert got["name"].startswith("CAUSJDAyYWM4NjhiLTkyNWYtNDBjMS05MTg3LWE2ODhiZDAzYTg0ZBok")


async def test_metadata_is_nested_or_flat_and_stays_so(client: Client, clock: Clock) -> None:
    """Among many jobs both shapes occur, and a job keeps its own from poll to poll."""
    jobs = [await submitted(client) for _ in range(34)]
    clock.now += 60

    async def places() -> list[bool]:
        answers = [(await status(client, job)).json()["operations"][0] for job in jobs]
        return ["metadata" in answer for answer in answers]

    first = await places()
    assert set(first) == {True, False}
    assert await places() == first


@pytest.mark.parametrize(
    ("mutation", "expected"),
    [
        ("flat", {"operations", "metadata"}),
        ("nested", {"operations", "operation.metadata"}),
        ("no_media", {"operations"}),
        ("list", set()),
    ],
)
async def test_shapes_can_be_forced(client: Client, clock: Clock, mutation: str, expected: set[str]) -> None:
    """A fault decides the shape of a finished job's answer."""
    operations = await submitted(client)
    clock.now += 60
    await faulty(client, {"on": "flow.poll", "do": mutation})

    answer = (await status(client, operations)).json()

    job = (answer if isinstance(answer, list) else answer["operations"])[0]
    found = {"operations"} if isinstance(answer, dict) else set()
    found |= {"metadata"} if "metadata" in job else set()
    found |= {"operation.metadata"} if "metadata" in job["operation"] else set()
    assert found - ({"metadata", "operation.metadata"} if mutation == "list" else set()) == expected


async def test_a_running_job_can_be_an_object_or_missing(client: Client) -> None:
    """The faults object and omit change the answer about running jobs."""
    operations = await submitted(client)
    await faulty(client, {"on": "flow.poll", "do": "object"}, {"on": "flow.poll", "do": "omit"})

    assert "remainingCredits" in (await status(client, operations)).json()
    assert (await status(client, operations)).json() == []
    assert (await status(client, operations)).json()[0]["status"] == PENDING


async def test_a_doomed_job_fails_with_its_reason(client: Client, clock: Clock) -> None:
    """`[fails]` is accepted and charged, and ends as FAILED with a public reason."""
    operations = await submitted(client, "[fails] a girl dances")
    clock.now += 60

    job = (await status(client, operations)).json()["operations"][0]

    assert job["status"] == "MEDIA_GENERATION_STATUS_FAILED"
    assert job["operation"]["error"]["message"] == "PUBLIC_ERROR_VIDEO_GENERATION_TIMED_OUT"


async def test_jobs_are_asked_for_together(client: Client) -> None:
    """One call answers many jobs in its own order."""
    operations = [*await submitted(client, "one"), *await submitted(client, "two")]

    answer = (await status(client, operations[::-1])).json()

    names = [job["operation"]["name"] for job in operations]
    assert [job["operation"]["name"] for job in answer] == names[::-1]


async def test_unknown_and_foreign_jobs_refuse_the_call(client: Client) -> None:
    """One job that is unknown is 404, one of another account 403, for the whole call."""
    operations = await submitted(client)

    unknown = await status(client, [*operations, *seed("flow.status.request")["operations"]])
    foreign = await status(client, operations, OTHER)
    empty = await status(client, [])

    assert [answer.status_code for answer in (unknown, foreign, empty)] == [404, 403, 400]


@pytest.mark.parametrize(
    ("endpoint", "changes", "words"),
    [
        ("Text", {"aspectRatio": "VIDEO_ASPECT_RATIO_SQUARE"}, "requests[0].aspect_ratio"),
        ("Text", {"aspectRatio": "VIDEO_ASPECT_RATIO_LANDSCAPE"}, "requests[0].aspect_ratio"),
        ("Text", {"videoModelKey": "veo_3_1_t2v_fast"}, "requests[0].aspect_ratio"),
        ("Text", {"videoModelKey": "veo_3_1_i2v_s_fast_portrait_fl"}, "requests[0].video_model_key"),
        ("Text", {"videoModelKey": "sora-2"}, "requests[0].video_model_key"),
        ("Text", {"startImage": {"mediaId": "x"}}, "Unknown name \"startImage\" at 'requests[0]'"),
        ("Text", {"textInput": {"prompt": ""}}, "requests[0].text_input.prompt"),
        ("Text", {"metadata": {}}, "requests[0].metadata.scene_id"),
        ("StartImage", {"videoModelKey": "veo_3_1_i2v_s_fast_portrait"}, "startImage"),
        ("ReferenceImages", {"videoModelKey": "veo_3_0_r2v_fast"}, "requests[0].aspect_ratio"),
    ],
)
async def test_wrong_videos_are_refused(client: Client, endpoint: str, changes: Json, words: str) -> None:
    """A key has one desk and one orientation; whatever is missing or unknown is 400."""
    answer = await client.post(f"{VIDEO}{endpoint}", headers=FLOW, json=text_body(**changes))

    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", ["sessionId", "projectId", "tool", "userPaygateTier"])
async def test_the_whole_context_is_needed(client: Client, name: str) -> None:
    """Each field of a video's clientContext is required."""
    body = text_body()
    del body["clientContext"][name]

    answer = await client.post(f"{VIDEO}Text", headers=FLOW, json=body)

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("context", "code", "public"),
    [
        ({"projectId": "22f06d1e-1d4d-4157-9b19-1d7a49d81a6c"}, 403, None),
        ({"userPaygateTier": "PAYGATE_TIER_TWO"}, 403, "PUBLIC_ERROR_MODEL_ACCESS_DENIED"),
        ({"tool": "ASSET_MANAGER"}, 400, None),
    ],
)
async def test_the_context_must_be_the_accounts(client: Client, context: Json, code: int, public: str | None) -> None:
    """Another account's project, another tier and another tool are refused."""
    body = text_body()
    body["clientContext"] |= context

    answer = await client.post(f"{VIDEO}Text", headers=FLOW, json=body)

    assert answer.status_code == code
    assert public is None or reason(answer) == public


async def test_unknown_frames_are_not_found(client: Client) -> None:
    """The seed's own media ids do not exist here: 404, and nothing is charged."""
    answer = await client.post(f"{VIDEO}StartAndEndImage", headers=FLOW, json=seed("flow.video.start_end.request"))

    assert answer.status_code == 404
    assert (await ledger(client))["accounts"][0]["credits"] == 680


@pytest.mark.parametrize("count", [0, 4])
async def test_references_are_one_to_three(client: Client, count: int) -> None:
    """No reference, or a fourth, is 400."""
    body = seed("flow.video.references.request")
    body["requests"][0]["referenceImages"] = body["requests"][0]["referenceImages"][:1] * count

    answer = await client.post(f"{VIDEO}ReferenceImages", headers=OTHER, json=body)

    assert answer.status_code == 400


@pytest.mark.parametrize(("count", "code"), [(0, 400), (4, 200), (5, 400)])
async def test_a_batch_holds_four(client: Client, count: int, code: int) -> None:
    """No video, or more than four, is 400."""
    body = text_body()
    body["requests"] *= count

    answer = await client.post(f"{VIDEO}Text", headers=FLOW, json=body)

    assert answer.status_code == code


async def test_credits_run_out(client: Client) -> None:
    """A batch that costs more than is left is 429 with Flow's quota reason, and nothing of it is carried out."""
    body = seed("flow.video.references.request")
    for image in body["requests"][0]["referenceImages"]:
        image["mediaId"] = await uploaded(client, OTHER)
    body["requests"] *= 2

    answer = await client.post(f"{VIDEO}ReferenceImages", headers=OTHER, json=body)

    assert (answer.status_code, answer.json()["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert reason(answer) == "PUBLIC_ERROR_USER_QUOTA_REACHED"
    assert (await ledger(client))["executions"] == []


async def test_an_unsafe_video_is_refused(client: Client) -> None:
    """`[unsafe]` is 400 at the submit."""
    answer = await client.post(f"{VIDEO}Text", headers=FLOW, json=text_body(textInput={"prompt": "[unsafe]"}))

    assert reason(answer) == "PUBLIC_ERROR_UNSAFE_GENERATION"


async def test_the_ledger_knows_the_execution(client: Client, clock: Clock) -> None:
    """Scene, operation, prompt, model and time of a video are on record."""
    [job] = await submitted(client, "a girl dances")

    [execution] = (await ledger(client))["executions"]
    assert execution["operation"] == job["operation"]["name"]
    assert execution["scene_id"] == job["sceneId"]
    assert (execution["kind"], execution["prompt"]) == ("video", "a girl dances")
    assert (execution["model"], execution["at"]) == ("veo_3_1_t2v_fast_portrait", clock.now)


@pytest.mark.parametrize(("portrait", "size"), [(True, (180, 320)), (False, (320, 180))])
async def test_a_clip_is_real_h264_that_moves(
    client: Client, clock: Clock, portrait: bool, size: tuple[int, int]
) -> None:
    """The MP4 decodes: codec, orientation, length, 24 frames a second, and its frames differ."""
    media = await finished(client, clock, await submitted(client, portrait=portrait))

    data = (await client.get(media["video"]["fifeUrl"])).content

    with av.open(io.BytesIO(data), "r") as clip:
        stream = clip.streams.video[0]
        frames = [bytes(frame.planes[0]) for frame in clip.decode(stream)]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == size
        assert stream.average_rate == 24
    assert len(frames) == 12
    assert len(set(frames)) == 12
    assert data.index(b"moov") < data.index(b"mdat")


async def test_a_poster_is_the_first_frame(client: Client, clock: Clock) -> None:
    """The serving address gives a JPEG of the clip's size."""
    media = await finished(client, clock, await submitted(client))

    answer = await client.get(media["video"]["servingBaseUri"])

    assert answer.headers["content-type"] == "image/jpeg"
    assert (opened(answer.content).format, opened(answer.content).size) == ("JPEG", (180, 320))
