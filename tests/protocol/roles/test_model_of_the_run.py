"""The model of the run: whatever happens to a training, in whatever order, it ends, and ends justly.

Messages come in any order, again, or never; timers fire early and late; parties stop for a while or for ever;
operators stop the training; strangers call the contract. Among the invariants: money is conserved, a training
has one model at most and that only after it is settled, and every run ends.

DELTAML_HYPOTHESIS_EXAMPLES sets how many runs are tried (8 without it, for `make test`). A run that fails
is not made shorter, since each try is a whole training: Hypothesis prints its steps and how to repeat it.
"""

import os
from typing import Any

from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.roles.pure_party import Party
from tests.support.roles.run_model import ExploredMarket

EXAMPLES = int(os.environ.get("DELTAML_HYPOTHESIS_EXAMPLES", "8"))
STEPS = 25

numbers = st.integers(0, 10_000)
rarely = st.integers(0, 39)
"""The number of a party, or of none most of the time: few runs with every party gone teach anything."""

GONE = ["", "", "", "0", "1", "01", "01234", "01256", "023456", "123456"]
"""Parties that stop at once, by number: buyer, aggregator, owners; each of the three may be left alone."""


class Run(RuleBasedStateMachine):
    """One training; each rule is one thing that the world does to it."""

    def __init__(self) -> None:
        super().__init__()
        self.market = ExploredMarket()

    def party(self, index: int) -> Party | None:
        parties = list(self.market.parties.values())
        return parties[index] if index < len(parties) else None

    @initialize(
        seed=numbers,
        count=st.integers(0, 200),
        validators=st.sampled_from([[2, 3, 4], [3, 4]]),
        gone=st.sampled_from(GONE),
    )
    def it_has_gone_well_up_to_here(self, seed: int, count: int, validators: list[int], gone: str) -> None:
        self.market.contract.forced_validators = validators
        self.market.go(seed, count)
        for index in map(int, gone):
            party = self.party(index)
            assert party is not None
            self.market.stop_for_ever(party)

    # Most steps go on with the training: rules that do so come more than once.
    @rule(seed=numbers, count=st.integers(1, 12))
    def a_few_things_arrive(self, seed: int, count: int) -> None:
        self.market.go(seed, count)

    @rule(seed=numbers, count=st.integers(20, 80))
    def many_things_arrive(self, seed: int, count: int) -> None:
        self.market.go(seed, count)

    @rule(seed=numbers, count=st.integers(20, 80))
    def many_more_things_arrive(self, seed: int, count: int) -> None:
        self.market.go(seed, count)

    @rule(index=numbers)
    def a_message_is_repeated(self, index: int) -> None:
        self.market.repeat(index)

    @rule(index=numbers)
    def a_message_is_lost(self, index: int) -> None:
        self.market.lose(index)

    @rule(index=numbers)
    def a_timer_fires_early_or_late(self, index: int) -> None:
        self.market.fire_one(index)

    @rule()
    def time_passes_to_the_next_timer(self) -> None:
        self.market.tick()

    @rule(seconds=st.sampled_from([1.0, 60.0, 600.0, 4_000.0]))
    def time_passes_and_no_timer_fires(self, seconds: float) -> None:
        self.market.now += seconds

    @rule(index=st.integers(0, 6))
    def a_party_goes_away(self, index: int) -> None:
        self.market.asleep |= {party.address for party in [self.party(index)] if party is not None}

    @rule()
    def all_come_back(self) -> None:
        self.market.asleep.clear()

    @rule(index=rarely)
    def a_party_stops_for_ever(self, index: int) -> None:
        party = self.party(index)
        if party is not None:
            self.market.stop_for_ever(party)

    @rule(index=rarely)
    def an_operator_stops_the_training(self, index: int) -> None:
        if index < 2:
            party = self.party(index)
            assert party is not None
            self.market.order_stop(party)

    @rule(index=st.integers(0, 3))
    def a_stranger_calls_the_contract(self, index: int) -> None:
        self.market.meddle(index)

    @invariant()
    def money_is_conserved(self) -> None:
        self.market.check_money()

    @invariant()
    def who_revealed_has_a_role(self) -> None:
        self.market.check_seats()

    @invariant()
    def a_model_is_paid_for(self) -> None:
        self.market.check_model()

    @invariant()
    def a_question_has_one_answer(self) -> None:
        self.market.check_questions()

    @invariant()
    def an_owner_is_admitted_once(self) -> None:
        self.market.check_admissions()

    @invariant()
    def nobody_is_accused_for_nothing(self) -> None:
        self.market.check_blame()

    def teardown(self) -> None:
        market: Any = self.market
        market.end()
        for check in (
            market.check_money,
            market.check_model,
            market.check_weights,
            market.check_questions,
            market.check_admissions,
            market.check_blame,
            market.check_ended,
        ):
            check()
        event(f"{market.contract.status} after {len(market.contract.recorded)} rounds: {market.buyer.shown}")


Run.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
TestModelOfTheRun = Run.TestCase
