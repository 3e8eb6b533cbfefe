"""Deviances and weights of families, by scikit-learn's and by their definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom
from sklearn.metrics import log_loss, mean_gamma_deviance, mean_poisson_deviance

from protocol.learning.glm.families import CURVES, Family, curve_of
from protocol.learning.statistic import Matrix
from protocol.links import LINKS
from tests.support.generalized import request_of, rows_of

REFERENCES = {
    "logistic_regression": lambda truth, mean: 2 * log_loss(truth, mean),
    "poisson_regression": mean_poisson_deviance,
    "gamma_regression": mean_gamma_deviance,
    "negative_binomial_regression": lambda truth, mean: by_probabilities(truth, mean, 1.0),
}
VARIANCES = {
    "logistic_regression": lambda mean: mean * (1 - mean),
    "poisson_regression": lambda mean: mean,
    "gamma_regression": lambda mean: mean**2,
    "negative_binomial_regression": lambda mean: mean + 0.5 * mean**2,
}


def by_probabilities(truth: Matrix, mean: Matrix, alpha: float) -> float:
    """Twice the mean log-likelihood that a model with each count as its mean has more, by its definition."""

    def logarithm(at: Matrix) -> Matrix:
        return np.asarray(nbinom.logpmf(truth, 1 / alpha, 1 / (1 + alpha * np.maximum(at, 1e-300))))

    return float(2 * np.mean(logarithm(truth) - logarithm(mean)))


def test_every_link_has_a_curve() -> None:
    assert set(CURVES) == set(LINKS)


@pytest.mark.parametrize("kind", CURVES)
def test_the_deviance_is_that_of_scikit_learn(kind: str) -> None:
    truth = rows_of(kind)[:, 2]
    predictor = np.random.default_rng(3).normal(0, 0.5, len(truth))
    mean = CURVES[kind].mean(predictor)
    assert CURVES[kind].deviance(truth, mean).mean() == pytest.approx(REFERENCES[kind](truth, mean))


@pytest.mark.parametrize("kind", CURVES)
def test_newton_s_weights_and_responses_are_those_of_fisher_scoring(kind: str) -> None:
    """W = (dμ/dt)²/V and z = t + (y − μ)·dt/dμ, with the derivative by differences."""
    truth, predictor = rows_of(kind, 50)[:, 2], np.linspace(-1.0, 1.0, 50)
    curve, step = curve_of(kind, request_of(kind).model.dispersion), 1e-6
    slope = (curve.mean(predictor + step) - curve.mean(predictor - step)) / (2 * step)
    mean = curve.mean(predictor)
    root, response = Family(request_of(kind)).newton(truth, predictor)
    np.testing.assert_allclose(root, slope / np.sqrt(VARIANCES[kind](mean)), rtol=1e-8)
    np.testing.assert_allclose(response / root, predictor + (truth - mean) / slope, atol=1e-7)


@pytest.mark.parametrize("kind", ["poisson_regression", "gamma_regression", "negative_binomial_regression"])
def test_counts_and_amounts_are_kept_by_the_same_weights(kind: str) -> None:
    family, rows, predictor = Family(request_of(kind)), rows_of(kind, 50), np.linspace(-1.0, 1.0, 50)
    for found, expected in zip(
        family.weighted(rows[:, 2], predictor), family.newton(rows[:, 2], predictor), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@given(at=st.floats(-13, 13), elsewhere=st.floats(-13, 13), truth=st.sampled_from([0.0, 1.0]))
def test_the_square_of_a_logistic_row_touches_its_deviance_and_is_nowhere_below(
    at: float, elsewhere: float, truth: float
) -> None:
    """A square that fell below it would pay for models that predict worse."""
    family, targets = Family(request_of("logistic_regression")), np.array([truth])
    root, response = (part[0] for part in family.weighted(targets, np.array([at])))
    first, second = (family.deviance(targets, np.array([where])) for where in (at, elsewhere))
    bound = first + (root * elsewhere - response) ** 2 - (root * at - response) ** 2
    assert bound >= second - 1e-9
    assert (root * at - response) * root == pytest.approx(1 / (1 + np.exp(-at)) - truth, abs=1e-9)


@pytest.mark.parametrize("kind", CURVES)
def test_no_predictor_overflows(kind: str) -> None:
    assert np.isfinite(CURVES[kind].mean(np.array([-1e9, 0.0, 1e9]))).all()
