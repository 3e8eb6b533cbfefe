"""What a member signs at a round's end, and what becomes of a round that it did not sign."""

from typing import Any

import pytest

from protocol.bodies import body_of
from protocol.crypto.cipher import read_ciphertexts
from protocol.errors import ProtocolViolation
from protocol.learning.shapley import mse_after_fixed
from protocol.marketplace import RoundRecorded
from protocol.messages import ChainEvent, Opening, OpeningRefused, RoundSignature
from protocol.records import RoundRecord
from protocol.roles.engine.effects import RecordFact, ReportViolation, SendMessage, SubmitCall
from protocol.roles.engine.inputs import EventConfirmed
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.engine.state import replace
from protocol.roles.owner.rounds.view import view_of
from protocol.roles.rounds.record import OpenedProduct
from protocol.roles.rounds.ring_state import SharedNumbers
from protocol.roles.shared.accusing import sign_openings
from protocol.signatures import recover_address, sign_digest
from tests.support.roles.checked_owners import ALL, MEASURED, Machined, PlayedAttempt, opened, played
from tests.support.roles.pure_contract import MARKET, TRAINING


def before_the_opening() -> tuple[PlayedAttempt, Machined, Opening]:
    """An attempt whose opening has reached nobody, a member, and the opening."""
    whole, play = played(*ALL), played(*MEASURED)
    member = play.members[play.world.members[0]]
    # Both have measured under the same chance: what one buyer opens is what the other would.
    (signed,) = whole.of_type("opening")
    return play, member, body_of(signed, Opening)


def arrives(play: PlayedAttempt, member: Machined, body: Any, sender: str = "") -> Any:
    return member.step(play.signed(sender or play.world.buyer, member.address, body))


def resigned(play: PlayedAttempt, body: Opening, **changes: Any) -> Opening:
    """The opening with another record, signed by the buyer."""
    record = replace(body.record, **changes)
    signature = sign_digest(play.world.keys[play.world.buyer], record.digest(MARKET))
    return replace(body, record=record, signature=signature)


def test_a_member_signs_the_record_that_it_works_out_itself_to_all_who_hold_it() -> None:
    play, member, body = before_the_opening()
    step = arrives(play, member, body)
    sent = [one for one in step.effects if isinstance(one, SendMessage)]
    others = set(play.members) - {member.address}
    assert {one.recipient for one in sent} == {play.world.aggregator, play.world.buyer, *others}
    (signature,) = {one.body.signature for one in sent if isinstance(one.body, RoundSignature)}
    assert recover_address(body.record.digest(MARKET), signature) == member.address
    assert [one.name for one in step.effects if isinstance(one, RecordFact)] == ["validated"]


def test_what_a_member_has_read_of_a_round_is_forgotten_with_its_signature() -> None:
    play, member, body = before_the_opening()
    before, context = member.state, member.context()
    assert view_of(before, before.attempt, context).claims
    arrives(play, member, body)
    assert member.state.attempt is None
    assert not view_of(before, before.attempt, context).known


WRONG_RECORDS: list[tuple[str, Any]] = [
    ("own", lambda record: (record.own[0] + 1, *record.own[1:])),
    ("cross", lambda record: (record.cross[0] - 1, *record.cross[1:])),
    ("mse_before", lambda record: record.mse_before + 1),
    ("last", lambda record: not record.last),
    ("model_digest", lambda _: b"o" * 32),
    ("delivered_digest", lambda _: b"o" * 32),
    ("transcript_digest", lambda _: b"o" * 32),
    ("validators", lambda record: record.validators & (record.validators - 1)),
]


@pytest.mark.parametrize(("name", "change"), WRONG_RECORDS, ids=[name for name, _ in WRONG_RECORDS])
def test_another_record_is_not_signed(name: str, change: Any) -> None:
    play, member, body = before_the_opening()
    before = member.state
    with pytest.raises(ProtocolViolation, match="wrong_record"):
        arrives(play, member, resigned(play, body, **{name: change(body.record)}))
    assert member.state == before


def test_an_opening_without_proof_or_the_buyer_s_signatures_is_refused() -> None:
    play, member, body = before_the_opening()
    wrong = {
        "bad_opening": replace(body, plaintexts=(body.plaintexts[0] + 1, *body.plaintexts[1:])),
        "bad_record_signature": replace(body, signature=sign_digest(member.signing_key, b"d" * 32)),
        "bad_opening_signature": replace(body, opening_signatures=()),
    }
    for code, one in wrong.items():
        with pytest.raises(ProtocolViolation, match=code):
            arrives(play, member, one)
    with pytest.raises(ProtocolViolation, match="wrong_sender"):
        arrives(play, member, body, sender=play.world.aggregator)


def test_before_its_consent_a_member_takes_no_opening() -> None:
    play, whole = played(*MEASURED[:-1]), played(*ALL)
    (signed,) = whole.of_type("opening")
    with pytest.raises(EarlyInput):
        arrives(play, play.checkers[0], body_of(signed, Opening))


def test_an_implausible_sum_ends_the_attempt_and_names_nobody() -> None:
    play, member, body = before_the_opening()
    step = arrives(play, member, OpeningRefused())
    assert [type(one) for one in step.effects] == [RecordFact]
    assert member.state.attempt.is_stopped
    assert [one.name for one in arrives(play, member, body).effects] == ["input_late"]


def test_a_buyer_with_a_bond_loses_it_for_a_false_opening() -> None:
    play, member, body = before_the_opening()
    terms = replace(member.state.opened.terms, buyer_bond=10**18)
    member.state = replace(member.state, opened=replace(opened(play.world), terms=terms))
    pairs = [(body.plaintexts[0] + 1, body.roots[0]), *zip(body.plaintexts[1:], body.roots[1:], strict=True)]
    products = attested(play, member)
    signatures = sign_openings(play.world.key, products, pairs, play.buyer.context())
    false = replace(
        body,
        plaintexts=tuple(plaintext for plaintext, _ in pairs),
        opening_signatures=signatures,
    )
    step = arrives(play, member, false)
    assert {type(one) for one in step.effects} == {ReportViolation, SubmitCall, RecordFact}
    assert member.state.accused == ((play.world.buyer, "false_opening"),)


def attested(play: PlayedAttempt, member: Machined) -> OpenedProduct:
    """The noisy product as the member has formed it."""
    stored = member.state.attempt.measuring.noisy.load(SharedNumbers, member.context()).numbers
    products = read_ciphertexts(play.world.key, stored, len(stored))
    return OpenedProduct(TRAINING, 1, tuple(products))


def test_a_buyer_with_a_bond_loses_it_for_a_second_record() -> None:
    play, member, body = before_the_opening()
    terms = replace(member.state.opened.terms, buyer_bond=10**18)
    member.state = replace(member.state, opened=replace(opened(play.world), terms=terms))
    step = arrives(play, member, body)
    bodies = [one.body for one in step.effects if isinstance(one, SendMessage)]
    assert {(one.record, one.buyer_signature) for one in bodies} == {(body.record, body.signature)}
    second = resigned(play, body, own=(body.record.own[0] + 1, *body.record.own[1:]))
    step = arrives(play, member, second)
    assert member.state.accused == ((play.world.buyer, "two_records"),)


# ---- what the chain shows ----


def recorded(record: RoundRecord) -> EventConfirmed:
    after = mse_after_fixed(record.cross, len(record.own))
    zeros = (0,) * len(record.own)
    event = RoundRecorded(
        training=TRAINING,
        round=record.round,
        record=record,
        mse_after=after,
        shapley=zeros,
        pay_weights=zeros,
    )
    chain_event = ChainEvent(
        event=event,
        chain_id=MARKET.chain_id,
        block_number=1,
        block_hash=b"\0" * 32,
        transaction_hash=b"\0" * 32,
        log_index=0,
        timestamp=1_000,
    )
    return EventConfirmed(chain_event=chain_event)


def test_a_member_that_signed_goes_on_from_what_it_signed() -> None:
    play, member, body = before_the_opening()
    arrives(play, member, body)
    link, models = member.state.link, member.state.signed_models
    member.take(recorded(body.record))
    assert (member.state.recorded, member.state.link, member.state.signed_models) == (1, link, models)
    assert member.state.standing == play.world.parties.validators


def test_one_that_missed_the_opening_goes_on_from_the_record_with_the_model_it_was_shown() -> None:
    play, member, body = before_the_opening()
    member.take(recorded(body.record))
    assert (member.state.link.round, member.state.caught_up, member.state.attempt) == (1, 1, None)
    (model,) = member.state.signed_models
    assert model.digest == play.measured.next_model.digest()
    assert [one.name for one in arrives(play, member, body).effects] == ["input_late"]


def test_one_that_was_shown_nothing_goes_on_without_a_model() -> None:
    _, _, body = before_the_opening()
    play = played()
    member = play.members[play.world.members[0]]
    member.take(recorded(body.record))
    assert (member.state.link.round, member.state.signed_models) == (1, ())
    assert member.state.standing == body.record.validators


def test_one_that_was_shown_another_model_keeps_none() -> None:
    _, member, body = before_the_opening()
    other = replace(body.record, model_digest=b"o" * 32, delivered_digest=b"o" * 32)
    member.take(recorded(other))
    assert (member.state.attempt, member.state.signed_models) == (None, ())
