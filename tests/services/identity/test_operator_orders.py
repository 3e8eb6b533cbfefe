"""The console's orders reach the daemon's own queue as the command line's do."""

import pytest

from protocol.codec import unpack
from protocol.messages import StopOrder
from services.bus.memory import MemoryBus
from services.bus.port import Unroutable
from services.identity.admission import Admission
from services.identity.directory import Directory
from services.identity.operator_orders import orders_over
from tests.support.daemons.service_world import MARKET, FakeChain, Person, broker_of


async def test_an_order_arrives_signed_and_sealed_for_the_daemon_itself():
    buyer = Person("model_buyer")
    bus = MemoryBus(broker_of(buyer))
    order = orders_over(bus, buyer.identity, MARKET, "model_buyer")
    sent = await order(StopOrder(training=3, reason="too dear"), 3)
    delivery = await anext(bus.deliveries("model_buyer", buyer.address))
    signed = await Admission(buyer.identity, MARKET, "model_buyer", Directory(FakeChain(buyer))).admit(
        delivery
    )
    assert signed.envelope.message_id == sent
    assert (signed.envelope.sender, signed.envelope.training) == (buyer.address, 3)
    assert unpack(StopOrder, signed.body).reason == "too dear"


async def test_an_order_that_no_queue_takes_fails():
    buyer = Person("model_buyer")
    order = orders_over(MemoryBus(broker_of()), buyer.identity, MARKET, "model_buyer")
    with pytest.raises(Unroutable):
        await order(StopOrder(training=3, reason="x"), 3)
