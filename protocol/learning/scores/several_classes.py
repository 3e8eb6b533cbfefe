"""How good predicted probabilities of several classes are."""

from dataclasses import dataclass, field

import numpy as np

from protocol.errors import MisuseError
from protocol.learning.scores.class_sums import ClassSums, no_counts
from protocol.learning.scores.interface import FigureTree
from protocol.learning.statistic import Matrix


@dataclass
class SeveralClassesScores(ClassSums):
    """Sums over batches; a row counts as the likeliest class, of equally likely ones as the first.

    `confusion` is K×K, in the order of `levels`.
    """

    levels: tuple[str, ...] = field(kw_only=True)

    def __post_init__(self) -> None:
        """Nothing is measured yet."""
        self.confusion = no_counts(len(self.levels))

    def add(self, truth: Matrix, predicted: Matrix) -> None:
        """Take b×K indicators of the classes that came, and their probabilities.

        Raises MisuseError for a row of no class or of several.
        """
        strange = np.flatnonzero((truth.sum(axis=1) != 1) | ~np.isin(truth, (0.0, 1.0)).all(axis=1))
        if len(strange):
            raise MisuseError(
                f"row {self.measured + int(strange[0]) + 1}: its class is none of {', '.join(self.levels)}; "
                "drop such rows"
            )
        came = truth.argmax(axis=1)
        probability = np.take_along_axis(predicted, came[:, None], axis=1)
        self.count(came, predicted.argmax(axis=1), probability, float(((truth - predicted) ** 2).sum()))

    def figures(self) -> dict[str, FigureTree]:
        """Accuracy, log-loss, Brier score; rows, precision, recall and what was predicted of each class."""
        classes: dict[str, FigureTree] = {}
        predicted = self.confusion.sum(axis=0)
        for place, (level, row) in enumerate(zip(self.levels, self.confusion, strict=True)):
            right, rows = int(row[place]), int(row.sum())
            classes[level] = {
                "rows": rows,
                "precision": right / int(predicted[place]) if predicted[place] else None,
                "recall": right / rows if rows else None,
                "predicted": dict(zip(self.levels, map(int, row), strict=True)),
            }
        return {
            "accuracy": self.accuracy,
            "log_loss": self.log_loss,
            "brier": self.brier,
            "classes": classes,
        }
