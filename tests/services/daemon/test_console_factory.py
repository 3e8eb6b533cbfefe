"""The console of a daemon: its orders reach the daemon's own queue as the command line's do."""

import pytest

from protocol.codec import unpack
from protocol.messages import StopOrder
from services.bus.memory import MemoryBus
from services.bus.port import Unroutable
from services.common.errors import ConfigurationError
from services.config.daemons import ConsoleSettings
from services.console.app import Console, serving
from services.console.party import Party, orders_over
from services.console.web.hub import Hub
from services.identity.admission import Admission
from services.identity.directory import Directory
from services.store import Store
from tests.support.service_world import MARKET, FakeChain, Person, broker_of


async def test_an_order_arrives_signed_and_sealed_for_the_daemon_itself():
    buyer = Person("model_buyer")
    bus = MemoryBus(broker_of(buyer))
    order = orders_over(bus, buyer.identity, "model_buyer")
    sent = await order(StopOrder(training=3, reason="too dear"), 3)
    delivery = await anext(bus.deliveries("model_buyer", buyer.address))
    signed = await Admission(buyer.identity, "model_buyer", Directory(FakeChain(buyer))).admit(delivery)
    assert signed.envelope.message_id == sent
    assert (signed.envelope.sender, signed.envelope.training) == (buyer.address, 3)
    assert unpack(StopOrder, signed.body).reason == "too dear"


async def test_an_order_that_no_queue_takes_fails():
    buyer = Person("model_buyer")
    order = orders_over(MemoryBus(broker_of()), buyer.identity, "model_buyer")
    with pytest.raises(Unroutable):
        await order(StopOrder(training=3, reason="x"), 3)


def console(tmp_path, port):
    async def never(*_arguments):
        raise AssertionError

    party = Party("model_buyer", "0x" + "b1" * 20, MARKET, Store(), never, never)
    return Console(party, ConsoleSettings(port=port, users_file=tmp_path / "users.json"), Hub())


async def test_a_port_that_is_taken_is_told(tmp_path):
    async with serving(console(tmp_path, 0)) as port:
        with pytest.raises(ConfigurationError, match="choose another console"):
            async with serving(console(tmp_path, port)):
                pass


async def test_no_console_serves_nothing():
    async with serving(None) as port:
        assert port is None
