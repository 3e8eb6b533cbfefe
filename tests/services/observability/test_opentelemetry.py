"""Spans reach a collector over OTLP/HTTP, and a dead collector costs a daemon nothing but spans."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from structlog.testing import capture_logs

from services.observability import tracing
from services.observability.tracer import Limits
from tests.support.daemons.daemon_market import free_port


class Collector(BaseHTTPRequestHandler):
    """Takes spans, and keeps their names."""

    names: list[str]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/v1/traces"
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in group.scope_spans:
                self.names.extend(span.name for span in scope.spans)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments):
        return


@pytest.fixture
def collector():
    names = []
    kept = type("Kept", (Collector,), {"names": names})
    with ThreadingHTTPServer(("127.0.0.1", 0), kept) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", names
        server.shutdown()
        thread.join()


def test_spans_reach_a_collector_before_the_daemon_ends(collector):
    url, names = collector
    tracing.configure(url, 1.0, "deltaml-data_owner", "0xab")
    with tracing.span("step complaint"), tracing.span("store step"):
        pass
    tracing.close()
    assert names == ["store step", "step complaint"]


def test_opentelemetrys_own_switch_turns_spans_off(collector, monkeypatch):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    url, names = collector
    tracing.configure(url, 1.0, "deltaml-data_owner", "0xab")
    with tracing.span("step complaint"), tracing.span("store step") as inner:
        assert inner.context is None
    tracing.close()
    assert names == []


def test_spans_do_not_wait_for_a_collector_that_does_not_answer():
    limits = Limits(export_seconds=600.0, close_seconds=0.1, period_milliseconds=10)
    with socket.socket() as deaf, capture_logs() as logs:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        place = f"http://127.0.0.1:{deaf.getsockname()[1]}/v1/traces"
        tracing.configure(place, 1.0, "deltaml-data_owner", "0xab", limits)
        many_spans()
        connection, _ = deaf.accept()  # the export has begun
        many_spans()
        tracing.close()
        assert logs == []  # and has neither ended nor failed: nobody waited for it
        connection.close()


def test_a_collector_that_is_away_is_told_once():
    limits = Limits(export_seconds=0.2, period_milliseconds=10)
    with capture_logs() as logs:
        place = f"http://127.0.0.1:{free_port()}/v1/traces"
        tracing.configure(place, 1.0, "deltaml-data_owner", "0xab", limits)
        many_spans()
        until = time.monotonic() + 60
        while not logs and time.monotonic() < until:
            time.sleep(0.01)
        many_spans()
        tracing.close()
    assert [line["event"] for line in logs] == ["collector_unreachable"]


def many_spans():
    """More than the queue holds."""
    for _ in range(2 * Limits().most_waiting):
        with tracing.span("step complaint"):
            pass
