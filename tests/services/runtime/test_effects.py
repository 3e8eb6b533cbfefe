"""From what a step asks for to what the store writes."""

import pytest

from protocol.codec import unpack
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.marketplace import Settle, Withdraw
from protocol.messages import CardsRequest, Complaint
from protocol.messages.rounds import ProvenMetric
from protocol.roles.dispatch import EncodedStep
from protocol.roles.engine.effects import (
    CancelTimer,
    KeepResult,
    RecordFact,
    ReportViolation,
    SendMessage,
    SetTimer,
    StoreBlob,
    SubmitCall,
)
from services.chain.errors import ChainUnavailable
from services.identity.directory import Directory
from services.identity.sealing import unseal
from services.runtime.effects import MessageWriter, PendingCall, PendingLetter, PendingMessage, writes_of
from tests.support.daemons.service_world import MARKET, FakeChain, Person

OWNER, AGGREGATOR = Person("data_owner"), Person("federated_aggregator")
BODY = Complaint(code="late", accused=AGGREGATOR.address, evidence=())


@pytest.fixture
def chain():
    return FakeChain(OWNER, AGGREGATOR)


@pytest.fixture
def writer(chain):
    return MessageWriter(OWNER.identity, MARKET, Directory(chain))


def step(*effects, training=7):
    return EncodedStep(b"state", effects, frozenset({b"r" * 32}), "READY", training, finished=False)


def to(recipient):
    return SendMessage(message_id=b"m" * 16, recipient=recipient, body=BODY, round=3, attempt=2)


async def test_a_message_is_signed_and_sealed_once_for_every_try(writer):
    writes, _ = await writes_of(step(to(AGGREGATOR.address)), writer)
    ((kind, content),) = writes.effects
    pending = unpack(PendingMessage, content)
    envelope = pending.envelope
    assert (kind, pending.recipient_role) == ("message", "federated_aggregator")
    assert (envelope.training, envelope.round, envelope.attempt) == (7, 3, 2)
    assert (envelope.sender, envelope.recipient) == (OWNER.address, AGGREGATOR.address)
    assert (envelope.message_id, envelope.type) == (b"m" * 16, "complaint")
    opened = unseal(pending.sealed, AGGREGATOR.identity.exchange_secret)
    signed = SignedMessage.from_parts(envelope, opened)
    signed.verify(MARKET)
    assert unpack(Complaint, signed.body) == BODY


async def test_what_a_transcript_keeps_is_told_as_its_recipient_finds_it(writer):
    kept = ProvenMetric(evidence_digest=b"e" * 32, values=(b"v" * 64,), proof=(b"p" * 64,))
    message = SendMessage(message_id=b"k" * 16, recipient=AGGREGATOR.address, body=kept, round=1, attempt=1)
    stranger = message.model_copy(update={"recipient": "0x" + "99" * 20})
    writes, sent = await writes_of(step(to(AGGREGATOR.address), stranger, message), writer)
    pending = unpack(PendingMessage, writes.effects[1][1])
    opened = unseal(pending.sealed, AGGREGATOR.identity.exchange_secret)
    assert sent == [SignedMessage.from_parts(pending.envelope, opened)]


async def test_a_message_is_sealed_to_the_key_that_its_training_began_with(writer, chain):
    before = Person("federated_aggregator", AGGREGATOR.identity)
    old = Person("federated_aggregator").identity
    chain.keys[7, before.address] = old.exchange_key
    writes, _ = await writes_of(step(to(before.address)), writer)
    pending = unpack(PendingMessage, writes.effects[0][1])
    assert unseal(pending.sealed, old.exchange_secret)


async def test_a_stranger_costs_a_fact_and_the_rest_goes_on(writer):
    stranger = Person("data_owner").address
    writes, _ = await writes_of(step(to(stranger), SubmitCall(call=Withdraw())), writer)
    assert [kind for kind, _ in writes.effects] == ["call"]
    assert writes.facts == [
        ("undeliverable", {"recipient": stranger, "type": "complaint", "code": "not_registered"})
    ]


async def test_what_a_role_never_takes_is_not_sent_to_it(writer):
    with pytest.raises(ProtocolViolation) as caught:
        await writer.message(OWNER.address, CardsRequest(), 0, message_id=b"m" * 16)
    assert caught.value.code == "wrong_route"


async def test_while_the_chain_is_down_a_step_has_no_effects_at_all(writer, chain):
    chain.down = True
    with pytest.raises(ChainUnavailable):
        await writes_of(step(SubmitCall(call=Withdraw()), to(AGGREGATOR.address)), writer)


async def test_a_call_that_waits_its_turn_is_kept_apart(writer):
    turn = SubmitCall(call=Withdraw(), after=60.0)
    writes, _ = await writes_of(step(turn, SubmitCall(call=Settle(training=7))), writer)
    [(seconds, (kind, content))] = writes.delayed
    assert (seconds, kind, unpack(PendingCall, content).call) == (60.0, "call", Withdraw())
    assert [unpack(PendingCall, content).call for _, content in writes.effects] == [Settle(training=7)]


async def test_calls_blobs_results_and_facts_are_kept(writer):
    blob = StoreBlob(digest=b"r" * 32, content=b"ciphertexts")
    result, fact = KeepResult(name="model", content=b"weights"), RecordFact(name="told", data={"n": 1})
    done = step(SubmitCall(call=Withdraw()), blob, result, fact)
    writes, _ = await writes_of(done, writer, frozenset({b"k" * 32}))
    assert [(kind, unpack(PendingCall, content).call) for kind, content in writes.effects] == [
        ("call", Withdraw())
    ]
    assert writes.blobs == {b"r" * 32: b"ciphertexts"}
    assert writes.results == {"model": b"weights"}
    assert writes.facts == [("told", {"n": 1})]
    assert (writes.training, writes.state, writes.display_status) == (7, b"state", "READY")
    assert (writes.references, writes.known) == (frozenset({b"r" * 32}), frozenset({b"k" * 32}))
    assert "weights" not in repr(writes)
    assert "ciphertexts" not in repr(writes)


@pytest.mark.parametrize(
    ("effects", "timers", "cancelled"),
    [
        ([SetTimer(name="join", seconds=3)], {"join": 3.0}, set()),
        ([SetTimer(name="join", seconds=3), SetTimer(name="join", seconds=4)], {"join": 4.0}, set()),
        ([SetTimer(name="join", seconds=3), CancelTimer(name="join")], {}, {"join"}),
        ([CancelTimer(name="join"), SetTimer(name="join", seconds=3)], {"join": 3.0}, {"join"}),
    ],
)
async def test_the_last_word_on_a_timer_counts(writer, effects, timers, cancelled):
    writes, _ = await writes_of(step(*effects), writer)
    assert (writes.timers, writes.cancelled) == (timers, cancelled)


async def test_a_violation_is_a_fact_and_the_messages_letter(writer):
    received = AGGREGATOR.signed(OWNER, BODY)
    report = ReportViolation(
        code="not_mine", detail="seat 3", accused=AGGREGATOR.address, envelope=received.envelope
    )
    writes, _ = await writes_of(step(report), writer)
    assert writes.facts == [
        ("violation", {"code": "not_mine", "detail": "seat 3", "accused": AGGREGATOR.address})
    ]
    ((kind, content),) = writes.effects
    assert kind == "letter"
    assert unpack(PendingLetter, content) == PendingLetter(
        envelope=received.envelope, code="not_mine", detail="seat 3"
    )


async def test_a_violation_without_a_message_has_no_letter(writer):
    writes, _ = await writes_of(step(ReportViolation(code="late", detail="", accused=None)), writer)
    assert [name for name, _ in writes.facts] == ["violation"]
    assert writes.effects == []
