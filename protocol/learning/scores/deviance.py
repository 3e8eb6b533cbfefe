"""How far predicted means of counts or amounts are from the target, by the deviance of their family."""

from dataclasses import dataclass, field
from decimal import Decimal
from math import sqrt

import numpy as np

from protocol.errors import MisuseError
from protocol.learning.glm.families import curve_of
from protocol.learning.scores.interface import FigureTree, Scores
from protocol.learning.scores.regression import RegressionScores
from protocol.learning.statistic import Matrix


@dataclass
class DevianceScores(Scores):
    """Of the kind of model `kind`, with its `dispersion` if it has one, over batches in constant memory.

    `total` is the deviance, in no unit; `saturated` the sum of the part of it that is the target's alone,
    y·ln y of counts and −ln y of amounts, out of which that of the best constant follows; with a dispersion α
    y·ln y − (y + 1/α)·ln(1 + αy).
    """

    kind: str
    dispersion: Decimal | None = None
    measured: int = 0
    total: float = 0.0
    saturated: float = 0.0
    errors: RegressionScores = field(default_factory=RegressionScores)

    def add(self, truth: Matrix, predicted: Matrix) -> None:
        """Take b values of the target and their predicted means, above zero.

        Raises MisuseError, naming row and value, for a target below zero, and for an amount of zero.
        """
        least = 0.0 if self._counts else np.nextafter(0.0, 1.0)
        strange = np.flatnonzero(truth < least)
        if len(strange):
            row = int(strange[0])
            wanted = "counts of zero or more" if self._counts else "amounts above zero"
            raise MisuseError(
                f"row {self.measured + row + 1}: the target is {truth[row]:.6g}; {wanted} needed"
            )
        self.total += float(curve_of(self.kind, self.dispersion).deviance(truth, predicted).sum())
        self.saturated += float(self._saturated(truth).sum())
        self.errors.add(truth, predicted)
        self.measured += len(truth)

    @property
    def _counts(self) -> bool:
        return self.kind != "gamma_regression"

    def _saturated(self, truth: Matrix) -> Matrix:
        logarithms = np.log(np.where(truth > 0, truth, 1.0))
        if not self._counts:
            return -logarithms
        return truth * logarithms - self._surplus(truth)

    def _surplus(self, mean: Matrix) -> Matrix:
        """(y + 1/α)·ln(1 + αy) of counts with a dispersion, else 0."""
        if self.dispersion is None:
            return np.zeros_like(mean)
        alpha = float(self.dispersion)
        return np.asarray((mean + 1 / alpha) * np.log1p(alpha * mean))

    @property
    def deviance(self) -> float | None:
        """Mean deviance of a row; None before the first."""
        return self.total / self.measured if self.measured else None

    @property
    def explained(self) -> float | None:
        """Share of the deviance of the best constant, the mean, that is gone; None when there was none."""
        mean = self.errors.mean
        if not self.measured or mean <= 0:
            return None
        null = 2 * (self.saturated - self.measured * float(self._saturated(np.array([mean]))[0]))
        return 1 - self.total / null if null > 1e-12 * self.measured else None

    @property
    def rmse(self) -> float | None:
        """Root of the mean squared error, in the target's own units."""
        return None if self.errors.mse is None else sqrt(self.errors.mse)

    def figures(self) -> dict[str, FigureTree]:
        """Mean deviance, the share of it that is explained, RMSE and MAE."""
        return {
            "deviance": self.deviance,
            "deviance_explained": self.explained,
            "rmse": self.rmse,
            "mae": self.errors.mae,
        }
