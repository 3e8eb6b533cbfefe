"""Metrics and health over HTTP, in the text format that Prometheus scrapes.

Collected when asked for and in the event loop, so that a scrape never meets a transaction half-way.
"""

import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from typing_extensions import override

from services.bus.port import Bus
from services.bus.refusal_reasons import REASONS, reason_of
from services.common.errors import ConfigurationError, StoreUnavailable
from services.observability.counters import Meter
from services.observability.health import Health
from services.observability.heartbeat import Heartbeats
from services.store import Store

LOOPBACK = "127.0.0.1"
Blocks = tuple[int, int]
"""The chain's newest block, and the last that was confirmed."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A daemon as its operator sees it; `blocks` is known to a listener once it has looked at the chain.

    `ether` is what the daemon's account holds, once known; `folder` is where its store's file lies.
    """

    role: str
    address: str
    store: Store
    bus: Bus
    health: Health | None = None
    blocks: Callable[[], Blocks | None] = lambda: None
    heartbeats: Heartbeats | None = None
    ether: Callable[[], float | None] = lambda: None
    folder: Path | None = None


Figures = Mapping[tuple[str, ...], float]
"""By the values of the labels; what a daemon does not know is left out."""


class Family(NamedTuple):
    """One metric of every daemon."""

    name: str
    text: str
    read: Callable[[Observed], Figures]
    labels: tuple[str, ...] = ()
    kind: type[CounterMetricFamily | GaugeMetricFamily] = GaugeMetricFamily


def _gauge(name: str, text: str, read: Callable[[Observed], float | None]) -> Family:
    def figures(daemon: Observed) -> Figures:
        figure = read(daemon)
        return {} if figure is None else {(): figure}

    return Family(name, text, figures)


def _counter(name: str, text: str, read: Callable[[Observed], float]) -> Family:
    return Family(name, text, lambda daemon: {(): read(daemon)}, kind=CounterMetricFamily)


def _beats(daemon: Observed) -> Figures:
    return {} if daemon.heartbeats is None else {(task,): at for task, at in daemon.heartbeats.at.items()}


def _parts_up(daemon: Observed) -> Figures:
    return {} if daemon.health is None else {(part,): float(up) for part, up in daemon.health.up.items()}


def _trainings(daemon: Observed) -> Figures:
    return {(state,): count for state, count in daemon.store.trainings_by_state().items()}


def _trainings_ended(daemon: Observed) -> Figures:
    """Both outcomes are there from the start: the first failure must show as an increase."""
    ended: dict[tuple[str, ...], float] = {("finished",): 0.0, ("failed",): 0.0}
    for state, count in daemon.store.trainings_by_state().items():
        outcome = (state.partition("(")[0].lower(),)
        if outcome in ended:
            ended[outcome] += count
    return ended


def _letters(daemon: Observed) -> Figures:
    """Every reason is there from the start: the first letter must show as an increase."""
    none: Figures = {(reason, ""): 0.0 for reason in REASONS}
    return {**none} | {(reason_of(code), code): count for code, count in daemon.bus.dead_letters.items()}


def _healthy(daemon: Observed) -> float | None:
    return None if daemon.health is None else float(not daemon.health.failing())


def _free_bytes(daemon: Observed) -> float | None:
    return None if daemon.folder is None else shutil.disk_usage(daemon.folder).free


def _of_blocks(figure: Callable[[int, int], float]) -> Callable[[Observed], float | None]:
    return lambda daemon: None if (blocks := daemon.blocks()) is None else figure(*blocks)


def _age(since: float | None) -> float:
    return 0.0 if since is None else max(0.0, time.time() - since)


FAMILIES = (
    Family(
        "heartbeat_timestamp_seconds",
        "When a task of the daemon last came round; one that only waits does so every 20 seconds.",
        _beats,
        ("task",),
    ),
    _gauge(
        "event_loop_lag_seconds",
        "By how much the event loop was late at the latest tick of the last minute.",
        lambda of: None if of.heartbeats is None else of.heartbeats.lag,
    ),
    Family("up", "Whether broker, chain and store answered when last asked.", _parts_up, ("part",)),
    _gauge("healthy", "1 when /health answers 200, else 0.", _healthy),
    _gauge("store_free_bytes", "Space left where the store's file lies.", _free_bytes),
    Family("trainings", "Trainings by the state that people see.", _trainings, ("state",)),
    Family(
        "trainings_ended",
        "Trainings that have ended, by outcome.",
        _trainings_ended,
        ("outcome",),
        CounterMetricFamily,
    ),
    _gauge(
        "training_quiet_seconds",
        "Time since the training under way changed that has been quiet longest; 0 when none is.",
        lambda of: _age(of.store.quiet_since()),
    ),
    _gauge("inbox_inputs", "Inputs that wait for their step.", lambda of: of.store.waiting_inputs()),
    _gauge(
        "inbox_oldest_seconds",
        "Age of the input that has waited longest; 0 when none waits.",
        lambda of: _age(of.store.oldest_input_at()),
    ),
    _gauge("outbox_effects", "Effects not carried out yet.", lambda of: of.store.waiting_effects()),
    _gauge(
        "outbox_oldest_seconds",
        "Age of the effect that has waited longest; 0 when none waits.",
        lambda of: _age(of.store.oldest_effect_at()),
    ),
    _counter("messages_published", "Messages sent.", lambda of: of.bus.messages_published),
    _counter("bytes_published", "Bytes of sealed bodies sent.", lambda of: of.bus.bytes_published),
    Family(
        "dead_letters",
        "Messages put among the dead letters.",
        _letters,
        ("reason", "code"),
        CounterMetricFamily,
    ),
    _gauge("account_balance_ether", "What the daemon's account holds for gas.", lambda of: of.ether()),
    _gauge("head_block", "The chain's newest block.", _of_blocks(lambda newest, _: newest)),
    _gauge(
        "last_confirmed_block", "The newest block that counts as final.", _of_blocks(lambda _, final: final)
    ),
    _gauge(
        "confirmation_lag_blocks",
        "Newest block less the last confirmed one.",
        _of_blocks(lambda newest, final: newest - final),
    ),
)


class DaemonCollector(Collector):
    """Everything that is counted, by role and party; no secret and no model."""

    def __init__(self, daemons: Sequence[Observed], meter: Meter) -> None:
        """`meter` is shared by the daemons of this process."""
        self._daemons, self._meter = daemons, meter

    @override
    def collect(self) -> Iterable[Metric]:
        """One reading; called by prometheus_client."""
        for family in FAMILIES:
            yield self._reading(family)
        yield from _process_totals(self._meter)

    def _reading(self, family: Family) -> Metric:
        labels = ("role", "party", *family.labels)
        metric = family.kind(f"deltaml_{family.name}", family.text, labels=labels)
        for daemon in self._daemons:
            for values, figure in family.read(daemon).items():
                metric.add_metric([daemon.role, daemon.address, *values], figure)
        return metric


def _process_totals(meter: Meter) -> Iterable[Metric]:
    """What the daemons of a process count together."""
    yield _total("phase_seconds", "Seconds by phase, over all tasks and workers.", ["phase"], meter.seconds)
    yield _total("retries", "What could not be done at once and was tried again.", ["of"], meter.retries)
    yield _total("transactions", "Contract calls by outcome.", ["call", "outcome"], meter.transactions)
    yield _total("gas_spent", "Gas of contract calls that were mined.", ["call", "outcome"], meter.gas)
    yield CounterMetricFamily(
        "deltaml_steps_failed", "Steps that ended in a bug of ours.", value=meter.steps_failed
    )
    yield from meter.steps.collect()
    yield from meter.rounds.collect()


def _total(
    name: str, text: str, labels: list[str], figures: Mapping[str, float] | Counter[tuple[str, str]]
) -> Metric:
    metric = CounterMetricFamily(f"deltaml_{name}", text, labels=labels)
    for key, figure in figures.items():
        metric.add_metric([key] if isinstance(key, str) else list(key), figure)
    return metric


@asynccontextmanager
async def serving(
    port: int | None, collector: Collector, health: Health | None = None, *, host: str = LOOPBACK
) -> AsyncIterator[None]:
    """Serve /metrics and /health on this machine's address `host` while the block runs; None serves nothing.

    /health answers 200, or 503 with the parts that fail and why.

    Raises ConfigurationError for a port that is taken.
    """
    if port is None:
        yield
        return
    runner = web.AppRunner(_application(collector, health), access_log=None)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        yield
    finally:
        await runner.cleanup()


def _application(collector: Collector, health: Health | None) -> web.Application:
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)

    async def metrics(_request: web.Request) -> web.Response:
        try:
            content = generate_latest(registry)
        except StoreUnavailable as error:
            return web.Response(text=f"{error}\n", status=503)
        return web.Response(body=content, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def answer(_request: web.Request) -> web.Response:
        failing = {} if health is None else health.failing()
        if failing:
            return web.json_response({"status": "failing", "parts": failing}, status=503)
        return web.json_response({"status": "ok"})

    application = web.Application()
    application.add_routes([web.get("/metrics", metrics), web.get("/health", answer)])
    return application


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}:{port} ({error.strerror}): choose another port for the metrics, and an "
            "address of this machine"
        ) from None
