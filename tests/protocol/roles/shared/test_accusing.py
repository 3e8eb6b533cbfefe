"""Whoever holds the proof of a fault shows it to the contract, which takes the bond of who committed it."""

from typing import Any

import pytest

from protocol.accusations import SignedOpening
from protocol.envelope import SignedMessage
from protocol.marketplace import Cancelled
from protocol.messages import Opening, RoundSignature
from protocol.records import RoundRecord
from protocol.roles.engine.effects import SubmitCall
from protocol.roles.engine.inputs import MessageReceived
from protocol.roles.shared.deadlines import accuser_turn
from protocol.signatures import sign_digest
from tests.support.roles.bonded import BUYER, FORFEIT, OWNER, bonded_market
from tests.support.roles.pure_contract import MARKET
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import altered, body_of, refusal, stopped_at


def at_the_opening(party: str = "validator", **bonds: int) -> tuple[PureMarket, Party, SignedMessage]:
    """A market whose buyer's first opening is about to arrive at a validator, or the aggregator."""
    market = bonded_market(**bonds)
    receiver = market.aggregator if party == "aggregator" else market.owners[2]
    return market, receiver, market.run_until("opening", receiver)


def with_falsehood(market: PureMarket, message: SignedMessage) -> SignedMessage:
    """Another plaintext than the sum holds, signed by the buyer like the true one."""
    body, n = body_of(message), int(market.key.public_key.n)
    plaintext, root = body.plaintexts[0], body.roots[0]
    product = (1 + plaintext * n) * pow(root, n, n * n) % (n * n)
    lie = SignedOpening.of(
        1, body.record.round, n=n, ciphertext=product, plaintext=(plaintext + 1) % n, root=root
    )
    signature = sign_digest(market.buyer.signing_key, lie.digest(MARKET))
    return altered(
        market,
        message,
        plaintexts=((plaintext + 1) % n, *body.plaintexts[1:]),
        opening_signatures=(signature, *body.opening_signatures[1:]),
    )


def other_record(market: PureMarket, body: Opening, signer: Party) -> tuple[RoundRecord, bytes]:
    """A record of the same round that is not the same, signed."""
    other = body.record.model_copy(update={"transcript_digest": b"\1" * 32})
    return other, sign_digest(signer.signing_key, other.digest(MARKET))


def lost(market: PureMarket) -> list[tuple[str, str, int]]:
    """The bonds that are lost once every call that waits its turn is made."""
    while market.delayed:
        assert market.tick()
    return [(event.account, event.fault, event.amount) for event in market.contract.bonds.lost]


@pytest.mark.parametrize("party", ["validator", "aggregator"])
def test_a_false_opening_is_shown_to_the_contract_by_whoever_gets_it(party: str) -> None:
    market, receiver, message = at_the_opening(party)
    before = receiver.decoded
    market.deliver(receiver, MessageReceived(signed=with_falsehood(market, message)))
    assert receiver.decoded == before.model_copy(
        update={"accused": ((market.buyer.address, "false_opening"),)}
    )
    assert receiver.violations[-1].code == "bad_opening"
    assert lost(market) == [(market.buyer.address, "false_opening", BUYER)]
    assert market.contract.bonds.credits[FORFEIT] == BUYER


def test_a_false_opening_costs_nothing_where_no_bond_is_at_stake() -> None:
    market, receiver, message = at_the_opening(buyer=0)
    assert refusal(market, receiver, with_falsehood(market, message)) == "bad_opening"
    assert not lost(market)


def test_an_opening_that_its_buyer_did_not_sign_is_refused() -> None:
    market, receiver, message = at_the_opening()
    signatures = body_of(message).opening_signatures
    others = sign_digest(market.aggregator.signing_key, b"\2" * 32)
    for forged in ((), signatures[1:], (others, *signatures[1:]), (*signatures, others)):
        changed = altered(market, message, opening_signatures=forged)
        assert refusal(market, receiver, changed) == "bad_opening_signature"
    assert not lost(market)


@pytest.mark.parametrize("party", ["validator", "aggregator"])
def test_a_second_record_of_the_buyer_is_shown_to_the_contract(party: str) -> None:
    market, receiver, message = at_the_opening(party)
    market.deliver(receiver, MessageReceived(signed=message))
    record, signature = other_record(market, body_of(message), market.buyer)
    second = altered(market, message, record=record, signature=signature)
    market.deliver(receiver, MessageReceived(signed=second))
    assert receiver.violations[-1].code == "second_record"
    assert lost(market) == [(market.buyer.address, "two_records", BUYER)]


@pytest.mark.parametrize("party", ["validator", "aggregator"])
def test_more_proofs_against_somebody_cost_no_more_gas(party: str) -> None:
    """A bond is lost once, and whoever lost it can sign as many records as it likes.

    What the contract sees no fault in hides none that comes after it.
    """
    market, receiver, message = at_the_opening(party)
    market.deliver(receiver, MessageReceived(signed=message))
    others: list[dict[str, Any]] = [{"trainers": 0}, {"trainers": 1 << 9}, {"validators": 1 << 9}]
    for changes in (*others, *({"transcript_digest": bytes([number]) * 32} for number in range(3))):
        record = body_of(message).record.model_copy(update=changes)
        signature = sign_digest(market.buyer.signing_key, record.digest(MARKET))
        second = altered(market, message, record=record, signature=signature)
        market.deliver(receiver, MessageReceived(signed=second))
        assert receiver.violations[-1].code == "second_record"
    assert lost(market) == [(market.buyer.address, "two_records", BUYER)]
    calls = [name for sender, name in market.contract.calls if sender == receiver.address]
    assert calls.count("accuse_of_two_records") == 1


def test_a_second_record_is_recognised_when_the_first_is_on_the_chain() -> None:
    market, receiver, message = at_the_opening()
    market.post(message)
    while not market.contract.recorded or any(one[0] == receiver.address for one in market.pending):
        market.deliver_next()
    record, signature = other_record(market, body_of(message), market.buyer)
    second = altered(market, message, record=record, signature=signature)
    market.deliver(receiver, MessageReceived(signed=second))
    assert lost(market) == [(market.buyer.address, "two_records", BUYER)]


FOLDS = {"rounds": 2, "folds": 2, "local_steps": 2, "step_size": "0.05", "tolerance": 0}


def test_a_second_record_of_a_folds_last_round_is_recognised_when_the_next_fold_has_begun() -> None:
    market = bonded_market(FOLDS)
    market.post(market.run_until("opening"))
    owner = market.validators()[0]
    market.post(message := market.run_until("opening", owner))
    while owner.decoded.parties.fold == 0:
        market.deliver_next()
    record, signature = other_record(market, body_of(message), market.buyer)
    second = altered(market, message, record=record, signature=signature)
    market.deliver(owner, MessageReceived(signed=second))
    assert owner.violations[-1].code == "second_record"
    assert lost(market) == [(market.buyer.address, "two_records", BUYER)]


@pytest.mark.parametrize(
    ("party", "signer"),
    [
        ("validator", "buyer"),
        ("aggregator", "buyer"),
        ("validator", "sender"),
        ("aggregator", "sender"),
        ("buyer", "sender"),
    ],
)
def test_what_another_validator_was_shown_is_compared(party: str, signer: str) -> None:
    """The buyer shows two validators different records, or a validator signs both."""
    market, validator, message = at_the_opening()
    sender = market.owners[3]
    market.post(message)
    while not (signed := [m for m in market.sent("round_signature") if m.envelope.sender == sender.address]):
        market.deliver_next()
    receiver = {"validator": validator, "aggregator": market.aggregator, "buyer": market.buyer}[party]
    [true] = [m for m in signed if m.envelope.recipient == receiver.address]
    while not _is_known(receiver, sender):
        market.deliver_next()
    double = market.buyer if signer == "buyer" else sender
    record, signature = other_record(market, body_of(message), double)
    own = sign_digest(sender.signing_key, record.digest(MARKET))
    buyers = signature if signer == "buyer" else None
    false = altered(market, true, record=record, signature=own, buyer_signature=buyers)
    market.deliver(receiver, MessageReceived(signed=false))
    fault = (market.buyer.address, BUYER) if signer == "buyer" else (sender.address, OWNER)
    assert lost(market) == [(fault[0], "two_records", fault[1])]


def _is_known(receiver: Party, sender: Party) -> bool:
    """Whether the sender's signature of the round has arrived."""
    state: Any = receiver.decoded
    if state.phase == "training":
        return sender.address in dict(getattr(state.evaluation, "signatures", ()))
    return any(sender.address in dict(one.signatures) for one in state.signed_rounds)


def test_the_record_goes_with_a_signature_only_where_a_bond_is_at_stake() -> None:
    for asked, goes in (({}, True), ({"owner": 0, "buyer": 0}, False)):
        market, _receiver, message = at_the_opening(**asked)
        market.post(message)
        market.finish()
        bodies: list[RoundSignature] = [body_of(one) for one in market.sent("round_signature")]
        assert bodies
        assert all((body.record is not None) is goes for body in bodies)
        assert market.buyer.shown == "FINISHED"
        assert not lost(market)


def test_trainings_without_bonds_go_on_as_before() -> None:
    market, owner, message = stopped_at("opening", 2)
    market.deliver(owner, MessageReceived(signed=message))
    record, signature = other_record(market, body_of(message), market.buyer)
    second = altered(market, message, record=record, signature=signature)
    step = market.deliver(owner, MessageReceived(signed=second))
    assert step is not None
    assert [effect.effect for effect in step.effects] == ["fact"]
    assert not lost(market)


# ---- in turn ----


def second_record_to(market: PureMarket, receiver: Party, message: SignedMessage) -> float:
    """The receiver gets a second record of the buyer's; how long its accusation waits."""
    market.deliver(receiver, MessageReceived(signed=message))
    record, signature = other_record(market, body_of(message), market.buyer)
    second = altered(market, message, record=record, signature=signature)
    step = market.deliver(receiver, MessageReceived(signed=second))
    assert step is not None
    [call] = [effect for effect in step.effects if isinstance(effect, SubmitCall)]
    return call.after


def test_all_that_hold_the_same_proof_show_it_in_turn() -> None:
    """The aggregator at once, then the validators: of calls at once all but one are for nothing."""
    market = bonded_market()
    receivers = (market.aggregator, *market.owners[2:5])
    openings = [(receiver, market.run_until("opening", receiver)) for receiver in receivers]
    waits = [second_record_to(market, receiver, message) for receiver, message in openings]
    unit = waits[1]
    assert waits == [0.0, unit, 2 * unit, 3 * unit]
    assert 0 < unit <= float(market.request.deadlines.chain_s)
    assert lost(market) == [(market.buyer.address, "two_records", BUYER)]


def test_a_fault_is_shown_by_the_next_where_those_before_it_are_silent() -> None:
    market, receiver, message = at_the_opening()
    assert second_record_to(market, receiver, message) > 0
    assert (receiver.address, "accuse_of_two_records") not in market.contract.calls
    market.silent |= {market.aggregator.address, market.buyer.address}
    assert lost(market) == [(market.buyer.address, "two_records", BUYER)]
    assert (receiver.address, "accuse_of_two_records") in market.contract.calls


def test_an_accusation_that_waits_is_made_though_the_training_has_ended() -> None:
    market, receiver, message = at_the_opening()
    second_record_to(market, receiver, message)
    ended = Cancelled(training=1, refund=0)
    market.deliver(receiver, market.event_input(ended))
    assert receiver.phase == "failed"
    assert lost(market) == [(market.buyer.address, "two_records", BUYER)]


@pytest.mark.parametrize(
    ("round_seconds", "chain_seconds"), [(3060, 300.0), (60, 86_400.0), (259_200, 300.0)]
)
def test_the_last_turn_comes_before_a_bond_can_be_released(round_seconds: int, chain_seconds: float) -> None:
    terms = bonded_market().request.terms(b"k" * 32).model_copy(update={"round_seconds": round_seconds})
    turns = [accuser_turn(terms, chain_seconds, place) for place in (None, *range(256))]
    assert max(turns) <= round_seconds / 4 / 2, "the other half is for the transactions"
    assert 0 < turns[0] < min(turns[1:])
    assert len(set(turns)) == 9
    assert max(turns) <= 8 * chain_seconds
