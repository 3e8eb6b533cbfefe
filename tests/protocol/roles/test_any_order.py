"""Any order, repetition and loss of messages, timers that fire early, parties that fall silent.

Whatever happens, the contract's money is released in the end, and a model is delivered at most once, only
after the settlement, and only the one whose record the buyer signed as the last.
"""

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from protocol.envelope import SignedMessage
from protocol.roles.inputs import MessageReceived
from tests.support.plain_market import bought_weights, plain_twin
from tests.support.pure_market import PureMarket
from tests.support.small_markets import body_of, small_data, small_market, small_request

DATA = small_data(owners=5, rows=6)
REQUEST = small_request(schedule={"rounds": 2, "local_steps": 1, "step_size": "0.05"})


class Market(RuleBasedStateMachine):
    """One training; each rule is one thing that the world does to it."""

    market: PureMarket

    def __init__(self) -> None:
        super().__init__()
        self.random = Random(0)
        self.market = small_market(REQUEST, DATA, validators=[2, 3, 4], choose=self._choose)

    def _choose(self, eligible: Any) -> int:
        return int(self.random.choice(eligible))

    @rule(seed=st.integers(0, 1000), count=st.integers(5, 80))
    def deliver(self, seed: int, count: int) -> None:
        self.random.seed(seed)
        for _ in range(min(count, len(self.market.pending) * 2)):
            if self.market.pending:
                self.market.deliver_next()

    @rule(index=st.integers(0, 1000))
    def repeat(self, index: int) -> None:
        if messages := self._messages():
            self.market.post(messages[index % len(messages)])

    @rule(index=st.integers(0, 1000))
    def lose(self, index: int) -> None:
        if messages := self._messages():
            lost = messages[index % len(messages)]
            self.market.pending = [entry for entry in self.market.pending if not _carries(entry, lost)]

    @rule()
    def pass_time(self) -> None:
        self.market.tick()

    @rule(index=st.integers(0, 6))
    def fall_silent(self, index: int) -> None:
        if not self.market.silent and self.market.contract.status == "running":
            self.market.silent.add(list(self.market.parties)[index])

    def _messages(self) -> list[SignedMessage]:
        return [item.signed for _, item in self.market.pending if isinstance(item, MessageReceived)]

    @invariant()
    def a_model_is_paid_for(self) -> None:
        contract, buyer = self.market.contract, self.market.buyer
        assert len(buyer.kept) <= 1
        assert len(self.market.sent("trained_model")) == 0 or contract.last_recorded
        if buyer.kept:
            assert contract.status == "settled"
            assert contract.last_recorded
        for message in self.market.sent("trained_model"):
            assert body_of(message).model.digest() == contract.recorded[-1].record.model_digest

    @invariant()
    def each_round_is_opened_once(self) -> None:
        sets = {(m.envelope.round, m.body) for m in self.market.sent("opening")}
        assert len(sets) == len({round_number for round_number, _ in sets})

    @invariant()
    def each_question_is_answered_once(self) -> None:
        for kind in ("refresh_answer", "metric_products"):
            answers = [
                (m.envelope.round, m.envelope.attempt, m.envelope.recipient) for m in self.market.sent(kind)
            ]
            assert len(answers) == len(set(answers))

    def teardown(self) -> None:
        market = self.market
        market.finish(ticks=60)
        assert market.contract.ended, (market.contract.status, market.aggregator.phase, market.buyer.phase)
        event(f"{market.contract.status}, buyer {market.buyer.shown}")
        self.a_model_is_paid_for()
        if market.buyer.kept:
            recorded = market.contract.recorded
            # Trainers that were dropped make another model than the twin's.
            if all(event.record.trainers == market.contract.trainers for event in recorded):
                twin = plain_twin(market)
                assert bought_weights(market) == pytest.approx(twin.averaging.models[-1], abs=1e-6)


def _carries(entry: Any, message: SignedMessage) -> bool:
    return isinstance(entry[1], MessageReceived) and entry[1].signed is message


Market.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=15,
    deadline=None,
    # Shrinking replays whole trainings: the seed in the report says enough.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestMarket = Market.TestCase
