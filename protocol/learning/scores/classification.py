"""How good predicted probabilities are for a target of 0 and 1."""

from dataclasses import dataclass, field

import numpy as np

from protocol.errors import MisuseError
from protocol.learning.scores.class_sums import ClassSums, Counts
from protocol.learning.scores.interface import FigureTree
from protocol.learning.statistic import Matrix

CALIBRATION_GROUPS = 10
"""Of probabilities: from 0 to .1, from .1 to .2 and so on."""

_FARTHEST = 40.0
_STEPS_PER_UNIT = 1024
_PLACES = 2 * int(_FARTHEST) * _STEPS_PER_UNIT + 1
"""Log-odds from −40 to 40 by 1024ths: a one and a zero at one place count as tied, half of a pair won."""


@dataclass(frozen=True, slots=True)
class CalibrationGroup:
    """The rows whose probability lies between two tenths; `predicted` and `share` are their means."""

    rows: int
    predicted: float | None
    share: float | None


@dataclass
class ClassificationScores(ClassSums):
    """Sums over batches; a row counts as 1 from a probability of ½ on.

    `groups` holds rows, probabilities and
    ones of each calibration group, 3×10; `ranked[t]` how many rows of truth t have their log-odds at a place.
    """

    groups: Matrix = field(repr=False, default_factory=lambda: np.zeros((3, CALIBRATION_GROUPS)))
    ranked: Counts = field(repr=False, default_factory=lambda: np.zeros((2, _PLACES), dtype=np.int64))

    def add(self, truth: Matrix, predicted: Matrix) -> None:
        """Take b targets, each 0 or 1, and their probabilities of 1; raises MisuseError for other targets."""
        _require_classes(truth, self.measured)
        ones = truth.astype(np.int64)
        came = np.where(ones == 1, predicted, 1 - predicted)
        self.count(ones, (predicted >= 0.5).astype(np.int64), came, float(((truth - predicted) ** 2).sum()))
        np.add.at(self.ranked, (ones, _places(predicted)), 1)
        group = np.minimum((predicted * CALIBRATION_GROUPS).astype(np.int64), CALIBRATION_GROUPS - 1)
        for sums, values in zip(self.groups, (np.ones(len(truth)), predicted, truth), strict=True):
            np.add.at(sums, group, values)

    @property
    def auc(self) -> float | None:
        """How often a one has a higher probability than a zero, ties half; None for one class alone."""
        zeros, ones = self.ranked
        pairs = int(zeros.sum()) * int(ones.sum())
        below = np.cumsum(zeros) - zeros
        won = int((ones * below).sum()) + int((ones * zeros).sum()) / 2
        return won / pairs if pairs else None

    def calibration(self) -> list[CalibrationGroup]:
        """The ten groups in order: of a calibrated model `predicted` and `share` are alike in each."""
        return [
            CalibrationGroup(int(rows), *((total / rows, ones / rows) if rows else (None, None)))
            for rows, total, ones in self.groups.T.tolist()
        ]

    def figures(self) -> dict[str, FigureTree]:
        """Accuracy, AUC, log-loss and Brier score; the confusion matrix and calibration by their parts."""
        return {
            "accuracy": self.accuracy,
            "auc": self.auc,
            "log_loss": self.log_loss,
            "brier": self.brier,
            "confusion": {
                "true_negative": int(self.confusion[0, 0]),
                "false_positive": int(self.confusion[0, 1]),
                "false_negative": int(self.confusion[1, 0]),
                "true_positive": int(self.confusion[1, 1]),
            },
            "calibration": [
                {"rows": one.rows, "predicted": one.predicted, "share": one.share}
                for one in self.calibration()
            ],
        }


def _require_classes(truth: Matrix, before: int) -> None:
    strange = np.flatnonzero(~np.isin(truth, (0.0, 1.0)))
    if len(strange):
        row = int(strange[0])
        raise MisuseError(
            f"row {before + row + 1}: the target is {truth[row]:.6g}; a classification has targets of 0 and "
            "1 alone: code the class to be predicted as 1 and all else as 0, or drop such rows"
        )


def _places(predicted: Matrix) -> Counts:
    """Where the log-odds of b probabilities stand among `_PLACES`, in their order."""
    with np.errstate(divide="ignore"):
        log_odds = np.log(predicted) - np.log1p(-predicted)
    bounded = np.clip(log_odds, -_FARTHEST, _FARTHEST)
    return np.asarray(np.rint((bounded + _FARTHEST) * _STEPS_PER_UNIT), dtype=np.int64)
