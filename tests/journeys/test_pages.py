"""What a browser asks before it lets a page talk to us, on every kind of path (`frontends.md` R1 and R2)."""

import httpx
import pytest

from tests.journeys.server import KEY, Server

PAGE = {"origin": "https://chat.example"}
#: What OpenAI's client sends from a page, and what nobody has thought of yet.
HEADERS = "authorization,content-type,x-stainless-lang,x-stainless-retry-count,idempotency-key,x-a-header-of-tomorrow"
PATHS = [
    ("POST", "/v1/chat/completions"),
    ("POST", "/chat/completions"),
    ("POST", "/v1/v1/chat/completions"),
    ("POST", "/v1/images/edits"),
    ("GET", "/v1/models"),
    ("GET", "/models"),
    ("GET", "/v1/v1/models"),
    ("DELETE", "/v1/nothing"),
    ("GET", "/media/nothing.mp4"),
    ("HEAD", "/media/nothing.mp4"),
    ("GET", "/health"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_preflight_allows_what_it_asks_for(http: httpx.Client, server: Server, method: str, path: str) -> None:
    """Without a key, which browsers never send along; every header by its name, as `*` does not stand for a key's."""
    asked = {
        **PAGE,
        "access-control-request-method": method,
        "access-control-request-headers": HEADERS,
        "access-control-request-private-network": "true",
    }
    reply = http.options(f"{server.url}{path}", headers=asked)

    assert (reply.status_code, reply.content) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["access-control-allow-headers"] == HEADERS
    assert method in reply.headers["access-control-allow-methods"].split(", ")
    assert reply.headers["access-control-allow-private-network"] == "true"
    assert "access-control-allow-credentials" not in reply.headers


def test_a_preflight_allows_no_more_than_it_asks_for(http: httpx.Client, server: Server) -> None:
    """A plain page on the web is not told of private networks."""
    reply = http.options(f"{server.url}/v1/models", headers={**PAGE, "access-control-request-method": "GET"})

    assert reply.status_code == 204
    assert "access-control-allow-headers" not in reply.headers
    assert "access-control-allow-private-network" not in reply.headers


@pytest.mark.parametrize(
    ("method", "path", "key", "status"),
    [
        ("GET", "/v1/models", KEY, 200),
        ("GET", "/models", KEY, 200),
        ("GET", "/v1/v1/models", KEY, 200),
        ("GET", "/v1/models", "wrong", 401),
        ("POST", "/v1/chat/completions", "wrong", 401),
        ("POST", "/v1/chat/completions", KEY, 400),
        ("GET", "/v1/nothing", KEY, 404),
        ("PUT", "/v1/models", KEY, 405),
        ("GET", "/media/nothing.mp4", "none", 404),
        ("HEAD", "/media/nothing.mp4", "none", 404),
        ("GET", "/health", "none", 200),
    ],
)
def test_a_page_may_read_every_answer(
    http: httpx.Client, server: Server, method: str, path: str, key: str, status: int
) -> None:
    """Errors too, and the headers that its client goes by; the same without a page, because of caches in between."""
    for page in (PAGE, {}):
        reply = http.request(method, f"{server.url}{path}", headers={**page, "authorization": f"Bearer {key}"})

        assert reply.status_code == status
        assert reply.headers["access-control-allow-origin"] == "*"
        exposed = set(reply.headers["access-control-expose-headers"].split(", "))
        assert {
            "x-request-id",
            "x-video-id",
            "x-should-retry",
            "retry-after",
            "content-range",
            "openai-poll-after-ms",
            "idempotent-replayed",
        } <= exposed


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/v1/models", "/media/nothing.mp4"])
def test_who_is_no_browser_may_ask_what_is_allowed_too(http: httpx.Client, server: Server, path: str) -> None:
    """A plain OPTIONS, which is a request like any other and needs the key where others do."""
    reply = http.options(f"{server.url}{path}", headers={"authorization": f"Bearer {KEY}"})

    assert reply.status_code == 204
    assert "GET" in reply.headers["allow"]


@pytest.mark.parametrize("prefix", ["/v1", "", "/v1/v1"])
def test_the_api_answers_with_and_without_its_prefix(http: httpx.Client, server: Server, prefix: str) -> None:
    """Front-ends append `/v1` to what they are given, or leave it out."""
    headers = {"authorization": f"Bearer {KEY}"}
    listed = http.get(f"{server.url}{prefix}/models", headers=headers).json()["data"]
    body = {"model": "gemini-3.1-flash-image", "messages": [{"role": "user", "content": "a fox"}]}
    answer = http.post(f"{server.url}{prefix}/chat/completions", json=body, headers=headers)
    picture = http.post(
        f"{server.url}{prefix}/images/generations", json={"model": "flow-gem-pix", "prompt": "a fox"}, headers=headers
    )

    assert "veo-3.1-fast" in {model["id"] for model in listed}
    assert f"{server.url}/media/" in answer.json()["choices"][0]["message"]["content"]
    assert picture.json()["data"][0]["b64_json"]
