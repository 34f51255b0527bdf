"""Programs made for Azure: its paths, its way to send a key, and its official clients."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import openai
import pytest

from tests.fakes import png
from tests.journeys.node_programs import NodePrograms
from tests.journeys.schema_watch import Watch
from tests.journeys.server import KEY, Server
from tests.pictures import opened, pictures
from tests.support import WITHOUT_TLS

MODEL = "gemini-2.5-flash-image"
VERSION = "2025-04-01-preview"
PATHS = [
    f"/openai/deployments/{MODEL}/images/generations",
    f"/v1/openai/deployments/{MODEL}/images/generations",
    "/openai/v1/images/generations",
    "/openai/images/generations",
    "/v1/images/generations",
    "/images/generations",
]


def azure(server: Server, watch: Watch, deployment: str | None = None) -> openai.AzureOpenAI:
    """Return Azure's client; it sends the key as `api-key`."""
    client = openai.DefaultHttpxClient(verify=WITHOUT_TLS, event_hooks={"response": [watch.on_response]})
    if deployment is None:
        return openai.AzureOpenAI(
            azure_endpoint=server.url, api_key=KEY, api_version=VERSION, max_retries=0, http_client=client
        )
    return openai.AzureOpenAI(
        azure_endpoint=server.url,
        azure_deployment=deployment,
        api_key=KEY,
        api_version=VERSION,
        max_retries=0,
        http_client=client,
    )


@pytest.fixture(params=[None, MODEL], ids=["a deployment a request", "a deployment a client"])
def client(request: pytest.FixtureRequest, server: Server, watch: Watch) -> Iterator[openai.AzureOpenAI]:
    """Both ways to say which model is meant."""
    with azure(server, watch, request.param) as client:
        yield client


def test_pictures_are_made_and_edited(client: openai.AzureOpenAI, server: Server) -> None:
    """JSON and a form; each is executed once."""
    prompt = f"waves {uuid4()}"
    made = pictures(client.images.generate(model=MODEL, prompt=prompt))
    edited = pictures(client.images.edit(model=MODEL, prompt=prompt, image=png(64, 64)))

    assert [opened(data).size for data in (*made, *edited)] == [(1024, 1024)] * 2
    assert server.executed(prompt) == 2


def test_the_deployment_is_the_model(server: Server, watch: Watch) -> None:
    """Whatever name the program has for it, as at Azure."""
    prompt = f"waves {uuid4()}"
    with azure(server, watch, "gemini-3.1-flash-image") as client:
        client.images.generate(model="gpt-4-turbo", prompt=prompt)
        client.images.edit(model="gpt-4-turbo", prompt=prompt, image=png(64, 64))
        client.chat.completions.create(model="gpt-4-turbo", messages=[{"role": "user", "content": prompt}])

    assert len(set(server.models(prompt))) == 1
    assert "3.1-flash" in server.models(prompt)[0]


def test_chats_stream(client: openai.AzureOpenAI, prompt: str) -> None:
    """To their end."""
    messages: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": prompt}]
    chunks = [*client.chat.completions.create(model=MODEL, messages=messages, stream=True)]

    assert chunks[-1].choices[0].finish_reason == "stop"
    assert "](http" in "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def test_responses_models_and_files_are_there(client: openai.AzureOpenAI, prompt: str) -> None:
    """They are asked for outside of a deployment."""
    response = client.responses.create(model=MODEL, input=prompt, tools=[{"type": "image_generation"}])
    file = client.files.create(file=("fox.png", png()), purpose="vision")

    assert client.responses.retrieve(response.id).output[0].type == "image_generation_call"
    assert MODEL in [model.id for model in client.models.list()]
    assert client.models.retrieve(MODEL).id == MODEL
    assert client.files.content(file.id).read() == png()
    assert client.files.delete(file.id).deleted


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("header", ["authorization", "api-key", "x-api-key", "x-goog-api-key"])
def test_each_path_takes_each_kind_of_key(http: httpx.Client, server: Server, path: str, header: str) -> None:
    """And none takes a wrong one."""
    key = f"Bearer {KEY}" if header == "authorization" else KEY
    url = f"{server.url}{path}?api-version={VERSION}"

    assert http.post(url, json={"model": MODEL, "prompt": ""}, headers={header: key}).status_code == 400
    assert http.post(url, json={"model": MODEL, "prompt": ""}, headers={header: f"{key}x"}).status_code == 401


@pytest.mark.parametrize("first", PATHS)
def test_a_request_is_the_same_under_every_path(http: httpx.Client, server: Server, first: str, prompt: str) -> None:
    """A key of idempotency that was used under one of them is known under the others."""
    headers = {"api-key": KEY, "idempotency-key": str(uuid4())}
    body = {"model": MODEL, "prompt": prompt}
    answers = [
        http.post(f"{server.url}{path}", json=body, headers=headers, timeout=60)
        for path in (first, "/v1/images/generations")
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].headers["idempotent-replayed"] == "true"
    assert answers[0].content == answers[1].content
    assert server.executed(prompt) == 1


@pytest.mark.parametrize("path", ["/openai/nothing", f"/openai/deployments/{MODEL}/embeddings", "/openai/v1/audio"])
def test_what_is_not_there_is_not_there_for_azure_either(http: httpx.Client, server: Server, path: str) -> None:
    """In the same shape, with the path as it was asked for."""
    answer = http.post(f"{server.url}{path}", headers={"api-key": KEY})

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_url")
    assert path in answer.json()["error"]["message"]


def test_a_page_may_send_a_key_in_each_way(http: httpx.Client, server: Server) -> None:
    """CORS lets the headers in by their names."""
    wanted = "api-key, x-api-key, content-type"
    headers = {"origin": "https://page.example", "access-control-request-headers": wanted}
    answer = http.options(f"{server.url}{PATHS[0]}", headers=headers | {"access-control-request-method": "POST"})

    assert answer.headers["access-control-allow-headers"] == wanted


class Made(msgspec.Struct, frozen=True):
    """What the Node program reports."""

    pictures: list[str]
    chat: str
    models: list[str]


@pytest.mark.parametrize("deployment", [None, MODEL])
def test_the_node_client_for_azure_works(
    node: NodePrograms, tmp_path: Path, prompt: str, deployment: str | None
) -> None:
    """The same journey in the other half of the world."""
    file = tmp_path / "fox.png"
    file.write_bytes(png(64, 64))
    order = {} if deployment is None else {"deployment": deployment}
    made = node.run("azure", Made, model=MODEL, prompt=prompt, file=str(file), **order)

    assert [opened(picture).size for picture in made.pictures] == [(1024, 1024)] * 3
    assert "](http" in made.chat
    assert MODEL in made.models
