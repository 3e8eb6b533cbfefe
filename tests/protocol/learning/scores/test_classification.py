"""Scores of probabilities, against scikit-learn's own on the same rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    confusion_matrix,
    log_loss,
    roc_auc_score,
)

from protocol.errors import MisuseError
from protocol.learning.scores.classification import ClassificationScores


def drawn(count: int = 3000, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Targets of 0 and 1, and probabilities that tell something about them."""
    generator = np.random.default_rng(seed)
    predicted = 1 / (1 + np.exp(-generator.normal(0, 2, count)))
    return (generator.random(count) < predicted**1.5).astype(float), predicted


def scored(truth: np.ndarray, predicted: np.ndarray, batches: int = 1) -> ClassificationScores:
    scores = ClassificationScores()
    for part in np.array_split(np.arange(len(truth)), batches):
        scores.add(truth[part], predicted[part])
    return scores


@pytest.mark.parametrize("batches", [1, 7, 5000])
def test_figures_are_those_of_scikit_learn(batches: int) -> None:
    truth, predicted = drawn()
    scores = scored(truth, predicted, batches)
    assert scores.accuracy == accuracy_score(truth, predicted >= 0.5)
    assert scores.auc == pytest.approx(roc_auc_score(truth, predicted), abs=2e-4)
    assert scores.log_loss == pytest.approx(log_loss(truth, predicted), rel=1e-12)
    assert scores.brier == pytest.approx(brier_score_loss(truth, predicted), rel=1e-12)
    np.testing.assert_array_equal(scores.confusion, confusion_matrix(truth, predicted >= 0.5))
    share, mean = calibration_curve(truth, predicted, n_bins=10)
    groups = [group for group in scores.calibration() if group.rows]
    np.testing.assert_allclose([group.share for group in groups], share)
    np.testing.assert_allclose([group.predicted for group in groups], mean)
    assert sum(group.rows for group in groups) == scores.measured == len(truth)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=1, max_size=40))
def test_ties_count_half_in_the_auc(rows: list[tuple[bool, int]]) -> None:
    truth = np.array([float(one) for one, _ in rows])
    predicted = np.array([place / 8 for _, place in rows])
    found = scored(truth, predicted).auc
    if len(set(truth)) < 2:
        assert found is None
    else:
        assert found == pytest.approx(roc_auc_score(truth, predicted), rel=1e-12)


def test_certain_predictions_have_finite_scores() -> None:
    scores = scored(np.array([1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0]))
    assert scores.log_loss == pytest.approx(-np.log(1e-12) / 3)
    assert scores.auc == 0.75
    assert scores.confusion.tolist() == [[1, 0], [1, 1]]


def test_no_rows_have_no_scores() -> None:
    figures = ClassificationScores().figures()
    assert [figures[name] for name in ("accuracy", "auc", "log_loss", "brier")] == [None] * 4


@pytest.mark.parametrize("strange", [2.0, -1.0, 0.5, float("nan")])
def test_a_target_of_another_value_is_named_by_its_row_with_the_remedy(strange: float) -> None:
    scores = scored(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    with pytest.raises(MisuseError, match=f"row 4: the target is {strange:.6g}; .* code the class"):
        scores.add(np.array([1.0, strange]), np.array([0.5, 0.5]))
    assert scores.measured == 2
