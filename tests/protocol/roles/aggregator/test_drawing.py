"""Between joining and the first round."""

from collections.abc import Sequence

import pytest

from protocol.envelope import SignedMessage
from tests.support.roles.plain_market import assert_model_of_twin
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import (
    refusal,
    resigned,
    small_data,
    small_market,
    without,
)


def answer_under_way() -> tuple[PureMarket, SignedMessage]:
    """A market whose roles are drawn, and the last owner's row count, which has not come yet."""
    market, answers = small_market(), []

    def intercept(message: SignedMessage) -> Sequence[SignedMessage]:
        slow = message.envelope.sender == market.owners[3].address
        if message.envelope.type == "checked_ready" and slow:
            answers.append(message)
            return ()
        return (message,)

    market.intercept = intercept
    market.run()
    return market, answers[0]


def test_the_first_round_starts_with_the_last_row_count() -> None:
    market, answer = answer_under_way()
    assert market.aggregator.phase == "drawing"
    assert "rows" in market.aggregator.timers
    assert not market.sent("checked_started")
    market.post(answer)
    market.run()
    assert "rows" not in market.aggregator.timers
    assert market.aggregator.shown == "FINISHED"
    assert_model_of_twin(market)


def test_an_owner_that_never_says_its_row_count_is_left_out() -> None:
    market = small_market(data=small_data(owners=5), validators=[3, 4])
    market.intercept = without("checked_ready", sender=market.owners[0])
    market.finish()
    assert market.contract.status == "settled"
    seat = market.contract.seats.index(market.owners[0].address)
    assert all(not event.record.trainers >> seat & 1 for event in market.contract.recorded)
    assert market.owners[0].shown == "FINISHED"


def test_too_few_validators_with_a_row_count_end_the_training() -> None:
    market = small_market()
    market.intercept = without("checked_ready", sender=market.owners[3])
    market.finish()
    assert market.contract.status == "cancelled"
    assert market.aggregator.shown == "FAILED(too_few_validators)"
    assert not market.sent("encrypted_model")


def test_only_an_owner_that_is_admitted_and_has_a_seat_is_ready() -> None:
    market, answer = answer_under_way()
    stranger = resigned(market, answer, sender=market.buyer.address)
    assert refusal(market, market.aggregator, stranger) == "not_admitted"
    market.contract.seats.pop()
    seats = market.aggregator.decoded.parties.seats
    market.admitted = tuple(owner for owner in market.admitted if owner != seats[-1])
    late = resigned(market, answer, sender=seats[-1])
    assert refusal(market, market.aggregator, late) == "not_admitted"


@pytest.mark.parametrize("seconds", [0, 300])
def test_the_first_round_has_the_time_that_the_contract_gives_it(seconds: int) -> None:
    """Its clock runs from the end of the time to reveal, whenever the roles are drawn."""
    market = small_market()
    market.intercept = without("checked_ready", sender=market.owners[3])
    while market.aggregator.phase != "drawing":
        market.deliver_next()
    market.now += seconds
    market.run()
    assert market.aggregator.decoded.parties.drawn
    assert market.aggregator.timers["stalled"] == market.contract.ends_at + 1
