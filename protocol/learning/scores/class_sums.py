"""What probabilities of two classes and of several are judged by alike."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from protocol.learning.scores.interface import Scores
from protocol.learning.statistic import Matrix

Counts = NDArray[np.int64]

_LEAST_PROBABILITY = 1e-12
"""Of the class that came: one certain error would make the mean logarithm infinite."""


def no_counts(classes: int) -> Counts:
    """A confusion matrix of no rows."""
    return np.zeros((classes, classes), dtype=np.int64)


@dataclass
class ClassSums(Scores):
    """Sums over batches. `confusion[t, p]` counts rows of class t that were predicted as p."""

    measured: int = 0
    squares: float = 0.0
    logarithms: float = 0.0
    confusion: Counts = field(repr=False, default_factory=lambda: no_counts(2))

    def count(self, came: Counts, predicted: Counts, probability: Matrix, squares: float) -> None:
        """Take b rows: their classes, those predicted, the probabilities of those that came.

        `squares` is the sum of their squared errors.
        """
        self.squares += squares
        self.logarithms -= float(np.log(np.maximum(probability, _LEAST_PROBABILITY)).sum())
        np.add.at(self.confusion, (came, predicted), 1)
        self.measured += len(came)

    @property
    def accuracy(self) -> float | None:
        """Share of rows whose class is the likeliest one."""
        return int(np.trace(self.confusion)) / self.measured if self.measured else None

    @property
    def brier(self) -> float | None:
        """Mean of a row's squared errors; of several classes all classes' together (Brier, 1950)."""
        return self.squares / self.measured if self.measured else None

    @property
    def log_loss(self) -> float | None:
        """Mean of −ln of the probability of the class that came."""
        return self.logarithms / self.measured if self.measured else None
