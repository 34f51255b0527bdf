"""The sandbox's desk for extensions: what it makes, what it charges, and every refusal."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from litestar.testing import AsyncTestClient

from adapter.sandbox.app import create_sandbox
from tests.sandbox.helpers import FLOW, OTHER, VIDEO, Client, Clock, Json, ledger
from tests.sandbox.test_sandbox_media_dialect import RULES, golden, status, submitted


@pytest.fixture
async def client(clock: Clock) -> AsyncIterator[Client]:
    """A fresh sandbox with an account of each dialect."""
    async with AsyncTestClient(create_sandbox(RULES, clock=clock)) as client:
        yield client


async def body(client: Client, clock: Clock, **changes: Json) -> Json:
    """Have a portrait video made, and return a request that goes on from it, changed."""
    told = (await submitted(client, golden("submit.request"))).json()
    clock.now += 60
    request = golden("extend.request")
    [one] = request["requests"]
    one["videoInput"]["mediaId"] = told["media"][0]["name"]
    one["metadata"]["workflowId"] = told["workflows"][0]["name"]
    request["requests"] = [{**one, **changes}]
    return request


async def test_a_finished_clip_goes_on(client: Client, clock: Clock) -> None:
    """In a clip of its own, a job like any other, in the same workflow; and that one goes on as well."""
    request = await body(client, clock)
    for left in (640, 620):
        answer = await client.post(f"{VIDEO}ExtendVideo", headers=FLOW, json=request)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        clock.now += 60
        [medium] = (await status(client, told["media"])).json()["media"]

        assert told["remainingCredits"] == left
        assert told["workflows"][0]["name"] == request["requests"][0]["metadata"]["workflowId"]
        assert medium["mediaMetadata"]["mediaStatus"]["mediaGenerationStatus"].endswith("SUCCESSFUL")
        assert medium["video"]["generatedVideo"]["model"] == "veo_3_1_extend_portrait"
        request["requests"][0]["videoInput"]["mediaId"] = medium["name"]

    assert len((await ledger(client))["executions"]) == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"videoModelKey": "veo_3_1_t2v_fast"}, "requests[0].video_model_key"),
        ({"videoModelKey": "veo_3_1_extend_landscape"}, "requests[0].aspect_ratio"),
        ({"metadata": {}}, "requests[0].metadata.workflow_id"),
        ({"metadata": {"sceneId": "x"}}, "sceneId"),
        ({"textInput": {"prompt": "x"}}, "requests[0].text_input"),
        ({"textInput": {"structuredPrompt": {"parts": []}}}, "requests[0].text_input"),
        ({"videoInput": {}}, "video_input"),
        ({"resolution": "VIDEO_RESOLUTION_4K"}, "resolution"),
        (
            {"videoModelKey": "veo_3_1_extend_landscape", "aspectRatio": "VIDEO_ASPECT_RATIO_LANDSCAPE"},
            "requests[0].aspect_ratio",
        ),
    ],
)
async def test_wrong_extensions_are_refused(client: Client, clock: Clock, changes: Json, words: str) -> None:
    """400, with the place; nothing is charged."""
    answer = await client.post(f"{VIDEO}ExtendVideo", headers=FLOW, json=await body(client, clock, **changes))

    assert answer.status_code == 400
    assert words.replace("_", "").lower() in answer.text.replace("_", "").lower()
    assert len((await ledger(client))["executions"]) == 1


async def test_what_is_not_there_is_not_found(client: Client, clock: Clock) -> None:
    """An unknown clip, one that is still made, and another workflow."""
    good = await body(client, clock)
    running = (await submitted(client, golden("submit.request"))).json()["media"][0]["name"]
    for change in ({"videoInput": {"mediaId": "unknown"}}, {"videoInput": {"mediaId": running}}):
        wrong = {**good, "requests": [{**good["requests"][0], **change}]}
        assert (await client.post(f"{VIDEO}ExtendVideo", headers=FLOW, json=wrong)).status_code == 404
    other = {**good, "requests": [{**good["requests"][0], "metadata": {"workflowId": "unknown"}}]}
    assert (await client.post(f"{VIDEO}ExtendVideo", headers=FLOW, json=other)).status_code == 404


async def test_the_older_form_does_not_extend(client: Client, clock: Clock) -> None:
    """No source has an extension in it; an account of the older dialect refuses the newer form."""
    good = await body(client, clock)
    older = msgspec.json.decode(msgspec.json.encode(good))
    del older["useV2ModelConfig"], older["mediaGenerationContext"]

    assert (await client.post(f"{VIDEO}ExtendVideo", headers=FLOW, json=older)).status_code == 400
    assert (await client.post(f"{VIDEO}ExtendVideo", headers=OTHER, json=good)).status_code == 400
