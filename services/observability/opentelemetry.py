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
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from services.observability.tracer import Attribute, Kind

_log = structlog.get_logger(__name__)

_EXPORT_SECONDS = 5.0
_CLOSE_SECONDS = 3.0
_PERIOD_MILLISECONDS = 2000
_MOST_WAITING = 4096
_KINDS = {
    "internal": SpanKind.INTERNAL,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "client": SpanKind.CLIENT,
}


class OpenTelemetrySpan:
    """See Span."""

    def __init__(self, span: Span) -> None:
        """A span that has been started."""
        self._span = span
        place = span.get_span_context()
        self.context: str | None = f"00-{place.trace_id:032x}-{place.span_id:016x}-{place.trace_flags:02x}"

    def describe(self, **attributes: Attribute | None) -> None:
        """See Span."""
        for name, value in attributes.items():
            if value is not None:
                self._span.set_attribute(f"deltaml.{name}", value)

    def fail(self, code: str) -> None:
        """See Span."""
        self._span.set_status(Status(StatusCode.ERROR, code))

    def end(self) -> None:
        """See Span."""
        self._span.end()


class OpenTelemetryTracer:
    """See Tracer."""

    def __init__(self, processor: SpanProcessor, ratio: float, service: str, party: str) -> None:
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

    def start(self, name: str, parent: str | None, kind: Kind) -> OpenTelemetrySpan:
        """See Tracer."""
        context = Context()
        if parent is not None:
            _, trace, span, _ = parent.split("-")
            place = SpanContext(int(trace, 16), int(span, 16), is_remote=True, trace_flags=TraceFlags())
            context = set_span_in_context(NonRecordingSpan(place), context)
        return OpenTelemetrySpan(
            self._tracer.start_span(
                name, context, _KINDS[kind], record_exception=False, set_status_on_exception=False
            )
        )

    def close(self) -> None:
        """See Tracer. The thread that exports may wait for the collector longer than we do."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(_CLOSE_SECONDS)


class Told(SpanExporter):
    """Another exporter, with one line in our log when its collector goes, and one when it is back."""

    def __init__(self, exporter: SpanExporter) -> None:
        """The collector counts as there at first."""
        self._exporter, self._is_there = exporter, True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export, and tell of a change."""
        result = self._exporter.export(spans)
        is_there = result is SpanExportResult.SUCCESS
        if is_there is not self._is_there:
            self._is_there = is_there
            if is_there:
                _log.info("collector_reachable_again")
            else:
                _log.warning("collector_unreachable", lost_spans=len(spans))
        return result

    def shutdown(self) -> None:
        """See SpanExporter."""
        self._exporter.shutdown()


def batches_to(endpoint: str) -> SpanProcessor:
    """Spans to an OTLP/HTTP collector's URL, in batches and from a thread of its own."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it would tell of every attempt
    exporter = Told(OTLPSpanExporter(endpoint=endpoint, timeout=_EXPORT_SECONDS))
    return BatchSpanProcessor(
        exporter, max_queue_size=_MOST_WAITING, schedule_delay_millis=_PERIOD_MILLISECONDS
    )
