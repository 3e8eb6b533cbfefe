"""Metrics and health over HTTP, in the text format that Prometheus scrapes.

Collected when asked for and in the event loop, so that a scrape never meets a transaction half-way.
"""

import shutil
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Generic, TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from services.bus.port import Bus
from services.bus.refusal_reasons import REASONS, reason_of
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


Figures = float | Mapping[str, float] | Mapping[tuple[str, ...], float] | None
"""One figure, or one for each value of the labels; None for what is not known."""
Source = TypeVar("Source")


@dataclass(frozen=True)
class Family(Generic[Source]):
    """One metric, read from every daemon or from the meter of their process."""

    kind: type[CounterMetricFamily | GaugeMetricFamily]
    name: str
    text: str
    read: Callable[[Source], Figures]
    labels: tuple[str, ...] = ()

    def metric(self, common: Sequence[str], sources: Iterable[tuple[Sequence[str], Source]]) -> Metric:
        """One reading of each source, which comes with its values of the `common` labels."""
        metric = self.kind(f"deltaml_{self.name}", self.text, labels=(*common, *self.labels))
        for values, source in sources:
            figures = self.read(source)
            if figures is None:
                continue
            by_label = figures if isinstance(figures, Mapping) else {(): figures}
            for key, figure in by_label.items():
                metric.add_metric([*values, *([key] if isinstance(key, str) else key)], figure)
        return metric


_gauge = partial(Family[Observed], GaugeMetricFamily)
_counter = partial(Family[Observed], CounterMetricFamily)
_total = partial(Family[Meter], CounterMetricFamily)


def _trainings_ended(daemon: Observed) -> Figures:
    """Both outcomes are there from the start: the first failure must show as an increase."""
    ended = {"finished": 0.0, "failed": 0.0}
    for state, count in daemon.store.trainings_by_state().items():
        outcome = state.partition("(")[0].lower()
        if outcome in ended:
            ended[outcome] += count
    return ended


def _letters(daemon: Observed) -> Figures:
    """Every reason is there from the start: the first letter must show as an increase."""
    letters: dict[tuple[str, ...], float] = {(reason, ""): 0.0 for reason in REASONS}
    letters.update({(reason_of(code), code): n for code, n in daemon.bus.dead_letters.items()})
    return letters


def _of_blocks(figure: Callable[[int, int], float]) -> Callable[[Observed], Figures]:
    return lambda daemon: None if (blocks := daemon.blocks()) is None else figure(*blocks)


def _age(since: float | None) -> float:
    return 0.0 if since is None else max(0.0, time.time() - since)


FAMILIES = (
    _gauge(
        "heartbeat_timestamp_seconds",
        "When a task of the daemon last came round; one that only waits does so every 20 seconds.",
        lambda of: None if of.heartbeats is None else of.heartbeats.at,
        ("task",),
    ),
    _gauge(
        "event_loop_lag_seconds",
        "By how much the event loop was late at the latest tick of the last minute.",
        lambda of: None if of.heartbeats is None else of.heartbeats.lag,
    ),
    _gauge(
        "up",
        "Whether broker, chain and store answered when last asked.",
        lambda of: None if of.health is None else of.health.up,
        ("part",),
    ),
    _gauge(
        "healthy",
        "1 when /health answers 200, else 0.",
        lambda of: None if of.health is None else float(not of.health.failing()),
    ),
    _gauge(
        "store_free_bytes",
        "Space left where the store's file lies.",
        lambda of: None if of.folder is None else shutil.disk_usage(of.folder).free,
    ),
    _gauge(
        "trainings",
        "Trainings by the state that people see.",
        lambda of: of.store.trainings_by_state(),
        ("state",),
    ),
    _counter("trainings_ended", "Trainings that have ended, by outcome.", _trainings_ended, ("outcome",)),
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
    _counter("dead_letters", "Messages put among the dead letters.", _letters, ("reason", "code")),
    _counter(
        "letters_dropped",
        "Refused messages beyond their sender's share of dead letters, by the sender that the broker names.",
        lambda of: dict(of.bus.dropped),
        ("sender",),
    ),
    _gauge("store_rows", "Rows of the store, by table.", lambda of: of.store.row_counts(), ("table",)),
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

PROCESS_TOTALS = (
    _total(
        "phase_seconds", "Seconds by phase, over all tasks and workers.", attrgetter("seconds"), ("phase",)
    ),
    _total("retries", "What could not be done at once and was tried again.", attrgetter("retries"), ("of",)),
    _total("transactions", "Contract calls by outcome.", attrgetter("transactions"), ("call", "outcome")),
    _total("gas_spent", "Gas of contract calls that were mined.", attrgetter("gas"), ("call", "outcome")),
    _total(
        "set_aside", "What nothing could be done with and was set aside.", attrgetter("set_aside"), ("of",)
    ),
    _total(
        "inputs_forgotten",
        "Messages beyond their sender's share that changed nothing: they left no row.",
        attrgetter("inputs_forgotten"),
    ),
    _total(
        "round_troubles",
        "What was noted of rounds that did not go as they should, by fact and reason.",
        attrgetter("troubles"),
        ("fact", "code"),
    ),
    _total("steps_failed", "Steps that ended in a bug of ours.", attrgetter("steps_failed")),
)
"""What the daemons of a process count together."""


class DaemonCollector(Collector):
    """Everything that is counted, by role and party; no secret and no model."""

    def __init__(self, daemons: Sequence[Observed], meter: Meter) -> None:
        """`meter` is shared by the daemons of this process."""
        self._daemons, self._meter = daemons, meter

    @override
    def collect(self) -> Iterable[Metric]:
        """One reading; called by prometheus_client."""
        for family in FAMILIES:
            yield family.metric(("role", "party"), [((of.role, of.address), of) for of in self._daemons])
        for total in PROCESS_TOTALS:
            yield total.metric((), [((), self._meter)])
        yield from self._meter.steps.collect()
        yield from self._meter.rounds.collect()


@asynccontextmanager
async def serving(
    port: int | None,
    collector: Collector,
    health: Health | None = None,
    *,
    host: str = LOOPBACK,
    names: Collection[str] = (),
) -> AsyncIterator[None]:
    """Serve /metrics and /health on this machine's address `host` while the block runs; None serves nothing.

    /health answers 200, or 503 with the parts that fail and why. `names` with a dot are answered to, as are
    addresses and names without one.

    Raises ConfigurationError for a port that is taken.
    """
    if port is None:
        yield
        return
    # A web server takes a moment to import, and is not for those that serve nothing.
    from services.common.http_server import listening  # noqa: PLC0415
    from services.observability.metrics_pages import application_of  # noqa: PLC0415

    application = application_of(collector, health, frozenset({host, *names}))
    async with listening(application, host, port, option="port for the metrics"):
        yield
