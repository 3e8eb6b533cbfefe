"""Scores of predicted numbers, against scikit-learn's own on the same rows."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score, root_mean_squared_error

from protocol.learning.scores.regression import RegressionScores


@pytest.mark.parametrize("batches", [1, 3, 400])
def test_figures_are_those_of_scikit_learn(batches: int) -> None:
    generator = np.random.default_rng(2)
    truth = generator.normal(1000, 3, 300)
    predicted = truth + generator.normal(0, 1, 300)
    scores = RegressionScores()
    for part in np.array_split(np.arange(300), batches):
        scores.add(truth[part], predicted[part])
    assert scores.figures() == {
        "mse": pytest.approx(mean_squared_error(truth, predicted)),
        "rmse": pytest.approx(root_mean_squared_error(truth, predicted)),
        "mae": pytest.approx(mean_absolute_error(truth, predicted)),
        "r2": pytest.approx(r2_score(truth, predicted)),
    }


def test_a_target_that_does_not_vary_has_no_r2() -> None:
    scores = RegressionScores()
    assert set(scores.figures().values()) == {None}
    scores.add(np.array([2.0, 2.0]), np.array([1.0, 3.0]))
    assert scores.figures() == {"mse": 1.0, "rmse": 1.0, "mae": 1.0, "r2": None}
