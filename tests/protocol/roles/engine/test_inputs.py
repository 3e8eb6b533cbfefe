"""Two inputs of one step never share an identity, or they would draw the same randomness."""

from itertools import combinations

from protocol.codec import pack
from protocol.envelope import SignedMessage
from protocol.marketplace import Cancel, Settle
from protocol.messages import ChainEvent, StopOrder
from protocol.roles.engine.inputs import (
    CallRefused,
    CatalogueChanged,
    EventConfirmed,
    MessageReceived,
    PolicyChanged,
    TimerFired,
    input_identity,
    input_name,
)
from tests.support.roles.phases import message_of
from tests.support.roles.pure_party import Party
from tests.support.seats import seat_taken

BUYER, OWNER = Party("model_buyer", b"\1" * 32, b"\1" * 32), Party("data_owner", b"\2" * 32, b"\2" * 32)


def log(**changes):
    place = {"chain_id": 1, "block_number": 1, "block_hash": b"\0" * 32, "log_index": 0, "removed": False}
    event = seat_taken(training=1, owner=OWNER.address, seat=0)
    fixed = {"event": event, "transaction_hash": b"\0" * 32, "timestamp": 0}
    return EventConfirmed(chain_event=ChainEvent(**{**fixed, **place, **changes}))


def order(reason="r", sender=BUYER, *place):
    """All with one message id: a peer may use an id again, whatever the inbox makes of it."""
    return message_of(sender, OWNER, "stop_order", pack(StopOrder(training=1, reason=reason)), *place)


DIFFERENT = [
    order(),
    order("another body"),
    order("r", OWNER),
    order("r", BUYER, 1, 2),
    log(),
    log(block_number=2),
    log(block_hash=b"\1" * 32),
    log(log_index=1),
    log(removed=True),
    log(chain_id=2),
    TimerFired(name="join"),
    TimerFired(name="updates:1"),
    TimerFired(name="updates:2"),
    CallRefused(call=Settle(training=1), code="a"),
    CallRefused(call=Settle(training=1), code="b"),
    CallRefused(call=Settle(training=2), code="a"),
    CallRefused(call=Cancel(training=1), code="a"),
    CatalogueChanged(),
    PolicyChanged(),
]


def test_different_inputs_have_different_identities() -> None:
    for one, other in combinations(DIFFERENT, 2):
        assert input_identity(one) != input_identity(other), (one, other)


def test_an_equal_input_has_the_same_identity() -> None:
    assert input_identity(order()) == input_identity(order())
    assert input_identity(log()) == input_identity(log())


def test_a_message_under_another_s_signature_is_another_input() -> None:
    """Whoever changes a body must sign it anew; a copy under the old signature has not passed the gate."""
    first = order().signed
    changed = SignedMessage.create(first.envelope, first.body + b"\0", BUYER.signing_key)
    assert input_identity(MessageReceived(signed=changed)) != input_identity(order())


def test_names() -> None:
    assert input_name(CatalogueChanged()) == "catalogue_changed"
    assert input_name(TimerFired(name="updates:2")) == "timer:updates"
    assert input_name(log()) == "Joined"
