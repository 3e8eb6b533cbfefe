"""Least squares of several targets in one training: weights of each between the same features.

Each target is trained as by itself, in halves of its own declared range, and all of them with one step size.
What is paid for is the mean of their errors: so in declared ranges every target weighs the same, and who
declares one wider lets it weigh less.
"""

import numpy as np

from protocol.bought_model import BoughtModel
from protocol.learning.descent import affine_maps, step_size_of
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.least_squares import LeastSquares
from protocol.learning.scores.interface import Scores
from protocol.learning.scores.several_targets import SeveralTargetsScores
from protocol.learning.several import expanded, of_target
from protocol.learning.statistic import Matrix, Statistic, scaled, select
from protocol.request import Request


class SeveralTargets(LeastSquares):
    """K targets of p parameters each: K·p weights, whose map and whose quadratic are K blocks."""

    def training_factor(self, request: Request, statistic: Statistic) -> Matrix:
        """R/√m, (Kp+1)×(Kp+1), of the sum of all targets' errors: each descends as by itself.

        Raises MisuseError as `measuring_factor`.
        """
        return float(np.sqrt(len(request.outputs))) * self.measuring_factor(request, statistic)

    def training_map(self, request: Request, statistic: Statistic, ridge: int = 0) -> tuple[Matrix, Matrix]:
        """(M, v) with one block of M for each target; raises MisuseError as `measuring_factor`."""
        if request.schedule.is_admm:
            return super().training_map(request, statistic, ridge)  # whose inverse has the same blocks
        factor, targets = self.training_factor(request, statistic), len(request.outputs)
        block, offsets = affine_maps(
            [of_target(factor, target, targets) for target in range(targets)],
            step_size=step_size_of(request),
            l2=float(request.model.ridges[ridge]),
            local_steps=request.schedule.local_steps,
        )
        matrix = np.kron(np.eye(targets), block)
        return np.asarray(matrix, dtype=np.float64), np.concatenate(offsets)

    def measuring_factor(self, request: Request, statistic: Statistic) -> Matrix:
        """R/√(Km), (Kp+1)×(Kp+1), of the mean of all targets' errors, in the request's scale.

        Raises MisuseError for a column that the data set lacks, and for rows that were not read for a basis.
        """
        if self.reads_rows:
            return statistic.quadratics().measuring
        targets = len(request.outputs)
        factor = select(statistic, request.features, request.outputs, intercept=request.model.intercept)
        scalings = [*request.scalings(), *(request.scalings(one)[-1] for one in range(1, targets))]
        return expanded(scaled(factor, scalings, targets), targets) / float(np.sqrt(targets))

    def statistic_entries(self, request: Request) -> int:
        """XᵀX once, Xᵀy of every target, and the sum of yᵀy; with an intercept one of them is known."""
        p, targets = request.output_parameters, len(request.outputs)
        return p * (p + 1) // 2 + targets * p + 1 - int(request.model.intercept)

    def bought(self, request: Request, weights: list[float], errors: PublishedErrors) -> BoughtModel:  # noqa: ARG002
        """The trained weights of each target, in the columns' own units."""
        return BoughtModel.of(request, weights)

    def expected(self, predictor: Matrix) -> Matrix:
        """The predictors themselves."""
        return predictor

    def predict(self, model: BoughtModel, rows: Matrix) -> Matrix:
        """m×K, the targets in the model's order, for m×p rows as `BoughtModel.design` makes them."""
        each = [rows @ np.array(one.weights) + (one.intercept or 0.0) for one in model.outputs]
        return self.expected(np.column_stack(each))

    def scores(self, model: BoughtModel) -> Scores:
        """MSE, RMSE, MAE and R² of each target."""
        return SeveralTargetsScores(tuple(one.target for one in model.outputs))
