"""Requests that come again, through the official client's own retries: one execution, whatever happens between."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import openai
import pytest

from tests.fakes import png
from tests.journeys.cutter import KINDS, Cutter, cutting
from tests.journeys.schema_watch import Watch
from tests.journeys.server import KEY, Server, wait_until
from tests.support import WITHOUT_TLS

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")

PICTURES = "gemini-2.5-flash-image"
Ask = Callable[[openai.OpenAI, str], object]


@pytest.fixture
def strict() -> bool:
    """In its strict mode the 1.x client knows three sizes of a picture; we report the real one."""
    return not openai.__version__.startswith("1.")


@pytest.fixture
def cutter(server: Server) -> Iterator[Cutter]:
    """A proxy that spoils answers."""
    with cutting(server.port) as cutter:
        yield cutter


@pytest.fixture
def retrying(cutter: Cutter, watch: Watch, *, strict: bool) -> Iterator[openai.OpenAI]:
    """The official client with the retries that it has by default, behind the proxy."""
    with openai.OpenAI(
        base_url=f"http://127.0.0.1:{cutter.port}/v1",
        api_key=KEY,
        timeout=5.0,
        http_client=openai.DefaultHttpxClient(verify=WITHOUT_TLS, event_hooks={"response": [watch.on_response]}),
        _strict_response_validation=strict,
    ) as client:
        assert client.max_retries == 2
        yield client


def generate(client: openai.OpenAI, prompt: str) -> object:
    """Ask for a picture."""
    return client.images.generate(model=PICTURES, prompt=prompt).data


def link(client: openai.OpenAI, prompt: str) -> object:
    """Ask for a link to a picture."""
    return client.images.generate(model=PICTURES, prompt=prompt, response_format="url").data


def edit(client: openai.OpenAI, prompt: str) -> object:
    """Have a picture changed."""
    return client.images.edit(model=PICTURES, prompt=prompt, image=png()).data


def chat(client: openai.OpenAI, prompt: str) -> object:
    """Ask for a picture in a chat."""
    answer = client.chat.completions.create(model=PICTURES, messages=[{"role": "user", "content": prompt}])
    return answer.choices[0].message.content


def film(client: openai.OpenAI, prompt: str) -> object:
    """Ask for a video in a chat."""
    answer = client.chat.completions.create(model="veo-3.1-fast", messages=[{"role": "user", "content": prompt}])
    return answer.choices[0].message.content


def create(client: openai.OpenAI, prompt: str) -> object:
    """Ask for a video."""
    if not hasattr(client, "videos"):
        pytest.skip("this version of the client has no videos")
    return client.videos.create(model="veo-3.1-fast", prompt=prompt).id


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ask", [generate, link, edit, chat, film, create])
def test_a_retry_of_the_sdk_costs_nothing(
    server: Server, cutter: Cutter, retrying: openai.OpenAI, prompt: str, ask: Ask, kind: str
) -> None:
    """Two spoiled answers, and the third attempt has it."""
    cutter.faults = [kind] if kind == "silence" else [kind, kind]
    expected = [b"0", b"1", b"2"][: len(cutter.faults) + 1]
    client = retrying.with_options(timeout=2.5) if kind == "silence" else retrying

    assert ask(client, prompt)
    assert cutter.counts == expected
    assert server.executed(prompt) == 1


@pytest.mark.parametrize("kind", ["500", "mid_answer"])
def test_who_asks_anew_after_an_answer_gets_a_picture_of_their_own(
    server: Server, cutter: Cutter, retrying: openai.OpenAI, prompt: str, kind: str
) -> None:
    """Asking twice for one prompt is legitimate; only the attempts of one request are one."""
    cutter.faults = [kind]
    pictures = [generate(retrying, prompt) for _ in range(2)]

    assert pictures[0] != pictures[1]
    assert server.executed(prompt) == 2


def post(http: httpx.Client, server: Server, body: dict[str, object], **headers: str) -> httpx.Response:
    """Ask for a picture without an SDK."""
    return http.post(
        f"{server.url}/v1/images/generations",
        json={"model": PICTURES, **body},
        headers={"authorization": f"Bearer {KEY}", **{name.replace("_", "-"): text for name, text in headers.items()}},
        timeout=60,
    )


def test_a_hundred_requests_with_one_key_are_one(http: httpx.Client, server: Server, prompt: str) -> None:
    """All get the very same bytes, as does one that comes later and is told that it is a replay."""
    server.fault(on="gemini.generate", do="delay", seconds=0.5, prompt=prompt)
    key = str(uuid4())
    with ThreadPoolExecutor(100) as threads:
        answers = [*threads.map(lambda _: post(http, server, {"prompt": prompt}, idempotency_key=key), range(100))]
    later = post(http, server, {"prompt": prompt}, idempotency_key=key)

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in [*answers, later]}) == 1
    assert later.headers["idempotent-replayed"] == "true"
    assert server.executed(prompt) == 1


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("form", ["b64_json", "url", "chat", "beside"])
def test_a_replay_is_the_same_answer(
    http: httpx.Client, server: Server, prompt: str, form: str, *, stream: bool
) -> None:
    """Streamed or not, by link or not, byte for byte."""
    body: dict[str, object] = {"model": PICTURES, "stream": stream}
    if form in {"chat", "beside"}:
        body |= {
            "messages": [{"role": "user", "content": prompt}],
            "modalities": ["image"] if form == "beside" else None,
        }
    else:
        body |= {"prompt": prompt, "response_format": form}
    if stream and form == "url":
        pytest.skip("a stream carries base64 only")
    path = "chat/completions" if form in {"chat", "beside"} else "images/generations"
    headers = {"authorization": f"Bearer {KEY}", "idempotency-key": str(uuid4())}
    first, again = (
        http.post(f"{server.url}{prefix}/{path}", json=body, headers=headers, timeout=60) for prefix in ("/v1", "")
    )

    assert first.status_code == 200
    assert told(again) == told(first)
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    assert server.executed(prompt) == 1


def told(answer: httpx.Response) -> list[str]:
    """Return an answer without the signs of life between its events, of which a replay has fewer."""
    lines = answer.text.split("\n")
    return [line for line in lines if line and not line.startswith(": ") and "Making the picture" not in line]


def test_a_key_is_of_one_request_of_one_owner(http: httpx.Client, server: Server, prompt: str) -> None:
    """Another content is refused, another owner or route is another request."""
    key = str(uuid4())
    assert post(http, server, {"prompt": prompt}, idempotency_key=key).status_code == 200
    other = post(http, server, {"prompt": prompt, "seed": 7}, idempotency_key=key)
    assert (other.status_code, other.json()["error"]["code"]) == (400, "idempotency_key_reused")
    assert other.headers["x-should-retry"] == "false"

    second = post(http, server, {"prompt": prompt}, idempotency_key=key, authorization="Bearer sk-second")
    assert second.status_code == 200
    assert "idempotent-replayed" not in second.headers
    assert server.executed(prompt) == 2
    assert key not in server.log


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9"])
def test_a_key_that_is_none_is_refused(http: httpx.Client, server: Server, prompt: str, key: str) -> None:
    """1 to 255 printable ASCII characters."""
    headers = {b"authorization": f"Bearer {KEY}".encode(), b"idempotency-key": key.encode("latin-1")}
    answer = http.post(f"{server.url}/v1/images/generations", json={"prompt": prompt}, headers=headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "idempotency_key_invalid")
    assert server.executed(prompt) == 0


def test_a_changed_boundary_changes_nothing(http: httpx.Client, server: Server, prompt: str) -> None:
    """Clients draw a new one for each attempt; the file's bytes count."""
    key = str(uuid4())

    def posted(boundary: str, file: bytes) -> httpx.Response:
        return http.post(
            f"{server.url}/v1/images/edits",
            data={"prompt": prompt, "model": PICTURES},
            files={"image": (f"{boundary}.png", file)},
            headers={
                "authorization": f"Bearer {KEY}",
                "idempotency-key": key,
                "content-type": f"multipart/form-data; boundary={boundary}",
            },
            timeout=60,
        )

    first, again, other = posted("one", png()), posted("two", png()), posted("three", png(20, 20))
    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 400)
    assert first.content == again.content
    assert server.executed(prompt) == 1


def test_equal_requests_side_by_side_get_a_picture_each(http: httpx.Client, server: Server, prompt: str) -> None:
    """Their connections are all alive."""
    server.fault(on="gemini.generate", do="delay", seconds=0.5, times=5, prompt=prompt)
    with ThreadPoolExecutor(5) as threads:
        answers = [*threads.map(lambda _: post(http, server, {"prompt": prompt}), range(5))]

    assert len({answer.content for answer in answers}) == 5
    assert server.executed(prompt) == 5


@pytest.mark.parametrize("seconds", [0.8, 0.0], ids=["while it is made", "after it was made"])
def test_a_client_that_hung_up_and_comes_back_gets_its_picture(
    http: httpx.Client, server: Server, prompt: str, seconds: float
) -> None:
    """Front-ends count no retries; the request after that is a new one."""
    server.fault(on="gemini.generate", do="delay", seconds=max(seconds, 0.5), prompt=prompt)
    with pytest.raises(httpx.ReadTimeout):
        hanging_up(http, server, prompt)
    if not seconds:
        wait_until(lambda: server.executed(prompt) == 1, "the picture was not made")
        http.get(f"{server.url}/health")
    back = post(http, server, {"prompt": prompt})
    assert (back.status_code, server.executed(prompt)) == (200, 1)

    assert post(http, server, {"prompt": prompt}).content != back.content
    assert server.executed(prompt) == 2


def hanging_up(http: httpx.Client, server: Server, prompt: str) -> None:
    """Ask for a picture and do not wait for it."""
    body = {"model": PICTURES, "prompt": prompt}
    headers = {"authorization": f"Bearer {KEY}"}
    http.post(f"{server.url}/v1/images/generations", json=body, headers=headers, timeout=0.3)


def test_a_client_that_hung_up_is_a_499_in_the_log(http: httpx.Client, server: Server, prompt: str) -> None:
    """The picture is made all the same."""

    def left() -> int:
        return sum('"request.finished"' in line and '"status": 499' in line for line in server.log.splitlines())

    before = left()
    server.fault(on="gemini.generate", do="delay", seconds=0.5, prompt=prompt)
    with pytest.raises(httpx.ReadTimeout):
        hanging_up(http, server, prompt)
    wait_until(lambda: left() == before + 1, "there is no such line")

    assert server.executed(prompt) == 1


def test_a_client_that_hangs_up_within_its_request_is_no_mistake_of_ours(server: Server) -> None:
    """Its line has no code of an error of the server."""

    def lines() -> list[str]:
        return [line for line in server.log.splitlines() if "/v1/images/edits" in line and '"status": 499' in line]

    before = len(lines())
    head = f"POST /v1/images/edits HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {KEY}\r\ncontent-length: 200000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(head.encode() + bytes(100_000))
    wait_until(lambda: len(lines()) == before + 1, "there is no such line")

    assert "internal_error" not in lines()[-1]


def test_a_client_that_hangs_up_finds_its_picture_when_it_retries(
    http: httpx.Client, server: Server, prompt: str
) -> None:
    """The work goes on without it."""
    server.fault(on="gemini.generate", do="delay", seconds=1.0, prompt=prompt)
    with pytest.raises(httpx.ReadTimeout):
        hanging_up(http, server, prompt)
    answer = post(http, server, {"prompt": prompt}, x_stainless_retry_count="1")

    assert answer.status_code == 200
    assert server.executed(prompt) == 1


def test_a_failure_before_anything_was_made_leaves_the_key_free(
    http: httpx.Client, server: Server, prompt: str
) -> None:
    """Google was busy: the same key may be used again."""
    server.fault(on="gemini.generate", do="error", status=429, prompt=prompt)
    key = str(uuid4())
    statuses = [post(http, server, {"prompt": prompt}, idempotency_key=key).status_code for _ in range(2)]

    assert statuses == [429, 200]


def test_a_failure_after_money_was_spent_is_the_keys_answer(http: httpx.Client, server: Server, prompt: str) -> None:
    """It is told again, and nothing is made again."""
    server.fault(on="gemini.generate", do="truncate", times=5, prompt=prompt)
    key = str(uuid4())
    first, again = (post(http, server, {"prompt": prompt}, idempotency_key=key) for _ in range(2))

    assert first.status_code == again.status_code == 502
    assert first.json() == again.json()
    assert (again.headers["x-should-retry"], again.headers["idempotent-replayed"]) == ("false", "true")
    assert server.executed(prompt) == 1


def test_a_video_of_a_chat_keeps_its_key(http: httpx.Client, server: Server, prompt: str) -> None:
    """Another key, another video; the same key, the same answer."""

    def posted(key: str) -> httpx.Response:
        return http.post(
            f"{server.url}/v1/chat/completions",
            json={"model": "veo-3.1-fast", "messages": [{"role": "user", "content": prompt}]},
            headers={"authorization": f"Bearer {KEY}", "idempotency-key": key},
            timeout=60,
        )

    keys = [str(uuid4()) for _ in range(2)]
    with ThreadPoolExecutor(20) as threads:
        answers = [*threads.map(posted, keys * 10)]
    assert len({answer.content for answer in answers}) == 2
    assert server.executed(prompt) == 2
    again = posted(keys[0])
    assert again.content in {answer.content for answer in answers}
    assert again.headers["idempotent-replayed"] == "true"


def test_a_video_keeps_its_key(http: httpx.Client, server: Server, prompt: str) -> None:
    """The same job as it is by then; without a key, the next request is another video."""

    def posted(body: dict[str, str], **headers: str) -> httpx.Response:
        told = {"authorization": f"Bearer {KEY}", **{name.replace("_", "-"): text for name, text in headers.items()}}
        return http.post(
            f"{server.url}/v1/videos", files={"prompt": (None, prompt)}, data=body, headers=told, timeout=60
        )

    key = str(uuid4())
    with ThreadPoolExecutor(100) as threads:
        answers = [*threads.map(lambda _: posted({}, idempotency_key=key), range(100))]
    again = posted({}, idempotency_key=key)
    other = posted({"size": "720x1280"}, idempotency_key=key)

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["id"] for answer in answers} == {again.json()["id"]}
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["error"]["code"]) == (400, "idempotency_key_reused")
    assert server.executed(prompt) == 1

    fresh = posted({})
    retried = posted({}, x_stainless_retry_count="1")
    assert fresh.json()["id"] == retried.json()["id"] != again.json()["id"]
    assert server.executed(prompt) == 2
