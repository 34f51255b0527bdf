"""Flow's picture desks take the seed's bodies, answer with the seed's keys, and refuse what Google refuses."""

import pytest

from tests.sandbox.helpers import (
    FLOW,
    IMAGES,
    OTHER,
    OTHER_PROJECT,
    VIDEO,
    Client,
    Json,
    faulty,
    ledger,
    opened,
    picture,
    reason,
    seed,
    shape,
    uploaded,
)

UPLOAD = "/v1:uploadUserImage"


def upload_body(mime: str = "image/jpeg", data: str | None = None, **image: Json) -> Json:
    """Return seed 002's upload with a real picture."""
    body = seed("flow.upload.request")
    data = picture("JPEG", (768, 1364)) if data is None else data
    body["imageInput"] |= {"rawImageBytes": data, "mimeType": mime, **image}
    return body


def batch(**changes: Json) -> Json:
    """Return seed 002's picture with changes."""
    body = seed("flow.images.text.request")
    body["requests"][0] |= changes
    return body


async def test_an_upload_is_named_and_measured(client: Client) -> None:
    """The seed's upload answers with the seed's keys and the picture's own size."""
    answer = await client.post(UPLOAD, headers=FLOW, json=upload_body())

    assert shape(answer.json()) == shape(seed("flow.upload.response"))
    assert (answer.json()["width"], answer.json()["height"]) == (768, 1364)
    assert answer.json()["mediaGenerationId"]["mediaGenerationId"].startswith("CAMaJ")


async def test_plain_text_is_taken_for_json(client: Client) -> None:
    """The web app sends JSON as text/plain;charset=UTF-8 (seed 002, basics)."""
    headers = FLOW | {"content-type": "text/plain;charset=UTF-8"}

    answer = await client.post(IMAGES, headers=headers, json=batch())

    assert answer.status_code == 200


async def test_a_picture_has_the_seeds_keys(client: Client) -> None:
    """The answer is a bare array with every key of seed 002 and a PNG of 1344x768."""
    answer = await client.post(IMAGES, headers=FLOW, json=batch())

    assert shape(answer.json()) == shape(seed("flow.images.response"))
    image = answer.json()[0]["image"]["generatedImage"]
    assert opened(image["encodedImage"]).size == (1344, 768)
    assert (image["seed"], image["modelNameType"]) == (620172, "GEM_PIX")
    assert image["mediaGenerationId"].startswith("CAMSJDAyYWM4NjhiLTkyNWYtNDBjMS05MTg3LWE2ODhiZDAzYTg0ZBok")


@pytest.mark.parametrize(("ratio", "pixels"), [("PORTRAIT", (768, 1344)), ("SQUARE", (1024, 1024))])
async def test_other_ratios_have_their_own_size(client: Client, ratio: str, pixels: tuple[int, int]) -> None:
    """Portrait and square pictures follow Gemini 2.5's table."""
    body = batch(imageAspectRatio=f"IMAGE_ASPECT_RATIO_{ratio}", imageModelName="GEM_PIX_2")

    answer = await client.post(IMAGES, headers=FLOW, json=body)

    assert opened(answer.json()[0]["image"]["generatedImage"]["encodedImage"]).size == pixels


async def test_a_batch_keeps_its_order(client: Client) -> None:
    """Three requests give three pictures in their order; equal seeds are allowed and give equal pictures."""
    [one] = batch()["requests"]
    body = {"requests": [one, one, one | {"prompt": "a cat"}]}

    answer = await client.post(IMAGES, headers=FLOW, json=body)

    images = [item["image"]["generatedImage"] for item in answer.json()]
    assert [image["prompt"] for image in images] == ["一个美女", "一个美女", "a cat"]
    assert images[0]["encodedImage"] == images[1]["encodedImage"] != images[2]["encodedImage"]
    assert len((await ledger(client))["executions"]) == 3


async def test_a_picture_is_made_from_uploads_and_pictures(client: Client) -> None:
    """An input may be an upload or an earlier picture of the same account (seed 002, 2.2)."""
    first = (await client.post(IMAGES, headers=FLOW, json=batch())).json()[0]["name"]
    body = seed("flow.images.reference.request")
    given = body["requests"][0]["imageInputs"][0]
    body["requests"][0]["imageInputs"] = [given | {"name": name} for name in (first, await uploaded(client))]

    answer = await client.post(IMAGES, headers=FLOW, json=body)

    assert answer.status_code == 200


async def test_pictures_of_others_are_unknown(client: Client) -> None:
    """A media id of the seed, or of another account, is 404 in Google's words."""
    stolen = seed("flow.images.reference.request")
    stolen["requests"][0]["imageInputs"][0]["name"] = await uploaded(client, OTHER)

    for body in (stolen, seed("flow.images.reference.request")):
        answer = await client.post(IMAGES, headers=FLOW, json=body)
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == "Requested entity was not found."


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic abc"}])
async def test_a_token_is_needed(client: Client, headers: dict[str, str]) -> None:
    """A missing or wrong token is 401 UNAUTHENTICATED on every Flow desk."""
    answers = [await client.post(path, headers=headers, json={}) for path in (UPLOAD, IMAGES)]
    answers.append(await client.get("/v1/credits", headers=headers))

    assert {answer.status_code for answer in answers} == {401}
    assert {answer.json()["error"]["status"] for answer in answers} == {"UNAUTHENTICATED"}


async def test_the_project_of_another_account_is_forbidden(client: Client) -> None:
    """Only the token's own project may be named in the path."""
    answer = await client.post(IMAGES, headers=OTHER, json=batch())

    assert (answer.status_code, answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert OTHER_PROJECT not in IMAGES


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size": "1024x1024"}, "Unknown name \"size\" at 'requests[0]'"),
        ({"imageAspectRatio": "16:9"}, "requests[0].image_aspect_ratio"),
        ({"imageModelName": "DALL_E"}, "requests[0].image_model_name"),
        ({"prompt": " "}, "requests[0].prompt"),
        ({"seed": "abc"}, "requests[0].seed"),
        ({"clientContext": {}}, "session_id"),
        ({"imageInputs": [{"name": "x", "imageInputType": "MASK"}]}, "requests[0].image_inputs[0]"),
    ],
)
async def test_wrong_pictures_are_refused(client: Client, changes: Json, words: str) -> None:
    """Whatever the documents do not have is 400, with the place in proto names."""
    answer = await client.post(IMAGES, headers=FLOW, json=batch(**changes))

    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize(("count", "code"), [(0, 400), (10, 200), (11, 400)])
async def test_a_batch_holds_ten(client: Client, count: int, code: int) -> None:
    """No request, or more than ten, is 400."""
    answer = await client.post(IMAGES, headers=FLOW, json={"requests": batch()["requests"] * count})

    assert answer.status_code == code


async def test_an_unsafe_prompt_is_refused(client: Client) -> None:
    """`[unsafe]` is 400 with Flow's public reason, and nothing is carried out."""
    answer = await client.post(IMAGES, headers=FLOW, json=batch(prompt="[unsafe] a pig"))

    assert answer.status_code == 400
    assert reason(answer) == "PUBLIC_ERROR_UNSAFE_GENERATION"
    assert (await ledger(client))["executions"] == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (upload_body("image/png"), "image_input.mime_type"),
        (upload_body(data="@@@"), "Base64"),
        (upload_body(aspectRatio="9:16"), "image_input.aspect_ratio"),
        (upload_body(fileName="a.png"), "Unknown name"),
        (upload_body() | {"clientContext": {}}, "client_context"),
    ],
)
async def test_wrong_uploads_are_refused(client: Client, body: Json, words: str) -> None:
    """An upload must be what it says it is."""
    answer = await client.post(UPLOAD, headers=FLOW, json=body)

    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


async def test_an_upload_that_is_no_picture_is_refused(client: Client) -> None:
    """Bytes that no picture starts with have their own reason."""
    answer = await client.post(UPLOAD, headers=FLOW, json=upload_body(data="bm90IGEgcGljdHVyZQ=="))

    assert reason(answer) == "PUBLIC_ERROR_UNKNOWN_IMAGE_FILE_FORMAT"


async def test_a_form_is_not_json(client: Client) -> None:
    """Other content types than JSON and plain text are 400."""
    answer = await client.post(UPLOAD, headers=FLOW, data={"a": "b"})

    assert answer.status_code == 400


async def test_credits_are_told(client: Client) -> None:
    """The credits desk answers credits and tier (`flow.md` section 2)."""
    answer = await client.get("/v1/credits", headers=FLOW)

    assert answer.json() == {"credits": 680, "userPaygateTier": "PAYGATE_TIER_ONE"}


async def test_credits_may_lag_behind_a_charge(client: Client) -> None:
    """By script: the newest video is charged, and the desk does not know it yet; once."""
    await client.post(f"{VIDEO}Text", headers=FLOW, json=seed("flow.video.text.portrait.request"))
    await faulty(client, {"on": "flow.credits", "do": "lag"})
    told = [(await client.get("/v1/credits", headers=FLOW)).json()["credits"] for _ in range(2)]

    assert told == [680, 660]


async def test_the_credits_desk_can_fail(client: Client) -> None:
    """As any other."""
    await faulty(client, {"on": "flow.credits", "do": "html", "status": 502})
    answers = [await client.get("/v1/credits", headers=FLOW) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [502, 200]
    assert (await ledger(client))["requests"]["flow.credits"] == 2


async def test_requests_are_counted_apart_from_executions(client: Client) -> None:
    """A refused request is received, but it is no execution."""
    await client.post(IMAGES, headers=FLOW, json=batch(prompt=""))
    await client.post(IMAGES, headers=FLOW, json=batch())
    await faulty(client, {"on": "flow.images", "do": "error"})
    await client.post(IMAGES, headers=FLOW, json=batch())

    books = await ledger(client)
    assert books["requests"]["flow.images"] == 3
    assert [one["prompt"] for one in books["executions"]] == ["一个美女"]
