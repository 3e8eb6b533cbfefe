"""The exchange with the buyer: whose answer, to what, and what becomes of it."""

import pytest

from protocol.roles.engine.inputs import MessageReceived
from tests.support.roles.checked_aggregator import facts_of, sent, stopped_before
from tests.support.roles.small_markets import altered, body_of, resigned


def test_the_first_answer_gives_the_round_its_model_and_starts_the_next_one():
    before = stopped_before("moment_answer", 1)
    effects = before.receive()
    kinds = [kind for kind, _ in sent(effects)]
    assert kinds.count("encrypted_model") == 4
    assert kinds.count("round_evidence") == 3
    assert kinds.count("attempt_announced") == 1
    assert before.party.decoded.next_round == 2


def test_the_evidence_of_a_round_waits_for_the_record_of_the_one_before():
    before = stopped_before("moment_answer", 2)
    assert before.party.decoded.recorded == 0
    assert not [kind for kind, _ in sent(before.receive()) if kind == "round_evidence"]
    assert before.party.decoded.trained.round == 2


def test_an_answer_is_the_buyers_alone():
    before = stopped_before("moment_answer", 1)
    stranger = before.market.owners[0].address
    assert before.refused(resigned(before.market, before.message, sender=stranger)) == "wrong_sender"


def test_an_answer_names_our_request_and_holds_as_many_numbers_as_it_must():
    before = stopped_before("moment_answer", 1)
    numbers = body_of(before.message).numbers
    other = altered(before.market, before.message, request_digest=b"\0" * 32)
    assert before.refused(other) == "other_request"
    assert before.refused(altered(before.market, before.message, numbers=numbers[:-1])) == "wrong_count"
    zero = (bytes(len(numbers[0])), *numbers[1:])
    assert before.refused(altered(before.market, before.message, numbers=zero)) == "bad_ciphertext"


def test_an_answer_to_a_round_that_is_not_trained_is_refused_and_a_late_one_is_noted():
    before = stopped_before("moment_answer", 1)
    assert before.refused(resigned(before.market, before.message, round=2)) == "round_out_of_order"
    after = stopped_before("moment_answer", 2)
    first = next(one for one in after.market.sent("moment_answer") if one.envelope.round == 1)
    assert [name for name, _ in facts_of(after.receive(first))] == ["input_late"]


def test_the_training_ends_without_an_answer_and_names_the_buyer():
    before = stopped_before("moment_answer", 1)
    effects = before.fire("moments:1.1")
    assert before.party.decoded.failure == "buyer_silent"
    faults = {one.body.fault for one in effects if one.effect == "send"}
    assert faults == {before.market.buyer.address}


@pytest.mark.parametrize("round_number", [1, 2])
def test_the_model_is_blinded_by_what_its_seed_gives(round_number, monkeypatch):
    """Two answers to one request would be two models, each under a seed of its own."""
    before = stopped_before("moment_answer", round_number)
    before.receive()
    state = before.party.decoded
    trained = state.evaluation.trained if round_number == 1 else state.trained
    again = stopped_before("moment_answer", round_number)
    monkeypatch.setattr(again.market, "seed", again.market.seed + 1)
    again.market.deliver(again.party, MessageReceived(signed=again.message))
    other = again.party.decoded
    twin = other.evaluation.trained if round_number == 1 else other.trained
    assert twin.refreshed_digest != trained.refreshed_digest
