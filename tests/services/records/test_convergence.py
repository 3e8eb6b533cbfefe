"""Whether a training has converged, out of its published errors, and how it is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console.presentation.convergence import convergence_sentence as said
from services.records.convergence import convergence
from tests.support.deployment.documents import any_request

ERRORS = st.lists(st.floats(0, 1e12), min_size=2, max_size=8)


def request_of(rounds, tolerance="0.001"):
    return any_request(schedule={"rounds": rounds, "step_size": 1, "tolerance": tolerance})


def of(errors, rounds, *, last=True, over=True, tolerance="0.001"):
    return convergence(request_of(rounds, tolerance), errors, last=last, over=over)


def test_improvements_that_shrink_by_half_go_on_shrinking_by_half():
    state = of([100, 60, 40], 2)
    assert (state.ended, state.has_converged) == ("rounds", False)
    assert state.last_gain == pytest.approx(20 / 60)
    assert state.next_gain == pytest.approx(10 / 40)
    assert "the last still improved the error by 33.3 %; another might bring about 25 %" in said(state)
    assert "la última aún mejoró el error en un 33,3 %" in said(state, "es")


@given(st.floats(0.05, 0.95), st.floats(0.01, 1e6), st.integers(2, 9))
def test_the_next_term_of_a_geometric_series_is_foretold_exactly(ratio, first, rounds):
    gains = [first * ratio**number for number in range(rounds + 1)]
    errors = [first / (1 - ratio) + 1 - sum(gains[:number]) for number in range(rounds + 2)]
    state = of(errors[:-1], rounds)
    assert state.next_gain * errors[-2] == pytest.approx(errors[-2] - errors[-1], rel=1e-6, abs=1e-9 * first)


@given(ERRORS)
def test_an_estimate_is_a_share_of_what_is_left(errors):
    state = of(errors, len(errors) - 1)
    assert state.last_gain <= 1
    assert state.next_gain is None or 0 <= state.next_gain <= 1
    assert said(state)


def test_nothing_is_foretold_without_two_improvements():
    assert of([100, 60], 1).next_gain is None
    assert "there are no two improvements" in said(of([100, 60], 1))
    assert of([100, 110, 60], 2).next_gain is None


def test_a_training_that_its_tolerance_ended_says_so():
    state = of([100, 50, 49.99], 20)
    assert (state.ended, state.has_converged) == ("tolerance", True)
    assert "improved the error by 0.02 %, less than the tolerance of 0.1 %" in said(state)


def test_gains_below_the_default_tolerance_are_those_of_a_model_that_has_converged():
    assert of([100, 50, 49.99], 2, tolerance="0").has_converged
    assert "changed the error by less than 0.1 %" in said(of([100, 50, 50.01], 2, tolerance="0"))
    assert not of([100, 75, 60], 2, tolerance="0").has_converged


def test_what_another_round_would_not_change_any_more_has_converged():
    state = of([6009, 2933.9, 2928.8], 2)
    assert state.has_converged
    assert "still improved the error by 0.174 %, but another would bring less than 0.1 %" in said(state)


def test_an_error_that_grew_has_not_converged():
    state = of([100, 50, 60], 2)
    assert not state.has_converged
    assert "which grew by 20 %" in said(state)


def test_before_its_end_a_training_says_nothing_and_after_an_early_one_how_far_it_came():
    assert of([100], 5) is None
    assert said(of([100, 60], 5, last=False, over=False)) == ""
    assert said(of([100, 60], 5, last=False)) == "It ended early, after 1 of at most 5 rounds."
