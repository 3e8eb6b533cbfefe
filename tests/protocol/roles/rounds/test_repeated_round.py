"""A trainer whose model is bad sits the rest of the training out, without fault, and the training goes on."""

import pytest

from protocol.envelope import SignedMessage
from protocol.types import seats_of
from tests.adversaries.arena import Arena
from tests.adversaries.outcome import Outcome
from tests.support.roles.bad_trainers import bad_trainer
from tests.support.roles.small_markets import body_of


@pytest.fixture(scope="module")
def arena() -> Arena:
    found = bad_trainer()
    found.finish()
    return found


def of_errors(arena: Arena, type_name: str) -> list[SignedMessage]:
    return [one for one in arena.sent(type_name) if body_of(one).purpose == "errors"]


def test_all_rounds_are_recorded_from_the_second_on_without_it(arena):
    assert arena.contract.status == "settled"
    trained = [list(seats_of(event.record.trainers)) for event in arena.contract.recorded]
    assert trained == [[0, 1, 2], [1, 2], [1, 2]]


def test_every_record_is_what_the_rows_give_and_is_paid_so(arena):
    outcome = Outcome(arena)
    assert outcome.is_true
    assert outcome.is_paid_by_rule


def test_nobody_is_named_or_refused_anything(arena):
    outcome = Outcome(arena)
    assert (outcome.named, outcome.shown_to_blame, outcome.bugs) == (set(), set(), [])
    assert not [violation for party in arena.parties.values() for violation in party.violations]
    assert outcome.left_out == {arena.owners[0].address}


def test_the_buyer_names_it_alone_and_its_error_is_opened_to_the_three_makers_once(arena):
    (named,) = {body_of(one).named for one in arena.sent("opening_refused")}
    assert [(one.trainer, one.power) for one in named] == [(arena.owners[0].address, 8)]
    assert len(of_errors(arena, "ring_opening_request")) == 1
    makers = {arena.aggregator.address, *arena.checkers(2)}
    assert {one.envelope.recipient for one in of_errors(arena, "ring_opening")} == makers


def test_the_others_train_the_next_round_anew_and_nobody_is_asked_for_the_repeated_one_again(arena):
    models = [(one.envelope.round, one.envelope.attempt) for one in arena.sent("encrypted_model")]
    assert {at: models.count(at) for at in models} == {(1, 1): 3, (2, 1): 3, (3, 1): 3, (3, 2): 2}
    again = [body_of(one) for one in arena.sent("encrypted_model") if one.envelope.attempt == 2]
    assert {one.refused.envelope.type for one in again} == {"opening_refused"}
