"""`/metrics` of a running server, as Prometheus reads it."""

import secrets
from collections.abc import Callable, Iterator

import httpx
import openai
import pytest

from tests.journeys.server import HTTP, KEY, Connect, Server, wait_until
from tests.metric_pages import MetricsText

METRICS_KEY = secrets.token_hex(16)
METRICS = """
[metrics]
enabled = true
key = "env:METRICS_KEY"
owners = true
"""
HEADERS = {"authorization": f"Bearer {KEY}"}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that is measured."""
    server = Server(tmp_path_factory.mktemp("measured"), more=METRICS, environ={"METRICS_KEY": METRICS_KEY})
    server.start()
    yield server
    assert server.stop() == 0


def ask(server: Server, authorization: str = f"Bearer {METRICS_KEY}") -> httpx.Response:
    """Ask for the page, unwatched: it is Prometheus's, and no document of OpenAI's or ours describes it."""
    return HTTP.get(f"{server.url}/metrics", headers={"authorization": authorization})


def page(server: Server) -> MetricsText:
    """Return the page."""
    answer = ask(server)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return MetricsText(answer.text)


def page_once(server: Server, is_reached: Callable[[MetricsText], bool]) -> MetricsText:
    """Return the page as soon as it tells of something: a request is counted a moment after its answer was sent."""
    pages: list[MetricsText] = []

    def look() -> bool:
        pages.append(page(server))
        return is_reached(pages[-1])

    wait_until(look, "it is never counted")
    return pages[-1]


def test_a_picture_is_counted_by_route_model_call_and_cost(
    http: httpx.Client, measured: Server, connect: Connect
) -> None:
    """Once each, whatever address the client uses."""
    before = page(measured)
    with connect(measured) as client:
        client.images.generate(model="gemini-2.5-flash-image", prompt="a fox", n=2)
    azure = f"{measured.url}/openai/deployments/gemini-2.5-flash-image/images/generations"
    assert http.post(azure, json={"prompt": "a fox"}, headers=HEADERS).status_code == 200
    asked = before.value("adapter_requests_total") + 3  # with the page itself
    after = page_once(measured, lambda page: page.value("adapter_requests_total") >= asked)

    def more(name: str, **labels: str) -> float:
        return after.value(name, **labels) - before.value(name, **labels)

    route, model = "/v1/images/generations", "gemini-2.5-flash-image"
    assert more("adapter_requests_total", route=route, method="POST", status="200") == 2
    assert more("adapter_request_seconds_count", route=route) == 2
    assert more("adapter_executions_total", model=model, kind="image", outcome="completed") == 2
    assert more("adapter_upstream_calls_total", provider="gemini", call="images", outcome="ok") == 2
    assert more("adapter_accepted_units_total", model=model, kind="image") == 3
    assert more("adapter_accepted_cost_total", model=model, currency="USD") == pytest.approx(0.117)


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
def test_a_video_is_counted_from_its_submission_to_its_file(measured: Server, connect: Connect) -> None:
    """With the account that made it, and what that account has left."""
    before = page(measured)
    with connect(measured) as client:
        video = client.videos.create(model="veo-3.1-fast", prompt="waves")
        wait_until(lambda: page(measured).value("adapter_jobs", kind="video") == 1, "the job is not counted")
        wait_until(lambda: client.videos.retrieve(video.id).status == "completed", "there is no video")
    after = page_once(measured, lambda page: page.value("adapter_jobs", kind="video") == 0)

    def more(name: str, **labels: str) -> float:
        return after.value(name, **labels) - before.value(name, **labels)

    calls = {"provider": "flow", "credential": "sandbox", "outcome": "ok"}
    assert more("adapter_upstream_calls_total", call="submit", **calls) == 1
    assert more("adapter_upstream_calls_total", call="download", **calls) >= 1
    assert more("adapter_upstream_calls_total", call="poll", **calls) >= 1
    assert more("adapter_poll_batch_jobs_count", provider="flow") >= 1
    assert more("adapter_executions_total", kind="video", outcome="completed") == 1
    assert more("adapter_accepted_cost_total", currency="credits") == 20
    assert more("adapter_requests_total", route="/v1/videos/{video_id}", status="200") >= 1
    assert after.value("adapter_credits", provider="flow", credential="sandbox") > 900
    assert after.value("adapter_jobs", kind="video") == 0
    assert not any(video.id in label for label in after.labels)


def test_only_the_key_of_the_metrics_opens_the_page(http: httpx.Client, measured: Server) -> None:
    """Not a client's, and not under the prefix of the API."""
    refused = [ask(measured, sent) for sent in ("", f"Bearer {KEY}", f"Basic {METRICS_KEY}")]
    elsewhere = http.get(f"{measured.url}/v1/metrics", headers={"authorization": f"Bearer {METRICS_KEY}"})

    assert [each.status_code for each in refused] == [401] * 3
    assert all(each.json()["error"]["code"] == "invalid_api_key" for each in refused)
    assert elsewhere.status_code == 404
    assert METRICS_KEY not in measured.log
    assert '"/metrics"' not in measured.log


def test_without_the_setting_there_is_no_page(http: httpx.Client, server: Server) -> None:
    """The default."""
    assert http.get(f"{server.url}/metrics").status_code == 404


def test_a_client_cannot_make_series_up(http: httpx.Client, measured: Server) -> None:
    """Unknown paths and models are counted together."""
    mark = secrets.token_hex(8)
    http.get(f"{measured.url}/{mark}")
    http.post(f"{measured.url}/v1/images/generations", json={"model": mark, "prompt": "a fox"}, headers=HEADERS)
    unknown = {"route": "other", "status": "404"}
    after = page_once(measured, lambda page: page.value("adapter_requests_total", **unknown) >= 1)

    assert not any(mark in label for label in after.labels)


def test_secrets_and_whole_digests_are_no_labels(measured: Server, connect: Connect) -> None:
    """With owners shown, an owner without a name is a part of the digest."""
    with connect(measured) as client:
        client.images.generate(model="gemini-2.5-flash-image", prompt="a fox")
        with pytest.raises(openai.NotFoundError):
            client.images.generate(model="none", prompt="a fox")
    labels = page(measured).labels

    assert [label for label in labels if "sandbox-flow-token" in label or "AIza" in label or KEY in label] == []
    assert [label for label in labels if len(label) >= 64] == []


def test_an_open_stream_is_counted_while_it_is_open(http: httpx.Client, measured: Server) -> None:
    """And no longer."""
    body = {"model": "veo-3.1-fast", "messages": [{"role": "user", "content": "more waves"}], "stream": True}
    with http.stream("POST", f"{measured.url}/v1/chat/completions", json=body, headers=HEADERS) as answer:
        lines = answer.iter_lines()
        next(lines)
        assert page(measured).value("adapter_streams_open") == 1
        assert list(lines)[-2:] == ["data: [DONE]", ""]

    wait_until(lambda: page(measured).value("adapter_streams_open") == 0, "a stream is still counted")
    # The request for the page itself is open.
    wait_until(lambda: page(measured).value("adapter_requests_open") == 1, "a request is still counted")
