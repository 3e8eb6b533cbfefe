"""Scores of several classes, against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from protocol.errors import MisuseError
from protocol.learning.scores.several_classes import SeveralClassesScores

LEVELS = ("a", "b", "c")


def test_figures_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(1)
    predicted = generator.dirichlet(np.ones(3), 50)
    came = generator.integers(0, 3, 50)
    scores = SeveralClassesScores(levels=LEVELS)
    for part in (slice(0, 20), slice(20, 50)):
        scores.add(np.eye(3)[came[part]], predicted[part])
    guessed = predicted.argmax(axis=1)
    assert np.array_equal(scores.confusion, confusion_matrix(came, guessed))
    assert scores.accuracy == np.mean(came == guessed)
    assert scores.log_loss == pytest.approx(log_loss(came, predicted))
    assert scores.brier == pytest.approx(np.mean(((np.eye(3)[came] - predicted) ** 2).sum(axis=1)))
    precision, recall, _, _ = precision_recall_fscore_support(came, guessed)
    classes = scores.figures()["classes"]
    assert isinstance(classes, dict)
    for place, level in enumerate(LEVELS):
        found = classes[level]
        assert isinstance(found, dict)
        assert (found["precision"], found["recall"]) == pytest.approx((precision[place], recall[place]))
        assert found["predicted"] == dict(zip(LEVELS, scores.confusion[place].tolist(), strict=True))


def test_a_row_of_no_class_is_refused_by_its_number() -> None:
    scores = SeveralClassesScores(levels=LEVELS)
    scores.add(np.eye(3), np.full((3, 3), 1 / 3))
    with pytest.raises(MisuseError, match="row 5: its class is none of a, b, c"):
        scores.add(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), np.full((2, 3), 1 / 3))


def test_no_rows_have_no_scores() -> None:
    figures = SeveralClassesScores(levels=LEVELS).figures()
    assert (figures["accuracy"], figures["log_loss"], figures["brier"]) == (None, None, None)
