"""Scores of several targets: those of each by itself."""

import numpy as np
import pytest

from protocol.learning.scores.regression import RegressionScores
from protocol.learning.scores.several_targets import SeveralTargetsScores


def test_each_target_is_scored_by_itself() -> None:
    generator = np.random.default_rng(1)
    truth, predicted = generator.normal(size=(2, 30, 2))
    scores, alone = SeveralTargetsScores(("a", "b")), RegressionScores()
    for part in (slice(0, 11), slice(11, 30)):
        scores.add(truth[part], predicted[part])
    alone.add(truth[:, 1], predicted[:, 1])
    figures = scores.figures()["targets"]
    assert isinstance(figures, dict)
    assert figures["b"] == pytest.approx(alone.figures())
    assert (scores.measured, list(figures)) == (30, ["a", "b"])


def test_a_target_that_does_not_vary_leaves_no_mean() -> None:
    scores = SeveralTargetsScores(("a", "b"))
    scores.add(np.array([[1.0, 2.0], [1.0, 3.0]]), np.zeros((2, 2)))
    assert scores.mean_r2 is None
    assert SeveralTargetsScores(("a",)).mean_r2 is None
