"""Whoever has the listener's password, or runs the broker, announces what never took place.

A market on one chain, every daemon as in production; the forger sees each true event before all others.
"""

import asyncio
import time
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Self

import pytest

from protocol.marketplace import Cancelled, Opened, RoundRecorded, Settled, training_of
from protocol.messages import ChainEvent
from services.bus.memory import MemoryBus
from services.chain.contract.views import MarketplaceViews
from services.chain.errors import ChainUnavailable
from services.chain.events.verification import FRESH_SECONDS, EventVerifier
from services.data.dealt_rows import data_sets_of
from services.data.sample_request import DemoOptions, demo_request, load_data
from services.sandbox.local_market import LocalMarket
from tests.support.chain.interposed import Interposed
from tests.support.daemons.daemon_market import TWO_FEATURES

OPTIONS = DemoOptions(
    **TWO_FEATURES,
    owners=4,
    key_bits=1024,
    rounds=2,
    local_steps=2,
    tolerance=Decimal(0),
    workers=0,
)
NOWHERE = b"\x66" * 32
NO_CHAINS_BLOCK = 10**12
BEYOND = f"block {NO_CHAINS_BLOCK} is beyond what any chain has by now"
REFUSALS = {"event_altered", "event_not_on_chain", "event_of_other_chain", "event_retracted"}


def with_content(event: ChainEvent, content) -> ChainEvent:
    return event.model_copy(update={"event": content})


def with_fields(event: ChainEvent, **fields) -> ChainEvent:
    return with_content(event, event.event.model_copy(update=fields))


def forgeries(event: ChainEvent) -> dict[str, ChainEvent]:
    """What a forger makes of a true event, by what is wrong with it."""
    training = training_of(event.event)
    made = {
        "settled at its place": with_content(
            event, Settled(training=training, improvement=10**18, paid=0, refund=0)
        ),
        "cancelled at its place": with_content(event, Cancelled(training=training, refund=1)),
        "cancelled in no block": with_content(
            event.model_copy(update={"block_hash": NOWHERE}), Cancelled(training=training, refund=1)
        ),
        "another chain": event.model_copy(update={"chain_id": event.chain_id + 1}),
        "another log": event.model_copy(update={"log_index": event.log_index + 7}),
        "an older block": event.model_copy(update={"block_number": event.block_number - 1}),
        "no such block": event.model_copy(update={"block_hash": NOWHERE}),
        "taken back": event.model_copy(update={"removed": True}),
        "beyond the chain": with_content(
            event.model_copy(update={"block_number": NO_CHAINS_BLOCK, "block_hash": NOWHERE}),
            Settled(training=training, improvement=10**18, paid=0, refund=0),
        ),
    }
    match event.event:
        case Opened():
            made["a deposit of more"] = with_fields(event, deposit=10**21)
            made["another's training"] = with_fields(event, training=training + 1)
        case RoundRecorded():
            made["a better round"] = with_fields(event, mse_after=0)
        case Settled():
            made["another division"] = with_fields(event, paid=0, refund=event.event.paid)
    return made


@dataclass
class Forger:
    """Announces its forgeries to everybody before each true event, and after it again."""

    market: "HostileMarket"
    true: list[ChainEvent] = field(default_factory=list)
    announced: int = 0

    async def publish(self, stream, event) -> None:
        bus = MemoryBus(self.market.broker)
        about_a_training = stream == "confirmed" and training_of(event.event)
        forged = list(forgeries(event).values()) if about_a_training else []
        for one in (*forged, event, *forged, event):
            await bus.publish_event(one, stream)
        self.announced += 2 * len(forged)
        self.true.append(event)


class HostileMarket(LocalMarket):
    """A market whose listener is in the forger's hands and whose participants have the node `node`."""

    async def __aenter__(self) -> Self:
        self.forger = Forger(self)
        return await super().__aenter__()

    async def _publish(self, stream, event) -> None:
        await self.forger.publish(stream, event)

    def notes(self, name):
        """The data of the facts of one name, over all parties."""
        return [
            data
            for party in self.parties
            for row in party.store.instances()
            for fact, data, _at in party.store.facts(row.key)
            if fact == name
        ]

    def is_finished(self) -> bool:
        """Whether all have; asked after each deed of a party, so it stops at the first that has not."""
        return all(_has_finished(party) for party in self.parties)


def _has_finished(party) -> bool:
    states = [row.display_status for row in party.store.instances()]
    return len(states) == 1 and states[0].startswith("FINISHED")


def codes_of(market):
    return [letter.code for letter in market.broker.dead_letters]


async def trained(market, options=OPTIONS):
    """One training to its end."""
    data = load_data(options)
    request = demo_request(options, data, market.aggregator.identity.address)
    await market.order(request)
    async with asyncio.timeout(600):
        await market.wait_for(market.is_finished)


@pytest.fixture
async def market():
    data = load_data(OPTIONS)
    async with HostileMarket(data_sets_of(data), OPTIONS, least_key_bits=1024) as made:
        yield made


class LaggingNode(Interposed):
    """A node that stays at a block until it may go on, and does not answer one question in thirty."""

    def __init__(self, inner) -> None:
        super().__init__(inner)
        self.stays_at: int | None = None
        self.follows = False
        self.asked = 0

    def stay_at(self, number):
        if not self.follows:
            self.stays_at = number

    def follow(self):
        self.follows, self.stays_at = True, None

    async def call(self, method, *parameters):
        self.asked += 1
        if self.asked % 30 == 3:
            raise ChainUnavailable("no answer from the node")
        if method == "eth_getBlockByNumber" and self.stays_at is not None:
            newest = hex(self.stays_at)
            if parameters[0] == "latest":
                parameters = (newest, *parameters[1:])
            elif int(parameters[0], 16) > self.stays_at:
                return None
        return await super().call(method, *parameters)


class LaggingMarket(HostileMarket):
    """Every participant believes a node that lags; what the listener and the calls go through is well."""

    def _open_node(self, rpc) -> EventVerifier:
        self.node = LaggingNode(rpc)
        views = MarketplaceViews(self.node, self.deployment.market)
        # Its newest block is always too old to be the chain's.
        return EventVerifier(views, confirmations=0, clock=lambda: time.time() + 10 * FRESH_SECONDS)

    async def _publish(self, stream, event) -> None:
        if isinstance(event.event, Opened):
            self.node.stay_at(event.block_number - 1)
        await super()._publish(stream, event)


async def test_a_node_that_is_behind_and_often_away_is_waited_for_and_then_the_training_finishes():
    options = replace(OPTIONS, rounds=1)
    async with LaggingMarket(data_sets_of(load_data(options)), options, least_key_bits=1024) as market:
        running = asyncio.create_task(trained(market, options))
        async with asyncio.timeout(600):
            while not await is_behind(market.buyer):
                await asyncio.sleep(0.05)
        assert market.notes("opened") == []
        assert set(ahead_of_node(market)) <= {BEYOND}
        market.node.follow()
        await running
        assert market.meter.retries["event"] > 0
        assert set(codes_of(market)) - {"event_ahead_of_node"} == REFUSALS
        assert set(ahead_of_node(market)) <= {BEYOND}


def ahead_of_node(market) -> list[str]:
    """Why events were given up that lie beyond the node."""
    return [letter.detail for letter in market.broker.dead_letters if letter.code == "event_ahead_of_node"]


async def is_behind(party) -> bool:
    """Whether the health of a party says that events wait for a node that is behind."""
    try:
        await party.runtime.events.probe()
    except ChainUnavailable as error:
        return "seconds old" in str(error)
    return False


async def test_an_honest_training_finishes_beside_every_forgery(market):
    await trained(market)
    assert set(codes_of(market)) == REFUSALS
    assert market.forger.announced > 150

    # Everybody acted on the contract's own words.
    true = {event.event for event in market.forger.true}
    (opened,) = [event for event in true if isinstance(event, Opened)]
    (settled,) = [event for event in true if isinstance(event, Settled)]
    assert {note["deposit_wei"] for note in market.notes("opened")} == {str(opened.deposit)}
    assert {note["paid_wei"] for note in market.notes("settled")} == {str(settled.paid)}
    assert market.notes("cancelled") == []
    for party in market.parties:
        told = [name for name, *_ in party.store.facts(f"chain:{opened.training}")]
        assert told.count("Settled") == told.count("Opened") == 1
        assert "Cancelled" not in told

    # Each party has noted what it refused, once for each kind.
    refused = [(note["kind"], note["code"]) for note in market.notes("event_refused")]
    assert ("Cancelled", "event_not_on_chain") in refused
    assert ("Settled", "event_altered") in refused
    assert len(refused) <= len(market.parties) * 10 * 6
