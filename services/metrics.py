"""Metrics and health over HTTP, in the text format that Prometheus scrapes.

Collected when asked for and in the event loop, so that a scrape never meets a transaction half-way.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from services.bus.port import Bus
from services.errors import ConfigurationError
from services.meter import Meter
from services.store import Store

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Observed:
    """A daemon as its operator sees it."""

    role: str
    address: str
    store: Store
    bus: Bus


class DaemonCollector(Collector):
    """Trainings by state, depths of the queues, traffic, and seconds by phase; no secret and no model."""

    def __init__(self, daemons: Sequence[Observed], meter: Meter) -> None:
        """`meter` is shared by the daemons of this process."""
        self._daemons, self._meter = daemons, meter

    def collect(self) -> Iterable[Metric]:
        """One reading; called by prometheus_client."""
        labels = ["role", "party"]
        trainings = GaugeMetricFamily(
            "deltaml_trainings", "Trainings by the state that people see.", labels=[*labels, "state"]
        )
        inbox = GaugeMetricFamily("deltaml_inbox_inputs", "Inputs that wait for their step.", labels=labels)
        outbox = GaugeMetricFamily("deltaml_outbox_effects", "Effects not carried out yet.", labels=labels)
        messages = CounterMetricFamily("deltaml_messages_published", "Messages sent.", labels=labels)
        sent = CounterMetricFamily("deltaml_bytes_published", "Bytes of sealed bodies sent.", labels=labels)
        for daemon in self._daemons:
            party = [daemon.role, daemon.address]
            for state, count in daemon.store.trainings_by_state().items():
                trainings.add_metric([*party, state], count)
            inbox.add_metric(party, daemon.store.waiting_inputs())
            outbox.add_metric(party, daemon.store.waiting_effects())
            messages.add_metric(party, daemon.bus.messages_published)
            sent.add_metric(party, daemon.bus.bytes_published)
        phases = CounterMetricFamily(
            "deltaml_phase_seconds", "Seconds by phase, over all tasks and workers.", labels=["phase"]
        )
        for phase, seconds in self._meter.seconds.items():
            phases.add_metric([phase], seconds)
        return (trainings, inbox, outbox, messages, sent, phases)


@asynccontextmanager
async def serving(port: int | None, collector: Collector) -> AsyncIterator[None]:
    """Serve /metrics and /health on loopback while the block runs; None serves nothing.

    Raises ConfigurationError for a port that is taken.
    """
    if port is None:
        yield
        return
    registry = CollectorRegistry()
    registry.register(collector)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def health(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    application = web.Application()
    application.add_routes([web.get("/metrics", metrics), web.get("/health", health)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, LOOPBACK, port).start()
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {LOOPBACK}:{port} ({error.strerror}): choose another port for the metrics"
            ) from None
        yield
    finally:
        await runner.cleanup()
