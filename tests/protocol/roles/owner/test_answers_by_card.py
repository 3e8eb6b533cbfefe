"""What leaves an owner before it has joined follows from cards, policy and budget, never from rows."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pytest

from protocol.codec import pack
from protocol.data_card import CardColumn, DataCard
from protocol.data_set import DataSet, faults
from protocol.envelope import SignedMessage
from protocol.messages import InvitationAnswer, OwnerDecision
from protocol.owner_policy import Budget, OwnerPolicy
from protocol.roles import dispatch
from protocol.roles.engine import private
from protocol.roles.engine.effects import SendMessage, StoreBlob
from protocol.roles.engine.inputs import CatalogueChanged, Input, MessageReceived, PolicyChanged
from protocol.roles.owner.joining import on_reconsidered
from protocol.roles.owner.state import InitiatedState, OwnerState, UndecidedState
from tests.support.roles.pure_market import AMPLE, PureMarket
from tests.support.roles.pure_party import Party, make_statistic, owning
from tests.support.roles.small_markets import COLUMNS, small_data, small_market, small_request
from tests.support.seats import seat_taken

RANGES = {"x0": 8, "x1": 8, "y": 90}
CARD = DataCard(
    name="rows",
    columns=tuple(
        CardColumn(name=name, minimum=Decimal(-m), maximum=Decimal(m)) for name, m in RANGES.items()
    ),
    rows_from=8,
    least_pay_wei=10**14,
)


def rows_within(seed: int) -> DataSet:
    """Some 8 to 15 rows, of any shape and size that the card allows."""
    generator = np.random.default_rng(seed)
    sizes = np.array([*RANGES.values()]) * generator.uniform(0.001, 1, 3)
    rows = generator.uniform(-1, 1, (int(generator.integers(8, 16)), 3)) * sizes
    data_set = DataSet(CARD, make_statistic(COLUMNS, rows))
    assert not faults(CARD, data_set.statistic)
    return data_set


def asking(**changes: Any) -> dict[str, Any]:
    """A request for other ranges of x0 than the usual."""
    columns = [{"name": f"x{i}", "minimum": -10, "maximum": 10} for i in range(2)]
    columns[0].update(changes)
    return small_request(features=columns)


REQUESTS = [
    small_request(),
    asking(minimum=-8, maximum=8),
    asking(minimum=-7, maximum=10),
    asking(maximum="0.5"),
    asking(name="x7"),
    small_request(bounds={"min_rows": 8}),
    small_request(bounds={"min_rows": 9}),
    small_request(payment={"deposit_wei": str(10**16)}),
    small_request(schedule={"rounds": 2, "local_steps": 2, "step_size": 100, "tolerance": 0}),
]
POLICIES = [
    OwnerPolicy(automatic=True, budget=AMPLE),
    OwnerPolicy(budget=AMPLE),
    OwnerPolicy(automatic=True, minimum_pay_wei=10**18, budget=AMPLE),
    OwnerPolicy(automatic=True, budget=Budget(per_buyer=0)),
]


@cache
def invited(number: int) -> tuple[PureMarket, Party, SignedMessage]:
    """A market in which an owner is about to read the invitation to a request."""
    market = small_market(REQUESTS[number])
    owner = market.owners[0]
    return market, owner, market.run_until("invitation", owner)


@cache
def decision_of(number: int, *, accepts: bool) -> Input:
    """A person's."""
    market, owner, _ = invited(number)
    body = OwnerDecision(training=1, accept=accepts)
    return MessageReceived(signed=market.message(owner, owner, body))


def without_commitments(effect: Any) -> Any:
    """What is sent, but for digests of commitments, which chance makes of any rows."""
    if not isinstance(effect, SendMessage) or not isinstance(effect.body, InvitationAnswer):
        return effect
    body = effect.body.model_copy(update={"committed": None, "commitment": None})
    return effect.model_copy(update={"body": body})


def before_joining(number: int, policy: OwnerPolicy, data_set: DataSet, accepts: bool | None) -> list[Any]:
    """All effects of an owner's steps until it asks for a seat, in order; blobs stay with it."""
    market, invitee, invitation = invited(number)
    owner = replace(invitee, private=owning(data_set), policy=pack(policy))
    decisions = [] if accepts is None else [decision_of(number, accepts=accepts)]
    done: list[Any] = []
    for item in (MessageReceived(signed=invitation), *decisions):
        context = dataclasses.replace(market.context(owner), seed=b"s" * 32)
        step = dispatch.run_step(owner.role, owner.state, item, context)
        owner.state, owner.shown = step.state, step.display_status
        owner.blobs |= {one.digest: one.content for one in step.effects if isinstance(one, StoreBlob)}
        shown = [without_commitments(one) for one in step.effects]
        done += [one.effect if isinstance(one, StoreBlob) else pack(one) for one in shown]
        done.append(owner.shown)
    return done


@pytest.mark.parametrize("policy", POLICIES, ids=range(len(POLICIES)))
@pytest.mark.parametrize("number", range(len(REQUESTS)))
def test_two_data_sets_of_one_card_are_one(number: int, policy: OwnerPolicy) -> None:
    for accepts in (None,) if policy.automatic else (True, False):
        seen = [before_joining(number, policy, rows_within(seed), accepts) for seed in (1, number + 2)]
        assert seen[0] == seen[1]


def test_the_answers_that_are_compared_differ_between_requests_and_policies() -> None:
    """So that the test above compares more than one answer."""
    ends = {before_joining(n, policy, rows_within(1), None)[-1] for n in range(9) for policy in POLICIES[:2]}
    assert ends == {"INITIATED", "READY", "WAITING"}


class Guarded(dict[str, bytes]):
    """An owner's private values; which rows are asked for is noted."""

    def __init__(self, values: Mapping[str, bytes]) -> None:
        super().__init__(values)
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> bytes:
        if name.startswith(private.DATA_SET.prefix):
            self.asked.append(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.asked += [name] * name.startswith(private.DATA_SET.prefix)
        return super().get(name, default)


@pytest.mark.parametrize("number", range(len(REQUESTS)))
def test_rows_are_not_even_asked_for_unless_the_owner_accepts(number: int) -> None:
    """They are committed to with the acceptance, and looked at no more when the chain shows the seat."""
    for policy in POLICIES:
        market, invitee, invitation = invited(number)
        guarded = Guarded(owning(rows_within(1)))
        owner = replace(invitee, private=guarded, policy=pack(policy))
        other = market.event_input(seat_taken(training=1, owner=market.owners[1].address, seat=0))
        decision = decision_of(number, accepts=True)
        for item in (
            MessageReceived(signed=invitation),
            CatalogueChanged(),
            PolicyChanged(),
            decision,
            other,
        ):
            market.deliver(owner, item)
            joins = owner.shown == "INITIATED"
            assert guarded.asked == ["data_set:rows"] * joins
            assert not getattr(owner.decoded, "rows", 0)
        if joins:
            taken = seat_taken(training=1, owner=owner.address, seat=1)
            own = taken.model_copy(update={"commitment": owner.decoded.commitment})
            market.deliver(owner, market.event_input(own))
            assert guarded.asked == ["data_set:rows"]
            assert owner.decoded.rows


def test_what_an_owner_says_before_its_seat_is_of_one_size() -> None:
    """A statistic of more levels or gaps is longer, and so is what opens it: neither leaves the owner."""
    lengths = set()
    for seed in (1, 2, 3):
        market, invitee, invitation = invited(0)
        owner = replace(invitee, private=owning(rows_within(seed)))
        step = market.deliver(owner, MessageReceived(signed=invitation))
        assert step is not None
        [answer] = [one.body for one in step.effects if isinstance(one, SendMessage)]
        lengths.add(len(pack(answer)))
        assert answer.committed
        assert owner.decoded.rows == 0
    assert len(lengths) == 1


class Prober:
    """A buyer and its aggregator who ask one owner again and again, and see nothing but its answers."""

    def __init__(self, data_set: DataSet) -> None:
        market = small_market(policy=OwnerPolicy(budget=AMPLE))
        self.market, self.owner = market, market.owners[0]
        market.run()
        self.owner.private = owning(data_set)
        self.owner.policy = pack(OwnerPolicy(automatic=True, budget=AMPLE))
        self.state = self.owner.decoded
        assert isinstance(self.state, UndecidedState)

    def joins(self, values: dict[str, Any]) -> bool:
        """Whether the owner would join a training like that."""
        request = PureMarket(values, small_data(owners=1), COLUMNS).request
        state: OwnerState = self.state.model_copy(update={"request": request})
        assert isinstance(state, UndecidedState)
        step = on_reconsidered(state, CatalogueChanged(), self.market.context(self.owner))
        said = [one.body.decision for one in step.effects if isinstance(one, SendMessage)]
        joins = isinstance(step.state, InitiatedState)
        assert said == ([] if joins else ["declined"]), "an acceptance waits for what is committed to"
        return joins

    def least_true(self, ask: Any, low: float, high: float, times: int) -> float:
        """By halving, the least number with which `ask` is a request that the owner joins."""
        for _ in range(times):
            middle = (low + high) / 2
            low, high = (low, middle) if self.joins(ask(middle)) else (middle, high)
        return high


def test_who_asks_for_ranges_learns_the_cards_maximum() -> None:
    data_set = rows_within(3)
    found = Prober(data_set).least_true(lambda most: asking(maximum=repr(most)), 0.0, 20.0, 40)
    assert found == pytest.approx(8, abs=1e-9)
    largest = data_set.statistic.kept[0].maximum
    assert largest is not None
    assert largest < 7.9


def test_who_asks_for_numbers_of_rows_learns_the_cards_bucket() -> None:
    data_set = rows_within(3)
    prober = Prober(data_set)
    joined = [n for n in range(1, 20) if prober.joins(small_request(bounds={"min_rows": n}))]
    assert joined == list(range(1, 9))
    assert data_set.statistic.rows > 8


def steps(count: int) -> Iterator[dict[str, Any]]:
    """Requests by which the largest eigenvalue of chosen columns would show, were it asked for."""
    for power in range(count):
        size = f"{Decimal(2) ** (power - count // 2):f}"
        for features in (["x0"], ["x1"], ["x0", "x1"]):
            columns = [{"name": name, "minimum": -10, "maximum": 10} for name in features]
            schedule = {"rounds": 1, "local_steps": 1, "step_size": size, "tolerance": 0}
            yield small_request(features=columns, schedule=schedule, scale="none")


def test_who_asks_for_step_sizes_learns_nothing_of_the_gram_matrix() -> None:
    prober = Prober(rows_within(3))
    assert {prober.joins(values) for values in steps(30)} == {True}


def test_an_owner_that_declines_tells_no_number_of_rows() -> None:
    market, invitee, invitation = invited(3)
    owner = replace(
        invitee, private=owning(rows_within(2)), policy=pack(OwnerPolicy(automatic=True, budget=AMPLE))
    )
    step = market.deliver(owner, MessageReceived(signed=invitation))
    assert step is not None
    [answer] = [effect.body for effect in step.effects if isinstance(effect, SendMessage)]
    assert "rows" not in answer.model_dump()


def test_words_of_a_card_that_buyers_do_not_see_are_in_no_fact_and_no_state() -> None:
    levels = {"name": "x0", "kind": "categorical", "levels": ["a", "b"]}
    market = small_market(small_request(features=[levels, {"name": "x1", "minimum": -10, "maximum": 10}]))
    owner = market.owners[0]
    column = CardColumn(name="x0", kind="categorical", vocabulary=("a", "Ada Lovelace"))
    card = CARD.model_copy(update={"columns": (column, *CARD.columns[1:]), "listed": False})
    owner.private = {private.CARD.name_of("rows"): pack(card)}
    market.deliver(owner, MessageReceived(signed=market.run_until("invitation", owner)))
    [fact] = [fact for fact in owner.facts if fact.name == "no_match"]
    assert fact.data["reasons"] == ["rows: column 'x0' has levels that are not asked for, 1 of them"]
    assert "Ada Lovelace" not in repr(owner.decoded)
