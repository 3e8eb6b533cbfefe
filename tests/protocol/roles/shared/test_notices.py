"""Notices for people: buyer and owners keep the aggregator's words as the facts that it notes itself."""

import pytest

from protocol.messages import (
    Complaint,
    Contribution,
    Message,
    ParticipantDropped,
    RoundCompleted,
    TrainingFailed,
)
from protocol.roles.engine.inputs import MessageReceived
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.small_markets import refusal, small_market

SOMEBODY = "0x" + "5b" * 20
NOTICES: dict[str, tuple[Message, str, dict[str, object]]] = {
    "round_completed": (
        RoundCompleted(
            v0=9,
            mse_after=8,
            own=(1,),
            cross=(1,),
            contributions=(Contribution(trainer=SOMEBODY, shapley=1, pay_weight=1),),
            last=False,
        ),
        "round_completed",
        {"round": 2},
    ),
    "participant_dropped": (
        ParticipantDropped(participant=SOMEBODY, from_round=2, code="metric_late"),
        "dropped",
        {"participant": SOMEBODY, "round": 2, "attempt": 1, "code": "metric_late"},
    ),
    "complaint": (
        Complaint(code="bad_opening", accused=SOMEBODY, evidence=()),
        "complaint",
        {"accused": SOMEBODY, "round": 2, "code": "bad_opening"},
    ),
    "training_failed": (
        TrainingFailed(code="too_few_trainers", fault=None, last_round=1),
        "gave_up",
        {"code": "too_few_trainers", "last_round": 1},
    ),
    "training_failed_by_somebody": (
        TrainingFailed(code="buyer_silent", fault=SOMEBODY, last_round=1),
        "gave_up",
        {"code": "buyer_silent", "last_round": 1, "accused": SOMEBODY},
    ),
    "training_failed_for_silence": (
        TrainingFailed(code="too_few_validators", fault=None, last_round=1, silent=(SOMEBODY,)),
        "gave_up",
        {"code": "too_few_validators", "last_round": 1, "silent": [SOMEBODY]},
    ),
}


def running() -> PureMarket:
    """A market that is in its first round, for everybody."""
    market = small_market()
    market.run_until("proven_update")
    return market


@pytest.mark.parametrize("party", ["buyer", "owner"])
@pytest.mark.parametrize("kind", NOTICES)
def test_a_notice_is_one_fact_whoever_hears_it(kind: str, party: str) -> None:
    market = running()
    body, name, data = NOTICES[kind]
    heard = market.buyer if party == "buyer" else market.owners[0]
    signed = market.message(market.aggregator, heard, body, round_number=2, attempt=1)
    market.deliver(heard, MessageReceived(signed=signed))
    assert (heard.facts[-1].name, heard.facts[-1].data) == (name, data)


@pytest.mark.parametrize("party", ["buyer", "owner"])
def test_a_complaint_of_anybody_else_leaves_no_notice(party: str) -> None:
    """Every party may send one; whoever could write the record of others could accuse whom it likes."""
    market = running()
    heard = market.buyer if party == "buyer" else market.owners[0]
    signed = market.message(market.owners[1], heard, NOTICES["complaint"][0], round_number=2)
    assert refusal(market, heard, signed) == "wrong_sender"
    assert "complaint" not in {fact.name for fact in heard.facts}
