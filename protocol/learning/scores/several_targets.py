"""How far predicted numbers are from several targets, each in its own units."""

from dataclasses import dataclass, field

from protocol.learning.scores.interface import FigureTree, Scores
from protocol.learning.scores.regression import RegressionScores
from protocol.learning.statistic import Matrix


@dataclass
class SeveralTargetsScores(Scores):
    """Those of a regression for each of the `names`, over batches in constant memory."""

    names: tuple[str, ...]
    measured: int = 0
    each: list[RegressionScores] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Nothing is measured yet."""
        self.each = [RegressionScores() for _ in self.names]

    def add(self, truth: Matrix, predicted: Matrix) -> None:
        """Take b×K values of the targets and their predictions, in the order of `names`."""
        for place, scores in enumerate(self.each):
            scores.add(truth[:, place], predicted[:, place])
        self.measured += len(truth)

    @property
    def mean_r2(self) -> float | None:
        """The mean of the targets' R²; None when one of them does not vary."""
        found = [one.r2 for one in self.each if one.r2 is not None]
        return sum(found) / len(found) if len(found) == len(self.each) else None

    def figures(self) -> dict[str, FigureTree]:
        """The mean R², and MSE, RMSE, MAE and R² of each target by its name."""
        each: dict[str, FigureTree] = {
            name: one.figures() for name, one in zip(self.names, self.each, strict=True)
        }
        return {"mean_r2": self.mean_r2, "targets": each}
