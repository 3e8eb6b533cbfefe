"""Between the draw and the first round: what owners show is held against what they have joined with."""

from protocol.messages.rounds import CheckedReady
from tests.support.roles.checked_aggregator import facts_of, sent, stopped_before
from tests.support.roles.small_markets import altered, body_of, resigned


def test_the_last_owners_commitments_start_the_training_for_everybody():
    before = stopped_before("checked_ready", 0, which=6)
    effects = before.receive()
    started = [to for kind, to in sent(effects) if kind == "checked_started"]
    assert started == [before.market.buyer.address, *before.market.contract.seats]
    assert len([kind for kind, _ in sent(effects) if kind == "encrypted_model"]) == 4
    assert before.party.decoded.phase == "training"


def test_an_owner_shows_what_it_has_joined_with_and_nothing_else():
    before = stopped_before("checked_ready", 0)
    body: CheckedReady = body_of(before.message)
    other = next(
        body_of(one).committed
        for one in before.market.sent("checked_ready")
        if one.envelope.sender != before.message.envelope.sender
    )
    lies = {
        "wrong_commitment": [
            {"card": b"\0" * 32},
            {"committed": other},
            {"committed": body.committed.model_copy(update={"rows": body.committed.rows + 1})},
        ],
        "bad_commitment": [{"committed": body.committed.model_copy(update={"gram": bytes(256)})}],
        "too_few_rows": [{"committed": body.committed.model_copy(update={"rows": 1})}],
        "too_many_rows": [{"committed": body.committed.model_copy(update={"rows": 1 << 40})}],
    }
    for code, wrong in lies.items():
        for changes in wrong:
            assert before.refused(altered(before.market, before.message, **changes)) == code


def test_anothers_commitments_are_not_ones_own():
    before = stopped_before("checked_ready", 0)
    copied = next(
        one
        for one in before.market.sent("checked_ready")
        if one.envelope.sender != before.message.envelope.sender
    )
    stolen = resigned(before.market, copied, sender=before.message.envelope.sender)
    assert before.refused(stolen) == "wrong_commitment"


def test_who_is_no_admitted_owner_with_a_seat_shows_nothing():
    before = stopped_before("checked_ready", 0)
    buyer = before.market.buyer.address
    assert before.refused(resigned(before.market, before.message, sender=buyer)) == "not_admitted"


def test_what_an_owner_shows_again_changes_nothing():
    before = stopped_before("checked_ready", 0, which=1)
    first = before.market.sent("checked_ready")[0]
    assert before.receive(resigned(before.market, first)) == ()


def test_an_owner_that_shows_nothing_is_left_out_and_is_told_so_when_it_does():
    before = stopped_before("checked_ready", 0, which=6)
    silent = before.message.envelope.sender
    effects = before.fire("rows")
    dropped = [data for name, data in facts_of(effects) if name == "dropped"]
    assert [(one["participant"], one["code"]) for one in dropped] == [(silent, "no_row_count")]
    assert before.party.decoded.phase == "training"
    assert ("participant_dropped", silent) in sent(before.receive())


def test_a_validator_that_shows_nothing_is_named_with_the_first_attempt():
    before = stopped_before("checked_ready", 0, which=6)
    silent = before.message.envelope.sender
    before.fire("rows")
    named = [(one.member, one.why) for one in before.party.decoded.left]
    seat = before.market.contract.seats.index(silent)
    assert named == ([(silent, "silent")] if before.market.contract.validators >> seat & 1 else [])


def test_without_enough_owners_nothing_starts():
    before = stopped_before("checked_ready", 0)
    before.fire("rows")
    assert before.party.decoded.failure == "too_few_validators"
