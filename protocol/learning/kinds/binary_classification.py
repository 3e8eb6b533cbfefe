"""The probability of a target in {0, 1}, out of least squares: Fisher's discriminant, trained encrypted.

Least squares of a 0/1 target has the direction of linear discriminant analysis, so the round, its error (the
Brier score, exactly) and the pay are those of a regression. The delivered weights are rescaled to log-odds
(Fisher 1936; Haggstrom 1983, "Logistic regression and discriminant analysis by ordinary least squares"): with
w and c the trained weights and intercept, s their mean squared error and π the share of ones,

    log-odds = x·w/s + (c − ½)/s + ln(π/(1 − π)) + ½·(1/π − 1/(1 − π)).

Both s and π are read from errors that the chain has published: nothing more is opened for them.
"""

from math import log

import numpy as np

from protocol.bought_model import BoughtModel
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.least_squares import LeastSquares
from protocol.learning.scores.classification import ClassificationScores
from protocol.learning.statistic import Matrix
from protocol.request import Request

_LEAST_ERROR = 2.0**-20
"""Of s: below it published errors are noise (`metric` adds up to 2⁻²⁴), and weights over it would be too."""

_LEAST_SHARE = 2.0**-20
"""Of ones or of zeros: a share of none at all has no log-odds."""

_FLATTEST = 2.0**-10
"""Of |1 − 2v|: closer to ½ the first model's error tells the share too coarsely."""

_LARGEST_LOG_ODDS = 700.0
"""e to this is still a double."""


class BinaryClassification(LeastSquares):
    """Delivers log-odds, predicts the probability of 1; paid by the Brier score of the trained weights."""

    def bought(self, request: Request, weights: list[float], errors: PublishedErrors) -> BoughtModel:
        """The weights of the log-odds in the columns' own units."""
        trained = BoughtModel.of(request, weights)
        error = max(errors.delivered, _LEAST_ERROR)
        share = share_of_ones(float(getattr(request.start, "value", 0.5)), errors.start)
        intercept = (trained.intercept or 0.0) - 0.5
        shift = log(share / (1 - share)) + (1 / share - 1 / (1 - share)) / 2
        log_odds = {
            "kind": "binary_classification",
            "weights": tuple(weight / error for weight in trained.weights),
            "intercept": intercept / error + shift,
        }
        return trained.model_copy(update=log_odds)

    def expected(self, predictor: Matrix) -> Matrix:
        """1/(1 + e^−t) of m log-odds t."""
        bounded = np.clip(predictor, -_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS)
        return np.asarray(1.0 / (1.0 + np.exp(-bounded)))

    def scores(self, model: BoughtModel) -> ClassificationScores:  # noqa: ARG002
        """Accuracy, AUC, log-loss, Brier score, confusion matrix and calibration."""
        return ClassificationScores()


def share_of_ones(first: float, error: float) -> float:
    """π, of the validators' rows, out of the mean squared error of the constant `first` on them.

    That error is π(1 − v)² + (1 − π)v², which tells π unless v is ½, where every row has the same error:
    there the buyer's own word for the share stands.
    """
    slope = 1 - 2 * first
    share = (error - first**2) / slope if abs(slope) >= _FLATTEST else first
    return min(max(share, _LEAST_SHARE), 1 - _LEAST_SHARE)
