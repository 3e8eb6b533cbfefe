"""How good predicted probabilities of several classes are."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from protocol.errors import MisuseError
from protocol.learning.scores.interface import FigureTree, Scores
from protocol.learning.statistic import Matrix

_LEAST_PROBABILITY = 1e-12
"""Of the class that came: one certain error would make the mean logarithm infinite."""


@dataclass
class SeveralClassesScores(Scores):
    """Sums over batches; a row counts as the likeliest class, of equally likely ones as the first.

    `confusion[t, p]` counts rows of class t that were predicted as p, K×K in the order of `levels`.
    """

    levels: tuple[str, ...]
    measured: int = 0
    squares: float = 0.0
    logarithms: float = 0.0
    confusion: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))

    def __post_init__(self) -> None:
        """Nothing is measured yet."""
        self.confusion = np.zeros((len(self.levels), len(self.levels)), dtype=np.int64)

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
        self.squares += float(((truth - predicted) ** 2).sum())
        self.logarithms -= float(np.log(np.maximum(probability, _LEAST_PROBABILITY)).sum())
        np.add.at(self.confusion, (came, predicted.argmax(axis=1)), 1)
        self.measured += len(truth)

    @property
    def accuracy(self) -> float | None:
        """Share of rows whose class is the likeliest one."""
        return int(np.trace(self.confusion)) / self.measured if self.measured else None

    @property
    def brier(self) -> float | None:
        """Mean of a row's squared errors, all classes' together (Brier, 1950)."""
        return self.squares / self.measured if self.measured else None

    @property
    def log_loss(self) -> float | None:
        """Mean of −ln of the probability of the class that came."""
        return self.logarithms / self.measured if self.measured else None

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
