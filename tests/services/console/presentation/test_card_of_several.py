"""A card of several targets, and of several classes: what is predicted, and the scores of each."""

from typing import Any

import numpy as np
import pytest

from protocol.learning.scores.interface import Scores
from protocol.learning.scores.several_classes import SeveralClassesScores
from protocol.learning.scores.several_targets import SeveralTargetsScores
from services.console.presentation.model_card import as_markdown
from services.data.own_scores import OwnScores
from services.records.model_card import ModelCard, model_card
from services.store import Store
from tests.support.console.trainings import finished_training
from tests.support.several import CLASSES, LEVELS, TARGETS, document_of

TRUTH = np.random.default_rng(1).normal(size=(40, 2))
TOLD_TARGETS = (
    "Predicts rent, price from 2 columns",
    "the means that the buyer declared, 12, 2400",
    "mean over all targets",
    "Scores of each target",
    "| price |",
)
TOLD_CLASSES = (
    "Predicts grower from 2 columns",
    "Classification of several classes by least squares",
    "mean of the classes' Brier scores",
    "Predicted classes, by column",
    "| Class that came | Rossi | Bianchi | Verdi | Precision | Recall |",
    "| Rossi | 10 | 0 | 0 | 100 % | 100 % |",
)


def card_of(content: dict[str, Any], scores: Scores) -> ModelCard:
    store = Store()
    made = model_card(store, store.instance(finished_training(store, **document_of(content, scale="range"))))
    own = OwnScores(at=1.0, rows=40, figures=dict(scores.figures()))
    return made.model_copy(update={"own_scores": own.published()})


def of_targets() -> Scores:
    scores = SeveralTargetsScores(("rent", "price"))
    scores.add(TRUTH, 0.5 * TRUTH)
    return scores


def of_classes() -> Scores:
    scores = SeveralClassesScores(levels=LEVELS)
    scores.add(np.eye(3)[[0] * 10 + [1] * 20 + [2] * 10], np.eye(3)[[0] * 10 + [1] * 20 + [2] * 10])
    return scores


@pytest.mark.parametrize(
    ("content", "scores", "told"),
    [(TARGETS, of_targets, TOLD_TARGETS), (CLASSES, of_classes, TOLD_CLASSES)],
    ids=["targets", "classes"],
)
def test_the_card_tells_of_each(content: dict[str, Any], scores: Any, told: tuple[str, ...]) -> None:
    card = card_of(content, scores())
    text = as_markdown(card).replace("\\", "").replace("\u00a0", " ")
    for part in told:
        assert part in text, part
