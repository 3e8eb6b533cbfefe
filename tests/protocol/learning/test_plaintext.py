"""The plain twin of a training against computations on the rows themselves."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from protocol.learning.plaintext import (
    Matrix,
    OwnerData,
    federated_averaging,
    mean_squared_error,
    pay_weights,
    pooled_least_squares,
    round_metrics,
    run,
)
from protocol.learning.statistic import triangular

SCHEDULE: dict[str, Any] = {"step_size": 0.1, "l2": 0.05, "local_steps": 3, "rounds": 4}


def owner(rows: int, seed: int) -> tuple[Matrix, Matrix]:
    generator = np.random.default_rng(seed)
    features = np.column_stack([generator.normal(size=(rows, 3)), np.ones(rows)])
    target = features @ [1.0, -2.0, 0.5, 3.0] + generator.normal(size=rows)
    return features, target


def data_of(features: Matrix, target: Matrix) -> OwnerData:
    return OwnerData(triangular(np.column_stack([features, target])) / np.sqrt(len(target)), len(target))


OWNERS = [owner(rows, seed) for seed, rows in enumerate((30, 45, 60, 25, 80))]
DATA = [data_of(*one) for one in OWNERS]
TRAINERS, VALIDATORS = DATA[:3], DATA[3:]
START = np.array([0.0, 0.0, 0.0, 1.0])


def descend(
    features: Matrix, target: Matrix, weights: Matrix, *, step_size: float, l2: float, local_steps: int
) -> Matrix:
    for _ in range(local_steps):
        gradient = features.T @ (features @ weights - target) / len(target) + l2 * weights
        weights = weights - step_size * gradient
    return weights


def test_averaging_is_gradient_descent_on_the_rows() -> None:
    result = federated_averaging([one.factor for one in TRAINERS], START, **SCHEDULE)
    steps = {name: value for name, value in SCHEDULE.items() if name != "rounds"}
    weights = START
    for round_number in range(SCHEDULE["rounds"]):
        np.testing.assert_allclose(result.models[round_number], weights, rtol=1e-12)
        local_models = [descend(*one, weights, **steps) for one in OWNERS[:3]]
        np.testing.assert_allclose(result.local_models[round_number], local_models, rtol=1e-12)
        weights = np.mean(local_models, axis=0)
    np.testing.assert_allclose(result.models[-1], weights, rtol=1e-12)
    assert result.models.shape == (5, 4)
    assert result.local_models.shape == (4, 3, 4)


def test_each_round_takes_its_own_penalty() -> None:
    factors, schedule = [one.factor for one in TRAINERS], {**SCHEDULE, "l2": [0.5, 0.5, 0.05, 0.0]}
    found = federated_averaging(factors, START, **schedule)
    models = [START]
    for ridge in schedule["l2"]:
        one = {**SCHEDULE, "l2": ridge, "rounds": 1}
        models.append(federated_averaging(factors, models[-1], **one).models[-1])
    np.testing.assert_allclose(found.models, models, rtol=1e-12)
    with pytest.raises(ValueError, match="zip"):
        federated_averaging(factors, START, **{**schedule, "l2": [0.5]})


def stacked(owners: Sequence[tuple[Matrix, Matrix]]) -> tuple[Matrix, Matrix]:
    return np.vstack([features for features, _ in owners]), np.concatenate([target for _, target in owners])


def test_mean_squared_error_is_the_mean_over_all_rows() -> None:
    features, target = stacked(OWNERS[3:])
    expected = np.mean((features @ START - target) ** 2)
    assert mean_squared_error(VALIDATORS, START) == pytest.approx(expected, rel=1e-12)


def test_pooled_least_squares_is_that_of_all_rows() -> None:
    expected, *_ = np.linalg.lstsq(*stacked(OWNERS), rcond=None)
    np.testing.assert_allclose(pooled_least_squares(DATA), expected, rtol=1e-10)


def test_round_metrics_are_those_of_the_rows() -> None:
    local_models = federated_averaging([one.factor for one in TRAINERS], START, **SCHEDULE).local_models[0]
    metrics = round_metrics(VALIDATORS, START, local_models)
    features, target = stacked(OWNERS[3:])
    residuals = [features @ model - target for model in local_models]
    total = sum(residuals)
    assert metrics.start == pytest.approx(np.mean((features @ START - target) ** 2), rel=1e-12)
    assert metrics.own == pytest.approx([np.mean(r * r) for r in residuals], rel=1e-12)
    assert metrics.cross == pytest.approx([np.mean(r * total) for r in residuals], rel=1e-12)
    mean_model = np.mean(local_models, axis=0)
    assert metrics.after == pytest.approx(mean_squared_error(VALIDATORS, mean_model), rel=1e-12)


def test_a_run_hangs_together() -> None:
    training = run(TRAINERS, VALIDATORS, START, **SCHEDULE)
    for number, (metrics, shapley) in enumerate(zip(training.metrics, training.contributions, strict=True)):
        model, next_model = training.averaging.models[number : number + 2]
        assert metrics.start == pytest.approx(mean_squared_error(VALIDATORS, model), rel=1e-12)
        assert metrics.after == pytest.approx(mean_squared_error(VALIDATORS, next_model), rel=1e-12)
        assert sum(shapley) == pytest.approx(metrics.start - metrics.after, rel=1e-9)
    first = mean_squared_error(VALIDATORS, START)
    last = mean_squared_error(VALIDATORS, training.averaging.models[-1])
    assert training.improvement == pytest.approx(1 - last / first, rel=1e-9)
    assert sum(training.shares) == pytest.approx(1)
    paid = sum(map(sum, training.pay_weights))
    assert paid == pytest.approx(first - min(metrics.after for metrics in training.metrics), rel=1e-9)


def test_only_new_ground_is_paid() -> None:
    assert pay_weights(5.0, 6.0, [1.0, 1.0]) == [0.0, 0.0]
    assert pay_weights(5.0, 4.0, [-1.0, 0.0]) == [0.0, 0.0]
    assert pay_weights(5.0, 4.0, [3.0, 1.0, -2.0]) == [0.75, 0.25, 0.0]


def test_a_run_that_swings_is_paid_for_its_lowest_error_once() -> None:
    # One weight, a step of 1.9/λ: each step overshoots; the validators' optimum lies beside the trainers'.
    ones = np.ones((4, 1))
    trainer, validator = data_of(ones, np.zeros(4)), data_of(ones, np.full(4, 0.5))
    start = np.array([1.0])
    training = run([trainer] * 2, [validator] * 2, start, step_size=1.9, l2=0.0, local_steps=1, rounds=6)
    errors = [numbers.after for numbers in training.metrics]
    assert any(later > earlier for earlier, later in pairwise(errors))
    first = training.metrics[0].start
    assert sum(map(sum, training.pay_weights)) == pytest.approx(max(first - min(errors), 0), rel=1e-9)
    assert min(errors) < first


def test_no_share_where_nothing_was_gained() -> None:
    best = pooled_least_squares(VALIDATORS)
    training = run(TRAINERS, VALIDATORS, best, **SCHEDULE)
    assert training.shares == [0.0, 0.0, 0.0]
    assert training.improvement == 0.0


def test_a_step_of_any_size_improves_the_model() -> None:
    for step_size in (5.0, 1e9):
        assert run(TRAINERS, VALIDATORS, START, **{**SCHEDULE, "step_size": step_size}).improvement > 0
