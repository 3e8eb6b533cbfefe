"""Linear regression as a kind: what it trains and measures with is that of the rows themselves."""

import math
from typing import get_args

import numpy as np
import pytest

from protocol.bought_model import BoughtModel
from protocol.errors import MisuseError
from protocol.learning.kinds.registry import KINDS, kind_of
from protocol.learning.statistic import Statistic, StatisticBuilder
from protocol.request import Request
from protocol.request_sections import ModelKind
from tests.support.deployment.documents import any_request

ROWS = np.random.default_rng(3).uniform((0, 10, 0), (100, 80, 400), size=(60, 3))


def statistic(columns: tuple[str, ...] = ("age", "bmi", "progression")) -> Statistic:
    builder = StatisticBuilder(columns)
    builder.add(ROWS)
    return builder.finish()


def request(step_size: float | str = 1e-5, *, scale: str = "none", **model: object) -> Request:
    return any_request(
        schedule={"rounds": 2, "local_steps": 3, "step_size": step_size},
        start={"start": "zero"},
        scale=scale,
        model={"l2": 0, **model},
    )


def in_scale(wanted: Request) -> np.ndarray:
    centers, halves = zip(*((float(center), float(half)) for center, half in wanted.scalings()), strict=True)
    return (ROWS - centers) / halves


def design(wanted: Request) -> np.ndarray:
    columns = in_scale(wanted)[:, :2]
    return np.column_stack([columns, np.ones(len(ROWS))]) if wanted.model.intercept else columns


def test_every_kind_that_a_request_may_name_is_known() -> None:
    assert set(KINDS) == set(get_args(ModelKind.model_fields["kind"].annotation))


@pytest.mark.parametrize("scale", ["none", "range"])
@pytest.mark.parametrize("intercept", [True, False])
def test_the_factor_measures_any_weights(intercept: bool, scale: str) -> None:
    wanted = request(scale=scale, intercept=intercept)
    factor = kind_of(wanted).measuring_factor(wanted, statistic())
    weights = np.arange(1.0, wanted.parameters + 1)
    error = float(((design(wanted) @ weights - in_scale(wanted)[:, 2]) ** 2).mean())
    assert math.isclose(float(np.sum((factor @ np.append(weights, -1.0)) ** 2)), error, rel_tol=1e-9)


@pytest.mark.parametrize("scale", ["none", "range"])
@pytest.mark.parametrize("intercept", [True, False])
def test_the_map_is_the_local_steps(intercept: bool, scale: str) -> None:
    wanted = request(scale=scale, intercept=intercept, l2=0.25)
    matrix, offset = kind_of(wanted).training_map(wanted, statistic())
    inputs, target = design(wanted), in_scale(wanted)[:, 2]
    start = np.arange(1.0, wanted.parameters + 1)
    weights = start
    for _ in range(3):
        gradient = inputs.T @ (inputs @ weights - target) / len(ROWS) + 0.25 * weights
        weights = weights - 1e-5 * gradient
    np.testing.assert_allclose(matrix @ start + offset, weights, rtol=1e-9)


@pytest.mark.parametrize(("place", "ridge"), [(0, "0.25"), (1, "0.125")])
def test_the_map_of_a_path_is_that_of_its_penalty(place: int, ridge: str) -> None:
    path, one = request(scale="range", l2=["0.25", "0.125"]), request(scale="range", l2=ridge)
    found = kind_of(path).training_map(path, statistic(), place)
    for part, expected in zip(found, kind_of(one).training_map(one, statistic()), strict=True):
        np.testing.assert_array_equal(part, expected)


def test_a_step_that_is_too_large_is_taken_at_its_safe_size() -> None:
    """Whether an owner takes part, and how, must not tell its largest step."""
    largest, _ = kind_of(request("auto")).training_map(request("auto"), statistic())
    for step_size in (1, 1000):
        taken, _ = kind_of(request(step_size)).training_map(request(step_size), statistic())
        np.testing.assert_array_equal(taken, largest)
    assert np.abs(np.linalg.eigvals(largest)).max() < 1


@pytest.mark.parametrize("step_size", [1, "auto"])
def test_rows_without_curvature_change_nothing(step_size: float | str) -> None:
    builder = StatisticBuilder(("age", "bmi", "progression"))
    builder.add(np.zeros((30, 3)))
    wanted = request(step_size, intercept=False)
    matrix, offset = kind_of(wanted).training_map(wanted, builder.finish())
    np.testing.assert_array_equal(matrix, np.eye(2))
    np.testing.assert_array_equal(offset, np.zeros(2))


def test_a_missing_column_is_refused() -> None:
    with pytest.raises(MisuseError, match="no column 'bmi'"):
        kind_of(request()).measuring_factor(request(), statistic(("age", "height", "progression")))


@pytest.mark.parametrize(("intercept", "entries"), [(True, 9), (False, 6)])
def test_an_intercept_is_one_entry_that_is_known(intercept: bool, entries: int) -> None:
    wanted = request(intercept=intercept)
    assert kind_of(wanted).statistic_entries(wanted) == entries


def test_a_bought_model_predicts_by_its_kind() -> None:
    model = BoughtModel.of(any_request(scale="none"), [2.0, -1.0, 0.5])
    predicted = KINDS[model.kind].predict(model, np.array([[1.0, 2.0], [0.0, 0.0]]))
    assert predicted.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("intercept", [True, False])
def test_a_model_of_scaled_columns_is_delivered_in_their_own_units(intercept: bool) -> None:
    wanted = request(scale="range", intercept=intercept)
    weights = np.arange(1.0, wanted.parameters + 1)
    target = wanted.scalings()[-1]
    model = BoughtModel.of(wanted, weights.tolist())
    predicted = KINDS[model.kind].predict(model, ROWS[:, :2])
    expected = float(target.center) + float(target.half) * (design(wanted) @ weights)
    np.testing.assert_allclose(predicted, expected, rtol=1e-12)
    assert [(column.minimum, column.maximum) for column in model.columns] == [(0, 120), (10.5, 80)]
