"""What a stranger can put on a queue, and what the gate says to it."""

import os

import msgpack
import pytest

from protocol.codec import pack
from protocol.envelope import SealedPart, SignedMessage
from protocol.errors import ProtocolViolation
from protocol.messages import (
    MAXIMUM_BODY_BYTES,
    MESSAGE_TYPES,
    Complaint,
    InvitationAnswer,
    StopOrder,
    TrainingOrder,
)
from services.chain.errors import ChainUnavailable
from services.identity.admission import Admission
from services.identity.directory import Directory
from services.identity.keys import Identity
from services.identity.sealing import seal
from tests.support.daemons.service_world import (
    MARKET,
    FakeChain,
    Person,
    StrangersDelivery,
    delivery_of,
    sealed,
)
from tests.support.deployment.documents import any_request

ANSWER = InvitationAnswer(decision="declined", code="declined_by_person")


@pytest.fixture
def people():
    return Person("model_buyer"), Person("federated_aggregator"), Person("data_owner")


@pytest.fixture
def buyer(people):
    return people[0]


@pytest.fixture
def aggregator(people):
    return people[1]


@pytest.fixture
def owner(people):
    return people[2]


@pytest.fixture
def chain(people):
    return FakeChain(*people)


@pytest.fixture
def gate(aggregator, chain):
    return Admission(aggregator.identity, MARKET, "federated_aggregator", Directory(chain))


async def refusal(gate, delivery):
    """The code by which a delivery is refused; the reason must name nothing of the body."""
    with pytest.raises(ProtocolViolation) as caught:
        await gate.admit(delivery)
    return caught.value.code


def with_body(owner, aggregator, body, kind="invitation_answer"):
    """A message with any bytes as its body, signed and sealed as it should be."""
    envelope = owner.envelope(aggregator, kind)
    return delivery_of(sealed(SignedMessage.create(envelope, body, owner.identity.signing_key), aggregator))


async def test_an_honest_message_comes_through_as_it_was_signed(gate, owner, aggregator):
    signed = owner.signed(aggregator, ANSWER, training=3, round=2, attempt=1)
    assert await gate.admit(delivery_of(sealed(signed, aggregator))) == signed


async def test_a_later_minor_version_is_understood(gate, owner, aggregator):
    await gate.admit(delivery_of(owner.outgoing(aggregator, ANSWER, version="2.7")))


@pytest.mark.parametrize("version", ["1.0", "1.7", "3.0", "0.9", "17.3"])
async def test_another_major_version_is_named(gate, owner, aggregator, version):
    found = await refusal(gate, delivery_of(owner.outgoing(aggregator, ANSWER), version=version))
    assert found == "unsupported_version"


async def test_a_type_of_a_later_minor_version_is_unknown(gate, owner, aggregator):
    envelope = owner.envelope(aggregator, "progress_note", version="2.1")
    message = SignedMessage.create(envelope, b"anything", owner.identity.signing_key)
    assert await refusal(gate, delivery_of(sealed(message, aggregator))) == "unknown_type"


async def test_what_was_sealed_to_a_key_from_before_a_rotation_is_opened(owner, aggregator, chain):
    message = delivery_of(owner.outgoing(aggregator, ANSWER))
    old = aggregator.identity
    rotated = Identity(old.signing_key, os.urandom(32), (os.urandom(32), old.exchange_secret))
    await Admission(rotated, MARKET, "federated_aggregator", Directory(chain)).admit(message)


async def test_an_oversized_body_is_not_even_opened(gate, owner, aggregator):
    envelope = owner.envelope(aggregator, "invitation_answer").model_dump()
    assert await refusal(gate, StrangersDelivery(envelope, bytes(MAXIMUM_BODY_BYTES + 1))) == "oversized"


@pytest.mark.parametrize(
    "changes",
    [
        {"message_id": b"short"},
        {"message_id": "a" * 16},
        {"version": "2"},
        {"version": "2.99999"},
        {"version": 1.0},
        {"training": -1},
        {"training": "1"},
        {"round": 10_001},
        {"sender": "0xAB"},
        {"recipient": None},
        {"sent_at": 2**63},
        {"type": "Robert'); drop"},
        {"priority": 1},
    ],
    ids=str,
)
async def test_a_malformed_envelope(gate, owner, aggregator, changes):
    assert await refusal(gate, delivery_of(owner.outgoing(aggregator, ANSWER), **changes)) == "malformed"


@pytest.mark.parametrize("missing", ["sender", "type", "message_id", "training"])
async def test_an_envelope_with_a_field_missing(gate, owner, aggregator, missing):
    delivery = delivery_of(owner.outgoing(aggregator, ANSWER))
    fields = {name: value for name, value in delivery.envelope_fields.items() if name != missing}
    assert await refusal(gate, StrangersDelivery(fields, delivery.body)) == "malformed"


async def test_no_envelope_at_all(gate):
    assert await refusal(gate, StrangersDelivery({}, b"")) == "malformed"


async def test_a_message_to_somebody_else_on_our_queue(gate, owner, buyer):
    """A relayed copy must not count as sent to us."""
    assert await refusal(gate, delivery_of(owner.outgoing(buyer, ANSWER))) == "wrong_recipient"


async def test_an_unknown_type(gate, owner, aggregator):
    assert await refusal(gate, with_body(owner, aggregator, pack(ANSWER), "gossip")) == "unknown_type"
    old = with_body(owner, aggregator, pack(ANSWER), "gradient_update")
    assert await refusal(gate, old) == "unknown_type", "of the plain rounds of earlier versions"


@pytest.mark.parametrize("kind", ["moment_answer", "model_received", "encrypted_model", "chain_event"])
async def test_an_owner_may_send_only_what_owners_send(gate, owner, aggregator, kind):
    assert await refusal(gate, with_body(owner, aggregator, pack(ANSWER), kind)) == "wrong_route"


async def test_nobody_but_the_aggregator_takes_an_owners_answer(owner, buyer, chain):
    gate = Admission(buyer.identity, MARKET, "model_buyer", Directory(chain))
    assert await refusal(gate, delivery_of(owner.outgoing(buyer, ANSWER))) == "wrong_route"


async def test_orders_come_from_oneself_alone(buyer, owner, aggregator, chain):
    gate = Admission(buyer.identity, MARKET, "model_buyer", Directory(chain))
    order = TrainingOrder(request=any_request())
    assert (await gate.admit(delivery_of(buyer.outgoing(buyer, order)))).envelope.sender == buyer.address
    other = Person("model_buyer")
    chain.roles[other.address] = "model_buyer"
    for person in (owner, aggregator, other):
        assert await refusal(gate, delivery_of(person.outgoing(buyer, order))) == "wrong_route"


async def test_an_order_in_our_own_name_needs_our_own_key(buyer, owner, chain):
    gate = Admission(buyer.identity, MARKET, "model_buyer", Directory(chain))
    envelope = buyer.envelope(buyer, "stop_order")
    body = pack(StopOrder(training=1, reason="please"))
    forged = SignedMessage.create(envelope, body, owner.identity.signing_key)
    assert await refusal(gate, delivery_of(sealed(forged, buyer))) == "bad_signature"


async def test_a_daemon_does_not_play_its_own_peer(gate, aggregator, chain):
    """Our own address is the operator's, and the operator sends orders only."""
    started = MESSAGE_TYPES["checked_started"].catalogue.example()
    for body in (ANSWER, started, Complaint(code="silent", accused=aggregator.address, evidence=())):
        assert await refusal(gate, delivery_of(aggregator.outgoing(aggregator, body))) == "wrong_route"
    assert chain.asked == 0


async def test_what_is_not_sealed_to_me(gate, owner, buyer, aggregator):
    message = owner.signed(aggregator, ANSWER)
    elsewhere = delivery_of(sealed(message, buyer))
    good = delivery_of(sealed(message, aggregator))
    broken = StrangersDelivery(good.envelope_fields, good.body[:-1] + bytes([good.body[-1] ^ 1]))
    plain = StrangersDelivery(good.envelope_fields, message.sealed_part())
    for delivery in (elsewhere, broken, plain, StrangersDelivery(good.envelope_fields, b"")):
        assert await refusal(gate, delivery) == "not_sealed_to_me"


async def test_a_signature_by_another_key(gate, owner, buyer, aggregator):
    envelope = owner.envelope(aggregator, "invitation_answer")
    forged = SignedMessage.create(envelope, pack(ANSWER), buyer.identity.signing_key)
    assert await refusal(gate, delivery_of(sealed(forged, aggregator))) == "bad_signature"


@pytest.mark.parametrize(
    "changes",
    [{"training": 2}, {"round": 1}, {"attempt": 1}, {"message_id": b"r" * 16}, {"sent_at": 2}],
    ids=str,
)
async def test_an_envelope_that_was_changed_on_the_way(gate, owner, aggregator, changes):
    """A replay under another round, or under a fresh id that the inbox does not know."""
    delivery = delivery_of(owner.outgoing(aggregator, ANSWER), **changes)
    assert await refusal(gate, delivery) == "bad_signature"


async def test_a_body_that_was_swapped_under_its_signature(gate, owner, aggregator):
    message = owner.signed(aggregator, ANSWER)
    part = SealedPart(
        body=pack(InvitationAnswer(decision="declined", code="no_matching_card")),
        signature=message.signature,
    )
    content = seal(pack(part), aggregator.identity.exchange_key)
    fields = message.envelope.model_dump()
    assert await refusal(gate, StrangersDelivery(fields, content)) == "bad_signature"


@pytest.mark.parametrize(
    "body",
    [
        pack(StopOrder(training=1, reason="another type")),
        msgpack.packb({"type": "invitation_answer", "decision": "accepted", "note": "x"}),
        msgpack.packb({"type": "invitation_answer", "decision": 1}),
        msgpack.packb({"type": "invitation_answer"}),
        b"",
        b"\xc1",
    ],
    ids=["another type", "unknown field", "wrong kind of value", "field missing", "empty", "not msgpack"],
)
async def test_a_body_that_is_not_what_the_envelope_says(gate, owner, aggregator, body):
    assert await refusal(gate, with_body(owner, aggregator, body)) == "malformed"


async def test_a_refusal_repeats_nothing_of_the_body(gate, owner, aggregator):
    body = msgpack.packb({"type": "invitation_answer", "decision": "weights 1.25", "weights 1.25": 1})
    with pytest.raises(ProtocolViolation) as caught:
        await gate.admit(with_body(owner, aggregator, body))
    assert "1.25" not in str(caught.value)


async def test_a_sender_that_the_chain_does_not_know(gate, aggregator):
    stranger = Person("data_owner")
    assert await refusal(gate, delivery_of(stranger.outgoing(aggregator, ANSWER))) == "not_registered"


async def test_who_registers_later_is_admitted_then(gate, aggregator, chain):
    late = Person("data_owner")
    message = late.outgoing(aggregator, ANSWER)
    assert await refusal(gate, delivery_of(message)) == "not_registered"
    chain.roles[late.address] = "data_owner"
    await gate.admit(delivery_of(message))


async def test_a_chain_that_does_not_answer_is_nobodys_fault(gate, owner, aggregator, chain):
    chain.down = True
    with pytest.raises(ChainUnavailable):
        await gate.admit(delivery_of(owner.outgoing(aggregator, ANSWER)))
    chain.down = False
    await gate.admit(delivery_of(owner.outgoing(aggregator, ANSWER)))
    chain.down = True
    await gate.admit(delivery_of(owner.outgoing(aggregator, ANSWER)))  # a role never changes
