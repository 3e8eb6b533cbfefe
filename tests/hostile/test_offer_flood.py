"""Who asks an aggregator without end what is on offer costs it little, and others are answered."""

from protocol.messages import CardsOrder, CardsRequest
from services.data.dealt_rows import data_sets_of
from services.data.sample_request import DemoOptions, load_data
from services.identity.signing import order_to_self
from services.participants.offer_pages import PAGES_AT_ONCE
from services.records.offers import asking_of, told_offers
from services.runtime.step_runner import REFUSALS_AT_ONCE
from services.sandbox.local_market import LocalMarket
from tests.support.daemons.daemon_market import TWO_FEATURES
from tests.support.daemons.service_world import Person

OPTIONS = DemoOptions(**TWO_FEATURES, owners=4, key_bits=1024, workers=0)
REQUESTS = REFUSALS_AT_ONCE + 150


def requests(market, author, count):
    """Questions as anybody may seal them."""
    hub = Person("federated_aggregator", market.aggregator.identity)
    place = market.deployment.market.model_dump()
    return [author.outgoing(hub, CardsRequest(), training=0, **place) for _ in range(count)]


async def test_a_buyer_is_told_what_is_on_offer_and_a_flood_of_questions_costs_little():
    async with LocalMarket(data_sets_of(load_data(OPTIONS)), OPTIONS, least_key_bits=1024) as market:
        buyer, aggregator = market.buyer, market.aggregator
        await market.wait_for(lambda: all(owner.is_introduced() for owner in market.owners))
        stranger = requests(market, Person("model_buyer"), 3)
        for message in [*stranger, *requests(market, Person("model_buyer", buyer.identity), REQUESTS)]:
            await buyer.bus.publish(message)
        # The buyer asked for none of the answers that it gets.
        await market.wait_for(lambda: len(market.broker.dead_letters) >= 3 + PAGES_AT_ONCE)
        await market.wait_for(lambda: all(party.runtime.is_idle() for party in market.parties))
        codes = [letter.code for letter in market.broker.dead_letters]
        assert codes.count("not_registered") == 3
        assert codes.count("not_asked") == PAGES_AT_ONCE
        aggregator.store.forget_counts()
        assert aggregator.store.row_counts()["inbox"] <= REFUSALS_AT_ONCE + 100
        assert told_offers(buyer.store, aggregator.identity.address) == {}


async def test_a_running_buyer_asks_and_keeps_what_it_is_told():
    async with LocalMarket(data_sets_of(load_data(OPTIONS)), OPTIONS, least_key_bits=1024) as market:
        buyer, address = market.buyer, market.aggregator.identity.address
        await market.wait_for(lambda: all(owner.is_introduced() for owner in market.owners))
        order = CardsOrder(aggregators=(address,))
        await buyer.bus.publish(
            order_to_self(buyer.identity, market.deployment.market, "model_buyer", order, 0)
        )

        def is_told():
            asking = asking_of(buyer.store, address)
            return asking is not None and asking.told_at is not None

        await market.wait_for(is_told)
        told = told_offers(buyer.store, address)
        assert told.keys() == {owner.identity.address for owner in market.owners}
        assert all(len(one.cards) == 1 for one in told.values())
