"""Regressions of pooled rows that scikit-learn does not have, by Newton's method, to compare with."""

from typing import Self

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
_PASSES = 100


class DispersedCounts:
    """Negative binomial regression with a log link and the dispersion α, without a penalty."""

    coef_: Matrix
    intercept_: float

    def __init__(self, dispersion: float) -> None:
        self._alpha = dispersion

    def fit(self, features: Matrix, target: Matrix) -> Self:
        """Fisher scoring from the mean; features m×p, counts m."""
        rows = np.column_stack([features, np.ones(len(features))])
        weights = np.append(np.zeros(features.shape[1]), np.log(target.mean()))
        for _ in range(_PASSES):
            mean = np.exp(rows @ weights)
            score = rows.T @ ((target - mean) / (1 + self._alpha * mean))
            information = (rows.T * (mean / (1 + self._alpha * mean))) @ rows
            weights = weights + np.linalg.solve(information, score)
        self.coef_, self.intercept_ = weights[:-1], float(weights[-1])
        return self

    def predict(self, features: Matrix) -> Matrix:
        """The means of m rows."""
        return np.asarray(np.exp(features @ self.coef_ + self.intercept_))
