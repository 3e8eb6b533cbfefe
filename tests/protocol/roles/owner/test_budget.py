"""The budget of published numbers: counted once, binding for policy and person, told to nobody else."""

from typing import Any

import pytest

from protocol.codec import pack, unpack
from protocol.marketplace import Cancelled, RecordRound
from protocol.messages import InvitationAnswer, OwnerDecision
from protocol.owner_policy import Budget, Limit, OwnerPolicy
from protocol.roles.engine.inputs import CallRefused, CatalogueChanged, MessageReceived, PolicyChanged
from protocol.roles.engine.state import replace
from protocol.roles.owner.budget import (
    JOIN_NUMBERS,
    Joining,
    give_back,
    most_numbers,
    published_numbers,
    standing,
)
from tests.support.deployment.documents import any_request
from tests.support.roles.budgets import BUYER, OTHER, asking, joined
from tests.support.roles.checked_markets import checked_market
from tests.support.roles.pure_market import AMPLE, PureMarket
from tests.support.roles.pure_party import Party, owning_rows
from tests.support.roles.small_markets import (
    COLUMNS,
    ONE_ROUND,
    body_of,
    losing,
    small_data,
    small_market,
    small_request,
)
from tests.support.seats import any_join

SHORT = small_request(schedule=ONE_ROUND)
ASKED = 1 + 2 * 6 + 1 + 3 + 2
"""What it may publish."""

PARTS = 2
"""Of an error that may have been opened: one of each of two validators."""


def used_up(owner: Party, *trainings: tuple[str, str, int]) -> None:
    owner.private["joined"] = pack(joined(*trainings))


def decide(market: PureMarket, owner: Party, **decision: Any) -> None:
    body = OwnerDecision(training=1, accept=True, **decision)
    market.deliver(owner, MessageReceived(signed=market.message(owner, owner, body)))


def numbers_of(owner: Party) -> int:
    [content] = owner.values.values()
    return unpack(Joining, content).numbers


def policy(**budget: Any) -> OwnerPolicy:
    return OwnerPolicy(automatic=True, budget=Budget(**budget))


def answers_of(market: PureMarket, owner: Party) -> list[InvitationAnswer]:
    sent = [m for m in market.sent("invitation_answer") if m.envelope.sender == owner.address]
    return [unpack(InvitationAnswer, m.body) for m in sent]


def test_where_validators_can_change_a_first_error_for_each_round_is_reserved() -> None:
    # Of nine owners three validate, of whom two can measure a round; of eight it is two.
    assert most_numbers(asking(most=9)) == 1 + 5 * 2 * 6 + 5 + 11 + 3
    assert most_numbers(asking(most=8)) == 1 + 5 * 2 * 6 + 1 + 11 + 2


def test_limits_of_one_data_set_come_before_the_general_ones() -> None:
    limits = (Limit(data_set="a", buyer=BUYER, numbers=70), Limit(data_set="a", numbers=90))
    budget = Budget(per_buyer=20, in_total=30, limits=limits)
    counts = joined((BUYER, "a", 10), (BUYER, "a", 10), (OTHER, "a", 5), (OTHER, "b", 3))
    request = any_request()
    assert standing(budget, counts, request, BUYER, "a").figures() == {
        "asked": most_numbers(request),
        "used_by_buyer": 20,
        "limit_per_buyer": 70,
        "used_in_total": 25,
        "limit_in_total": 90,
        "pooled_before": 0,
    }
    other = standing(budget, counts, request, OTHER, "b")
    assert (other.used_by_buyer, other.limit_per_buyer) == (3, 20)
    assert (other.used_in_total, other.limit_in_total) == (3, 30)


@pytest.mark.parametrize(
    ("left_for_buyer", "left_in_total", "exhausted"),
    [(-1, 9, True), (9, -1, True), (0, 0, False), (9, 9, False)],
)
def test_either_limit_ends_it(left_for_buyer: int, left_in_total: int, exhausted: bool) -> None:
    counts, asked = joined((BUYER, "a", 20), (OTHER, "a", 10)), most_numbers(any_request())
    budget = Budget(per_buyer=20 + asked + left_for_buyer, in_total=30 + asked + left_in_total)
    assert standing(budget, counts, any_request(), BUYER, "a").is_exhausted is exhausted


def test_a_joined_training_reserves_its_most_and_costs_what_it_published() -> None:
    market = small_market()
    market.run_until("checked_started", market.owners[0])
    reserved, spent = (
        most_numbers(market.request),
        published_numbers(market.request, trainers=2, rounds=2, starts=1),
    )
    assert spent < reserved
    for owner in market.owners:
        assert numbers_of(owner) == reserved
    market.finish()
    for owner in market.owners:
        expected = pack(Joining(buyer=market.buyer.address, data_set="rows", numbers=spent))
        assert owner.values == {"joined:1": expected}


SPENT = InvitationAnswer(decision="waiting", code="budget_spent")


def test_the_policy_joins_nothing_beyond_the_budget_and_tells_the_figures_to_its_operator_alone() -> None:
    market = small_market(SHORT, small_data(owners=5), policy=policy(per_buyer=ASKED, in_total=99))
    owner = market.owners[4]
    used_up(owner, (market.buyer.address, "rows", 1))
    market.run()
    assert owner.shown == "READY"
    assert answers_of(market, owner) == [SPENT]
    [told] = [fact for fact in owner.facts if fact.name == "over_budget"]
    assert (told.data["asked"], told.data["used_by_buyer"], told.data["limit_per_buyer"]) == (ASKED, 1, ASKED)
    assert owner.values == {}


def test_what_other_buyers_used_counts_in_total_alone() -> None:
    for left, shown in ((0, "FINISHED"), (-1, "READY")):
        budget = policy(per_buyer=ASKED, in_total=ASKED + 3 + left)
        market = small_market(SHORT, small_data(owners=5), policy=budget)
        used_up(market.owners[4], (OTHER, "rows", 3))
        market.run()
        assert market.owners[4].shown == shown


def test_a_person_needs_an_explicit_word_to_go_beyond_the_budget() -> None:
    market = small_market(SHORT, small_data(owners=5), policy=policy(per_buyer=0))
    market.run()
    owner = market.owners[0]
    decide(market, owner)
    assert owner.shown == "READY"
    assert not owner.violations, "a dead letter would tell the broker's operator"
    assert answers_of(market, owner) == [SPENT]
    decide(market, owner, beyond_budget=True)
    assert owner.shown == "INITIATED"
    assert set(owner.values) == {"joined:1"}


def test_a_decision_for_data_that_do_not_match_is_told_to_nobody_else() -> None:
    market = small_market(policy=OwnerPolicy(budget=AMPLE))
    market.run()
    owner = market.owners[0]
    owner.private.update(owning_rows(COLUMNS, small_data(owners=1)[0][:4], "short"))
    decide(market, owner, data_set="short")
    assert owner.shown == "READY"
    assert not owner.violations
    assert owner.facts[-1].name == "data_set_does_not_match"


def test_another_data_set_is_taken_when_the_first_is_used_up() -> None:
    market = small_market(SHORT, small_data(owners=5), policy=policy(per_buyer=ASKED, in_total=99))
    owner = market.owners[0]
    owner.private.update(owning_rows(COLUMNS, small_data()[0], "spare"))
    used_up(owner, (market.buyer.address, "rows", 1))
    market.run()
    assert owner.decoded.data_set == "spare"
    assert owner.shown == "FINISHED"


def test_a_policy_for_one_data_set_is_not_stopped_by_another_that_comes_first() -> None:
    market = small_market(SHORT, policy=OwnerPolicy(automatic=True, data_sets=("rows",), budget=AMPLE))
    owner = market.owners[0]
    owner.private.update(owning_rows(COLUMNS, small_data()[0], "earlier"))
    market.run()
    assert owner.decoded.data_set == "rows"
    assert owner.shown == "FINISHED"


def test_a_raised_budget_joins_what_waited() -> None:
    market = small_market(SHORT, small_data(owners=4), policy=policy(per_buyer=0))
    market.run()
    for owner in market.owners:
        assert owner.shown == "READY"
        owner.policy = pack(policy(per_buyer=ASKED, in_total=ASKED))
        market.deliver(owner, PolicyChanged())
    market.finish()
    assert {owner.shown for owner in market.owners} == {"FINISHED"}


def test_looking_again_asks_a_person_once() -> None:
    market = small_market(policy=OwnerPolicy(budget=AMPLE))
    market.run()
    owner = market.owners[0]
    for item in (PolicyChanged(), CatalogueChanged(), PolicyChanged()):
        market.deliver(owner, item)
    assert owner.shown == "READY"
    assert [fact.name for fact in owner.facts].count("asks_decision") == 1


def test_a_join_that_the_contract_refuses_costs_nothing() -> None:
    market = small_market()
    market.run_until("invitation_answer", market.aggregator)
    owner = next(owner for owner in market.owners if owner.shown == "INITIATED")
    assert set(owner.values) == {"joined:1"}
    market.deliver(owner, CallRefused(call=any_join(training=1), code="too_late"))
    assert not owner.values


def test_a_training_that_is_cancelled_before_the_draw_uses_nobody_s_budget_up() -> None:
    """The attack: to open and cancel costs gas alone, and no number of anybody's rows is told."""
    market = small_market(data=small_data(owners=3))
    market.finish()
    assert {owner.shown for owner in market.owners} == {"FAILED(cancelled)"}
    assert not market.sent("checked_ready")
    assert not any(owner.values for owner in market.owners)


@pytest.mark.parametrize(
    ("message", "trained"), [("moment_answer", 1), ("opening", 2), ("round_signature", 2)]
)
def test_a_training_that_somebody_worked_on_counts_though_nothing_was_recorded(
    message: str, trained: int
) -> None:
    """The buyer can open a measurement and have the training cancelled: it has seen the numbers.

    Trainers are a round ahead, and do not know what has become of it.
    """
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
        rounds = trained if owner.decoded.answer is not None else 1
        expected = published_numbers(market.request, trainers=2, rounds=rounds, starts=1) + PARTS
        assert numbers_of(owner) == (expected if worked[owner.address] else JOIN_NUMBERS)
    assert any(worked.values())


def record_nothing(market: PureMarket) -> None:
    """What the chain is not shown, with everything else as ever."""
    carried_out = market.call

    def unrecorded(party: Party, call: Any) -> None:
        if not isinstance(call, RecordRound):
            carried_out(party, call)

    market.call = unrecorded  # type: ignore[method-assign]


def test_a_checked_attempt_under_way_counts_beside_a_round_that_was_kept_from_the_chain() -> None:
    """An aggregator that has one opened, records nothing and goes on has seen the numbers of two."""
    market = checked_market([2, 3], owners=4)
    market.run_until("metric_opening_request")
    measuring = [owner.decoded for owner in market.owners if owner.decoded.attempt is not None]
    assert len(measuring) == 2
    for state in measuring:
        ahead = replace(state, link=state.link.model_copy(update={"round": 1}))
        counted = unpack(Joining, give_back(ahead).content).numbers
        assert counted == published_numbers(market.request, trainers=2, rounds=2, starts=1) + PARTS


def test_a_round_that_is_opened_and_kept_from_the_chain_counts() -> None:
    """An aggregator that records nothing has none but the first round measured, until somebody cancels."""
    market = small_market()
    record_nothing(market)
    market.run()
    assert {message.envelope.round for message in market.sent("opening")} == {1}
    for owner in market.owners:
        assert owner.decoded.recorded == 0
        trained = 2 if owner.decoded.answer is not None else 1
        market.deliver(owner, market.event_input(Cancelled(training=1, refund=0)))
        published = published_numbers(market.request, trainers=2, rounds=trained, starts=1)
        assert numbers_of(owner) == published + PARTS


def really_published(market: PureMarket) -> int:
    """The numbers in the records that were opened, the first errors among them, row count and weights."""
    opened = {m.envelope.round: m.envelope.attempt for m in market.sent("opening")}
    starts = {
        message.envelope.round
        for message in market.sent("round_evidence")
        if opened.get(message.envelope.round) == message.envelope.attempt
        and body_of(message).start != "unmeasured"
    }
    records = {m.envelope.round: body_of(m).record for m in market.sent("opening")}
    errors = sum(len(record.own) + len(record.cross) for record in records.values())
    return 1 + errors + len(starts) + market.request.parameters


def market_with_a_silent_validator() -> PureMarket:
    """One of three validators is silent in the second of three rounds."""
    request = small_request(
        schedule={"rounds": 3, "local_steps": 2, "step_size": "0.05", "tolerance": 0},
        owners={"minimum": 4, "maximum": 10},
    )
    market = small_market(request, small_data(owners=5), validators=[2, 3, 4])
    away = market.owners[3].address
    market.intercept = losing(
        lambda m: (m.envelope.type, m.envelope.round, m.envelope.sender) == ("proven_metric", 2, away)
    )
    return market


def test_what_is_opened_anew_at_each_change_of_validators_counts() -> None:
    market = market_with_a_silent_validator()
    market.finish()
    assert len(market.contract.recorded) == 3
    published = really_published(market)
    assert published == 1 + 3 * 4 + 2 + 3
    assert {numbers_of(owner) for owner in market.owners} == {published}
    assert published <= most_numbers(market.request)


def test_what_may_have_been_opened_anew_and_is_not_recorded_counts() -> None:
    market = market_with_a_silent_validator()
    keep_the_last_rounds(market)
    market.finish()
    assert len(market.contract.recorded) == 1
    published = really_published(market)
    assert published == 1 + 2 * 4 + 2 + 3
    left_out = market.owners[3]  # its rows have no part in what the others measured
    assert numbers_of(left_out) <= published + 3
    for owner in market.owners:
        assert numbers_of(owner) <= most_numbers(market.request)
        assert numbers_of(owner) >= published or owner is left_out


def keep_the_last_rounds(market: PureMarket) -> None:
    """Have nobody record more than the first round."""
    carried_out = market.call

    def first_alone(party: Party, call: Any) -> None:
        if not (isinstance(call, RecordRound) and call.record.round > 1):
            carried_out(party, call)

    market.call = first_alone  # type: ignore[method-assign]
