"""Scores of counts and amounts, by scikit-learn's on all rows at once."""

from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import nbinom
from sklearn.metrics import d2_tweedie_score, mean_absolute_error, mean_tweedie_deviance

from protocol.errors import MisuseError
from protocol.learning.scores.deviance import DevianceScores
from tests.support.generalized import rows_of

POWER = {"poisson_regression": 1, "gamma_regression": 2}


@pytest.mark.parametrize("kind", POWER)
def test_batches_score_as_all_rows_at_once_do(kind: str) -> None:
    truth = rows_of(kind)[:, 2]
    predicted = np.exp(np.random.default_rng(2).normal(0.5, 0.3, len(truth)))
    scores = DevianceScores(kind)
    for part in np.array_split(np.arange(len(truth)), 7):
        scores.add(truth[part], predicted[part])
    figures = scores.figures()
    assert figures["deviance"] == pytest.approx(mean_tweedie_deviance(truth, predicted, power=POWER[kind]))
    explained = d2_tweedie_score(truth, predicted, power=POWER[kind])
    assert figures["deviance_explained"] == pytest.approx(explained)
    assert figures["rmse"] == pytest.approx(np.sqrt(np.mean((truth - predicted) ** 2)))
    assert figures["mae"] == pytest.approx(mean_absolute_error(truth, predicted))


def test_counts_with_a_dispersion_are_scored_by_their_probabilities() -> None:
    truth, alpha = rows_of("negative_binomial_regression")[:, 2], 0.5
    predicted = np.exp(np.random.default_rng(2).normal(0.5, 0.3, len(truth)))
    scores = DevianceScores("negative_binomial_regression", Decimal(str(alpha)))
    for part in np.array_split(np.arange(len(truth)), 7):
        scores.add(truth[part], predicted[part])

    def logarithm(mean: NDArray[np.float64]) -> float:
        return float(nbinom.logpmf(truth, 1 / alpha, 1 / (1 + alpha * mean)).mean())

    saturated = logarithm(np.maximum(truth, 1e-300))
    null, ours = (
        2 * (saturated - logarithm(mean)) for mean in (np.full(len(truth), truth.mean()), predicted)
    )
    assert scores.deviance == pytest.approx(ours)
    assert scores.explained == pytest.approx(1 - ours / null)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("poisson_regression", -1.0), ("gamma_regression", 0.0), ("negative_binomial_regression", -1.0)],
)
def test_a_target_that_the_family_does_not_have_is_named(kind: str, value: float) -> None:
    scores = DevianceScores(kind)
    scores.add(np.ones(2), np.ones(2))
    with pytest.raises(MisuseError, match=f"row 4: the target is {value:.6g}"):
        scores.add(np.array([1.0, value]), np.ones(2))


def test_before_the_first_row_nothing_is_known() -> None:
    assert set(DevianceScores("gamma_regression").figures().values()) == {None}


def test_of_one_target_alone_no_share_is_explained() -> None:
    scores = DevianceScores("poisson_regression")
    scores.add(np.full(5, 2.0), np.full(5, 3.0))
    assert scores.explained is None
