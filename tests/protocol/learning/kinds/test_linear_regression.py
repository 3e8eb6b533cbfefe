"""Linear regression as a kind: what it trains and measures with is that of the rows themselves."""

import math
from typing import get_args

import numpy as np
import pytest

from protocol.bought_model import BoughtModel
from protocol.errors import MisuseError
from protocol.learning.descent import StepSizeDiverges
from protocol.learning.kinds.registry import KINDS, check_step_size, kind_of
from protocol.learning.statistic import Statistic, StatisticBuilder
from protocol.request import ModelKind, Request
from tests.support.deployment.documents import any_request

ROWS = np.random.default_rng(3).uniform((0, 10, 0), (100, 80, 400), size=(60, 3))


def statistic(columns: tuple[str, ...] = ("age", "bmi", "progression")) -> Statistic:
    builder = StatisticBuilder(columns)
    builder.add(ROWS)
    return builder.finish()


def request(step_size: float = 1e-5, **model: object) -> Request:
    return any_request(
        schedule={"rounds": 2, "local_steps": 3, "step_size": step_size},
        start={"start": "zero"},
        model=model,
    )


def design(intercept: bool) -> np.ndarray:
    return np.column_stack([ROWS[:, :2], np.ones(len(ROWS))]) if intercept else ROWS[:, :2]


def test_every_kind_that_a_request_may_name_is_known() -> None:
    assert set(KINDS) == set(get_args(ModelKind.model_fields["kind"].annotation))


@pytest.mark.parametrize("intercept", [True, False])
def test_the_factor_measures_any_weights(intercept: bool) -> None:
    wanted, inputs = request(intercept=intercept), design(intercept)
    factor = kind_of(wanted).measuring_factor(wanted, statistic())
    weights = np.arange(1.0, wanted.parameters + 1)
    error = float(((inputs @ weights - ROWS[:, 2]) ** 2).mean())
    assert math.isclose(float(np.sum((factor @ np.append(weights, -1.0)) ** 2)), error, rel_tol=1e-9)


@pytest.mark.parametrize("intercept", [True, False])
def test_the_map_is_the_local_steps(intercept: bool) -> None:
    wanted, inputs = request(intercept=intercept, l2=0.25), design(intercept)
    matrix, offset = kind_of(wanted).training_map(wanted, statistic())
    start = np.arange(1.0, wanted.parameters + 1)
    weights = start
    for _ in range(3):
        gradient = inputs.T @ (inputs @ weights - ROWS[:, 2]) / len(ROWS) + 0.25 * weights
        weights = weights - 1e-5 * gradient
    np.testing.assert_allclose(matrix @ start + offset, weights, rtol=1e-9)


def test_the_stable_step_is_the_bound_of_the_check() -> None:
    rows = statistic()
    bound = kind_of(request()).stable_step(request(), rows)
    check_step_size(request(round(bound * 0.99, 9)), rows)
    with pytest.raises(StepSizeDiverges, match="must stay below"):
        check_step_size(request(round(bound * 1.01, 9)), rows)
    with pytest.raises(StepSizeDiverges):
        kind_of(request()).training_map(request(round(bound * 1.01, 9)), rows)


def test_rows_without_curvature_bound_no_step() -> None:
    builder = StatisticBuilder(("age", "bmi", "progression"))
    builder.add(np.zeros((30, 3)))
    wanted = request(step_size=1, intercept=False)
    assert kind_of(wanted).stable_step(wanted, builder.finish()) == math.inf


def test_a_missing_column_is_refused() -> None:
    with pytest.raises(MisuseError, match="no column 'bmi'"):
        kind_of(request()).measuring_factor(request(), statistic(("age", "height", "progression")))


@pytest.mark.parametrize(("intercept", "entries"), [(True, 9), (False, 6)])
def test_an_intercept_is_one_entry_that_is_known(intercept: bool, entries: int) -> None:
    wanted = request(intercept=intercept)
    assert kind_of(wanted).statistic_entries(wanted) == entries


def test_a_bought_model_predicts_by_its_kind() -> None:
    model = BoughtModel.of(any_request(), [2.0, -1.0, 0.5])
    predicted = KINDS[model.kind].predict(model, np.array([[1.0, 2.0], [0.0, 0.0]]))
    assert predicted.tolist() == [0.5, 0.5]
