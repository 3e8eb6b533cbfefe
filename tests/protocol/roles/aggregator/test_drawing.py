"""Between joining and the first round."""

from collections.abc import Sequence

from protocol.envelope import SignedMessage
from protocol.marketplace import Closed
from tests.support.plain_market import assert_model_of_twin
from tests.support.pure_market import PureMarket
from tests.support.small_markets import small_market


def answer_under_way() -> tuple[PureMarket, SignedMessage]:
    """A market whose roles are drawn, and the last owner's row count, which has not come yet."""
    market, answers = small_market(), []

    def intercept(message: SignedMessage) -> Sequence[SignedMessage]:
        slow = message.envelope.sender == market.owners[3].address
        if message.envelope.type == "invitation_answer" and slow:
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
    assert not market.sent("training_started")
    market.post(answer)
    market.run()
    assert "rows" not in market.aggregator.timers
    assert market.aggregator.shown == "FINISHED"
    assert_model_of_twin(market)


def test_a_draw_whose_block_is_gone_is_asked_for_again() -> None:
    market = small_market()
    while market.aggregator.phase != "drawing":
        market.deliver_next()
    draws = market.contract.calls.count((market.aggregator.address, "draw"))
    market.deliver(market.aggregator, market.event_input(Closed(training=1, draw_block=2)))
    assert market.aggregator.phase == "drawing"
    assert market.contract.calls.count((market.aggregator.address, "draw")) == draws + 1
