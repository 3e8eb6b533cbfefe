"""`python -m tests.faults.restarts`: how soon a training moves again after each component was away.

In one training each component in turn is killed with kill -9, left dead until no message passes any more, and
started. The seconds run from that start, for broker and node from when they answer, to the training's next
message. Nothing in the daemons is changed but the length of keys.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import uvloop

from tests.faults.market import FaultMarket
from tests.faults.outcome import check
from tests.faults.processes import start_server
from tests.faults.runner import stop_when_told
from tests.support.broker.private_rabbitmq import private_broker

_QUIET_SECONDS = 2.0
_BOUND_SECONDS = 240.0
MOST_SECONDS = 10.0


async def measure(market: FaultMarket) -> dict[str, float]:
    """Seconds by component."""
    training = await market.order(Random(1), rounds=12, reveal_s=600, step_s=600, chain_s=600)
    await market.traffic.reached(training.mark, 1, _BOUND_SECONDS)
    seconds: dict[str, float] = {}
    for name, (kill, start) in _components(market).items():
        await kill()
        await _silence(market)
        await start()
        started, before = time.monotonic(), len(market.traffic.seen)
        await market.traffic.reached(before, 1, _BOUND_SECONDS)
        seconds[name] = time.monotonic() - started
        sys.stderr.write(f"{name}: {seconds[name]:.1f} s\n")
        await market.traffic.reached(before, 15, _BOUND_SECONDS)
    shown = await market.ended(training)
    assert await check(market, training, shown) == "FINISHED"
    return seconds


async def _silence(market: FaultMarket) -> None:
    """Until no message has passed for a while: whatever could go on without the dead has gone on."""
    async with asyncio.timeout(_BOUND_SECONDS):
        while True:
            before = len(market.traffic.seen)
            await asyncio.sleep(_QUIET_SECONDS)
            if len(market.traffic.seen) == before:
                return


Action = Callable[[], Awaitable[object]]


def _components(market: FaultMarket) -> dict[str, tuple[Action, Action]]:
    def of_daemon(name: str) -> tuple[Action, Action]:
        async def kill() -> None:
            market.blamed.add(name)
            market.daemons[name].kill()

        return kill, lambda: market.restart(name)

    async def kill_broker() -> None:
        market.rabbitmq.kill()

    # The listener first: a training waits for its opening, but no round for the last one to be told of.
    daemons = {name: of_daemon(name) for name in ("listener", "buyer", "aggregator", "owner-1")}
    return {
        **daemons,
        "broker": (kill_broker, lambda: asyncio.to_thread(market.rabbitmq.start)),
        "node": (market.node.kill, market.node.start),
    }


async def _run(folder: str) -> dict[str, float]:
    stop_when_told()
    with private_broker() as broker:
        async with FaultMarket(Path(folder), broker, patient=True) as market:
            return await measure(market)


def main() -> None:
    start_server()
    with tempfile.TemporaryDirectory(prefix="deltaml-restarts-") as folder:
        seconds = uvloop.run(_run(folder))
    sys.stdout.write(json.dumps({name: round(value, 2) for name, value in seconds.items()}) + "\n")
    if max(seconds.values()) > MOST_SECONDS:
        sys.exit(f"the training moves again {MOST_SECONDS:.0f} s after a restart at the latest")


if __name__ == "__main__":
    main()
