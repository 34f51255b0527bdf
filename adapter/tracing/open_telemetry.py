"""The port `Tracer` by OpenTelemetry's library, which sends spans to a collector from a thread of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import msgspec
import requests
from opentelemetry import context as active_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from adapter.domain.ports import Attributes, Secret, Span, SpanKind
from adapter.version import VERSION

#: What one request to the collector may take, also the last one when the process ends, in seconds.
EXPORT_SECONDS: Final = 5.0
KINDS: Final[Mapping[SpanKind, trace.SpanKind]] = {
    "server": trace.SpanKind.SERVER,
    "client": trace.SpanKind.CLIENT,
    "internal": trace.SpanKind.INTERNAL,
}
NANOSECONDS: Final = 1_000_000_000
TRACEPARENT: Final = "traceparent"
#: Writes and reads `traceparent`.
_propagator = TraceContextTextMapPropagator()


class Collector(msgspec.Struct, frozen=True, kw_only=True):
    """Where spans are sent."""

    endpoint: str
    #: Headers of each request to it.
    headers: Mapping[str, Secret]


class OpenTelemetryTracer:
    """Records spans (the port `Tracer`)."""

    def __init__(self, *, service: str, sample: float) -> None:
        """Take the name of this server, and the part of the traces that begin here and are kept."""
        self._provider = TracerProvider(
            resource=Resource({"service.name": service, "service.version": VERSION}),
            sampler=ParentBased(TraceIdRatioBased(sample)),
            shutdown_on_exit=False,
        )
        self._tracer = self._provider.get_tracer("adapter", VERSION)

    @asynccontextmanager
    async def sending(self, collector: Collector) -> AsyncIterator[None]:
        """Send spans meanwhile, and in the end what is left of them."""
        headers = {name: await secret.read() for name, secret in collector.headers.items()}
        session = requests.Session()
        session.trust_env = False  # no proxy and no netrc of the environment
        exporter = OTLPSpanExporter(collector.endpoint, headers=headers, timeout=EXPORT_SECONDS, session=session)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        try:
            yield
        finally:
            await asyncio.to_thread(self._provider.shutdown)

    def begin(self, name: str, kind: SpanKind, attributes: Attributes, parents: Sequence[str] = ()) -> Span:
        """Begin a span (the port of that name)."""
        contexts = [_context_of(parent) for parent in parents]
        parent = contexts[0] if len(contexts) == 1 else None
        links = [trace.Link(trace.get_current_span(each).get_span_context()) for each in contexts if len(contexts) > 1]
        span = self._tracer.start_span(
            name, context=parent, kind=KINDS[kind], attributes=attributes, links=links, record_exception=False
        )
        return _Span(span)

    def record(self, name: str, attributes: Attributes, parent: str, times: tuple[float, float]) -> None:
        """Record work that is over (the port of that name)."""
        began, ended = (int(each * NANOSECONDS) for each in times)
        span = self._tracer.start_span(name, context=_context_of(parent), attributes=attributes, start_time=began)
        if "error.type" in attributes:
            span.set_status(trace.StatusCode.ERROR)
        span.end(ended)

    def current(self) -> str:
        """Return the span that is active (the port of that name)."""
        carrier: dict[str, str] = {}
        _propagator.inject(carrier)
        return carrier.get(TRACEPARENT, "")


class _Span:
    """A span (the port `Span`)."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @contextmanager
    def active(self) -> Iterator[None]:
        """Have other spans belong to it (the port of that name)."""
        token = active_context.attach(trace.set_span_in_context(self._span))
        try:
            yield
        finally:
            active_context.detach(token)

    def end(self, attributes: Attributes, *, is_failed: bool) -> None:
        """End it (the port of that name)."""
        self._span.set_attributes(attributes)
        if is_failed:
            self._span.set_status(trace.StatusCode.ERROR)
        self._span.end()


def _context_of(parent: str) -> Context:
    """Return the context of a `traceparent`; that of no span, if it is none."""
    return _propagator.extract({TRACEPARENT: parent}, context=Context())
