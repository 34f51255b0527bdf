"""How pictures and models are handed over where a request does not say: by program, key and configuration."""

import base64
from collections.abc import Iterator

import httpx
import pytest

from tests.journeys.server import KEY, Connect, Server

MODEL = "gemini-3.1-flash-image"
#: What LangChain's `DallEAPIWrapper` sends (langchain-community 0.4.2, recorded). It reads `data[].url` of the answer.
WRAPPER = {"prompt": "{prompt}", "model": MODEL, "n": 1, "size": "1024x1024"}
CONFIG = """
[images.response_format_by_key]
"plain:sk-second" = "both"
links = "url"
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose operator chose."""
    folder = tmp_path_factory.mktemp("told")
    running = Server(folder, more=CONFIG, environ={"ADAPTER__LIST_MODELS": "variants"})
    running.start()
    yield running
    assert running.stop() == 0


def asked(http: httpx.Client, server: Server, prompt: str, *, key: str = KEY, **headers: str) -> list[dict[str, str]]:
    """Ask as the wrapper does, and return the pictures."""
    reply = http.post(
        f"{server.url}/v1/images/generations",
        json={**WRAPPER, "prompt": prompt},
        headers={"authorization": f"Bearer {key}", **headers},
    )
    assert reply.status_code == 200, reply.text
    pictures: list[dict[str, str]] = reply.json()["data"]
    return pictures


def same_bytes(http: httpx.Client, picture: dict[str, str]) -> bool:
    """Say whether a picture's link leads to what its base64 is."""
    return http.get(picture["url"]).content == base64.b64decode(picture["b64_json"])


def test_a_wrapper_that_names_langchain_gets_a_link_beside_the_base64(
    http: httpx.Client, server: Server, prompt: str
) -> None:
    """It reads the link, for a model of ours too, and pays once."""
    [picture] = asked(http, server, prompt, **{"user-agent": "LangChain"})

    assert same_bytes(http, picture)
    assert server.executed(prompt) == 1


def test_other_programs_get_base64_alone(http: httpx.Client, server: Server, prompt: str) -> None:
    """As of OpenAI's own younger models; Open WebUI would take a link first, and cannot fetch a private one."""
    [picture] = asked(http, server, prompt, **{"user-agent": "OpenAI/Python 3.57.0"})

    assert set(picture) == {"b64_json"}


def test_a_key_chooses_for_a_wrapper_that_does_not_name_itself(
    http: httpx.Client, told: Server, connect: Connect, prompt: str
) -> None:
    """One of the configuration, and one that was made; an explicit wish is stronger."""
    [both] = asked(http, told, f"{prompt} both", key="sk-second")
    made = told.command("keys", "create", "links").strip()
    [linked] = asked(http, told, f"{prompt} linked", key=made)
    [plain] = asked(http, told, f"{prompt} plain")
    with connect(told, api_key="sk-second") as client:
        explicit = client.images.generate(model=MODEL, prompt=f"{prompt} explicit", response_format="b64_json")

    assert same_bytes(http, both)
    assert (set(linked), set(plain)) == ({"url"}, {"b64_json"})
    assert explicit.data
    assert explicit.data[0].url is None


def test_an_answer_with_both_is_given_again_with_both(http: httpx.Client, told: Server, prompt: str) -> None:
    """After a restart too, from what is stored."""
    first = asked(http, told, prompt, key="sk-second", **{"idempotency-key": prompt})
    assert told.stop() == 0
    told.start()
    again = asked(http, told, prompt, key="sk-second", **{"idempotency-key": prompt})

    assert again == first
    assert told.executed(prompt) == 1


def test_a_key_that_there_is_not_is_a_warning_of_the_check(told: Server) -> None:
    """It may still be made."""
    told.command("keys", "revoke", "links")
    [warning] = [line for line in told.command("check").splitlines() if "response_format_by_key" in line]

    assert warning == "warning: images.response_format_by_key names keys that there are not: links"


def test_the_operator_chooses_which_models_are_listed(told: Server, connect: Connect) -> None:
    """A request may ask for all of them, or for the plain ones."""
    with connect(told) as client:
        usual = {model.id for model in client.models.list()}
        plain = {model.id for model in client.models.list(extra_query={"all": "false"})}
        everything = {model.id for model in client.models.list(extra_query={"all": "true"})}

    assert plain < usual < everything
    assert {"veo-3.1-fast-portrait", "flow-gem-pix-square"} <= usual - plain
    assert {"veo_3_1_t2v_fast", "GEM_PIX", "dall-e-3", "gemini-3-pro-image-preview"} <= everything - usual
