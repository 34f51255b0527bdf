"""Flow's `media` dialect in the sandbox: the golden bodies, per account, and every refusal of the other dialect."""

import base64
from collections.abc import AsyncIterator

import msgspec
import pytest
from httpx import Response
from litestar.testing import AsyncTestClient

from adapter.sandbox.app import create_sandbox
from adapter.sandbox.rules import SandboxAccount, SandboxRules
from tests.sandbox.helpers import (
    FLOW,
    OTHER,
    OTHER_PROJECT,
    PROJECT,
    STATUS,
    VIDEO,
    Client,
    Clock,
    Json,
    faulty,
    ledger,
    seed,
    shape,
)
from tests.support import GOLDEN

RULES = SandboxRules(
    port=0,
    accounts=(
        SandboxAccount(token="sandbox-flow-token", project_id=PROJECT, credits=680, dialect="media"),
        SandboxAccount(token="other-token", project_id=OTHER_PROJECT, credits=680),
    ),
    clip_seconds=0.5,
    clip_long_edge=320,
)


@pytest.fixture
async def client(clock: Clock) -> AsyncIterator[Client]:
    """A fresh sandbox with an account of each dialect."""
    async with AsyncTestClient(create_sandbox(RULES, clock=clock)) as client:
        yield client


def golden(name: str) -> Json:
    """Return a body of the golden exchange."""
    return msgspec.json.decode((GOLDEN / "flow" / f"media.{name}.json").read_bytes())


async def submitted(client: Client, body: Json, headers: dict[str, str] = FLOW) -> Response:
    """Ask for a video from a text."""
    return await client.post(f"{VIDEO}Text", headers=headers, json=body)


async def taken(client: Client, prompt: str = "a girl dances") -> Json:
    """Submit a video and return its media."""
    body = golden("submit.request")
    body["requests"][0]["textInput"]["structuredPrompt"]["parts"] = [{"text": prompt}]
    answer = await submitted(client, body)
    assert answer.status_code == 200, answer.text
    return answer.json()["media"]


async def status(client: Client, media: Json) -> Response:
    """Ask about media."""
    return await client.post(STATUS, headers=FLOW, json={"media": media})


async def file_of(client: Client, media: Json, headers: dict[str, str] = FLOW) -> Response:
    """Ask for the file of a medium."""
    return await client.get(f"/v1/media/{media[0]['name']}", headers=headers)


async def test_the_golden_submission_is_taken_and_charged_once(client: Client) -> None:
    """The answer has the golden names, and no operations; the batch is what the ledger knows it by."""
    answer = await submitted(client, golden("submit.request"))

    assert shape(answer.json()) == shape(golden("submit.response"))
    assert answer.json()["remainingCredits"] == 660
    [execution] = (await ledger(client))["executions"]
    assert (execution["scene_id"], execution["prompt"]) == ("b35919a4-3a87-4d9e-8843-f292b7df4723", "一个美女跳舞")
    assert execution["operation"] == answer.json()["media"][0]["name"]


async def test_the_older_form_is_taken_as_well_and_answered_in_the_newer_one(client: Client) -> None:
    """As it was when last seen."""
    answer = await submitted(client, seed("flow.video.text.portrait.request"))

    assert shape(answer.json()) == shape(golden("submit.response"))


async def test_a_medium_goes_from_pending_to_successful(client: Client, clock: Clock) -> None:
    """With the golden names at each step, and never with a link."""
    media = await taken(client)
    seen = []
    for seconds in (0, 2, 60):
        clock.now += seconds
        seen.append((await status(client, media)).json())

    states = [each["media"][0]["mediaMetadata"]["mediaStatus"]["mediaGenerationStatus"] for each in seen]
    assert states == [f"MEDIA_GENERATION_STATUS_{word}" for word in ("PENDING", "ACTIVE", "SUCCESSFUL")]
    assert shape(seen[1]) == shape(golden("status.running.response"))
    assert shape(seen[2]) == shape(golden("status.finished.response"))
    assert b"http" not in msgspec.json.encode(seen)


async def test_a_medium_that_fails_says_why(client: Client, clock: Clock) -> None:
    """The error and the reasons."""
    media = await taken(client, "waves [fails]")
    clock.now += 60
    answer = (await status(client, media)).json()

    assert shape(answer) == shape(golden("status.failed.response"))
    assert (await file_of(client, media)).status_code == 404


async def test_a_finished_medium_is_handed_out_as_base64(client: Client, clock: Clock) -> None:
    """To its own account, and not before."""
    media = await taken(client)
    early = await file_of(client, media)
    clock.now += 60
    whole = await file_of(client, media)

    assert early.status_code == 404
    assert shape(whole.json()) == shape(golden("file.response"))
    assert base64.b64decode(whole.json()["video"]["encodedVideo"])[4:8] == b"ftyp"
    assert [(await file_of(client, media, headers)).status_code for headers in (OTHER, {})] == [403, 401]


async def test_faults_of_the_media_door(client: Client, clock: Clock) -> None:
    """A refusal, an answer without the video, and half of one."""
    media = await taken(client)
    clock.now += 60
    await faulty(
        client,
        {"on": "flow.media", "do": "error", "status": 400},
        {"on": "flow.media", "do": "no_media"},
        {"on": "flow.media", "do": "short"},
    )

    assert (await file_of(client, media)).status_code == 400
    assert (await file_of(client, media)).json() == {"video": {}}
    half, whole = (await file_of(client, media)).content, (await file_of(client, media)).content
    assert whole.startswith(half)
    assert len(half) == len(whole) // 2


@pytest.mark.parametrize("mutation", ["omit", "list"])
async def test_twists_of_a_status_answer(client: Client, mutation: str) -> None:
    """The first one left out, or no object around the list."""
    media = await taken(client)
    await faulty(client, {"on": "flow.poll", "do": mutation})
    answer = (await status(client, media)).json()

    assert answer == {"media": []} if mutation == "omit" else [each["name"] for each in answer] == [media[0]["name"]]


def changed(path: str, value: Json) -> Json:
    """Return the golden submission with one value changed; None takes the key away."""
    body = golden("submit.request")
    *way, last = path.split(".")
    place = body
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return body


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("useV2ModelConfig", None, "use_v2_model_config"),
        ("useV2ModelConfig", False, "use_v2_model_config"),
        ("mediaGenerationContext", None, "media_generation_context.batch_id"),
        ("mediaGenerationContext.batchId", "7", "media_generation_context.batch_id"),
        ("mediaGenerationContext.audioFailurePreference", "LOUD", "media_generation_context.audio_failure_preference"),
        ("requests.0.textInput", {"prompt": "a"}, "requests[0].text_input"),
        ("requests.0.textInput.prompt", "a", "requests[0].text_input"),
        ("requests.0.textInput.structuredPrompt.parts", [], "requests[0].text_input.prompt"),
        ("requests.0.textInput.structuredPrompt.text", "a", "requests[0].text_input.structured_prompt"),
    ],
)
async def test_a_mixture_of_both_forms_is_refused(client: Client, path: str, value: Json, named: str) -> None:
    """And the place is named."""
    answer = await submitted(client, changed(path, value))

    assert answer.status_code == 400
    assert named in answer.text
    assert (await ledger(client))["executions"] == []


async def test_an_account_of_the_older_dialect_does_not_know_the_newer_one(client: Client) -> None:
    """Neither the submission, nor the question, nor the door to the file."""
    body = golden("submit.request")
    body["clientContext"]["projectId"] = OTHER_PROJECT
    submission = await submitted(client, body, OTHER)
    question = await client.post(STATUS, headers=OTHER, json=golden("status.request"))
    operations = (await submitted(client, _of_other(seed("flow.video.text.portrait.request")), OTHER)).json()
    door = await client.get(f"/v1/media/{operations['operations'][0]['operation']['name']}", headers=OTHER)

    for name in ("mediaGenerationContext", "useV2ModelConfig", "structuredPrompt"):
        assert f'Unknown name \\"{name}\\"' in submission.text
    assert (submission.status_code, question.status_code, door.status_code) == (400, 400, 404)


def _of_other(body: Json) -> Json:
    body["clientContext"]["projectId"] = OTHER_PROJECT
    return body


async def test_an_account_of_the_newer_dialect_answers_no_question_in_the_older_one(client: Client) -> None:
    """Nor an empty one, nor one about another project."""
    media = await taken(client)
    name = media[0]["name"]
    asked = [
        {"operations": [{"operation": {"name": name}}]},
        {"media": []},
        {"media": [{"name": name, "projectId": OTHER_PROJECT}]},
        {"media": [{"name": "unknown", "projectId": PROJECT}]},
    ]

    answers = [await client.post(STATUS, headers=FLOW, json=body) for body in asked]
    assert [answer.status_code for answer in answers] == [400, 400, 403, 404]
