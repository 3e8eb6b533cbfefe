"""A checker that keeps its consent from the other has nobody left out: the next attempt has others."""

from collections.abc import Sequence

from protocol.envelope import SignedMessage
from protocol.roles.rounds.members import attempt_checkers, draw_hash
from protocol.types import RoundAttempt
from tests.support.roles.checked_markets import checked_market
from tests.support.roles.pure_contract import MARKET, TRAINING

VALIDATORS = (2, 3, 4)


def test_nobody_is_left_out_for_a_consent_that_was_kept_back() -> None:
    schedule = {"rounds": 1, "local_steps": 2, "step_size": "0.05", "tolerance": 0}
    market = checked_market(VALIDATORS, owners=5, schedule=schedule)

    def first_checkers() -> tuple[str, str]:
        parties = market.aggregator.decoded.parties
        return attempt_checkers(
            parties, parties.validators, RoundAttempt(1, 1), draw_hash(MARKET, TRAINING, parties)
        )

    def meddler(message: SignedMessage) -> Sequence[SignedMessage]:
        envelope = message.envelope
        is_consent = envelope.type == "zero_test_consent" and envelope.attempt == 1
        return () if is_consent and envelope.sender == first_checkers()[0] else (message,)

    market.intercept = meddler
    market.finish()
    judged = {one.envelope.sender for one in market.sent("check_verdict") if one.envelope.attempt == 1}
    assert judged == {first_checkers()[0]}
    (event,) = market.contract.recorded
    assert event.record.validators.bit_count() == len(VALIDATORS)
    assert {one.envelope.attempt for one in market.sent("opening")} == {2}
    assert not market.sent("participant_dropped")
