"""Large pictures to work from, by Google's Files API, against a function that stands for Google."""

from collections import Counter
from collections.abc import Sequence

import httpx
import msgspec
import pybase64
import pytest
import structlog

from adapter.domain.ports import Secret
from adapter.errors import InvalidRequest, UpstreamBroken, UpstreamBusy, UpstreamForgot
from adapter.providers.gemini.files import FilesEndpoint, GeminiFiles
from adapter.providers.gemini.provider import GeminiProvider
from adapter.providers.keys import Key, Keys
from tests.fakes import FakeClock, made_image
from tests.providers.gemini.test_provider import ENDPOINT, KEYS, Renewable, order, picture
from tests.upstream import Google, Upstream

FOX, OWL = made_image(20, 10), made_image(30, 10)
GONE = {"error": {"code": 403, "message": "You do not have permission to access the File f1 or it may not exist."}}


class FilesGoogle:
    """Takes uploads and remembers what was sent."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.asked: Counter[str] = Counter()
        #: The bytes of files, by their ids.
        self.files: dict[str, bytes] = {}
        self.bodies: list[object] = []
        #: What the next requests for pictures are answered with instead.
        self.refusals: list[httpx.Response] = []
        self.states = ["ACTIVE"]
        self.headers: list[httpx.Headers] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer as Google."""
        path = request.url.path
        kind = "begin" if path.startswith("/upload") else path.rpartition("/")[0].rpartition("/")[2]
        self.asked[kind] += 1
        self.headers.append(request.headers)
        match kind:
            case "begin":
                return httpx.Response(200, headers={"x-goog-upload-url": f"{self.upstream.url}/v1beta/bytes/1?id=x"})
            case "bytes":
                name = f"f{len(self.files) + 1}"
                self.files[name] = request.content
                return httpx.Response(200, json={"file": self.described(name)})
            case "files":
                return httpx.Response(200, json=self.described(path.rpartition("/")[2]))
            case _:
                self.bodies.append(msgspec.json.decode(request.content))
                return self.refusals.pop(0) if self.refusals else picture(request)

    def described(self, name: str) -> dict[str, object]:
        """Describe a file."""
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"name": f"files/{name}", "uri": f"{self.upstream.url}/v1beta/files/{name}", "state": state}

    def uris(self, at: int = 0) -> list[str]:
        """Return the ids of the files that a request for a picture named."""
        [turn] = self.bodies[at]["contents"]  # type: ignore[index]
        return [part["fileData"]["fileUri"].rpartition("/")[2] for part in turn["parts"] if "fileData" in part]


def provider(
    upstream: Upstream,
    google: Google,
    *,
    inline_bytes: int = 0,
    keys: Sequence[Secret] = KEYS[:1],
    auth: str = "header",
    clock: FakeClock | None = None,
) -> GeminiProvider:
    """Return the provider before a function that stands for Google."""
    upstream.answer = google
    endpoint = msgspec.structs.replace(ENDPOINT, base_url=upstream.url, auth=auth)
    files = FilesEndpoint(
        base_url=upstream.url, api_version="v1beta", auth=auth, inline_bytes=inline_bytes, concurrency=2
    )
    named = [Key(f"key-{number}", key) for number, key in enumerate(keys, 1)]
    there = GeminiFiles(upstream.http, files, clock or FakeClock())
    return GeminiProvider(upstream.http, endpoint, Keys(named, FakeClock()), there)


async def test_large_pictures_are_uploaded_and_named_in_the_request(upstream: Upstream) -> None:
    """In their order; the bytes are those of the files."""
    google = FilesGoogle(upstream)

    images = await provider(upstream, google).make_images(order(), (FOX, OWL))

    assert len(images) == 1
    assert sorted(google.files.values()) == sorted([FOX.decode(), OWL.decode()])
    assert [google.files[name] for name in google.uris()] == [FOX.decode(), OWL.decode()]
    [turn] = google.bodies[0]["contents"]  # type: ignore[index]
    assert [part["fileData"]["mimeType"] for part in turn["parts"][1:]] == ["image/png"] * 2


async def test_small_pictures_stay_inside_of_the_request(upstream: Upstream) -> None:
    """Up to the limit, counted as base64."""
    google = FilesGoogle(upstream)
    size = len(memoryview(FOX.base64))
    gemini = provider(upstream, google, inline_bytes=size)

    await gemini.make_images(order(), (FOX,))
    await gemini.make_images(order(), (FOX, OWL))

    assert (google.uris(0), len(google.uris(1))) == ([], 2)


async def test_a_picture_is_uploaded_once_for_all_requests_with_a_key(upstream: Upstream) -> None:
    """Files belong to the key's project, so each key has its own."""
    google = FilesGoogle(upstream)
    gemini = provider(upstream, google, keys=KEYS)

    await gemini.make_images(order(4), (FOX,))
    await gemini.make_images(order(2), (FOX,))

    assert (google.asked["begin"], google.asked["bytes"], google.asked["models"]) == (2, 2, 6)


async def test_the_bytes_go_without_a_key(upstream: Upstream) -> None:
    """The address is the permission."""
    google = FilesGoogle(upstream)

    await provider(upstream, google).make_images(order(), (FOX,))

    assert ["x-goog-api-key" in headers for headers in google.headers] == [True, False, True]
    assert google.headers[0]["x-goog-upload-header-content-length"] == str(len(FOX.decode()))


async def test_an_upload_has_its_key_where_the_operator_says(upstream: Upstream) -> None:
    """As every other call."""
    google = FilesGoogle(upstream)

    await provider(upstream, google, auth="bearer").make_images(order(), (FOX,))

    assert [headers.get("authorization") for headers in google.headers] == ["Bearer AIza-one", None, "Bearer AIza-one"]


async def test_a_file_that_google_forgot_is_uploaded_again_once(upstream: Upstream) -> None:
    """Nothing was paid for by then."""
    google = FilesGoogle(upstream)
    google.refusals = [httpx.Response(403, json=GONE)]

    await provider(upstream, google).make_images(order(), (FOX,))

    assert (google.uris(0), google.uris(1)) == (["f1"], ["f2"])


async def test_a_file_that_google_forgets_twice_is_an_error(upstream: Upstream) -> None:
    """No endless uploading; and it is nothing about the operator's key."""
    google = FilesGoogle(upstream)
    google.refusals = [httpx.Response(403, json=GONE)] * 3

    with pytest.raises(UpstreamForgot) as caught:
        await provider(upstream, google).make_images(order(), (FOX,))

    assert (google.asked["models"], caught.value.spent) == (2, False)


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_a_relay_without_a_files_api_gets_the_pictures_in_the_request(upstream: Upstream, status: int) -> None:
    """It is asked once; the log says it."""
    google = FilesGoogle(upstream)

    def relay(request: httpx.Request) -> httpx.Response:
        answer = google(request)
        return httpx.Response(status, text="no such page") if request.url.path.startswith("/upload") else answer

    gemini = provider(upstream, relay)
    with structlog.testing.capture_logs() as written:
        await gemini.make_images(order(2), (FOX,))
        await gemini.make_images(order(), (FOX,))

    parts = [body["contents"][0]["parts"][1] for body in google.bodies]  # type: ignore[index]
    assert [part["inlineData"]["data"].encode() for part in parts] == [pybase64.b64encode(FOX.decode())] * 3
    assert google.asked["begin"] == 1
    assert [line["event"] for line in written] == ["gemini.no_files_api"]


async def test_an_address_elsewhere_gets_no_bytes(upstream: Upstream) -> None:
    """A server that answers falsely could lead them anywhere."""

    def google(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"x-goog-upload-url": "https://evil.example/take"})

    with pytest.raises(UpstreamBroken, match="not of its configured origin") as caught:
        await provider(upstream, google).make_images(order(), (FOX,))
    assert caught.value.spent is False


async def test_a_file_that_google_still_looks_at_is_waited_for(upstream: Upstream) -> None:
    """Before it is named in a request."""
    google, clock = FilesGoogle(upstream), Ticking()
    google.states = ["PROCESSING", "PROCESSING", "ACTIVE"]

    await provider(upstream, google, clock=clock).make_images(order(), (FOX,))

    assert (google.asked["files"], clock.slept) == (2, [2.0, 2.0])


@pytest.mark.parametrize(("state", "fault"), [("FAILED", InvalidRequest), ("PROCESSING", UpstreamBusy)])
async def test_a_file_that_cannot_be_used_costs_nothing(upstream: Upstream, state: str, fault: type[Exception]) -> None:
    """No picture is asked for."""
    google = FilesGoogle(upstream)
    google.states = [state]

    with pytest.raises(fault):
        await provider(upstream, google, clock=Ticking()).make_images(order(), (FOX,))
    assert google.asked["models"] == 0


async def test_a_key_that_is_refused_for_an_upload_is_renewed(upstream: Upstream) -> None:
    """As for a picture."""
    google = FilesGoogle(upstream)

    def strict(request: httpx.Request) -> httpx.Response:
        if request.headers.get("x-goog-api-key") == "old":
            return httpx.Response(401, json={"error": {"code": 401, "message": "no", "status": "UNAUTHENTICATED"}})
        return google(request)

    await provider(upstream, strict, keys=[Renewable("old", "new")]).make_images(order(), (FOX,))

    assert google.asked["models"] == 1


async def test_an_upload_that_got_no_answer_may_be_repeated(upstream: Upstream) -> None:
    """It costs nothing, so the client's SDK may send all of it again."""

    def google(_: httpx.Request) -> httpx.Response:
        return httpx.Response(500, text="broken")

    with pytest.raises(UpstreamBroken) as caught:
        await provider(upstream, google).make_images(order(), (FOX,))
    assert (caught.value.spent, caught.value.should_retry) == (False, True)


class Ticking(FakeClock):
    """A clock on which every sleep is over at once."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """Remember it."""
        self.slept.append(seconds)
