"""Many trainings ordered at once, until the last of them has ended everywhere."""

import asyncio
import time
from random import Random

from tests.soak.market import SoakMarket
from tests.soak.readings import Observer

_LOOK_SECONDS = 2.0
PATIENT = {"join_s": 1800, "reveal_s": 1800, "step_s": 900, "chain_s": 900}
"""Deadlines that a crowded machine does not miss: nothing here is silent for good."""


async def order_at_once(market: SoakMarket, observer: Observer, trainings: int, random: Random) -> float:
    """Order so many trainings and wait until nothing is left to do; returns the seconds that took."""
    began = time.monotonic()
    for number in range(1, trainings + 1):
        buyer = market.buyers[number % len(market.buyers)]
        await market.order(buyer, market.request(f"at once {number}", random, **PATIENT))
    await until_quiet(market, observer, trainings)
    return time.monotonic() - began


async def until_quiet(
    market: SoakMarket, observer: Observer, trainings: int, seconds: float = 3600.0
) -> None:
    """Wait until the buyers have ended so many trainings and no daemon has anything to do."""
    deadline = time.monotonic() + seconds
    while True:
        await observer.look()
        if observer.states("buyer").total() == trainings and observer.is_quiet():
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"not all have ended: {observer.readings}")
        await market.until(lambda: True)  # none may have died
        await asyncio.sleep(_LOOK_SECONDS)
