"""Who takes part: decisions, data that do not fit, owners that are not admitted, too few of them."""

from typing import Any

import numpy as np
import pytest

from protocol.codec import pack
from protocol.messages import InvitationAnswer, OwnerDecision
from protocol.owner_policy import OwnerPolicy
from protocol.payment import least_fixed_pay
from protocol.roles.engine.inputs import CallRefused, CatalogueChanged, MessageReceived, TimerFired
from tests.support.roles.plain_market import assert_model_of_twin
from tests.support.roles.pure_market import AMPLE, PureMarket
from tests.support.roles.pure_party import Party, owning_rows
from tests.support.roles.small_markets import (
    COLUMNS,
    body_of,
    refusal,
    small_data,
    small_market,
    small_request,
)
from tests.support.seats import any_join


def decide(market: PureMarket, owner: Party, **decision: Any) -> None:
    body = OwnerDecision(training=1, **decision)
    market.deliver(owner, MessageReceived(signed=market.message(owner, owner, body)))


def test_an_owner_decides_by_hand() -> None:
    market = small_market(data=small_data(owners=5), policy=OwnerPolicy(budget=AMPLE))
    market.run()
    assert {owner.shown for owner in market.owners} == {"READY"}
    assert {body_of(answer).decision for answer in market.sent("invitation_answer")} == {"waiting"}
    for owner in market.owners[:3]:
        decide(market, owner, accept=True)
    decide(market, market.owners[3], accept=True, data_set="rows")
    decide(market, market.owners[4], accept=False)
    market.finish()
    assert market.owners[4].shown == "DECLINED"
    assert market.owners[4].address not in market.contract.seats
    assert_model_of_twin(market)


def test_only_the_operator_decides() -> None:
    market = small_market(policy=OwnerPolicy(budget=AMPLE))
    market.run()
    owner = market.owners[0]
    forged = market.message(market.aggregator, owner, OwnerDecision(training=1, accept=True))
    assert refusal(market, owner, forged) == "wrong_sender"
    unknown = market.message(owner, owner, OwnerDecision(training=1, accept=True, data_set="other"))
    assert refusal(market, owner, unknown) == "unknown_data_set"


@pytest.mark.parametrize(
    "policy",
    [
        {"automatic": False},
        {"automatic": True, "buyers": ("0x" + "22" * 20,)},
        {"automatic": True, "model_kinds": ("other",)},
        {"automatic": True, "columns": ("x0", "y")},
        {"automatic": True, "data_sets": ("other",)},
        {"automatic": True, "minimum_pay_wei": 10**18},
    ],
    ids=lambda policy: str(sorted(policy)),
)
def test_a_policy_that_does_not_fit_asks_a_person(policy: dict[str, Any]) -> None:
    market = small_market(policy=OwnerPolicy(**policy, budget=AMPLE))
    market.run()
    assert {owner.shown for owner in market.owners} == {"READY"}


def test_a_policy_that_names_every_column_joins() -> None:
    market = small_market(
        policy=OwnerPolicy(automatic=True, columns=("x0", "x1", "y", "unasked"), budget=AMPLE)
    )
    market.run()
    assert {owner.shown for owner in market.owners} == {"FINISHED"}


def test_the_least_pay_is_that_of_a_full_training() -> None:
    market = small_market()
    # 5 % of 10^18 for the six trainers among eight owners is less than 20 % for the two validators.
    a_round = 10**18 * 5 // 100 // 2
    assert least_fixed_pay(market.request) == 2 * (a_round // 6)


def unsuitable(kind: str) -> tuple[tuple[str, ...], Any]:
    rows = small_data(owners=1)[0]
    if kind == "no such column":
        return ("x0", "other", "y"), rows
    if kind == "out of range":
        return COLUMNS, np.vstack([rows, [11.0, 0.0, 0.0]])
    return COLUMNS, rows[:4]


@pytest.mark.parametrize("kind", ["no such column", "out of range", "too few rows"])
def test_data_that_do_not_match_leave_an_owner_waiting(kind: str) -> None:
    market = small_market(data=small_data(owners=5))
    owner = market.owners[4]
    owner.private.update(owning_rows(*unsuitable(kind)))
    market.run()
    assert owner.address not in market.contract.seats
    [answer] = [m for m in market.sent("invitation_answer") if m.envelope.sender == owner.address]
    assert answer.body == pack(InvitationAnswer(decision="declined", code="no_matching_card")), (
        "the reason stays with the owner"
    )
    assert owner.shown == "WAITING"
    market.finish()
    assert owner.shown == "FAILED(expired)"
    assert_model_of_twin(market)


def test_an_owner_without_any_data_waits_until_some_arrive() -> None:
    market = small_market(data=small_data(owners=5))
    owner = market.owners[4]
    kept, owner.private = owner.private, {}
    market.run()
    assert owner.shown == "WAITING"
    market.deliver(owner, CatalogueChanged())
    assert owner.shown == "WAITING"
    assert sum(m.envelope.sender == owner.address for m in market.sent("invitation_answer")) == 1
    owner.private = kept
    market.deliver(owner, CatalogueChanged())
    market.finish()
    assert owner.address in market.contract.seats
    assert owner.shown == "FINISHED"
    assert_model_of_twin(market)


@pytest.mark.parametrize("then", ["removed", "replaced by others", "replaced by others of the same card"])
def test_data_that_change_before_the_seat_is_confirmed(then: str) -> None:
    """The owner is bound to the rows that it has committed to, whatever has become of the data set."""
    market = small_market(data=small_data(owners=5), validators=[0, 1])
    owner = market.owners[4]
    market.run_until("invitation_answer", market.aggregator)
    while owner.phase != "initiated":
        market.deliver_next()
    before = owner.private
    owner.private = {} if then == "removed" else owning_rows(COLUMNS, small_data(owners=1, seed=8)[0])
    if "same card" in then:
        owner.private["card:rows"] = before["card:rows"]
    market.finish()
    assert owner.address in market.contract.seats
    assert owner.shown == market.buyer.shown == "FINISHED"
    owner.private = before
    assert_model_of_twin(market)


@pytest.mark.parametrize("then", ["removed", "replaced"])
def test_a_training_goes_on_with_the_data_that_it_was_joined_with(then: str) -> None:
    market = small_market()
    before = [owner.private["data_set:rows"] for owner in market.owners]
    market.run_until("checked_started", market.owners[0])
    for owner in market.owners:
        del owner.private["data_set:rows"]
        if then == "replaced":
            other = small_data(owners=1, seed=8)[0]
            owner.private.update(owning_rows(COLUMNS, other))
    market.finish()
    assert {owner.shown for owner in market.owners} == {"FINISHED"}
    for owner, content in zip(market.owners, before, strict=True):
        assert content not in owner.blobs.values(), "rows' statistics stay only as long as the training"
        owner.private["data_set:rows"] = content
    assert_model_of_twin(market)


def test_an_owner_with_steep_rows_joins_as_any_other() -> None:
    """Its largest safe step, learned from requests with chosen columns, would give the Gram matrix away."""
    market = small_market(
        small_request(schedule={"rounds": 2, "local_steps": 2, "step_size": 100, "tolerance": 0}),
        data=small_data(owners=5),
    )
    steep = market.owners[4]
    rows = small_data(owners=1)[0]
    rows[:, :2] = np.where(rows[:, :2] > 0, 10.0, -10.0)
    steep.private.update(owning_rows(COLUMNS, rows))
    market.finish()
    answers = {m.envelope.sender: body_of(m) for m in market.sent("invitation_answer")}
    assert {answer.decision for answer in answers.values()} == {"accepted"}
    assert len(answers) == 5
    assert_model_of_twin(market)


def test_a_join_that_the_contract_refuses_ends_it_for_this_owner() -> None:
    market = small_market()
    market.run_until("invitation_answer", market.aggregator)
    joined = next(owner for owner in market.owners if owner.shown == "INITIATED")
    market.deliver(joined, CallRefused(call=any_join(training=1), code="too_late"))
    assert joined.shown == "FAILED(join_too_late)"


def test_a_join_under_way_does_not_expire() -> None:
    """The contract alone says whether a join was in time; its confirmation may come later."""
    market = small_market()
    market.run_until("invitation_answer", market.aggregator)
    joined = next(owner for owner in market.owners if owner.shown == "INITIATED")
    market.deliver(joined, TimerFired(name="join"))
    assert joined.shown == "INITIATED"


def test_an_opening_that_the_contract_refuses() -> None:
    market = PureMarket(small_request(), small_data(), COLUMNS)
    market.contract.status = "open"
    market.start()
    market.run()
    assert market.buyer.shown == "FAILED(open_wrong_status)"


def test_roles_drawn_without_an_owner_that_was_still_deciding() -> None:
    market = small_market(data=small_data(owners=5))
    slow = market.owners[4]
    slow.policy = pack(OwnerPolicy(budget=AMPLE))
    market.intercept = lambda message: () if _is_invitation_to(message, slow) else (message,)
    market.finish()
    assert slow.shown == "FAILED(joined_too_late)"


def _is_invitation_to(message: Any, owner: Party) -> bool:
    return message.envelope.type == "invitation" and message.envelope.recipient == owner.address
