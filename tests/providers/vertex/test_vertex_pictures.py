"""Pictures of Gemini on Google Cloud, against a function that stands for Google."""

from collections.abc import Sequence

import httpx
import msgspec
import pybase64
import pytest
import structlog

from adapter.credentials import FixedSecret
from adapter.domain.media import Frame, MediaFormat, Pixels, Ratio, Resolution
from adapter.domain.orders import ImageOrder
from adapter.domain.ports import Secret
from adapter.errors import UnknownModel, UpstreamCredential, reason_of
from adapter.providers.gemini.provider import GeminiProvider
from adapter.providers.keys import Key, Keys
from adapter.providers.vertex.endpoint import CloudEndpoint, host
from tests.fakes import FakeClock, made_image, png
from tests.support import GOLDEN
from tests.upstream import Google, Upstream

ENDPOINT = CloudEndpoint(
    base_url="https://aiplatform.example",
    api_version="v1beta1",
    project="mine",
    location="eu",
    quota_project="",
    has_output_options=True,
    concurrency=3,
)
PICTURE = {"candidates": [{"content": {"parts": [{"inlineData": {"data": pybase64.b64encode(png()).decode()}}]}}]}


class Token:
    """A token of a credential that names a project, and is new after it was refused."""

    def __init__(self, *tokens: str, quota_project: str = "") -> None:
        self.tokens = list(tokens)
        self.quota_project = quota_project
        self.renewals = 0

    async def read(self) -> str:
        return self.tokens[0]

    async def renew(self) -> str:
        self.renewals += 1
        if len(self.tokens) > 1:
            self.tokens.pop(0)
        return self.tokens[0]


def order(**changes: object) -> ImageOrder:
    """Return an order for one picture."""
    plain = ImageOrder(model="m", provider="vertex", upstream="m", prompt="a fox", n=1, frame=Frame())
    return msgspec.structs.replace(plain, **changes)


def provider(upstream: Upstream, google: Google, secret: Secret, endpoint: CloudEndpoint = ENDPOINT) -> GeminiProvider:
    """Return the provider before a function that stands for Google."""
    upstream.answer = google
    endpoint = msgspec.structs.replace(endpoint, base_url=upstream.url)
    return GeminiProvider(upstream.http, endpoint, Keys([Key("mine", secret)], FakeClock()))


def refusal(status: int, reason: str = "", message: str = "no") -> httpx.Response:
    """Return a refusal of Google's."""
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
    return httpx.Response(status, json={"error": {"code": status, "message": message, "details": details}})


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("global", "https://aiplatform.googleapis.com"),
        ("us", "https://aiplatform.us.rep.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
        ("europe-west4", "https://europe-west4-aiplatform.googleapis.com"),
    ],
)
def test_a_location_has_a_host(location: str, expected: str) -> None:
    """By the table of `google-cloud.md` section 2."""
    assert host(location) == expected


@pytest.mark.parametrize(
    ("endpoint", "path", "headers"),
    [
        (
            ENDPOINT,
            "/v1beta1/projects/mine/locations/eu/publishers/google/models/m:generateContent",
            {"authorization": "Bearer ya29.token"},
        ),
        (
            msgspec.structs.replace(ENDPOINT, quota_project="payer"),
            "/v1beta1/projects/mine/locations/eu/publishers/google/models/m:generateContent",
            {"authorization": "Bearer ya29.token", "x-goog-user-project": "payer"},
        ),
        (
            msgspec.structs.replace(ENDPOINT, project=""),
            "/v1beta1/publishers/google/models/m:generateContent",
            {"x-goog-api-key": "ya29.token"},
        ),
    ],
)
def test_a_call_goes_to_a_project_with_its_credential(
    endpoint: CloudEndpoint, path: str, headers: dict[str, str]
) -> None:
    """A token in a project, or a key of Google Cloud without one."""
    url, found = endpoint.address("m", Key("mine", FixedSecret("x")), "ya29.token")

    assert url == f"https://aiplatform.example{path}"
    assert found == {"content-type": "application/json", **headers}


async def test_calls_are_counted_for_the_project_that_the_credential_names(upstream: Upstream) -> None:
    """A person's login names one."""
    seen: list[str | None] = []

    def google(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("x-goog-user-project"))
        return httpx.Response(200, json=PICTURE)

    await provider(upstream, google, Token("t", quota_project="payer")).make_images(order(), ())
    await provider(upstream, google, FixedSecret("t")).make_images(order(), ())

    assert seen == ["payer", None]


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({}, {"mimeType": "image/png"}),
        ({"format": MediaFormat.JPEG, "compression": 60}, {"mimeType": "image/jpeg", "compressionQuality": 60}),
        ({"format": MediaFormat.JPEG}, {"mimeType": "image/jpeg", "compressionQuality": 95}),
        ({"format": MediaFormat.WEBP}, {"mimeType": "image/png"}),
        ({"format": MediaFormat.JPEG, "exact": Pixels(100, 100)}, {"mimeType": "image/png"}),
    ],
)
async def test_google_makes_the_format(upstream: Upstream, changes: dict[str, object], options: object) -> None:
    """A picture that is converted here in any case is asked for without loss."""
    bodies: list[bytes] = []

    def google(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(200, json=PICTURE)

    await provider(upstream, google, FixedSecret("t")).make_images(order(**changes), ())

    (body,) = map(msgspec.json.decode, bodies)
    assert body["generationConfig"]["imageConfig"] == {"imageOutputOptions": options}
    assert [content["role"] for content in body["contents"]] == ["user"]


async def test_an_edit_is_asked_for_as_on_google_cloud(upstream: Upstream) -> None:
    """`google-cloud.md` section 3, by hand."""
    golden = msgspec.json.decode((GOLDEN / "cloud" / "edit_as_jpeg.request.json").read_bytes())
    golden["contents"][0]["parts"][1]["inlineData"]["data"] = pybase64.b64encode(png()).decode()
    bodies: list[bytes] = []

    def google(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(200, json=PICTURE)

    asked = order(prompt="fox", frame=Frame(Ratio.LANDSCAPE, Resolution.TWO), format=MediaFormat.JPEG, compression=80)
    await provider(upstream, google, FixedSecret("t")).make_images(asked, [made_image()])

    assert [msgspec.json.decode(body) for body in bodies] == [golden]


def answers(*said: httpx.Response) -> tuple[Google, Sequence[str]]:
    """Stand for a Google that answers so, and return the tokens that it saw."""
    left, seen = [*said], []

    def google(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return left.pop(0)

    return google, seen


async def test_a_refused_token_is_exchanged_once(upstream: Upstream) -> None:
    """A 401 is refused before any work."""
    google, seen = answers(refusal(401), httpx.Response(200, json=PICTURE))

    assert len(await provider(upstream, google, Token("old", "new")).make_images(order(), ())) == 1
    assert seen == ["Bearer old", "Bearer new"]


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("SERVICE_DISABLED", "the API is not enabled in the project"),
        ("IAM_PERMISSION_DENIED", "the role roles/aiplatform.user"),
        ("BILLING_DISABLED", "no billing account"),
        ("USER_PROJECT_DENIED", "roles/serviceusage.serviceUsageConsumer"),
    ],
)
async def test_a_missing_right_is_the_operators_to_mend(upstream: Upstream, reason: str, says: str) -> None:
    """Another token would not help. The log says what is missing; the client is told nothing of the project."""
    google, seen = answers(refusal(403, reason, "Permission denied on projects/mine"))
    token = Token("old", "new")

    with pytest.raises(UpstreamCredential) as caught, structlog.testing.capture_logs() as written:
        await provider(upstream, google, token).make_images(order(), ())

    assert (seen, token.renewals) == (["Bearer old"], 0)
    assert says in reason_of(caught.value)
    assert reason not in caught.value.message
    assert "mine" not in caught.value.message
    assert [(line["event"], says in line["reason"]) for line in written] == [("upstream.credential_denied", True)]


async def test_a_model_that_the_location_does_not_have_is_named_without_the_project(upstream: Upstream) -> None:
    """In Google's words."""
    message = "Publisher Model `projects/mine/locations/eu/publishers/google/models/m` was not found."
    google, _ = answers(refusal(404, message=message))

    with pytest.raises(UnknownModel, match="Publisher Model") as caught:
        await provider(upstream, google, Token("t")).make_images(order(), ())
    assert "projects/mine" not in caught.value.message
