"""One of several classes, out of least squares of 0 and 1 for each: one against the rest, in one training.

Every class has weights as in `binary_classification`, whose log-odds follow in the same way from w and c, its
mean squared error s and its share π (Fisher 1936; Haggstrom 1983):

    log-odds = x·w/s + (c − ½)/s + ln(π/(1 − π)) + ½·(1/π − 1/(1 − π)).

What is published is the mean of all classes' errors alone, which tells neither of one class: π is the share
that the request starts from, and s the same part of π(1 − π) for every class, with the published mean.
"""

from math import log

import numpy as np

from protocol.bought_model import BoughtModel
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.several_targets import SeveralTargets
from protocol.learning.scores.interface import Scores
from protocol.learning.scores.several_classes import SeveralClassesScores
from protocol.learning.statistic import Matrix
from protocol.request import Request
from protocol.request_sections import StartMeans

_LEAST_ERROR = 2.0**-20
"""Of s: below it published errors are noise."""

_LEAST_SHARE = 2.0**-20
"""Of a class: a share of none at all has no log-odds."""

_LARGEST_LOG_ODDS = 700.0
"""e to this is still a double."""


class SeveralClasses(SeveralTargets):
    """Delivers log-odds of each class; predicts probabilities, which make 1 in each row.

    `several_targets` trains and measures it: what is paid for is the mean of the classes' squared errors.
    """

    def bought(self, request: Request, weights: list[float], errors: PublishedErrors) -> BoughtModel:
        """The weights of each class's log-odds in the columns' own units."""
        trained = BoughtModel.of(request, weights)
        shares = _shares(request)
        spreads = [share * (1 - share) for share in shares]
        part = errors.delivered / (sum(spreads) / len(spreads))
        outputs = []
        for one, share, spread in zip(trained.outputs, shares, spreads, strict=True):
            error = max(part * spread, _LEAST_ERROR)
            shift = log(share / (1 - share)) + (1 / share - 1 / (1 - share)) / 2
            log_odds = {
                "weights": tuple(weight / error for weight in one.weights),
                "intercept": ((one.intercept or 0.0) - 0.5) / error + shift,
            }
            outputs.append(one.model_copy(update=log_odds))
        return trained.model_copy(update={"outputs": tuple(outputs)})

    def expected(self, predictor: Matrix) -> Matrix:
        """1/(1 + e^−t) of m×K log-odds t, each row divided by its sum."""
        bounded = np.clip(predictor, -_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS)
        logarithms = -np.logaddexp(0.0, -bounded)
        apart = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
        return np.asarray(apart / apart.sum(axis=1, keepdims=True))

    def scores(self, model: BoughtModel) -> Scores:
        """Accuracy, log-loss, Brier score, the confusion matrix, precision and recall of each class."""
        return SeveralClassesScores(levels=tuple(one.target_level or "" for one in model.outputs))


def _shares(request: Request) -> list[float]:
    """The buyer's own word for them, as many as there are classes."""
    declared = request.start.values if isinstance(request.start, StartMeans) else ()
    return [min(max(float(share), _LEAST_SHARE), 1 - _LEAST_SHARE) for share in declared]
