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

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

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


Read = Callable[[Observed], float | None]
ReadLabelled = Callable[[Observed], Mapping[tuple[str, ...], float]]


class DaemonCollector(Collector):
    """Everything that is counted, by role and party; no secret and no model."""

    def __init__(self, daemons: Sequence[Observed], meter: Meter) -> None:
        """`meter` is shared by the daemons of this process."""
        self._daemons, self._meter = daemons, meter

    def collect(self) -> Iterable[Metric]:
        """One reading; called by prometheus_client."""
        yield from self._life()
        yield from self._work()
        yield from self._traffic()
        yield from self._chain()
        yield from _metered(self._meter)

    def _life(self) -> Iterable[Metric]:
        yield self._labelled(
            "heartbeat_timestamp_seconds",
            "When a task of the daemon last came round; one that only waits does so every 20 seconds.",
            ["task"],
            lambda one: (
                {} if one.heartbeats is None else {(task,): at for task, at in one.heartbeats.at.items()}
            ),
        )
        yield self._gauge(
            "event_loop_lag_seconds",
            "By how much the event loop was late at the latest tick of the last minute.",
            lambda one: None if one.heartbeats is None else one.heartbeats.lag,
        )
        yield self._labelled(
            "up", "Whether broker, chain and store answered when last asked.", ["part"], _answering
        )
        yield self._gauge(
            "healthy",
            "1 when /health answers 200, else 0.",
            lambda one: None if one.health is None else float(not one.health.failing()),
        )
        yield self._gauge(
            "store_free_bytes",
            "Space left where the store's file lies.",
            lambda one: None if one.folder is None else shutil.disk_usage(one.folder).free,
        )

    def _work(self) -> Iterable[Metric]:
        yield self._labelled(
            "trainings", "Trainings by the state that people see.", ["state"], _trainings_by_state
        )
        yield self._labelled(
            "trainings_ended",
            "Trainings that have ended, by outcome.",
            ["outcome"],
            _trainings_ended,
            counter=True,
        )
        yield self._gauge(
            "training_quiet_seconds",
            "Time since the training under way changed that has been quiet longest; 0 when none is.",
            lambda one: _age(one.store.quiet_since()),
        )
        yield self._gauge(
            "inbox_inputs", "Inputs that wait for their step.", lambda one: one.store.waiting_inputs()
        )
        yield self._gauge(
            "inbox_oldest_seconds",
            "Age of the input that has waited longest; 0 when none waits.",
            lambda one: _age(one.store.oldest_input_at()),
        )
        yield self._gauge(
            "outbox_effects", "Effects not carried out yet.", lambda one: one.store.waiting_effects()
        )
        yield self._gauge(
            "outbox_oldest_seconds",
            "Age of the effect that has waited longest; 0 when none waits.",
            lambda one: _age(one.store.oldest_effect_at()),
        )

    def _traffic(self) -> Iterable[Metric]:
        yield self._counter("messages_published", "Messages sent.", lambda one: one.bus.messages_published)
        yield self._counter(
            "bytes_published", "Bytes of sealed bodies sent.", lambda one: one.bus.bytes_published
        )
        yield self._labelled(
            "dead_letters",
            "Messages put among the dead letters.",
            ["reason", "code"],
            _letters,
            counter=True,
        )

    def _chain(self) -> Iterable[Metric]:
        yield self._gauge(
            "account_balance_ether", "What the daemon's account holds for gas.", lambda one: one.ether()
        )
        yield self._gauge("head_block", "The chain's newest block.", lambda one: _block(one, 0))
        yield self._gauge(
            "last_confirmed_block", "The newest block that counts as final.", lambda one: _block(one, 1)
        )
        yield self._gauge(
            "confirmation_lag_blocks", "Newest block less the last confirmed one.", _confirmation_lag
        )

    def _gauge(self, name: str, text: str, read: Read) -> Metric:
        return self._labelled(name, text, [], _unlabelled(read))

    def _counter(self, name: str, text: str, read: Read) -> Metric:
        return self._labelled(name, text, [], _unlabelled(read), counter=True)

    def _labelled(
        self, name: str, text: str, labels: list[str], read: ReadLabelled, *, counter: bool = False
    ) -> Metric:
        kind = CounterMetricFamily if counter else GaugeMetricFamily
        family = kind(f"deltaml_{name}", text, labels=["role", "party", *labels])
        for daemon in self._daemons:
            for values, figure in read(daemon).items():
                family.add_metric([daemon.role, daemon.address, *values], figure)
        return family


def _unlabelled(read: Read) -> ReadLabelled:
    """What a daemon does not know is left out."""

    def labelled(daemon: Observed) -> Mapping[tuple[str, ...], float]:
        figure = read(daemon)
        return {} if figure is None else {(): figure}

    return labelled


def _trainings_by_state(daemon: Observed) -> Mapping[tuple[str, ...], float]:
    return {(state,): count for state, count in daemon.store.trainings_by_state().items()}


def _trainings_ended(daemon: Observed) -> Mapping[tuple[str, ...], float]:
    """Both outcomes are there from the start: the first failure must show as an increase."""
    ended: dict[tuple[str, ...], float] = {("finished",): 0.0, ("failed",): 0.0}
    for state, count in daemon.store.trainings_by_state().items():
        outcome = (state.partition("(")[0].lower(),)
        if outcome in ended:
            ended[outcome] += count
    return ended


def _answering(daemon: Observed) -> Mapping[tuple[str, ...], float]:
    return {} if daemon.health is None else {(part,): float(up) for part, up in daemon.health.up.items()}


def _letters(daemon: Observed) -> Mapping[tuple[str, ...], float]:
    """Every reason is there from the start: the first letter must show as an increase."""
    found: dict[tuple[str, ...], float] = {(reason, ""): 0.0 for reason in REASONS}
    return found | {(reason_of(code), code): count for code, count in daemon.bus.dead_letters.items()}


def _block(daemon: Observed, place: int) -> float | None:
    blocks = daemon.blocks()
    return None if blocks is None else blocks[place]


def _confirmation_lag(daemon: Observed) -> float | None:
    blocks = daemon.blocks()
    return None if blocks is None else blocks[0] - blocks[1]


def _age(since: float | None) -> float:
    return 0.0 if since is None else max(0.0, time.time() - since)


def _metered(meter: Meter) -> Iterable[Metric]:
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
    family = CounterMetricFamily(f"deltaml_{name}", text, labels=labels)
    for key, figure in figures.items():
        family.add_metric([key] if isinstance(key, str) else list(key), figure)
    return family


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
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host}:{port} ({error.strerror}): choose another port for the metrics, "
                "and an address of this machine"
            ) from None
        yield
    finally:
        await runner.cleanup()
