"""Reorganisations of 1 to 20 blocks of a real node, at every moment of a training.

`make test` has four depths at a few moments. Every depth at every moment, with every fate of the
transactions: DELTAML_ALL_REORGS=1 make test ARGS=tests/integration/test_reorgs.py, or `make campaigns`.
"""

import os
import random

import pytest

from protocol.marketplace import Settled
from services.chain.rpc.http import HttpRpc
from services.store import Store
from tests.support.chain.anvil import running_anvil
from tests.support.chain.chain_events import chain_events
from tests.support.chain.chain_market import ChainMarket
from tests.support.chain.reorganisation import FATES, reorganise
from tests.support.daemons.following import Following, Streams
from tests.support.daemons.scripted_training import ScriptedTraining

DEEPEST = 20
ALL = "DELTAML_ALL_REORGS" in os.environ
MOMENTS_APART = 1 if ALL else 12
DEPTHS = range(1, DEEPEST + 1) if ALL else (1, 2, 11, DEEPEST)


@pytest.fixture
async def training():
    """On a node of its own: anvil loses the state of blocks that are hundreds deep."""
    with running_anvil("--accounts", "1") as url:
        async with HttpRpc(url) as rpc:
            market = await ChainMarket.create(rpc)
            await rpc.call("anvil_mine", hex(DEEPEST))  # the contract itself stays
            yield ScriptedTraining(market)


class Listening:
    """A listener that is sometimes behind, and sometimes dies before its outbox has published."""

    def __init__(self, market, chance) -> None:
        self.market, self.chance = market, chance
        self.store, self.streams = Store(), Streams()
        self.begin()

    def begin(self) -> None:
        place = self.market.deployment
        self.now = Following(
            self.market.rpc,
            place.market,
            self.streams,
            self.store,
            confirmations=DEEPEST,
            first_block=place.block,
        )

    async def follow(self) -> None:
        match self.chance.choice(["follow", "follow", "read", "sleep", "die"]):
            case "follow":
                await self.now.catch_up()
            case "read":
                await self.now.read()
            case "die":
                await self.now.read()
                self.begin()


@pytest.mark.parametrize("fate", FATES if ALL else ["any"])
@pytest.mark.parametrize("depth", DEPTHS)
async def test_no_event_is_lost_or_doubled(training, depth, fate) -> None:
    market, chance = training.market, random.Random(f"{depth} {fate}")
    listening = Listening(market, chance)
    moments = set(range(1 + depth % MOMENTS_APART, len(training.steps) + 1, MOMENTS_APART))
    while not training.finished:
        moment = await training.advance()
        if chance.random() < 0.3:
            await market.rpc.call("evm_mine")
        await listening.follow()
        if moment in moments:
            moments.remove(moment)
            await reorganise(market.rpc, depth, chance.choice(FATES) if fate == "any" else fate)
            training.begin_again()
            await listening.follow()
    assert not moments
    await market.rpc.call("anvil_mine", hex(DEEPEST))
    await listening.now.catch_up()

    canonical = await chain_events(market.buyer, market.deployment.block)
    assert sum(isinstance(event.event, Settled) for event in canonical) == 1
    assert listening.streams.of("confirmed") == canonical
    assert list(listening.streams.seen.values()) == canonical
