"""Google's own libraries against the sandbox's Google Cloud: tokens, pictures, refusals."""

import base64
from collections.abc import Iterator
from urllib.parse import quote

import google.auth.exceptions
import google.auth.transport.requests
import httpx
import msgspec
import pytest
from google import genai
from google.auth.credentials import Credentials
from google.genai import errors, types
from google.oauth2 import credentials as logins
from google.oauth2 import service_account

from adapter.sandbox.server import RunningSandbox, running_sandbox
from tests.sandbox.helpers import RULES, Client, Clock, Json, opened, picture
from tests.support import WITHOUT_TLS

CLOUD = RULES.cloud
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
MODEL = "gemini-nano-banana-2.1"
PATH = f"/v1beta1/projects/{CLOUD.project}/locations/global/publishers/google/models/{MODEL}:generateContent"
BODY = {"contents": [{"role": "user", "parts": [{"text": "fox"}]}]}


@pytest.fixture
def control(loopback: RunningSandbox) -> Iterator[httpx.Client]:
    """A line to the sandbox's control API; what was taken back is good again afterwards."""
    with httpx.Client(verify=WITHOUT_TLS, base_url=loopback.base_url) as control:
        yield control
        control.post("/sandbox/cloud/revoked", json=[])


@pytest.fixture
def account(control: httpx.Client) -> service_account.Credentials:
    """A service account with a key."""
    described = control.get("/sandbox/cloud/key").json()
    return service_account.Credentials.from_service_account_info(described, scopes=SCOPES)  # type: ignore[no-untyped-call,no-any-return]


def refreshed(credentials: Credentials) -> Credentials:
    """Fetch a token as Google's clients do."""
    credentials.refresh(google.auth.transport.requests.Request())  # type: ignore[no-untyped-call]
    return credentials


def client(sandbox: RunningSandbox, credentials: Credentials, location: str = "global") -> genai.Client:
    """Return the official client in the sandbox's project."""
    options = types.HttpOptions(base_url=sandbox.base_url)
    return genai.Client(
        vertexai=True, project=CLOUD.project, location=location, credentials=credentials, http_options=options
    )


def shaped(**image: object) -> types.GenerateContentConfig:
    """Return a configuration for a picture."""
    config = types.ImageConfig(**image)  # type: ignore[arg-type]
    return types.GenerateContentConfig(response_modalities=["IMAGE"], image_config=config)


def picture_of(answer: types.GenerateContentResponse) -> bytes:
    """Return the picture of an answer."""
    assert answer.parts
    assert answer.parts[0].inline_data
    assert answer.parts[0].inline_data.data
    return answer.parts[0].inline_data.data


def test_googles_client_makes_a_picture_in_a_project(
    loopback: RunningSandbox, account: service_account.Credentials
) -> None:
    """With the token of a key; in the format that it asks for."""
    config = shaped(aspect_ratio="16:9", output_mime_type="image/jpeg", output_compression_quality=80)
    with client(loopback, account, "europe-west4") as google:
        data = picture_of(google.models.generate_content(model=MODEL, contents="fox", config=config))

    assert (opened(data).format, opened(data).size) == ("JPEG", (1376, 768))


def test_googles_client_makes_a_picture_with_a_key_of_google_cloud(loopback: RunningSandbox) -> None:
    """In "express mode", at an address without a project."""
    options = types.HttpOptions(base_url=loopback.base_url)
    with genai.Client(vertexai=True, api_key=RULES.api_keys[0], http_options=options) as google:
        data = picture_of(google.models.generate_content(model=MODEL, contents="fox", config=shaped()))

    assert opened(data).format == "PNG"


def test_a_login_is_exchanged_for_a_token(loopback: RunningSandbox, control: httpx.Client) -> None:
    """Until it is taken back."""
    login = logins.Credentials(  # type: ignore[no-untyped-call]
        None,
        refresh_token=CLOUD.refresh_token,
        client_id=CLOUD.client_id,
        client_secret=CLOUD.client_secret,
        token_uri=f"{loopback.base_url}/token",
        quota_project_id=CLOUD.project,
    )
    with client(loopback, login) as google:
        assert picture_of(google.models.generate_content(model=MODEL, contents="fox", config=shaped()))

    control.post("/sandbox/cloud/revoked", json=[CLOUD.refresh_token])
    with pytest.raises(google_auth_error(), match="invalid_grant"):
        refreshed(login)


def google_auth_error() -> type[Exception]:
    """Return how google-auth says that a grant is refused."""
    return google.auth.exceptions.RefreshError


def test_a_key_that_was_taken_back_is_worth_nothing(
    control: httpx.Client, account: service_account.Credentials
) -> None:
    """The service says that it is the signature."""
    assert refreshed(account).token

    control.post("/sandbox/cloud/revoked", json=[account.signer.key_id])
    with pytest.raises(google_auth_error(), match="Invalid JWT Signature"):
        refreshed(account)


def test_another_project_is_refused_in_googles_words(
    loopback: RunningSandbox, account: service_account.Credentials
) -> None:
    """As a credential without a right."""
    options = types.HttpOptions(base_url=loopback.base_url)
    google = genai.Client(vertexai=True, project="other", location="global", credentials=account, http_options=options)
    with google, pytest.raises(errors.ClientError, match=r"aiplatform\.endpoints\.predict") as caught:
        google.models.generate_content(model=MODEL, contents="fox", config=shaped())
    assert caught.value.code == 403


async def test_a_token_is_good_for_its_time(client: Client, clock: Clock) -> None:
    """Then it is 401, and so is one that was never given out."""
    form = {
        "grant_type": "refresh_token",
        "client_id": CLOUD.client_id,
        "client_secret": CLOUD.client_secret,
        "refresh_token": CLOUD.refresh_token,
    }
    given = (await client.post("/token", data=form)).json()
    headers = {"authorization": f"Bearer {given['access_token']}"}
    first = await client.post(PATH, json=BODY, headers=headers)
    clock.now += given["expires_in"]
    late = await client.post(PATH, json=BODY, headers=headers)
    forged = await client.post(PATH, json=BODY, headers={"authorization": "Bearer ya29.9999999999.x.y"})

    assert [first.status_code, late.status_code, forged.status_code] == [200, 401, 401]


@pytest.mark.parametrize(
    ("project", "model", "status"),
    [
        (CLOUD.project, "google/gemini-3.8-flash", 200),
        (CLOUD.project, "gemini-3.8-flash", 400),
        (CLOUD.project, "google/gemini-9", 404),
        ("another", "google/gemini-3.8-flash", 403),
    ],
)
async def test_a_chat_names_its_model_with_the_publisher(client: Client, project: str, model: str, status: int) -> None:
    """In the one project, with a token."""
    url = f"/v1/projects/{project}/locations/global/endpoints/openapi/chat/completions"
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    answer = await client.post(url, json=body, headers={"authorization": f"Bearer {CLOUD.tokens[0]}"})

    assert answer.status_code == status
    assert (await client.post(url, json=body)).status_code == 401


async def test_a_turn_needs_a_role(client: Client) -> None:
    """Unlike at the Gemini API."""
    body = {"contents": [{"parts": [{"text": "fox"}]}]}
    answer = await client.post(PATH, json=body, headers={"authorization": f"Bearer {CLOUD.tokens[0]}"})

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "Please use a valid role: user, model.")


OMNI = "gemini-omni-1.2-flash"
FORM = {"type": "video", "aspect_ratio": "16:9", "resolution": "720p", "duration": "8s"}


@pytest.fixture(scope="module")
def quick() -> Iterator[RunningSandbox]:
    """A sandbox on loopback that makes videos at once."""
    with running_sandbox(msgspec.structs.replace(RULES, pending_seconds=0.0, active_seconds=0.0)) as sandbox:
        yield sandbox


@pytest.mark.parametrize("place", ["", f"gs://{CLOUD.bucket}/adapter/one/"])
def test_googles_client_makes_a_video_in_a_project(quick: RunningSandbox, place: str) -> None:
    """From a picture inside of the request; into the answer, or into the bucket."""
    token = logins.Credentials(CLOUD.tokens[0])  # type: ignore[no-untyped-call]
    form = {**FORM, "delivery": "uri", "gcs_uri": place} if place else {**FORM, "delivery": "inline"}
    with client(quick, token) as google:
        made: Json = google.interactions.create(
            model=OMNI,
            background=True,
            input=[
                {"type": "image", "data": picture(), "mime_type": "image/png"},
                {"type": "text", "text": "<FIRST_FRAME> waves"},
            ],
            response_format=form,
            generation_config={"video_config": {"task": "image_to_video"}},
        )
        found: Json = google.interactions.get(made.id)
    output = found.steps[-1].content[0]
    if not place:
        assert base64.b64decode(output.data)[4:8] == b"ftyp"
        return
    address = f"{quick.base_url}/storage/v1/b/{CLOUD.bucket}/o/{quote('adapter/one/sample_0.mp4', safe='')}?alt=media"
    with httpx.Client(verify=WITHOUT_TLS) as http:
        film = http.get(address, headers={"authorization": f"Bearer {CLOUD.tokens[0]}"})
        without = http.get(address)

    assert output.uri == f"{place}sample_0.mp4"
    assert (film.content[4:8], without.status_code) == (b"ftyp", 401)
