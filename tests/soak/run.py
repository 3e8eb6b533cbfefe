"""A whole soak: everything at once, then a simulated day, on one market of real processes."""

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.benchmarks.machine import describe
from tests.soak.burst import order_at_once, until_quiet
from tests.soak.checks import account_for_every_wei, dead_letters, queues_are_empty
from tests.soak.life import Life
from tests.soak.market import KEY_BITS, SoakMarket
from tests.soak.readings import Observer
from tests.soak.report import Part, SoakReport, memory_report
from tests.soak.schedule import schedule
from tests.support.broker.rabbitmq import Server
from tests.support.daemons.forked_daemons import DaemonForks


@dataclass(frozen=True)
class Plan:
    """What to do; `per_hour` trainings are ordered in each simulated hour of `seconds_per_hour`."""

    at_once: int
    hours: float
    per_hour: float
    seconds_per_hour: float
    owners: int
    buyers: int
    seed: int
    quick: bool = False


async def soak(plan: Plan, folder: Path, server: Server) -> SoakReport:
    """Everything in `folder`; raises AssertionError for what must not be."""
    machine = describe()
    async with _market(plan, folder, server) as market, _observed(market) as observer:
        await market.introduced()
        at_once = await _at_once(plan, market, observer) if plan.at_once else None
        life = done = None
        since = 0.0
        if plan.hours:
            since, life, done = await _day(plan, market, observer)
        on_chain = dict(await account_for_every_wei(market))
    return SoakReport(
        machine=machine,
        key_bits=KEY_BITS,
        at_once=at_once,
        life=life,
        on_chain=on_chain,
        disturbances=done or {},
        memory=memory_report(observer.memory, since),
        seed=plan.seed,
        owners=plan.owners,
        buyers=plan.buyers,
        hours=plan.hours,
        seconds_per_hour=plan.seconds_per_hour,
    )


async def _at_once(plan: Plan, market: SoakMarket, observer: Observer) -> Part:
    before = observer.published.total()
    seconds = await order_at_once(market, observer, plan.at_once, Random(plan.seed))
    return await _part(market, observer, plan.at_once, seconds, before, Counter())


async def _day(plan: Plan, market: SoakMarket, observer: Observer) -> tuple[float, Part, dict[str, int]]:
    """(when the day's last third began, what the day came to, what was done to daemons)."""
    before, earlier = observer.published.total(), observer.states("buyer")
    random = Random(plan.seed)
    events = schedule(
        list(market.daemons), hours=plan.hours, per_hour=plan.per_hour, random=random, quick=plan.quick
    )
    life = Life(market, observer, seconds_per_hour=plan.seconds_per_hour, random=random)
    began, last_third = time.monotonic(), observer.seconds() + plan.hours * plan.seconds_per_hour * 2 / 3
    ordered = await life.live(events, plan.hours)
    await until_quiet(market, observer, earlier.total() + ordered)
    part = await _part(market, observer, ordered, time.monotonic() - began, before, earlier)
    done = Counter(event.action for event in life.done if event.action != "order")
    return last_third, part, dict(done)


async def _part(
    market: SoakMarket, observer: Observer, trainings: int, seconds: float, before: int, earlier: Counter[str]
) -> Part:
    """After the last training has ended: what must hold, and the figures."""
    await queues_are_empty(market)
    return Part(
        trainings=trainings,
        seconds=seconds,
        messages=observer.published.total() - before,
        endings=dict(observer.states("buyer") - earlier),
        dead_letters=dict(await dead_letters(market)),
    )


@asynccontextmanager
async def _market(plan: Plan, folder: Path, server: Server) -> AsyncIterator[SoakMarket]:
    with DaemonForks() as forks:
        market = SoakMarket(folder, server, forks, owners=plan.owners, buyers=plan.buyers, seed=plan.seed)
        if plan.quick:
            market.node_options, market.workers = ("--block-time", "0.25"), 0
        async with market:
            yield market


@asynccontextmanager
async def _observed(market: SoakMarket) -> AsyncIterator[Observer]:
    observer = Observer(market)
    try:
        yield observer
    finally:
        await observer.close()
