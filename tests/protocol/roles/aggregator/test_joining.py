"""Whom the aggregator lets take part."""

from protocol.messages import InvitationAnswer
from tests.support.roles.admitting import admitted_join, joining_with
from tests.support.roles.small_markets import refusal, small_data, small_market


def test_too_few_owners_cancel_the_training() -> None:
    market = small_market(data=small_data(owners=3))
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.buyer.shown == market.aggregator.shown == "FAILED(not_enough_owners)"
    assert {owner.shown for owner in market.owners} == {"FAILED(cancelled)"}
    assert not market.buyer.results


def test_an_owner_that_is_not_admitted_is_left_out_though_it_has_a_seat() -> None:
    """Anyone can join on chain; whoever holds ciphertexts and knows the buyer would see the model."""
    market = small_market(data=small_data(owners=6), validators=[3, 4])
    stranger = market.owners[5]
    market.admitted = market.admitted[:5]
    market.silent.add(stranger.address)
    market.run_until("invitation", market.owners[0])
    market.call(stranger, admitted_join(market, stranger.address))
    market.finish()
    assert stranger.address in market.contract.seats
    assert market.contract.status == "settled"
    seat = market.contract.seats.index(stranger.address)
    assert all(not event.record.trainers >> seat & 1 for event in market.contract.recorded)
    secrets = ("encrypted_model", "round_evidence", "checked_started")
    assert stranger.address not in {m.envelope.recipient for m in market.wire if m.envelope.type in secrets}


def test_an_answer_of_an_owner_that_is_not_admitted_is_refused() -> None:
    market = small_market(data=small_data(owners=5))
    market.admitted = market.admitted[:4]
    market.run_until("invitation_answer", market.aggregator)
    answer = InvitationAnswer(decision="accepted", code="accepted", **joining_with())
    uninvited = market.message(market.owners[4], market.aggregator, answer)
    assert refusal(market, market.aggregator, uninvited) == "not_admitted"


def test_the_buyer_cannot_be_an_owner() -> None:
    market = small_market()
    market.admitted = (*market.admitted, market.buyer.address)
    market.run_until("invitation_answer", market.aggregator)
    assert market.buyer.address not in {m.envelope.recipient for m in market.sent("invitation")}
    answer = InvitationAnswer(decision="accepted", code="accepted", **joining_with())
    own = market.message(market.buyer, market.aggregator, answer)
    assert refusal(market, market.aggregator, own) == "not_admitted"
