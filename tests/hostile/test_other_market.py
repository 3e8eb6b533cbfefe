"""What is signed for one market is refused in another, under the same key on the same bus."""

import pytest

from protocol.errors import ProtocolViolation
from protocol.messages import StopOrder
from protocol.records import Market
from services.identity.admission import Admission
from services.identity.directory import Directory
from services.identity.signing import order_to_self
from tests.support.daemons.service_world import FakeChain, Person, delivery_of

HERE = Market(chain_id=31337, contract="0x" + "c0" * 20)
OTHERS = {
    "another contract": Market(chain_id=31337, contract="0x" + "c1" * 20),
    "another chain": Market(chain_id=1, contract="0x" + "c0" * 20),
}


@pytest.mark.parametrize("market", OTHERS.values(), ids=OTHERS)
async def test_an_order_for_one_contract_is_refused_on_another(market):
    buyer = Person("model_buyer")
    order = order_to_self(buyer.identity, market, "model_buyer", StopOrder(training=7, reason="enough"), 7)
    gates = {
        at: Admission(buyer.identity, at, "model_buyer", Directory(FakeChain(buyer))) for at in (HERE, market)
    }
    await gates[market].admit(delivery_of(order))
    with pytest.raises(ProtocolViolation) as caught:
        await gates[HERE].admit(delivery_of(order))
    assert caught.value.code == "wrong_market"
    with pytest.raises(ProtocolViolation) as caught:  # its carrier renames the market
        await gates[HERE].admit(delivery_of(order, **HERE.model_dump()))
    assert caught.value.code == "bad_signature"
