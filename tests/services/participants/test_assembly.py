"""The one place where a participant is put together."""

import asyncio
from types import SimpleNamespace

import pytest

from protocol.marketplace import Register
from protocol.owner_policy import OwnerPolicy
from services.bus.memory import MemoryBus
from services.common.errors import StoreUnavailable
from services.config.daemons import AggregatorConfig, DataOwnerConfig, ModelBuyerConfig, StandingOrder
from services.data.catalog import Catalog
from services.participants.assembly import Participant, role_of
from services.participants.data_owner import OwnerRole
from services.participants.federated_aggregator import AggregatorRole
from services.participants.model_buyer import BuyerRole
from services.store import Store
from tests.support.daemons.scripted_daemon import resources_of, until
from tests.support.daemons.service_world import FakeChain, OneKey, Person, broker_of

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
        self.broker = broker_of(self.owner, self.aggregator)

    def participant(self, role, person=None):
        bus = MemoryBus(self.broker)
        return Participant.of(resources_of(person or self.owner, self.chain, self.store, bus, role=role))

    def owner_role(self, **changes):
        return OwnerRole(
            self.store,
            address=self.owner.address,
            data_sets=dict,
            aggregators=(self.aggregator.address,),
            policy=OwnerPolicy(),
            **changes,
        )


async def role(world, config):
    keystore = SimpleNamespace(identity=world.owner.identity)
    return await role_of(config, keystore, world.store)


async def test_a_configuration_says_what_a_participant_is(world, tmp_path):
    order = {"request": "request.yaml", "every_hours": 1}
    buyer = await role(
        world,
        ModelBuyerConfig.model_validate(
            {**SHARED, "daemon": "model-buyer", "standing_orders": [order]}, strict=False
        ),
    )
    assert isinstance(buyer, BuyerRole)
    assert [given.every_hours for given in buyer.standing_orders] == [1]
    admitted = (world.owner.address, *ADDRESSES[1:])
    aggregator = await role(
        world, AggregatorConfig.model_validate({**SHARED, "daemon": "aggregator", "admitted": admitted})
    )
    assert isinstance(aggregator, AggregatorRole)
    for address in ADDRESSES:
        world.store.put_value(f"announced:{address}", b"")
    assert set(aggregator.announced()) == set(ADDRESSES[1:])
    policy = OwnerPolicy(automatic=True)
    owner = await role(
        world,
        DataOwnerConfig.model_validate(
            {
                **SHARED,
                "daemon": "data-owner",
                "aggregators": ADDRESSES,
                "policy": policy,
                "catalogue": tmp_path,
            }
        ),
    )
    assert isinstance(owner, OwnerRole)
    assert (owner.configured, owner.data_sets()) == (policy, {})
    assert tuple(aggregator for aggregator, _ in owner.announcements()) == ADDRESSES
    assert owner.catalog is not None


async def test_an_owner_whose_store_is_away_as_it_starts_waits_for_it(world, tmp_path, monkeypatch):
    asked, away = [], [StoreUnavailable("the store does not answer", 0.0)] * 2

    def values(name):
        asked.append(name)
        if away:
            raise away.pop()
        return {}

    monkeypatch.setattr(world.store, "values", values)
    settings = {**SHARED, "daemon": "data-owner", "aggregators": ADDRESSES, "catalogue": tmp_path}
    owner = await role(world, DataOwnerConfig.model_validate(settings))
    assert isinstance(owner, OwnerRole)
    assert len(asked) == 3


def test_the_duties_follow_from_the_role(world, tmp_path):
    everybodys = 1  # bonds
    assert len(world.participant(world.owner_role()).duties) == everybodys + 1
    watching = world.participant(world.owner_role(catalog=Catalog(tmp_path)))
    assert len(watching.duties) == everybodys + 2
    buyer = world.participant(BuyerRole(world.store, world.owner.address, OneKey()))
    assert (buyer.runtime.role.name, len(buyer.duties)) == ("model_buyer", everybodys)
    order = StandingOrder(request=tmp_path / "request.yaml", every_hours=1)
    ordering = BuyerRole(world.store, world.owner.address, OneKey(), (order,))
    assert len(world.participant(ordering).duties) == everybodys + 1


async def test_it_registers_role_and_key(world):
    party = world.participant(
        AggregatorRole(world.store, world.aggregator.address, frozenset()),
        world.aggregator,
    )
    await party.register()
    exchange_key = world.aggregator.identity.exchange_key
    assert world.chain.calls == [Register(role="federated_aggregator", exchange_key=exchange_key)]


async def test_an_owner_announces_itself_beside_its_daemon(world):
    owner = world.participant(world.owner_role())
    assert not owner.is_introduced()
    queue = world.broker.queues["federated_aggregator", world.aggregator.address]
    running = asyncio.create_task(owner.run())
    await until(lambda: len(queue.ready) == 1)
    owner.runtime.stop()
    async with asyncio.timeout(300):
        await running  # its duties end with it
    world.store.put_value(f"aggregator:{world.aggregator.address}", b"refused")
    assert owner.is_introduced()
