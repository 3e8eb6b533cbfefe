"""The budget of trainings: counted once each, binding for policy and person, told to nobody else."""

from typing import Any

import pytest

from protocol.codec import pack, unpack
from protocol.marketplace import Cancelled, Join
from protocol.messages import InvitationAnswer, OwnerDecision
from protocol.owner_policy import Budget, Limit, OwnerPolicy
from protocol.roles.engine.inputs import CallRefused, CatalogueChanged, MessageReceived, PolicyChanged
from protocol.roles.owner.budget import (
    Counts,
    Joining,
    published_numbers,
    safe_in_total,
    safe_per_buyer,
    standing,
    unknown_numbers,
)
from tests.support.deployment.documents import any_request
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party, make_statistic
from tests.support.roles.small_markets import COLUMNS, small_data, small_market

BUYER, OTHER = "0x" + "b1" * 20, "0x" + "b2" * 20


def joined(*pairs: tuple[str, str]) -> Counts:
    return Counts.of(pack(Joining(buyer=buyer, data_set=data_set)) for buyer, data_set in pairs)


def used_up(owner: Party, *pairs: tuple[str, str]) -> None:
    owner.private["joined"] = pack(joined(*pairs))


def decide(market: PureMarket, owner: Party, **decision: Any) -> None:
    body = OwnerDecision(training=1, accept=True, **decision)
    market.deliver(owner, MessageReceived(signed=market.message(owner, owner, body)))


def policy(**budget: Any) -> OwnerPolicy:
    return OwnerPolicy(automatic=True, budget=Budget(**budget))


def answers_of(market: PureMarket, owner: Party) -> list[InvitationAnswer]:
    sent = [m for m in market.sent("invitation_answer") if m.envelope.sender == owner.address]
    return [unpack(InvitationAnswer, m.body) for m in sent]


def test_the_figures_by_default_are_a_count_of_equations() -> None:
    features = [{"name": f"x{i}", "minimum": "-1", "maximum": "1"} for i in range(10)]
    request = any_request(
        features=features,
        owners={"minimum": 5, "maximum": 20},
        schedule={"rounds": 3, "local_steps": 500, "step_size": "1.5"},
    )
    # 3 of 5 owners train: 3 rounds of 2 numbers for each, the first error, 11 weights.
    assert published_numbers(request) == 3 * 2 * 3 + 1 + 11
    # 12×12 triangular factors, of which the ones' own entry is known.
    assert unknown_numbers(request) == 5 * (78 - 1)
    assert safe_in_total(request) == 384 // 30
    assert safe_per_buyer(request) == 6


def test_more_rounds_leave_fewer_trainings_and_never_none() -> None:
    many = any_request(schedule={"rounds": 1000, "local_steps": 1, "step_size": "1.5"})
    assert published_numbers(many) > unknown_numbers(many)
    assert safe_in_total(many) == safe_per_buyer(many) == 1


def test_limits_of_one_data_set_come_before_the_general_ones() -> None:
    limits = (Limit(data_set="a", buyer=BUYER, trainings=7), Limit(data_set="a", trainings=9))
    budget = Budget(per_buyer=2, in_total=3, limits=limits)
    counts = joined((BUYER, "a"), (BUYER, "a"), (OTHER, "a"), (OTHER, "b"))
    request = any_request()
    assert standing(budget, counts, request, BUYER, "a").figures() == {
        "used_by_buyer": 2,
        "limit_per_buyer": 7,
        "used_in_total": 3,
        "limit_in_total": 9,
    }
    other = standing(budget, counts, request, OTHER, "b")
    assert (other.used_by_buyer, other.limit_per_buyer) == (1, 2)
    assert (other.used_in_total, other.limit_in_total) == (1, 3)


@pytest.mark.parametrize(
    ("budget", "exhausted"),
    [
        (Budget(per_buyer=2, in_total=9), True),
        (Budget(per_buyer=3, in_total=3), True),
        (Budget(per_buyer=3, in_total=4), False),
        (Budget(per_buyer=0, in_total=9), True),
    ],
)
def test_either_limit_ends_it(budget: Budget, exhausted: bool) -> None:
    counts = joined((BUYER, "a"), (BUYER, "a"), (OTHER, "a"))
    assert standing(budget, counts, any_request(), BUYER, "a").is_exhausted is exhausted


def test_a_training_that_is_joined_counts_once() -> None:
    market = small_market()
    market.finish()
    for owner in market.owners:
        expected = pack(Joining(buyer=market.buyer.address, data_set="rows"))
        assert owner.values == {"joined:1": expected}


def test_the_policy_joins_nothing_beyond_the_budget_and_says_so_to_its_operator_alone() -> None:
    market = small_market(data=small_data(owners=5), policy=policy(per_buyer=1))
    owner = market.owners[4]
    used_up(owner, (market.buyer.address, "rows"))
    market.run()
    assert owner.shown == "READY"
    assert answers_of(market, owner) == []
    [told] = [fact for fact in owner.facts if fact.name == "over_budget"]
    assert told.data["used_by_buyer"] == told.data["limit_per_buyer"] == 1
    assert owner.values == {}


def test_what_other_buyers_used_counts_in_total_alone() -> None:
    for budget, shown in (({"per_buyer": 1, "in_total": 2}, "FINISHED"), ({"in_total": 1}, "READY")):
        market = small_market(data=small_data(owners=5), policy=policy(**budget))
        used_up(market.owners[4], (OTHER, "rows"))
        market.run()
        assert market.owners[4].shown == shown


def test_a_person_needs_an_explicit_word_to_go_beyond_the_budget() -> None:
    market = small_market(data=small_data(owners=5), policy=policy(per_buyer=0))
    market.run()
    owner = market.owners[0]
    decide(market, owner)
    assert owner.shown == "READY"
    assert not owner.violations, "a dead letter would tell the broker's operator"
    assert answers_of(market, owner) == []
    decide(market, owner, beyond_budget=True)
    assert owner.shown == "INITIATED"
    assert set(owner.values) == {"joined:1"}


def test_a_decision_for_data_that_do_not_match_is_told_to_nobody_else() -> None:
    market = small_market(policy=OwnerPolicy())
    market.run()
    owner = market.owners[0]
    owner.private["data_set:short"] = make_statistic(COLUMNS, small_data(owners=1)[0][:4]).to_bytes()
    decide(market, owner, data_set="short")
    assert owner.shown == "READY"
    assert not owner.violations
    assert owner.facts[-1].name == "data_set_does_not_match"


def test_another_data_set_is_taken_when_the_first_is_used_up() -> None:
    market = small_market(data=small_data(owners=5), policy=policy(per_buyer=1))
    owner = market.owners[0]
    owner.private["data_set:spare"] = owner.private["data_set:rows"]
    used_up(owner, (market.buyer.address, "rows"))
    market.run()
    assert owner.decoded.data_set == "spare"
    assert owner.shown == "FINISHED"


def test_a_policy_for_one_data_set_is_not_stopped_by_another_that_comes_first() -> None:
    market = small_market(policy=OwnerPolicy(automatic=True, data_sets=("rows",)))
    owner = market.owners[0]
    owner.private["data_set:earlier"] = owner.private["data_set:rows"]
    market.run()
    assert owner.decoded.data_set == "rows"
    assert owner.shown == "FINISHED"


def test_a_raised_budget_joins_what_waited() -> None:
    market = small_market(data=small_data(owners=4), policy=policy(per_buyer=0))
    market.run()
    for owner in market.owners:
        assert owner.shown == "READY"
        owner.policy = pack(policy(per_buyer=1))
        market.deliver(owner, PolicyChanged())
    market.finish()
    assert {owner.shown for owner in market.owners} == {"FINISHED"}


def test_looking_again_asks_a_person_once() -> None:
    market = small_market(policy=OwnerPolicy())
    market.run()
    owner = market.owners[0]
    for item in (PolicyChanged(), CatalogueChanged(), PolicyChanged()):
        market.deliver(owner, item)
    assert owner.shown == "READY"
    assert [fact.name for fact in owner.facts].count("asks_decision") == 1


def test_a_join_that_the_contract_refuses_is_given_back() -> None:
    market = small_market()
    market.run_until("invitation_answer", market.aggregator)
    owner = next(owner for owner in market.owners if owner.shown == "INITIATED")
    assert set(owner.values) == {"joined:1"}
    market.deliver(owner, CallRefused(call=Join(training=1), code="too_late"))
    assert owner.values == {}


def test_a_training_without_enough_owners_is_given_back() -> None:
    market = small_market(data=small_data(owners=3))
    market.finish()
    assert {owner.shown for owner in market.owners} == {"FAILED(cancelled)"}
    assert all(owner.values == {} for owner in market.owners)


@pytest.mark.parametrize("message", ["refresh_answer", "opening", "round_signature"])
def test_a_training_that_somebody_worked_on_counts_though_nothing_was_recorded(message: str) -> None:
    """The buyer can open a measurement and have the training cancelled: it has seen the numbers."""
    market = small_market()
    waiting_for = market.run_until(message)
    market.pending.clear()
    del waiting_for
    worked = {}
    for owner in market.owners:
        worked[owner.address] = owner.decoded.answer is not None or owner.decoded.link is not None
        event = Cancelled(training=1, refund=0)
        market.deliver(owner, market.event_input(event))
        assert owner.shown == "FAILED(cancelled)"
        assert bool(owner.values) is worked[owner.address]
    assert any(worked.values())
