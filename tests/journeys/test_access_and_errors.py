"""Keys, models, and every error in OpenAI's shape."""

import httpx
import openai
import pytest

from tests.journeys.server import KEY, Connect, Server

ERROR_KEYS = {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer wrong",
        f"Basic {KEY}",
        f"Bearer {KEY}x",
        KEY,
        f"Bearer {KEY[:-1]}",
        "Bearer ключ",
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/models"), ("POST", "/v1/chat/completions")])
def test_without_a_right_key_there_is_nothing(
    http: httpx.Client, server: Server, method: str, path: str, authorization: str | None
) -> None:
    """401 in OpenAI's shape, whatever is wrong with the header."""
    headers = {} if authorization is None else {b"authorization": authorization.encode()}
    reply = http.request(method, f"{server.url}{path}", headers=headers)

    assert reply.status_code == 401
    assert reply.json()["error"]["code"] == "invalid_api_key"
    assert reply.headers["www-authenticate"] == "Bearer"


def test_the_sdk_raises_its_own_exception_for_a_wrong_key(server: Server, connect: Connect) -> None:
    """With a request id to quote."""
    with (
        connect(server, api_key="wrong") as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.models.list()

    assert (caught.value.request_id or "").startswith("req_")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/nothing", b"", 404),
        ("GET", "/", b"", 404),
        ("GET", "/v1/models/imagen-4", b"", 404),
        ("GET", "/media/nothing.mp4", b"", 404),
        ("GET", "/media/..%2Fjobs.db", b"", 404),
        ("PUT", "/v1/models", b"", 405),
        ("GET", "/v1/chat/completions", b"", 405),
        ("POST", "/v1/images/generations", b"", 400),
        ("POST", "/v1/images/generations", b"{", 400),
        ("POST", "/v1/images/generations", b'{"model": 7}', 400),
        ("POST", "/v1/images/generations", b'{"prompt": "\xff"}', 400),
        ("POST", "/v1/images/generations", b"[" * 100_000, 400),
        ("POST", "/v1/chat/completions", b'{"model": "veo-3.1-fast", "messages": []}', 400),
        ("POST", "/v1/chat/completions", b'{"model": "no", "messages": []}', 404),
        ("POST", "/v1/images/generations", b" " * (3 * 1024 * 1024), 413),
    ],
)
def test_every_error_has_openais_shape_and_a_request_id(
    http: httpx.Client, server: Server, method: str, path: str, body: bytes, status: int
) -> None:
    """Ours and the framework's, before and after routing."""
    reply = http.request(
        method, f"{server.url}{path}", content=body, headers={"authorization": f"Bearer {KEY}"}, timeout=30
    )

    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-request-id"].startswith("req_")
    assert reply.headers["x-should-retry"] == "false"
    assert set(reply.json()["error"]) == ERROR_KEYS


@pytest.mark.parametrize("host", ["x:abc", "x:99999", "[::1]:x", "evil.example", ""])
@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/models", "/media/nothing.mp4"])
def test_a_strange_host_header_changes_nothing(http: httpx.Client, server: Server, path: str, host: str) -> None:
    """Links never come from it, and errors keep their shape."""
    reply = http.get(f"{server.url}{path}", headers={"host": host, "authorization": f"Bearer {KEY}"})

    assert reply.status_code in {200, 404}
    assert reply.headers["x-request-id"].startswith("req_")
    assert reply.headers["content-type"] == "application/json"


def test_a_wrong_method_is_answered_with_the_right_ones(http: httpx.Client, server: Server) -> None:
    """As RFC 9110 wants it."""
    assert "POST" in http.get(f"{server.url}/v1/chat/completions").headers["allow"]


def test_a_wrong_size_is_answered_with_what_is_allowed(client: openai.OpenAI) -> None:
    """The user reads it and can act."""
    with pytest.raises(
        openai.BadRequestError, match=r"'banana' is not a size\. Allowed: 'auto', WIDTHxHEIGHT"
    ) as caught:
        client.images.generate(model="flow-gem-pix", prompt="a fox", size="banana")

    assert caught.value.param == "size"


def test_a_wrong_model_is_answered_with_the_ones_there_are(client: openai.OpenAI) -> None:
    """Names to copy."""
    with pytest.raises(
        openai.NotFoundError, match=r"'imagen-4' does not exist here\. Available: gemini-nano-banana"
    ) as caught:
        client.images.generate(model="imagen-4", prompt="a fox")

    assert caught.value.code == "model_not_found"


def test_a_menu_has_one_name_for_each_model(client: openai.OpenAI) -> None:
    """In the order of the catalogue; front-ends show this list to people."""
    names = [model.id for model in client.models.list()]

    assert names == list(dict.fromkeys(names))
    assert {"gemini-2.5-flash-image", "flow-gem-pix", "veo-3.1-fast"} <= set(names)
    assert not [name for name in names if name.endswith(("-portrait", "-landscape", "-square", "-preview"))]


def test_every_name_is_listed_on_request_and_found(client: openai.OpenAI) -> None:
    """Shapes, former names, the providers' own and other vendors'."""
    names = [model.id for model in client.models.list(extra_query={"all": "true"})]

    assert names == list(dict.fromkeys(names))
    assert {"veo-3.1-fast-portrait", "veo_3_1_t2v_fast", "gemini-3-pro-image-preview", "dall-e-3"} <= set(names)
    assert [client.models.retrieve(name).id for name in names] == names


def test_a_list_that_is_neither_all_nor_plain_is_refused(client: openai.OpenAI) -> None:
    """The error names the parameter."""
    with pytest.raises(openai.BadRequestError, match="Allowed: true, 1, false, 0") as caught:
        client.models.list(extra_query={"all": "maybe"})

    assert caught.value.param == "all"


@pytest.mark.parametrize(
    "name",
    ["veo-3.1-fast", "gpt-image-1", "gemini-3-pro-image-preview", "veo_3_1_t2v_fast", "veo-3.1-fast-portrait:html"],
)
def test_a_model_is_found_by_any_of_its_names(client: openai.OpenAI, name: str) -> None:
    """Under the name that was asked for."""
    assert client.models.retrieve(name).id == name


def test_health_needs_no_key_and_leaves_no_line(http: httpx.Client, server: Server) -> None:
    """Load balancers ask every second."""
    assert http.get(f"{server.url}/health").json() == {"status": "ok"}
    assert http.get(f"{server.url}/ready").json() == {"status": "ready"}
    assert '"/health"' not in server.log
