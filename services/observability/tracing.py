"""Traces: which delivery led to which step, transaction, message and contract call, across daemons.

Off unless `configure` was called; then nothing of OpenTelemetry is imported and a span costs a function call.
One daemon, one process, one collector: like logging, it is the process's and not handed through.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from protocol.envelope import Envelope
from services.observability.tracer import DEFAULT_LIMITS, Attribute, Kind, Limits, Span

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

    from services.observability.opentelemetry import OpenTelemetryTracer

_context: ContextVar[str | None] = ContextVar("traceparent", default=None)
_NO_SPAN = Span()
_tracers: list["OpenTelemetryTracer"] = []
"""The process's tracer, or nothing."""


def configure(endpoint: str, ratio: float, service: str, party: str, limits: Limits = DEFAULT_LIMITS) -> None:
    """Trace from now on: this part of all traces to an OTLP/HTTP collector."""
    from services.observability.opentelemetry import batches_to  # noqa: PLC0415  half a second that only tracing daemons pay

    configure_with(batches_to(endpoint, limits), ratio, service, party, limits)


def configure_with(
    processor: "SpanProcessor", ratio: float, service: str, party: str, limits: Limits = DEFAULT_LIMITS
) -> None:
    """Trace from now on with another way to export."""
    from services.observability.opentelemetry import OpenTelemetryTracer  # noqa: PLC0415

    close()
    _tracers.append(OpenTelemetryTracer(processor, ratio, service, party, limits.close_seconds))


def is_on() -> bool:
    """Whether this process traces."""
    return bool(_tracers)


def close() -> None:
    """Stop tracing; what is left is exported in bounded time."""
    while _tracers:
        _tracers.pop().close()


def current() -> str | None:
    """The context of the span that this code runs in."""
    return _context.get()


def start(name: str, *, parent: str | None = None, kind: Kind = "internal") -> Span:
    """A span that is ended by hand; by default below the current one."""
    if not _tracers:
        return _NO_SPAN
    return _tracers[0].start(name, parent or _context.get(), kind)


@contextmanager
def span(
    name: str, *, parent: str | None = None, kind: Kind = "internal", **attributes: Attribute | None
) -> Iterator[Span]:
    """A span around a block, whose spans are below it; an exception marks it by its kind alone."""
    started = start(name, parent=parent, kind=kind)
    started.describe(**attributes)
    token = _context.set(started.context)
    try:
        yield started
    except BaseException as error:
        started.fail(type(error).__name__)
        raise
    finally:
        _context.reset(token)
        started.end()


def describe_message(span: Span, envelope: Envelope) -> None:
    """What a span says of a message."""
    span.describe(
        message=envelope.type,
        training=envelope.training or None,
        round=envelope.round,
        attempt=envelope.attempt,
        sender=envelope.sender,
        recipient=envelope.recipient,
    )
