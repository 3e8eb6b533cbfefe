"""A round of fewer members than the one before: its secret start is measured, and all is as in the open."""

from collections.abc import Sequence

import numpy as np
import pytest

from protocol.envelope import SignedMessage
from protocol.learning.descent import step_size_of
from protocol.learning.plaintext import run
from tests.support.roles.checked_markets import checked_market
from tests.support.roles.plain_market import owner_data
from tests.support.roles.pure_contract import recorded_errors
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import body_of


def plain_errors_of(market: PureMarket, gone: str) -> tuple[float, float]:
    """The errors before and after the second round for the members that stayed, without encryption."""
    twin = run(
        [owner_data(market, owner) for owner in market.trainers()],
        [owner_data(market, owner) for owner in market.validators() if owner.address != gone],
        np.array([float(weight) for weight in market.request.start_weights()]),
        step_size=step_size_of(market.request),
        l2=float(market.request.model.ridges[0]),
        local_steps=market.request.schedule.local_steps,
        rounds=2,
    )
    return twin.metrics[1].start, twin.metrics[1].after


def test_members_that_are_fewer_measure_the_secret_start_again() -> None:
    """Without its own v₀ the second round's improvement would be that of other rows."""
    schedule = {"rounds": 2, "local_steps": 2, "step_size": "0.05", "tolerance": 0}
    market = checked_market((2, 3, 4), owners=5, schedule=schedule)

    def meddler(message: SignedMessage) -> Sequence[SignedMessage]:
        envelope = message.envelope
        silent = envelope.round == 2 and envelope.sender == market.validators()[0].address
        return () if silent and envelope.type != "round_signature" else (message,)

    market.intercept = meddler
    market.finish()
    measured = {(one.envelope.round, body_of(one).start) for one in market.sent("round_evidence")}
    assert measured == {(1, "public"), (2, "unmeasured"), (2, "encrypted")}
    first, second = market.contract.recorded
    assert second.record.validators == first.record.validators & ~(1 << 2)
    before, after, *_ = recorded_errors(market.contract)[1]
    assert (before, after) == pytest.approx(plain_errors_of(market, market.contract.seats[2]), abs=2e-6)
