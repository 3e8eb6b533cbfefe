"""First messages of trainings that the store does not know: a node that lags, senders who invent numbers."""

import pytest

from protocol.errors import ProtocolViolation
from services.chain.errors import ChainUnavailable
from services.participants.federated_aggregator import AggregatorRole
from services.runtime.unknown_trainings import INVENTED_SECONDS, MOST_INVENTED, UnknownTrainings
from services.store import Store
from tests.support.daemons.service_world import BelievingNode, FakeChain, Person

AGGREGATOR, STRANGER, BUYER = Person("federated_aggregator"), Person("model_buyer"), Person("model_buyer")


class Node(BelievingNode):
    """Says of itself what a test wants, and counts how often it looks."""

    def __init__(self) -> None:
        self.behind: str | None = None
        self.looks = 0

    async def fresh_lag(self) -> str | None:
        self.looks += 1
        return self.behind


class World:
    """An aggregator that asks a chain with the trainings 1 to 9, as of `now`."""

    def __init__(self) -> None:
        self.now, self.node, self.chain = 0.0, Node(), FakeChain(AGGREGATOR)
        self.chain.missing = set(range(10, 10_000))
        self.store = Store()
        role = AggregatorRole(self.store, AGGREGATOR.address, frozenset())
        self.unknown = UnknownTrainings(self.chain, self.node, role, clock=lambda: self.now)

    async def code(self, training: int, sender: Person = STRANGER) -> str:
        try:
            await self.unknown.require(training, sender.address)
        except ProtocolViolation as violation:
            return violation.code
        return ""


@pytest.fixture
def world():
    made = World()
    yield made
    made.store.close()


async def test_a_training_that_a_node_behind_its_chain_does_not_have_is_waited_for(world):
    """The sender's node may be ahead: a message refused here would be lost for good."""
    world.node.behind = "the node's newest block, 7, is 61 seconds old"
    for _ in range(2):
        with pytest.raises(ChainUnavailable, match=r"training 10 is not there yet: .*61 seconds old"):
            await world.unknown.require(10, BUYER.address)
    world.chain.missing.discard(10)
    assert await world.code(10, BUYER) == ""  # at once: that it was missing is not remembered
    assert world.node.looks == 2


async def test_what_a_node_behind_its_chain_lacks_does_not_count_as_invented(world):
    world.node.behind = "the node's newest block, 7, is 61 seconds old"
    for training in range(10, 10 + 2 * MOST_INVENTED):
        with pytest.raises(ChainUnavailable):
            await world.unknown.require(training, BUYER.address)
    world.node.behind = None
    assert await world.code(1, BUYER) == ""


async def test_a_sender_of_invented_numbers_costs_so_many_questions_and_no_more(world):
    for training in range(10, 1_010):
        assert await world.code(training) == "unknown_training"
    assert world.chain.asked == world.node.looks == MOST_INVENTED
    assert await world.code(2) == "unknown_training"  # unasked: it has used up what it may ask
    assert world.chain.asked == MOST_INVENTED
    assert await world.code(1, BUYER) == ""  # nobody else pays for it


async def test_after_a_while_it_is_asked_for_again(world):
    for training in range(10, 10 + MOST_INVENTED + 1):
        await world.code(training)
    world.now += INVENTED_SECONDS - 1
    assert await world.code(1) == "unknown_training"
    world.now += 2
    assert await world.code(1) == ""


async def test_a_number_twice_is_one_question(world):
    for _ in range(2 * MOST_INVENTED):
        assert await world.code(10) == "unknown_training"
    assert world.node.looks == 1
