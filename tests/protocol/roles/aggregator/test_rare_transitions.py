"""What the aggregator does when the unlikely happens: in any phase the chain may say that all is over."""

import pytest

from protocol.marketplace import Cancel, Cancelled
from protocol.roles.engine.inputs import UNKNOWN_TRAINING, CallRefused, TimerFired
from protocol.roles.engine.state import replace
from tests.support.roles.admitting import admitted_join
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import small_data, small_market, without
from tests.support.roles.states import stored
from tests.support.seats import reveal_nonce


def aggregator_in(phase: str) -> PureMarket:
    """A market whose aggregator has just come to this phase."""
    market = small_market()
    if phase == "ending":
        market.intercept = without("moment_answer")
    while market.aggregator.phase != phase:
        if market.pending:
            market.deliver_next()
        else:
            market.tick()
    return market


@pytest.mark.parametrize("phase", ["inviting", "drawing", "training", "settling", "ending"])
def test_a_training_that_is_gone_from_the_chain_is_over(phase: str) -> None:
    market = aggregator_in(phase)
    market.deliver(market.aggregator, CallRefused(call=Cancel(training=1), code=UNKNOWN_TRAINING))
    assert market.aggregator.shown == "FAILED(not_on_chain)"
    assert not market.aggregator.timers.keys() & {"join", "draw", "rows", "stalled", "end", "settle"}
    assert market.sent("training_failed")


@pytest.mark.parametrize("phase", ["inviting", "drawing", "training", "settling", "ending"])
def test_a_training_that_is_cancelled_is_over(phase: str) -> None:
    market = aggregator_in(phase)
    cancelled = "too_few_revealed" if phase == "drawing" else "cancelled"
    code = market.aggregator.decoded.failure or cancelled
    market.deliver(market.aggregator, market.event_input(Cancelled(training=1, refund=1)))
    assert market.aggregator.shown == f"FAILED({code})"
    assert not market.aggregator.blobs


@pytest.mark.parametrize(
    "name", ["updates:7", "moments:1.1", "checks:1.1", "consents:1.1", "opening:1.1", "signatures:1.1"]
)
def test_a_timer_of_another_round_or_step_changes_nothing(name: str) -> None:
    market = aggregator_in("training")
    before = market.aggregator.decoded
    step = market.deliver(market.aggregator, TimerFired(name=name))
    assert step is not None
    assert not step.effects
    assert market.aggregator.decoded == before


def test_the_wait_for_an_opening_is_over_once_it_is_there() -> None:
    market = small_market()
    market.run_until("training_request")
    while market.aggregator.state is None:
        market.deliver_next()
    before = market.aggregator.state
    market.deliver(market.aggregator, TimerFired(name="opened"))
    assert market.aggregator.state == before
    assert market.aggregator.facts[-1].data == {"phase": "requested", "input": "timer:opened"}


def test_row_counts_are_not_late_before_the_roles_are_drawn() -> None:
    market = aggregator_in("drawing")
    market.deliver(market.aggregator, TimerFired(name="rows"))
    assert market.aggregator.phase == "drawing"
    market.finish()
    assert market.aggregator.shown == "FINISHED"


def test_with_a_validator_that_is_not_admitted_too_few_may_be_left() -> None:
    market = small_market(data=small_data(owners=5), validators=[0, 3])
    stranger = market.owners[4]
    market.admitted = market.admitted[:4]
    market.silent.add(stranger.address)
    market.post(market.run_until("invitation", market.owners[0]))
    market.call(stranger, admitted_join(market, stranger.address))
    while market.contract.status != "drawing":
        market.deliver_next()
    market.call(stranger, reveal_nonce())
    market.finish()
    assert market.contract.seats[0] == stranger.address
    assert market.aggregator.shown == "FAILED(too_few_validators)"
    assert not market.sent("checked_started")


def test_without_the_recorded_model_nothing_is_delivered() -> None:
    market = aggregator_in("settling")
    state = market.aggregator.decoded
    market.aggregator.state = stored(replace(state, signed_models=()))
    market.finish()
    assert market.aggregator.shown == "FAILED(stopped_early)"
    assert (market.aggregator.address, "withdraw") in market.contract.calls
