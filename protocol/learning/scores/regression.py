"""How far predicted numbers are from the target."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from protocol.learning.scores.interface import FigureTree, Scores
from protocol.learning.statistic import Matrix


@dataclass
class RegressionScores(Scores):
    """Squared and absolute errors, and the target's variance, over batches.

    The variance by Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample
    variances", 1979. `squares`, `spread` and `distance` are sums, in the target's units (squared).
    """

    measured: int = 0
    squares: float = 0.0
    distance: float = 0.0
    mean: float = 0.0
    spread: float = 0.0

    def add(self, truth: Matrix, predicted: Matrix) -> None:
        """Take b values of the target and their predictions."""
        size = len(truth)
        if not size:
            return
        errors = truth - predicted
        self.squares += float((errors**2).sum())
        self.distance += float(np.abs(errors).sum())
        mean = float(truth.mean())
        shift, total = mean - self.mean, self.measured + size
        self.spread += float(((truth - mean) ** 2).sum()) + shift**2 * self.measured * size / total
        self.mean += shift * size / total
        self.measured = total

    @property
    def mse(self) -> float | None:
        """Mean squared error; None before the first row."""
        return self.squares / self.measured if self.measured else None

    @property
    def rmse(self) -> float | None:
        """Its root, in the target's own units."""
        return None if self.mse is None else sqrt(self.mse)

    @property
    def mae(self) -> float | None:
        """Mean absolute error, in the target's own units."""
        return self.distance / self.measured if self.measured else None

    @property
    def r2(self) -> float | None:
        """Share of the variance that is explained; None when the target does not vary."""
        return 1 - self.squares / self.spread if self.spread else None

    def figures(self) -> dict[str, FigureTree]:
        """MSE, RMSE, MAE and R²."""
        return {"mse": self.mse, "rmse": self.rmse, "mae": self.mae, "r2": self.r2}
