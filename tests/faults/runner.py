"""Runs scenarios, several markets side by side, and tells what became of each."""

import asyncio
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.faults.market import BOUND_SECONDS, FaultMarket
from tests.faults.outcome import check
from tests.faults.plan import CLASSES, scenario
from tests.support.broker.private_rabbitmq import PrivateBroker, private_broker
from tests.support.broker.rabbitmq import NamedBroker


@dataclass(frozen=True)
class Result:
    """What became of a scenario; `error` is empty when all was as it must be."""

    seed: int
    fault: str
    seconds: float
    outcome: str = ""
    evidence: str = ""
    error: str = ""


async def run(
    seeds: Sequence[int],
    markets: int,
    report: Callable[[Result], None],
    *,
    named_broker: bool = False,
) -> None:
    """Run the scenarios of these seeds on so many markets; each runs one at a time.

    Each market has a broker of its own, but for `named_broker`: all use that which the environment names, and
    no scenario may kill it.

    SIGTERM ends everything that was started.
    """
    stop_when_told()
    waiting = list(reversed(seeds))
    with ExitStack() as stack:
        brokers: Sequence[PrivateBroker | NamedBroker]
        if named_broker:
            brokers = [NamedBroker.of_environment()] * markets
        else:
            brokers = await asyncio.gather(
                *(asyncio.to_thread(stack.enter_context, private_broker()) for _ in range(markets))
            )
        async with asyncio.TaskGroup() as tasks:
            for broker in brokers:
                tasks.create_task(_work(broker, waiting, report))


def stop_when_told() -> None:
    """Have SIGTERM cancel the running task, so that brokers, nodes and daemons are ended."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def _work(
    broker: PrivateBroker | NamedBroker, waiting: list[int], report: Callable[[Result], None]
) -> None:
    """One market after another: after a scenario that went wrong nothing is left to the next."""
    while waiting:
        with tempfile.TemporaryDirectory(prefix="deltaml-faults-", ignore_cleanup_errors=True) as folder:
            async with FaultMarket(Path(folder), broker) as market:
                while waiting and not market.spent:
                    report(await _scenario(market, waiting.pop()))
        if not broker.is_running:
            await asyncio.to_thread(broker.start)


async def _scenario(market: FaultMarket, seed: int) -> Result:
    name, index = scenario(seed)
    started = time.monotonic()
    try:
        async with asyncio.timeout(BOUND_SECONDS + 60):
            outcome, evidence = await _one(market, name, index, seed)
    except Exception:  # noqa: BLE001  whatever it is, it is this scenario's result
        market.spent = True
        return Result(seed, name, time.monotonic() - started, error=traceback.format_exc())
    return Result(seed, name, time.monotonic() - started, outcome, evidence)


async def _one(market: FaultMarket, name: str, index: int, seed: int) -> tuple[str, str]:
    chance = Random(seed)
    for daemon in market.daemons.values():
        daemon.board.reset()
    market.lost.clear()
    fault = CLASSES[name][0](market, chance, index)
    await fault.before()
    training = await market.order(chance, rounds=fault.rounds, **fault.deadlines)
    await fault.during(training)
    shown = await market.ended(training)
    evidence = await fault.after(training)
    outcome = await check(market, training, shown)
    assert outcome == "FINISHED" or not fault.must_finish, f"{outcome} under {evidence}"
    return outcome, evidence
