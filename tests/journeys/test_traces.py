"""Traces of a running server, as a collector of OpenTelemetry gets them."""

from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import openai
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.journeys.server import KEY, Connect, Server, wait_until

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
COLLECTOR_KEY = "collector-key"


class Collector:
    """A collector that keeps what it gets."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.authorizations: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.authorizations.add(self.headers.get("authorization", ""))
                collector.add(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1/traces"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def add(self, request: ExportTraceServiceRequest) -> None:
        """Keep the spans of a request."""
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


def attributes(span: Span) -> dict[str, str]:
    """Return the attributes of a span that are texts."""
    return {each.key: each.value.string_value or str(each.value.int_value) for each in span.attributes}


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector."""
    running = Collector()
    yield running
    running.close()


@pytest.fixture
def traced(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Server]:
    """A server that sends its traces to the collector; a test stops it, to have them all."""
    more = f'\n[traces]\nendpoint = "{collector.url}"\nheaders = {{ authorization = "plain:{COLLECTOR_KEY}" }}\n'
    server = Server(tmp_path_factory.mktemp("traced"), more=more)
    server.start()
    yield server
    server.kill()


def of_trace(collector: Collector) -> Sequence[Span]:
    """Return the spans of the client's trace, by the time at which they began."""
    return sorted(
        (each for each in collector.spans if each.trace_id.hex() == TRACE), key=lambda it: it.start_time_unix_nano
    )


def test_a_picture_is_one_trace_from_the_client_to_google(
    traced: Server, connect: Connect, collector: Collector
) -> None:
    """The client's span, ours, and that of the call."""
    with connect(traced) as client:
        made = client.images.with_raw_response.generate(
            model="gemini-2.5-flash-image", prompt="a fox", extra_headers=TRACEPARENT
        )
    assert traced.stop() == 0

    request, call = of_trace(collector)
    assert request.name == "POST /v1/images/generations"
    assert request.kind == Span.SPAN_KIND_SERVER
    assert request.parent_span_id.hex() == PARENT
    assert attributes(request)["http.response.status_code"] == "200"
    assert attributes(request)["adapter.request_id"] == made.headers["x-request-id"]
    assert call.name == "gemini images"
    assert call.kind == Span.SPAN_KIND_CLIENT
    assert call.parent_span_id == request.span_id
    assert collector.authorizations == {COLLECTOR_KEY}
    assert not [each for each in collector.spans if KEY in str(each)]


def test_the_steps_of_a_video_belong_to_the_trace_of_its_request(
    traced: Server, connect: Connect, collector: Collector
) -> None:
    """They are made after the answer, and by whatever process has the job then."""
    with connect(traced) as client:
        video = client.videos.create(model="veo-3.1-fast", prompt="waves", extra_headers=TRACEPARENT)
        wait_until(lambda: client.videos.retrieve(video.id).status == "completed", "it is never completed")
    assert traced.stop() == 0

    spans = {each.name: each for each in of_trace(collector)}
    request, job = spans["POST /v1/videos"], spans["job veo-3.1-fast"]
    for name in ("job submit", "job fetch", "job veo-3.1-fast"):
        assert spans[name].parent_span_id == request.span_id
        assert attributes(spans[name])["adapter.job.id"] == video.id
    assert spans["flow submit"].parent_span_id == spans["job submit"].span_id
    assert spans["flow download"].parent_span_id == spans["job fetch"].span_id
    assert attributes(job)["adapter.outcome"] == "completed"
    assert job.end_time_unix_nano > spans["job submit"].end_time_unix_nano


def test_a_refused_call_is_an_error_in_the_trace(traced: Server, connect: Connect, collector: Collector) -> None:
    """With the code that the client got."""
    with connect(traced) as client, pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(model="gemini-2.5-flash-image", prompt="a fox [blocked]", extra_headers=TRACEPARENT)
    assert traced.stop() == 0

    request, call = of_trace(collector)
    assert call.status.code == Status.STATUS_CODE_ERROR
    assert attributes(call)["error.type"] == refused.value.code
    assert request.status.code == Status.STATUS_CODE_UNSET
    assert attributes(request)["http.response.status_code"] == "400"


def test_a_collector_that_does_not_answer_costs_no_request(
    tmp_path_factory: pytest.TempPathFactory, connect: Connect
) -> None:
    """The server works, and it ends."""
    server = Server(tmp_path_factory.mktemp("untraced"), more='\n[traces]\nendpoint = "http://127.0.0.1:9/v1/traces"\n')
    server.start()
    try:
        with connect(server) as client:
            assert client.images.generate(model="gemini-2.5-flash-image", prompt="a fox").data
    finally:
        assert server.stop() == 0
