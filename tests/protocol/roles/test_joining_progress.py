"""What a buyer learns while owners join, and how soon it gives up."""

from collections import Counter
from typing import Any

import pytest

from protocol.codec import pack
from protocol.messages import InvitationAnswer, JoiningProgress, OwnerDecision, OwnersByCode
from protocol.owner_policy import Budget, OwnerPolicy, TokenPay
from protocol.roles.aggregator.joining import MOST_ANSWERS
from protocol.roles.engine.inputs import CatalogueChanged, MessageReceived, PolicyChanged
from protocol.terms import NATIVE
from tests.support.roles.admitting import joining_with
from tests.support.roles.inferring import inferring_market, kept_inference
from tests.support.roles.pure_market import AMPLE, PureMarket
from tests.support.roles.pure_party import owning_rows
from tests.support.roles.small_markets import (
    COLUMNS,
    body_of,
    refusal,
    resigned,
    small_data,
    small_market,
    small_request,
)


def unsuitable(market: PureMarket, *seats: int) -> None:
    """These owners have other columns."""
    for seat in seats:
        market.owners[seat].private = owning_rows(("a", "b", "c"), small_data()[0])


def told(market: PureMarket) -> list[JoiningProgress]:
    return [body_of(message) for message in market.sent("joining_progress")]


def test_the_buyer_learns_who_is_asked_and_why_some_decline() -> None:
    market = small_market(data=small_data(owners=6))
    unsuitable(market, 1, 4)
    market.finish()
    assert market.buyer.shown == "FINISHED"
    assert told(market)[0] == JoiningProgress(asked=6, joined=0)
    last = told(market)[-1]
    assert (last.asked, last.declined) == (6, (OwnersByCode(code="no_matching_card", owners=2),))
    facts = [fact.data for fact in market.buyer.facts if fact.name == "joining"]
    assert facts[-1]["declined"] == {"no_matching_card": 2}


def test_a_training_that_cannot_reach_its_minimum_ends_at_once() -> None:
    market = small_market(data=small_data(owners=5))
    unsuitable(market, 0, 3)
    started = market.now
    market.run()
    assert market.now == started
    assert market.contract.status == "cancelled"
    assert market.buyer.shown == "FAILED(not_enough_owners)"


def test_a_request_that_pays_too_little_is_told_so() -> None:
    market = small_market(small_request(payment={"deposit_wei": str(10**16)}), small_data(owners=5))
    for owner in market.owners:
        owner.private = owning_rows(COLUMNS, small_data()[0], least_pay=10**17)
    market.run()
    answers = {body_of(message).code for message in market.sent("invitation_answer")}
    assert answers == {"pay_below_least"}
    assert market.buyer.shown == "FAILED(not_enough_owners)"


TOKEN = "0x" + "70" * 20


def test_a_request_in_a_token_that_nobody_takes_is_told_so() -> None:
    request = small_request(payment={"deposit_wei": str(10**18), "token": TOKEN})
    market = small_market(request, small_data(owners=5))
    market.run()
    answers = {body_of(message).code for message in market.sent("invitation_answer")}
    assert answers == {"token_not_taken"}
    assert market.buyer.shown == "FAILED(not_enough_owners)"


def test_a_request_in_a_token_that_owners_take_is_paid_in_it() -> None:
    request = small_request(payment={"deposit_wei": str(10**18), "token": TOKEN})
    market = small_market(request, small_data(owners=5))
    for owner, minimum in zip(market.owners, (0, 0, 1, 1, 10**18), strict=True):
        takes = (TokenPay(token=TOKEN, minimum_pay=minimum),)
        owner.policy = pack(OwnerPolicy(automatic=True, budget=AMPLE, tokens=takes))
    market.finish()
    assert market.buyer.shown == "FINISHED"
    answers = Counter(body_of(message).code for message in market.sent("invitation_answer"))
    assert answers == {"accepted": 4, "asks_person": 1}
    assert {credit.token for credit in market.contract.ledger.credited} == {TOKEN}
    assert market.contract.ledger.withdrawn.total() == 10**18  # each party took its own, in the token


def bonded(token: str = NATIVE, **bonds: int) -> dict[str, Any]:
    asked = {"forfeit_to": "0x" + "33" * 20, **bonds}
    return small_request(payment={"deposit_wei": str(10**18), "token": token, "bonds": asked})


def test_a_bond_that_owners_have_not_agreed_to_is_a_persons_decision() -> None:
    market = small_market(bonded(owner=100), small_data(owners=5))
    limits = (0, 99, 100, 10**18, 100)
    for owner, most in zip(market.owners, limits, strict=True):
        owner.policy = pack(OwnerPolicy(automatic=True, budget=AMPLE, most_bond_wei=most))
    market.run()
    answers = Counter(body_of(message).code for message in market.sent("invitation_answer"))
    assert answers == {"bond_not_accepted": 2, "accepted": 3}
    asked = [fact.data for fact in market.owners[0].facts if fact.name == "asks_decision"]
    assert asked == [{"data_set": "rows", "bond": "100", "token": NATIVE}], "with what it is about"
    assert told(market)[-1].waiting == (OwnersByCode(code="bond_not_accepted", owners=2),)
    decision = OwnerDecision(training=1, accept=True)
    owner = market.owners[0]
    market.deliver(owner, MessageReceived(signed=market.message(owner, owner, decision)))
    market.run()
    assert owner.address in market.contract.seats, "a person may deposit more"


def test_a_bond_in_a_token_is_held_against_the_policy_for_that_token() -> None:
    market = small_market(bonded(TOKEN, owner=100), small_data(owners=4))
    for owner, most in zip(market.owners, (99, 100, 100, 100), strict=True):
        takes = (TokenPay(token=TOKEN, most_bond=most),)
        owner.policy = pack(OwnerPolicy(automatic=True, budget=AMPLE, most_bond_wei=10**18, tokens=takes))
    market.run()
    answers = Counter(body_of(message).code for message in market.sent("invitation_answer"))
    assert answers == {"bond_not_accepted": 1, "accepted": 3}


OTHER_BUYER = "0x" + "0b" * 20


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        (OwnerPolicy(budget=AMPLE), "asks_person"),
        (OwnerPolicy(automatic=True, buyers=(OTHER_BUYER,), budget=AMPLE), "buyer_not_accepted"),
        (OwnerPolicy(automatic=True, columns=("x0",), budget=AMPLE), "asks_person"),
        (OwnerPolicy(automatic=True, budget=Budget(per_buyer=0)), "budget_spent"),
        (OwnerPolicy(automatic=True, minimum_reveal_s=601, budget=AMPLE), "reveal_too_short"),
    ],
)
def test_the_buyer_learns_why_owners_wait_for_a_person(policy: OwnerPolicy, code: str) -> None:
    market = small_market(data=small_data(owners=6), policy=policy)
    market.run()
    assert told(market)[-1].waiting == (OwnersByCode(code=code, owners=6),)
    assert market.contract.status == "open"
    [*_, fact] = [fact.data for fact in market.buyer.facts if fact.name == "joining"]
    assert fact["waiting"] == {code: 6}


def test_an_owner_joins_by_itself_with_just_the_time_to_reveal_that_it_needs() -> None:
    market = small_market(policy=OwnerPolicy(automatic=True, minimum_reveal_s=600, budget=AMPLE))
    market.finish()
    assert market.buyer.shown == "FINISHED"


@pytest.mark.parametrize("agreed", [False, True])
def test_a_training_with_standard_errors_waits_for_a_person_unless_the_policy_says_so(agreed: bool) -> None:
    market = inferring_market(policy=OwnerPolicy(automatic=True, standard_errors=agreed, budget=AMPLE))
    if agreed:
        market.finish()
        assert kept_inference(market).standard_errors
    else:
        market.run()
        assert told(market)[-1].waiting == (OwnersByCode(code="asks_person", owners=7),)
        assert market.contract.status == "open"


def test_a_person_is_told_how_short_the_time_to_reveal_is_and_may_join() -> None:
    market = small_market(policy=OwnerPolicy(automatic=True, minimum_reveal_s=1000, budget=AMPLE))
    market.run()
    for owner in market.owners:
        [fact] = [fact for fact in owner.facts if fact.name == "reveal_too_short"]
        assert fact.data == {"reveal_s": 600, "minimum_s": 1000}
        decision = OwnerDecision(training=1, accept=True)
        market.deliver(owner, MessageReceived(signed=market.message(owner, owner, decision)))
    market.finish()
    assert market.buyer.shown == "FINISHED"


def test_an_owner_that_waited_and_then_decides_waits_no_more() -> None:
    market = small_market(data=small_data(owners=6), policy=OwnerPolicy(budget=AMPLE))
    market.run()
    for owner, accept in zip(market.owners[:2], (True, False), strict=True):
        decision = OwnerDecision(training=1, accept=accept)
        market.deliver(owner, MessageReceived(signed=market.message(owner, owner, decision)))
    market.run()
    last = told(market)[-1]
    assert (last.asked, last.possible) == (6, 5)
    assert market.contract.seats == [market.owners[0].address], "which the chain tells"
    assert last.waiting == (OwnersByCode(code="asks_person", owners=4),)
    assert last.declined == (OwnersByCode(code="declined_by_person", owners=1),)


def test_looking_again_tells_the_aggregator_nothing_new() -> None:
    market = small_market(data=small_data(owners=5), policy=OwnerPolicy(budget=AMPLE))
    market.run()
    owner = market.owners[0]
    for item in (PolicyChanged(), CatalogueChanged(), PolicyChanged()):
        market.deliver(owner, item)
    sent = [one for one in market.sent("invitation_answer") if one.envelope.sender == owner.address]
    assert len(sent) == 1


def test_owners_that_may_still_come_are_waited_for() -> None:
    market = small_market(data=small_data(owners=5), policy=OwnerPolicy(budget=AMPLE))
    unsuitable(market, 0)
    market.run()
    assert market.contract.status == "open"


def test_whose_person_has_said_no_is_waited_for_no_more() -> None:
    """Else everybody's pay would come only after the whole time to join."""
    market = small_market(data=small_data(owners=5))
    undecided = market.owners[1]
    undecided.policy = pack(OwnerPolicy(budget=AMPLE))
    market.run()
    assert (market.contract.status, len(market.contract.seats)) == ("open", 4)
    decision = OwnerDecision(training=1, accept=False)
    market.deliver(undecided, MessageReceived(signed=market.message(undecided, undecided, decision)))
    began = market.now
    market.run()
    assert (market.contract.status, market.now) == ("settled", began)
    assert undecided.address not in market.contract.seats


def says(market: PureMarket, seat: int, decision: str, code: str) -> None:
    """An owner answers its invitation, whatever it has said before."""
    joins = {} if decision != "accepted" else joining_with()
    body = InvitationAnswer.model_validate({"decision": decision, "code": code, **joins})
    signed = market.message(market.owners[seat], market.aggregator, body)
    market.deliver(market.aggregator, MessageReceived(signed=signed))
    market.run()


def test_an_owner_that_repeats_itself_is_told_once() -> None:
    market = small_market(data=small_data(owners=6), policy=OwnerPolicy(budget=AMPLE))
    unsuitable(market, 0)
    market.run()
    before, state = len(told(market)), market.aggregator.state
    says(market, 0, "declined", "no_matching_card")
    assert len(told(market)) == before
    assert market.aggregator.state == state, "so that the runtime counts it among what it may forget"
    says(market, 0, "declined", "declined_by_person")
    assert told(market)[-1].declined == (OwnersByCode(code="declined_by_person", owners=1),)


def test_an_owner_that_declined_and_gets_a_card_counts_no_more_as_declined() -> None:
    """With five owners and a minimum of four another refusal would else end the training."""
    market = small_market(data=small_data(owners=5), policy=OwnerPolicy(budget=AMPLE))
    unsuitable(market, 0)
    market.run()
    assert told(market)[-1].possible == 4
    market.owners[0].private = owning_rows(COLUMNS, small_data()[0])
    market.deliver(market.owners[0], CatalogueChanged())
    market.run()
    assert (told(market)[-1].possible, told(market)[-1].declined) == (5, ())
    unsuitable(market, 1)
    market.deliver(market.owners[1], CatalogueChanged())
    market.run()
    last = told(market)[-1]
    assert (last.possible, last.declined) == (4, (OwnersByCode(code="no_matching_card", owners=1),))
    assert last.waiting == (OwnersByCode(code="asks_person", owners=4),)
    assert (market.contract.status, market.aggregator.decoded.failure) == ("open", None)


def test_an_owner_that_declined_and_then_accepts_is_waited_for() -> None:
    market = small_market(data=small_data(owners=5), policy=OwnerPolicy(budget=AMPLE))
    unsuitable(market, 0)
    market.run()
    says(market, 0, "accepted", "accepted")
    assert told(market)[-1].declined == ()
    unsuitable(market, 1)
    market.deliver(market.owners[1], CatalogueChanged())
    market.run()
    assert told(market)[-1].possible == 4
    assert market.contract.status == "open"


def test_what_was_sent_before_an_acceptance_and_comes_after_it_does_not_count() -> None:
    market = small_market(data=small_data(owners=5), policy=OwnerPolicy(budget=AMPLE))
    unsuitable(market, 0)
    market.run()
    says(market, 0, "accepted", "accepted")
    for decision, code in (("declined", "no_matching_card"), ("waiting", "asks_person")):
        says(market, 0, decision, code)
        assert told(market)[-1].possible == 5


def test_an_owner_that_never_makes_up_its_mind_is_told_of_a_few_times() -> None:
    market = small_market(data=small_data(owners=6), policy=OwnerPolicy(budget=AMPLE))
    market.run()
    before = len(told(market))
    for _ in range(MOST_ANSWERS):
        says(market, 0, "declined", "no_matching_card")
        says(market, 0, "waiting", "asks_person")
    assert len(told(market)) - before == MOST_ANSWERS - 1, "the first it has said already"
    state = market.aggregator.state
    says(market, 0, "declined", "declined_by_person")
    assert market.aggregator.state == state


def test_only_the_aggregator_tells() -> None:
    market = small_market(data=small_data(owners=6), policy=OwnerPolicy(budget=AMPLE))
    message = market.run_until("joining_progress", market.buyer)
    forged = resigned(market, message, sender=market.owners[0].address)
    assert refusal(market, market.buyer, forged) == "wrong_sender"
