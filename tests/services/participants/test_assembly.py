"""The one place where a participant is put together."""

import asyncio

import pytest

from protocol.marketplace import Register
from protocol.owner_policy import OwnerPolicy
from services.bus.memory import MemoryBus
from services.config.daemons import AggregatorConfig, DataOwnerConfig, ModelBuyerConfig
from services.observability.counters import Meter
from services.participants.assembly import AggregatorSetup, Assembly, BuyerSetup, OwnerSetup, setup_of
from services.participants.data_owner import OwnerRole
from services.store import Store
from tests.support.scripted_daemon import until
from tests.support.service_world import MARKET, FakeChain, OneKey, Person, broker_of

SHARED = {
    "broker": {"url": "amqp://party@broker.example/deltaml"},
    "chain": {"url": "https://node.example/", "chain_id": 1, "contract": "0x" + "c0" * 20},
    "keystore": "keys",
    "passphrase_file": "passphrase",
}
ADDRESSES = tuple(f"0x{number:040x}" for number in range(4))


@pytest.fixture
def world():
    made = World()
    yield made
    made.store.close()


class World:
    """An owner and an aggregator, who share a process."""

    def __init__(self):
        self.store = Store()
        self.owner, self.aggregator = Person("data_owner"), Person("federated_aggregator")
        self.chain = FakeChain(self.owner, self.aggregator)
        self.chain.market = MARKET
        self.broker = broker_of(self.owner, self.aggregator)
        self.assembly = Assembly(0, Meter())

    def participant(self, setup, person=None):
        return self.assembly.participant(
            setup,
            (person or self.owner).identity,
            store=self.store,
            bus=MemoryBus(self.broker),
            client=self.chain,
            final=self.chain,
        )


def test_a_configuration_says_what_a_participant_is(tmp_path):
    keys = OneKey()
    buyer = ModelBuyerConfig.model_validate({**SHARED, "daemon": "model-buyer"})
    assert setup_of(buyer, keys) == BuyerSetup(keys)
    aggregator = AggregatorConfig.model_validate({**SHARED, "daemon": "aggregator", "admitted": ADDRESSES})
    assert setup_of(aggregator, keys) == AggregatorSetup(frozenset(ADDRESSES))
    policy = OwnerPolicy(automatic=True)
    owner = DataOwnerConfig.model_validate(
        {
            **SHARED,
            "daemon": "data-owner",
            "aggregators": ADDRESSES,
            "policy": policy,
            "catalogue": tmp_path,
        }
    )
    setup = setup_of(owner, keys)
    assert isinstance(setup, OwnerSetup)
    assert (setup.aggregators, setup.policy, setup.data_sets()) == (ADDRESSES, policy, {})
    assert setup.catalogue is not None


def test_the_role_follows_from_the_setup(world):
    owner = world.participant(OwnerSetup((world.aggregator.address,), OwnerPolicy(), dict))
    assert isinstance(owner.runtime.role, OwnerRole)
    assert [setup.role for setup in (BuyerSetup, AggregatorSetup, OwnerSetup)] == [
        "model_buyer",
        "federated_aggregator",
        "data_owner",
    ]
    buyer = world.participant(BuyerSetup(OneKey()))
    assert (buyer.runtime.role.name, buyer.duties) == ("model_buyer", ())


async def test_it_registers_role_and_key(world):
    party = world.participant(AggregatorSetup(frozenset()), world.aggregator)
    await party.register()
    exchange_key = world.aggregator.identity.exchange_key
    assert world.chain.calls == [Register(role="federated_aggregator", exchange_key=exchange_key)]


async def test_an_owner_announces_itself_beside_its_daemon(world):
    owner = world.participant(OwnerSetup((world.aggregator.address,), OwnerPolicy(), dict))
    assert not owner.is_introduced()
    queue = world.broker.queues["federated_aggregator", world.aggregator.address]
    running = asyncio.create_task(owner.run())
    await until(lambda: len(queue.ready) == 1)
    owner.runtime.stop()
    async with asyncio.timeout(20):
        await running  # its duties end with it
    world.store.put_value(f"aggregator:{world.aggregator.address}", b"admitted")
    assert owner.is_introduced()
