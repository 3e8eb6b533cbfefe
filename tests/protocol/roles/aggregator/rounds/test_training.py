"""The training lane: updates that are none, proofs that fail, silence, and updates that come too late."""

from tests.support.roles.checked_aggregator import facts_of, sent, stopped_before
from tests.support.roles.small_markets import altered, body_of, resigned


def test_the_last_update_has_the_buyer_asked_for_the_moments_of_all():
    before = stopped_before("proven_update", 1, which=3)
    effects = before.receive()
    assert sent(effects) == [("moment_request", before.market.buyer.address)]
    (asked,) = (one.body for one in effects if one.effect == "send")
    assert (asked.trainers, asked.start) == (4, "public")
    assert before.party.decoded.training_lane.status == "moments"


def test_the_mask_of_a_request_is_kept_and_not_shown():
    before = stopped_before("proven_update", 1, which=3)
    before.receive()
    shown = repr(before.party.decoded)
    for content in before.party.blobs.values():
        assert content.hex() not in shown
        assert repr(content) not in shown


def test_an_update_is_refused_that_is_no_update_or_no_proof():
    before = stopped_before("proven_update", 1)
    body = body_of(before.message)
    short = body.local_model.model_copy(update={"ciphertexts": body.local_model.ciphertexts[:1]})
    wrong = {
        "wrong_start_model": {"start_digest": b"\0" * 32},
        "bad_proof": {"proof": body.proof[:-1]},
        "wrong_count": {"local_model": short},
    }
    for code, changes in wrong.items():
        assert before.refused(altered(before.market, before.message, **changes)) == code


def test_a_second_update_and_one_of_an_owner_that_does_not_train_are_refused():
    before = stopped_before("proven_update", 1, which=1)
    first = next(one for one in before.market.sent("proven_update") if one.envelope.round == 1)
    assert before.refused(resigned(before.market, first)) == "updated_twice"
    validator = before.market.validators()[0].address
    assert before.refused(resigned(before.market, before.message, sender=validator)) == "not_a_trainer"


def test_an_update_for_another_round_is_refused():
    before = stopped_before("proven_update", 1)
    assert before.refused(resigned(before.market, before.message, round=2)) == "round_out_of_order"


def test_another_trainers_proven_update_is_no_proof_of_ones_own():
    """Who re-signs what another has proven is named: a proof is bound to its prover's commitments."""
    before = stopped_before("proven_update", 1, which=3)
    first = next(one for one in before.market.sent("proven_update") if one.envelope.round == 1)
    thief = before.message.envelope.sender
    effects = before.receive(resigned(before.market, first, sender=thief))
    named = [data for name, data in facts_of(effects) if name == "dropped"]
    assert [(one["participant"], one["code"]) for one in named] == [(thief, "unproven_update")]
    assert before.party.decoded.training_lane.trainers.bit_count() == 3


def test_silent_trainers_are_left_out_of_the_round_while_two_remain():
    before = stopped_before("proven_update", 1, which=3)
    effects = before.fire("updates:1")
    silent = before.message.envelope.sender
    assert facts_of(effects)[0][1]["participant"] == silent
    assert before.party.decoded.training_lane.trainers.bit_count() == 3
    # It is told so, and is there again with its update.
    assert facts_of(before.receive()) == [("update_late", {"trainer": silent, "round": 1})]
    assert before.party.decoded.absences == ()


def test_with_one_trainer_the_training_ends():
    before = stopped_before("proven_update", 1, which=1)
    before.fire("updates:1")
    assert before.party.decoded.failure == "too_few_trainers"


def test_a_timer_of_a_round_that_goes_on_changes_nothing():
    before = stopped_before("moment_answer", 1)
    assert before.fire("updates:1") == ()
    assert before.fire("moments:2.1") == ()
