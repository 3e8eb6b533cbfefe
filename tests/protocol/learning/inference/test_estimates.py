"""Standard errors against those of pooled rows, and intervals against the weights that drew the rows."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from protocol.bought_model import BoughtModel
from protocol.errors import MisuseError
from protocol.learning.inference.estimates import (
    Inference,
    Validation,
    coefficients,
    infer,
    own_units,
    validation_rows,
)
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.statistic import Matrix
from protocol.request import Request
from tests.support.deployment.documents import any_request
from tests.support.generalized import WEIGHTS, document_of, rows_of
from tests.support.hazards import hazard_request, hazard_rows, stratified_optimum, stratified_score
from tests.support.inferred import CONVERGING, design, inferred

OWNERS = {"minimum": 7, "maximum": 8}
ASKED = {"inference": True, "owners": OWNERS, "schedule": CONVERGING}
SIGMA = 0.3
ROWS = (60, 80, 40, 60, 120)
NOTHING = Validation(PublishedErrors(1.0, 1.0), 10.0)


def linear() -> Request:
    columns = [{"name": name, "minimum": -1, "maximum": 1} for name in "ab"]
    target = {"name": "y", "minimum": -4, "maximum": 5}
    return any_request(features=columns, target=target, start={"start": "zero"}, **ASKED)


def linear_rows(count: int, seed: int) -> Matrix:
    generator = np.random.default_rng(seed)
    features = generator.uniform(-1, 1, (count, 2))
    noise = generator.normal(0, SIGMA, count)
    return np.column_stack([features, features @ WEIGHTS[:2] + WEIGHTS[2] + noise])


def linked(kind: str) -> Request:
    return any_request(**document_of(kind, **ASKED))


def drawn(make: Callable[[int, int], Matrix], rows: Sequence[int], seed: int) -> list[Matrix]:
    return [make(count, 1000 * seed + place) for place, count in enumerate(rows)]


def test_owners_with_as_many_rows_have_the_standard_errors_of_pooled_least_squares() -> None:
    request, rows = linear(), drawn(linear_rows, [300] * 7, 1)
    found, table = inferred(request, rows[:5], rows[5:])
    pooled = np.vstack(rows[:5])
    x, y = design(pooled), pooled[:, 2]
    weights, (squares,), *_ = np.linalg.lstsq(x, y, rcond=None)
    errors = np.sqrt(np.diag(np.linalg.inv(x.T @ x)) * squares / (len(y) - 3))
    assert (found.missing, found.trainers, found.rows, found.degrees) == (None, 5, 1500, 600)
    assert [one.name for one in table] == ["a", "b", "intercept"]
    assert found.standard_errors == pytest.approx(errors, rel=0.1)  # σ² is of other rows
    assert found.standard_errors / errors == pytest.approx(np.sqrt(found.dispersion * (1500 - 3) / squares))
    assert [one.weight for one in table] == pytest.approx(weights, abs=0.3 * errors.min())


FISHER: dict[str, Callable[[Matrix], Matrix]] = {
    "logistic_regression": lambda t: np.asarray(1 / (2 + np.exp(t) + np.exp(-t))),
    "poisson_regression": lambda t: np.asarray(np.exp(t)),
    "gamma_regression": np.ones_like,
    "negative_binomial_regression": lambda t: np.asarray(np.exp(t) / (1 + np.exp(t) / 2)),
}


@pytest.mark.parametrize("kind", FISHER)
def test_those_of_generalized_models_are_the_fisher_informations_at_the_weights(kind: str) -> None:
    request, rows = linked(kind), drawn(lambda count, seed: rows_of(kind, count, seed), [400] * 7, 2)
    found, table = inferred(request, rows[:5], rows[5:])
    x = design(np.vstack(rows[:5]))
    weight = FISHER[kind](x @ [one.weight for one in table])
    covariance = np.linalg.inv(x.T @ (x * weight[:, None]))
    phi = 0.5 if kind == "gamma_regression" else 1.0  # drawn with shape 2
    assert found.dispersion == pytest.approx(phi, rel=0.1)
    assert found.standard_errors == pytest.approx(np.sqrt(np.diag(covariance) * found.dispersion), rel=0.03)
    assert (found.degrees is None) == (kind != "gamma_regression")


def test_those_of_hazards_are_of_the_partial_likelihood_that_is_stratified_by_owner() -> None:
    request, rows = hazard_request(**ASKED), drawn(hazard_rows, [400] * 7, 2)
    found, table = inferred(request, rows[:5], rows[5:])
    slopes = stratified_optimum(rows[:5])
    errors = np.sqrt(np.diag(np.linalg.inv(stratified_score(rows[:5], slopes)[1])))
    assert (found.missing, found.names, found.degrees, found.dispersion) == (None, ("a", "b"), None, 1.0)
    assert found.standard_errors == pytest.approx(errors, rel=0.02)
    assert [one.weight for one in table] == pytest.approx(slopes, abs=0.3 * errors.min())


def test_a_row_weighs_no_more_than_the_requests_own_dispersion_has_it() -> None:
    """W stays below 1/α: with α = .01 it may be far above that of α = 1."""
    request = any_request(
        **{**document_of("negative_binomial_regression", **ASKED), "model": dispersed("0.01")}
    )
    information = np.diag([400.0, 400.0, 500 * 20.0])
    assert infer(request, information, [100] * 5, NOTHING).missing is None
    of_more = request.model_copy(
        update={"model": request.model.model_copy(update={"dispersion": Decimal(1)})}
    )
    assert infer(of_more, information, [100] * 5, NOTHING).missing == "implausible_sum"


def dispersed(dispersion: str) -> dict[str, Any]:
    return {"kind": "negative_binomial_regression", "l2": 0, "dispersion": dispersion}


def coverage(request: Request, make: Callable[[int, int], Matrix], rows: Sequence[int], sets: int) -> float:
    """The share of 95 % intervals, over all weights of so many data sets, that hold the true one."""
    held = [
        one.low <= true <= one.high
        for seed in range(sets)
        for own in [drawn(make, rows, seed)]
        for one, true in zip(
            inferred(request, own[:-2], own[-2:]).table, WEIGHTS[: request.estimated], strict=True
        )
    ]
    return sum(held) / len(held)


def test_intervals_hold_the_true_weights_as_often_as_they_say_also_of_owners_of_all_sizes() -> None:
    assert 0.91 <= coverage(linear(), linear_rows, (*ROWS, 100, 100), sets=200) <= 0.98


@pytest.mark.parametrize("kind", ["negative_binomial_regression", "cox_regression"])
def test_so_do_those_of_counts_that_vary_more_and_of_hazards(kind: str) -> None:
    request, make = (
        (hazard_request(**ASKED), hazard_rows)
        if kind == "cox_regression"
        else (linked(kind), lambda count, seed: rows_of(kind, count, seed))
    )
    assert 0.91 <= coverage(request, make, (*ROWS, 100, 100), sets=200) <= 0.98


def test_the_mean_of_owners_of_different_sizes_is_less_sure_than_pooled_rows() -> None:
    information = np.eye(3) * 100.0
    alike, unlike = (
        infer(linear(), information, rows, NOTHING) for rows in ([100] * 5, [20, 20, 20, 20, 420])
    )
    ratio = np.array(unlike.standard_errors) / np.array(alike.standard_errors)
    counting = 25 / (4 / 20 + 1 / 420)
    correction = (1 + 3 / 500) / (1 + 3 / counting)  # of the published error
    assert ratio == pytest.approx(np.sqrt(500 / counting * correction))


def test_units_are_the_columns_own() -> None:
    """A column's range ten times as wide makes weight and standard error a tenth."""
    wide = any_request(
        features=[{"name": "a", "minimum": -10, "maximum": 10}, {"name": "b", "minimum": -1, "maximum": 1}],
        target={"name": "y", "minimum": -4, "maximum": 5},
        start={"start": "zero"},
        **ASKED,
    )
    narrow = own_units(linear())
    assert own_units(wide) == pytest.approx(np.diag([0.1, 1.0, 1.0]) @ narrow)
    shifted = linear().model_copy(
        update={"features": any_request().features}  # a column around 60: the intercept takes the shift
    )
    assert own_units(shifted)[2] == pytest.approx([-4.5, -4.5 * 45.25 / 34.75, 4.5])


@pytest.mark.parametrize(
    ("information", "missing"),
    [
        (np.diag([500.0, 500.0, 500.1]), "implausible_sum"),
        (np.diag([-1.0, 20.0, 500.0]), "implausible_sum"),
        (np.diag([400.0, 400.0, 500.0]) + 450 * (np.eye(3)[[1, 0, 2]] * [1, 1, 0]), "implausible_sum"),
        (np.diag([0.0, 400.0, 500.0]), "singular"),
        (np.diag([2.0**120, 400.0, 500.0]), "implausible_sum"),
    ],
)
def test_what_cannot_be_of_such_rows_has_no_standard_errors(information: Matrix, missing: str) -> None:
    found = infer(linear(), information, [100] * 5, NOTHING)
    assert found == Inference(missing=missing, trainers=5, rows=500)  # type: ignore[arg-type]


def test_rows_behind_a_weighted_error_are_as_many_as_vary_alike() -> None:
    assert validation_rows([100, 40], [100, 40]) == 140
    assert validation_rows([1000, 40], [160, 40]) == pytest.approx(200**2 / (160**2 / 1000 + 40))


def test_a_table_is_of_its_own_model_alone() -> None:
    found, table = inferred(linear(), drawn(linear_rows, [30] * 5, 3), drawn(linear_rows, [30] * 2, 4))
    line = table[0]
    assert line.statistic == line.weight / line.standard_error
    assert line.p_value < 1e-6
    other = BoughtModel.of(any_request(), [0.0] * 3).model_copy(update={"intercept": None})
    with pytest.raises(MisuseError, match="3 standard errors and 2 weights"):
        coefficients(other, found)
