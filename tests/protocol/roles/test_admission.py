"""Owners are admitted before they join: by whom, what they learn, and what is lost, repeated or late."""

import pytest

from protocol.admission_policy import AdmissionPolicy
from protocol.codec import pack
from protocol.marketplace import Closed
from protocol.messages import (
    TrainingOrder,
)
from protocol.roles.engine.inputs import MessageReceived
from tests.support.roles.admitting import (
    ASKS,
    REFUSES,
    asked,
    decide,
    granted,
    joining_with,
    market_under,
    order,
)
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Party
from tests.support.roles.small_markets import (
    altered,
    body_of,
    refusal,
    resigned,
    small_data,
    small_market,
    small_request,
    without,
)

# ---- who admits ----


@pytest.mark.parametrize("admission", ["both", "buyer", "aggregator"])
def test_those_sign_whom_the_terms_ask(admission: str) -> None:
    market = market_under(AdmissionPolicy(), admission)
    market.finish()
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}
    answers = [
        body_of(m) for m in market.sent("admission_answer") if m.envelope.sender != market.buyer.address
    ]
    assert len(answers) == 5
    for answer in answers:
        assert (answer.aggregator_signature is not None) == (admission != "buyer")
        assert (answer.buyer_signature is not None) == (admission != "aggregator")
    assert bool(market.sent("admission_request")) == (admission != "aggregator")


def test_nobody_joins_before_it_is_admitted() -> None:
    market = market_under(ASKS)
    market.run()
    assert market.contract.seats == []
    assert ("join" in {call for _, call in market.contract.calls}) is False
    asked = [fact.data["owner"] for fact in market.buyer.facts if fact.name == "admission_asked"]
    assert sorted(asked) == sorted(owner.address for owner in market.owners)


def test_a_person_admits_and_refuses() -> None:
    market = market_under(ASKS)
    market.run()
    refused = market.owners[2]
    decide(market, refused, admit=False)
    assert refused.shown == "FAILED(refused_by_person)"
    assert refused.facts[-1].data == {"owner": refused.address, "code": "refused_by_person"}
    for owner in market.owners:
        if owner is not refused:
            decide(market, owner, admit=True)
    market.finish()
    assert market.buyer.shown == "FINISHED"
    assert refused.address not in market.contract.seats


def test_who_is_refused_is_counted_and_keeps_the_training_waiting_for_nobody() -> None:
    market = small_market(small_request(), small_data(owners=6))
    known = tuple(owner.address for owner in market.owners[:5])
    market.buyer.policy = pack(AdmissionPolicy(owners=known, others="refuse"))
    before = market.now
    market.run()
    assert market.now == before
    assert set(market.contract.seats) == set(known)
    assert market.owners[5].shown == "FAILED(owner_not_accepted)"
    told = body_of(market.sent("joining_progress")[-1])
    assert [(group.code, group.owners) for group in told.declined] == [("owner_not_accepted", 1)]
    assert market.contract.status == "settled"


def test_a_buyer_that_accepts_too_few_gets_its_deposit_back_at_once() -> None:
    market = market_under(REFUSES)
    before = market.now
    market.run()
    assert market.now == before
    assert market.buyer.shown == "FAILED(not_enough_owners)"
    assert {owner.shown for owner in market.owners} == {"FAILED(owner_not_accepted)"}


def test_the_orders_own_policy_comes_before_the_standing_one() -> None:
    market = PureMarket(small_request(), small_data(), ("x0", "x1", "y"))
    market.buyer.policy = pack(REFUSES)
    body = TrainingOrder(request=market.request, admission=AdmissionPolicy())
    signed = market.message(market.buyer, market.buyer, body, training=0)
    market.deliver(market.buyer, MessageReceived(signed=signed))
    market.finish()
    assert market.buyer.shown == "FINISHED"


def test_another_policy_decides_when_an_owner_asks_again() -> None:
    market = market_under(ASKS)
    market.run()
    market.buyer.policy = pack(AdmissionPolicy())
    market.now += market.request.deadlines.step_s
    for owner in market.owners:
        market.fire(owner, "admission")
    market.run()
    assert len(market.contract.seats) == 5


# ---- what is lost, repeated, or late ----


@pytest.mark.parametrize("lost", ["invitation_answer", "admission_request", "admission_answer"])
def test_what_is_lost_is_asked_for_again(lost: str) -> None:
    market = market_under(AdmissionPolicy())
    market.intercept = without(lost)
    market.run()
    assert market.contract.seats == []
    market.intercept = lambda message: (message,)
    market.finish()
    assert {party.shown for party in market.parties.values()} == {"FINISHED"}


def test_the_same_question_gets_the_same_signature() -> None:
    market, question = asked()
    market.deliver(market.buyer, MessageReceived(signed=question))
    before = market.buyer.decoded
    for _ in range(2):
        market.deliver(market.buyer, MessageReceived(signed=resigned(market, question)))
    assert market.buyer.decoded == before
    told = [m for m in market.sent("admission_answer") if m.envelope.sender == market.buyer.address]
    answers = [body for body in map(body_of, told) if body.owner == body_of(question).owner]
    assert [body.code for body in answers] == ["admitted"] * 3
    [signature] = {body.buyer_signature for body in answers}
    assert signature is not None


def test_repeated_messages_seat_nobody_twice() -> None:
    market = small_market(small_request(), small_data(), duplicate=lambda: market.random.random() < 0.3)
    market.finish()
    assert market.buyer.shown == "FINISHED"
    joins = [sender for sender, call in market.contract.calls if call == "join"]
    assert len(joins) == len(set(joins)) == 4


def test_an_owner_that_nobody_answers_says_so_and_leaves_the_training_alone() -> None:
    market, message = asked()
    owner = market.parties[body_of(message).owner]
    market.silent.update({market.buyer.address, market.aggregator.address})
    market.finish()
    assert owner.shown == "FAILED(admission_late)"
    assert len([m for m in market.sent("invitation_answer") if m.envelope.sender == owner.address]) > 2
    assert {call for sender, call in market.contract.calls if sender == owner.address} == set()
    assert owner.values == {}, "nothing counts for its budget"


def test_a_person_that_never_decides_holds_nothing_up() -> None:
    market = market_under(ASKS)
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.buyer.shown == "FAILED(not_enough_owners)"
    assert all(owner.phase == "failed" for owner in market.owners)
    assert not any(owner.values for owner in market.owners)


def test_an_admission_after_the_closing_comes_too_late_and_the_owner_says_so() -> None:
    market, message = granted()
    late = market.parties[message.envelope.recipient]
    market.deliver(late, market.event_input(Closed(training=1, draw_block=1)))
    assert late.shown == "FAILED(admission_late)"
    assert late.facts[-1].data["code"] == "admission_late"
    assert "stalled" not in late.timers
    market.deliver(late, MessageReceived(signed=message))
    assert late.address not in market.contract.seats


def closed_with_one_waiting() -> tuple[PureMarket, Party]:
    """A market that has closed its joining before its buyer has decided about the last owner."""
    market = market_under(ASKS)
    market.run()
    for owner in market.owners[:4]:
        decide(market, owner, admit=True)
    market.fire(market.aggregator, "join")
    market.deliver(market.buyer, market.event_input(Closed(training=1, draw_block=1)))
    return market, market.owners[4]


def test_nobody_waits_for_a_decision_once_the_joining_is_closed() -> None:
    market, late = closed_with_one_waiting()
    codes = {one.owner: one.code for one in market.buyer.decoded.applications}
    assert codes.pop(late.address) == "joining_over"
    assert set(codes.values()) == {"admitted"}
    assert market.buyer.facts[-1].data == {"owner": late.address, "code": "joining_over"}
    assert refusal(market, market.buyer, order(market, late, admit=True)) == "joining_over"


@pytest.mark.parametrize("is_known", [True, False])
def test_the_buyer_signs_for_nobody_once_the_joining_is_closed(is_known: bool) -> None:
    market, late = closed_with_one_waiting()
    market.buyer.policy = pack(AdmissionPolicy())
    question = next(m for m in market.sent("admission_request") if body_of(m).owner == late.address)
    stranger = "0x" + "77" * 20
    changes = {} if is_known else {"owner": stranger, **joining_with()}
    before, sent = market.buyer.decoded, len(market.sent("admission_answer"))
    market.deliver(market.buyer, MessageReceived(signed=altered(market, question, **changes)))
    assert market.buyer.decoded == before
    [answer] = [body_of(m) for m in market.sent("admission_answer")[sent:]]
    assert (answer.code, answer.buyer_signature) == ("joining_over", None)


def test_who_asks_while_the_closing_is_under_way_is_told_nothing_yet() -> None:
    market = market_under(AdmissionPolicy(), owners=5)
    late = market.owners[4]
    market.intercept = without("invitation_answer", sender=late)
    market.run()
    call = market.call
    market.call = lambda party, asked: None  # type: ignore[method-assign]
    market.fire(market.aggregator, "join")
    answer = next(m for m in market.sent("invitation_answer") if m.envelope.sender == late.address)
    market.deliver(market.aggregator, MessageReceived(signed=answer))
    assert market.aggregator.phase == "inviting"
    assert [m for m in market.sent("admission_answer") if m.envelope.recipient == late.address] == []
    market.call = call  # type: ignore[method-assign]
    market.fire(market.aggregator, "join")
    while market.aggregator.phase == "inviting":
        market.deliver_next()
    market.deliver(market.aggregator, MessageReceived(signed=resigned(market, answer)))
    told = [body_of(m) for m in market.sent("admission_answer") if m.envelope.recipient == late.address]
    assert [body.code for body in told] == ["joining_over"]


def test_who_asks_after_the_closing_is_told_so() -> None:
    market = market_under(AdmissionPolicy(), owners=5)
    late = market.owners[4]
    market.intercept = without("invitation_answer", sender=late)
    market.run()
    market.fire(market.aggregator, "join")
    answer = next(m for m in market.sent("invitation_answer") if m.envelope.sender == late.address)
    market.post(answer)
    market.run()
    told = [body_of(m) for m in market.sent("admission_answer") if m.envelope.recipient == late.address]
    assert [body.code for body in told] == ["joining_over"]
    assert market.buyer.phase in ("running", "finished")
