"""OpenTelemetry's side of `services.observability.tracing`: imported by daemons that trace, and by no other.

A collector that is slow or dead costs the daemon nothing but spans: they wait in a bounded queue, from which
a thread of its own exports them, and the oldest are dropped.
"""

import logging
import threading
from collections.abc import Sequence

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from typing_extensions import override

from services.observability import tracer

_log = structlog.get_logger(__name__)

_traceparent = TraceContextTextMapPropagator()


class OpenTelemetrySpan(tracer.Span):
    """A span that is exported once it has ended."""

    def __init__(self, span: Span) -> None:
        self._span = span
        headers: dict[str, str] = {}
        _traceparent.inject(headers, set_span_in_context(span, Context()))
        self.context = headers.get("traceparent")  # none where OTEL_SDK_DISABLED is set

    @override
    def describe(self, **attributes: tracer.Attribute | None) -> None:
        for name, value in attributes.items():
            if value is not None:
                self._span.set_attribute(f"deltaml.{name}", value)

    @override
    def fail(self, code: str) -> None:
        self._span.set_status(Status(StatusCode.ERROR, code))

    @override
    def end(self) -> None:
        self._span.end()


class OpenTelemetryTracer:
    """Hands spans to a processor."""

    def __init__(
        self, processor: SpanProcessor, ratio: float, service: str, party: str, close_seconds: float
    ) -> None:
        """Which traces are kept follows from their ids alone, so that all daemons of one ratio keep the same.

        A peer's flag is not looked at: it could make us trace everything. A peer that chooses its trace ids
        has its own messages traced, and no others.
        """
        resource = Resource({"service.name": service, "service.instance.id": party})
        self._provider = TracerProvider(
            sampler=TraceIdRatioBased(ratio), resource=resource, shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("deltaml")
        self._close_seconds = close_seconds

    def start(self, name: str, parent: str | None, kind: tracer.Kind) -> OpenTelemetrySpan:
        """A span that runs from now on."""
        context = _traceparent.extract({"traceparent": parent} if parent else {}, Context())
        span = self._tracer.start_span(
            name, context, SpanKind[kind.upper()], record_exception=False, set_status_on_exception=False
        )
        return OpenTelemetrySpan(span)

    def close(self) -> None:
        """Export what is left, in bounded time: the exporting thread may wait for the collector longer."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(self._close_seconds)


class LoggedExporter(SpanExporter):
    """Another exporter, with one line in our log when its collector goes, and one when it is back."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter, self._is_there = exporter, True

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        is_there = result is SpanExportResult.SUCCESS
        if is_there is not self._is_there:
            self._is_there = is_there
            if is_there:
                _log.info("collector_reachable_again")
            else:
                _log.warning("collector_unreachable", lost_spans=len(spans))
        return result

    @override
    def shutdown(self) -> None:
        self._exporter.shutdown()


def batches_to(endpoint: str, limits: tracer.Limits) -> SpanProcessor:
    """Spans to an OTLP/HTTP collector's URL, in batches and from a thread of its own."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it would tell of every attempt
    exporter = LoggedExporter(OTLPSpanExporter(endpoint=endpoint, timeout=limits.export_seconds))
    return BatchSpanProcessor(
        exporter, max_queue_size=limits.most_waiting, schedule_delay_millis=limits.period_milliseconds
    )
