"""Fits of an owner's own rows, by scikit-learn's regressions of the same rows; and what is measured."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import GammaRegressor, LogisticRegression, PoissonRegressor

from protocol.errors import MisuseError
from protocol.learning.glm.families import Family
from protocol.learning.glm.fitting import Batches, fit
from protocol.learning.statistic import Fitted, Matrix, Statistic
from protocol.links import LINKS
from protocol.request import Request
from tests.support.generalized import request_of, rows_of, statistic_of
from tests.support.regressions import DispersedCounts

REFERENCES: dict[str, Any] = {
    "logistic_regression": LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000),
    "poisson_regression": PoissonRegressor(alpha=0, tol=1e-10, max_iter=1000),
    "gamma_regression": GammaRegressor(alpha=0, tol=1e-10, max_iter=1000),
    "negative_binomial_regression": DispersedCounts(0.5),
}


def batches_of(rows: Matrix, size: int = 150) -> Batches:
    columns = np.column_stack([rows[:, :2], np.ones(len(rows))])
    return lambda: [
        (columns[first : first + size], rows[first : first + size, 2]) for first in range(0, len(rows), size)
    ]


def optimum(fitted: Fitted, request: Request) -> Matrix:
    """Where the training quadratic is least, as weights of the predictor."""
    solution, *_ = np.linalg.lstsq(fitted.training[:, :-1], fitted.training[:, -1], rcond=None)
    return np.asarray(solution * float(request.scalings()[-1].half))


def measured(fitted: Fitted, request: Request, weights: Matrix) -> float:
    residual = fitted.measuring @ np.append(weights / float(request.scalings()[-1].half), -1.0)
    return float(residual @ residual) * float(request.error_unit)


def deviance(request: Request, rows: Matrix, weights: Matrix) -> float:
    return Family(request).deviance(rows[:, 2], rows[:, :2] @ weights[:2] + weights[2]) / len(rows)


@pytest.mark.parametrize("kind", LINKS)
def test_an_owner_s_quadratic_is_least_at_the_exact_optimum_of_its_rows(kind: str) -> None:
    request, rows = request_of(kind), rows_of(kind)
    reference = REFERENCES[kind].fit(rows[:, :2], rows[:, 2])
    expected = [*np.ravel(reference.coef_), float(np.ravel(reference.intercept_)[0])]
    assert optimum(fit(request, batches_of(rows)), request) == pytest.approx(expected, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("kind", LINKS)
def test_the_owners_quadratics_together_predict_as_well_as_one_fit_of_all_their_rows(kind: str) -> None:
    request, parts, fresh = request_of(kind), [rows_of(kind, 100, seed) for seed in range(5)], rows_of(kind)
    reference = REFERENCES[kind].fit(np.vstack(parts)[:, :2], np.vstack(parts)[:, 2])
    expected = np.append(np.ravel(reference.coef_), reference.intercept_)
    stacked = np.vstack([fit(request, batches_of(rows)).training for rows in parts])
    found = optimum(Fitted(training=stacked, measuring=stacked), request)
    assert deviance(request, fresh, found) < 1.002 * deviance(request, fresh, expected)


@pytest.mark.parametrize("kind", LINKS)
def test_the_measure_is_the_deviance_at_the_start_and_at_the_optimum(kind: str) -> None:
    request, rows = request_of(kind), rows_of(kind)
    fitted, half = fit(request, batches_of(rows)), float(request.scalings()[-1].half)
    start = np.array([float(weight) for weight in request.start_weights()]) * half
    for weights in (start, optimum(fitted, request)):
        assert measured(fitted, request, weights) == pytest.approx(deviance(request, rows, weights), rel=1e-6)


@pytest.mark.parametrize("kind", LINKS)
def test_batches_give_what_all_rows_at_once_give(kind: str) -> None:
    request, rows = request_of(kind), rows_of(kind, 90)
    one, many = (fit(request, batches_of(rows, size)) for size in (90, 7))
    for name in ("training", "measuring"):
        left, right = (getattr(fitted, name) for fitted in (one, many))
        np.testing.assert_allclose(left.T @ left, right.T @ right, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.parametrize("constant", [0.0, 1.0, 30.0])
def test_rows_without_an_optimum_give_numbers_within_the_bounds(kind: str, constant: float) -> None:
    """Rows that a line separates, or of one target, have none: numbers must fit their slots still."""
    request, rows = request_of(kind), rows_of(kind, 40)
    low, high = (float(end) for end in request.target.limits)
    rows[:, 2] = np.where(rows[:, 0] > 0, min(max(constant, low), high), low)
    fitted = fit(request, batches_of(rows))
    weights = np.array([2.0 ** (request.weight_bits - 1), 0.0, 0.0])
    for factor in (fitted.training, fitted.measuring):
        assert np.isfinite(factor).all()
        assert np.linalg.norm(factor[:, -1]) <= 2**request.residual_bits
        assert np.linalg.norm(factor @ np.append(weights, -1.0)) <= 2.0**request.residual_bits


@pytest.mark.parametrize(
    ("kind", "weight"),
    [
        ("logistic_regression", lambda t: 1 / (2 + np.exp(t) + np.exp(-t))),
        ("poisson_regression", np.exp),
        ("gamma_regression", np.ones_like),
    ],
)
def test_with_inference_it_has_the_fisher_information_at_the_optimum(kind: str, weight: Any) -> None:
    request, rows = request_of(kind, inference=True, owners={"minimum": 7, "maximum": 8}), rows_of(kind, 3000)
    found = fit(request, batches_of(rows))
    assert found.information is not None
    x = np.column_stack([rows[:, :2], np.ones(len(rows))])
    fisher = x.T @ (x * weight(x @ optimum(found, request))[:, None]) / len(rows)
    np.testing.assert_allclose(found.information.T @ found.information, fisher, rtol=1e-3)
    copy = Statistic.from_bytes(replace(statistic_of(rows), fitted=found).to_bytes())
    np.testing.assert_array_equal(copy.quadratics().information, found.information)
    assert fit(request_of(kind), batches_of(rows)).information is None


def test_a_fit_shows_nothing_of_its_rows() -> None:
    fitted = fit(request_of("gamma_regression"), batches_of(rows_of("gamma_regression")))
    assert repr(fitted) == "Fitted(parameters=3)"


def test_no_rows_have_no_fit() -> None:
    with pytest.raises(MisuseError, match="has no rows"):
        fit(request_of("gamma_regression"), list)
