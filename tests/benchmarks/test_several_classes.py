"""One-vs-rest: what is compared, and by which figures."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from tests.benchmarks.several_classes import digits_of_ten, scores_of


def test_scores_are_those_of_the_probabilities_divided_by_their_sum() -> None:
    generator = np.random.default_rng(2)
    truth, apart = generator.integers(0, 3, 60), generator.uniform(0.01, 1, (60, 3))
    accuracy, auc, loss = scores_of(truth, apart)
    shares = apart / apart.sum(axis=1, keepdims=True)
    assert accuracy == accuracy_score(truth, shares.argmax(axis=1))
    assert loss == pytest.approx(log_loss(truth, shares))
    assert 0.2 < auc < 0.8


def test_there_are_ten_digits_of_places_that_vary() -> None:
    digits = digits_of_ten()
    assert digits.count == 10
    assert (np.ptp(digits.rows, axis=0) > 0).all()
    assert len(digits.names) == digits.rows.shape[1]
