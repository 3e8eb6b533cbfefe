"""How a training ends well for its aggregator, and that nothing begins it anew."""

from protocol.roles.engine.inputs import MessageReceived
from tests.support.roles.small_markets import small_market


def test_everything_replayed_after_the_end_changes_nothing() -> None:
    market = small_market()
    market.finish()
    before = {address: party.decoded for address, party in market.parties.items()}
    sent = list(market.wire)
    for message in sent:
        recipient = market.parties[message.envelope.recipient]
        step = market.deliver(recipient, MessageReceived(signed=message))
        assert step is not None
        # An aggregator that sends the model again has not heard that it arrived.
        receipts = {"send"} if message.envelope.type == "trained_model" else set()
        assert {effect.effect for effect in step.effects} <= {"fact", "violation"} | receipts
    assert {address: party.decoded for address, party in market.parties.items()} == before
    assert [message.envelope.type for message in market.wire[len(sent) :]] == ["model_received"]
