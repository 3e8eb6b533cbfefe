"""What the aggregator has worked out of an attempt is known while it is the same attempt, to nobody else."""

import dataclasses

import pytest

from protocol.roles.aggregator.ending import give_up
from protocol.roles.aggregator.rounds.view import AttemptView, TrainingView
from protocol.roles.engine.state import replace
from protocol.roles.engine.worked_out import WORK
from tests.support.roles.checked_aggregator import stopped_before


@pytest.fixture
def view() -> AttemptView:
    """Of the first attempt, its buyer's answer read."""
    WORK.clear()
    before = stopped_before("check_verdict", 1)
    one = AttemptView(before.party.decoded, before.market.context(before.party), before.lane)
    assert one.answer
    return one


def test_a_later_step_of_the_attempt_knows_the_answer(view):
    later = dataclasses.replace(view, lane=replace(view.lane, verdicts=()))
    assert later.answer is view.answer


def test_another_attempt_works_out_its_own(view):
    lane = view.lane
    changed = replace(lane.exchange, request=lane.exchange.answer)
    for other in (
        replace(lane, attempt=lane.attempt + 1),
        replace(lane, validators=lane.validators - (lane.validators & -lane.validators)),
        replace(lane, exchange=changed),
        replace(lane, trained=replace(lane.trained, updates=lane.trained.updates[1:])),
    ):
        assert "answer" not in dataclasses.replace(view, lane=other).known


def test_another_party_or_training_works_out_its_own(view):
    elsewhere = dataclasses.replace(view.context, address=view.state.opened.buyer)
    assert "answer" not in dataclasses.replace(view, context=elsewhere).known
    opened = view.state.opened.model_copy(update={"training": view.state.training + 1})
    assert "answer" not in dataclasses.replace(view, state=replace(view.state, opened=opened)).known


def test_a_training_knows_what_is_of_all_its_rounds(view):
    first, second = (TrainingView(view.state, view.context) for _ in range(2))
    assert first.owners is second.owners
    WORK.clear()
    assert TrainingView(view.state, view.context).owners is not first.owners


def test_masks_and_tables_are_worked_out_for_a_step_alone(view):
    assert all((view.products, view.projection, view.metric_proofs))
    assert not {"products", "projection", "metric_proofs"} & set(view.known)


def test_a_training_that_is_given_up_is_forgotten(view):
    assert "answer" in dataclasses.replace(view).known
    give_up(view.state, "stopped_by_aggregator", view.context)
    assert not dataclasses.replace(view).known
