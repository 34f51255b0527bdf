"""The sandbox's desk for upscales: what it makes, what it charges, and every refusal."""

import pytest

from adapter.sandbox.app import create_sandbox
from adapter.sandbox.rules import SandboxAccount, SandboxRules
from tests.sandbox.helpers import FLOW, PROJECT, VIDEO, Client, Clock, Json, finished, reason, seed, submitted

SCENE = "c35919a4-3a87-4d9e-8843-f292b7df4723"


async def made(client: Client, clock: Clock) -> str:
    """Have a video made and return Google's name of it."""
    return str((await finished(client, clock, await submitted(client)))["name"])


def body(name: str, tier: str = "PAYGATE_TIER_ONE", **changes: Json) -> Json:
    """Return a request for a portrait video in 1080p, changed."""
    context = {**seed("flow.video.text.portrait.request")["clientContext"], "userPaygateTier": tier}
    one = {
        "aspectRatio": "VIDEO_ASPECT_RATIO_PORTRAIT",
        "seed": 7,
        "videoModelKey": "veo_3_1_upsampler_1080p",
        "resolution": "VIDEO_RESOLUTION_1080P",
        "videoInput": {"mediaId": name},
        "metadata": {"sceneId": SCENE},
    }
    return {"clientContext": context, "requests": [{**one, **changes}]}


async def test_a_finished_clip_becomes_finer(client: Client, clock: Clock) -> None:
    """A job like any other, which costs nothing in 1080p; its scene is that of the first one."""
    name = await made(client, clock)
    answer = await client.post(f"{VIDEO}UpsampleVideo", headers=FLOW, json=body(name))
    told = answer.json()
    video = (await finished(client, clock, told["operations"]))["video"]

    assert (told["operations"][0]["sceneId"], told["remainingCredits"]) == (SCENE, 660)
    assert (video["model"], video["prompt"]) == ("veo_3_1_upsampler_1080p", "a girl dances")
    assert video["mediaGenerationId"] != name


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"videoModelKey": "veo_3_1_t2v_fast"}, "requests[0].video_model_key"),
        ({"resolution": "VIDEO_RESOLUTION_4K"}, "requests[0].resolution"),
        ({"resolution": "1080p"}, "resolution"),
        ({"aspectRatio": "VIDEO_ASPECT_RATIO_LANDSCAPE"}, "requests[0].aspect_ratio"),
        ({"metadata": {}}, "requests[0].metadata.scene_id"),
        ({"textInput": {"prompt": "x"}}, "textInput"),
        ({"videoInput": {}}, "video_input"),
    ],
)
async def test_wrong_upscales_are_refused(client: Client, clock: Clock, changes: Json, words: str) -> None:
    """400, with the place."""
    answer = await client.post(f"{VIDEO}UpsampleVideo", headers=FLOW, json=body(await made(client, clock), **changes))

    assert answer.status_code == 400
    assert words.replace("_", "").lower() in answer.text.replace("_", "").lower()


async def test_what_is_not_there_is_not_found(client: Client, clock: Clock) -> None:
    """Neither an unknown clip nor one that is still made; a finer one is not made finer."""
    running = (await submitted(client))[0]["operation"]["name"]
    for name in ("CAUS-unknown", running):
        assert (await client.post(f"{VIDEO}UpsampleVideo", headers=FLOW, json=body(name))).status_code == 404
    told = (await client.post(f"{VIDEO}UpsampleVideo", headers=FLOW, json=body(await made(client, clock)))).json()
    finer = (await finished(client, clock, told["operations"]))["name"]

    assert (await client.post(f"{VIDEO}UpsampleVideo", headers=FLOW, json=body(finer))).status_code == 400


async def test_4k_is_for_the_highest_tier(client: Client, clock: Clock) -> None:
    """As Flow refuses any model that an account does not have."""
    four = {"videoModelKey": "veo_3_1_upsampler_4k", "resolution": "VIDEO_RESOLUTION_4K"}
    answer = await client.post(f"{VIDEO}UpsampleVideo", headers=FLOW, json=body(await made(client, clock), **four))

    assert (answer.status_code, reason(answer)) == (403, "PUBLIC_ERROR_MODEL_ACCESS_DENIED")


async def test_4k_costs_credits(clock: Clock) -> None:
    """Two and a half times as much as a clip of the fast model."""
    account = SandboxAccount(token="sandbox-flow-token", project_id=PROJECT, credits=680, tier="PAYGATE_TIER_TWO")
    rules = SandboxRules(port=0, accounts=(account,), clip_seconds=0.5, clip_long_edge=320)
    text = seed("flow.video.text.portrait.request")
    text["clientContext"]["userPaygateTier"] = "PAYGATE_TIER_TWO"
    four = {"videoModelKey": "veo_3_1_upsampler_4k", "resolution": "VIDEO_RESOLUTION_4K"}
    async with Client(app=create_sandbox(rules, clock=clock)) as client:
        operations = (await client.post(f"{VIDEO}Text", headers=FLOW, json=text)).json()["operations"]
        name = (await finished(client, clock, operations))["name"]
        answer = await client.post(f"{VIDEO}UpsampleVideo", headers=FLOW, json=body(name, "PAYGATE_TIER_TWO", **four))

    assert answer.json()["remainingCredits"] == 680 - 20 - 50
