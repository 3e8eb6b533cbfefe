"""Least squares, with ridge's λ where the request asks for it: full-batch gradient descent on X and y."""

import numpy as np

from protocol.bought_model import BoughtModel
from protocol.data_card import CardColumn
from protocol.learning.descent import affine_map, step_size_of
from protocol.learning.kinds.interface import Kind
from protocol.learning.statistic import Matrix, Statistic, scaled, select
from protocol.preparation.columns import Column
from protocol.reason import Reason
from protocol.request import Request


class LinearRegression(Kind):
    """Trains and measures out of the triangular factor alone; any target will do."""

    def target_mismatch(self, target: Column, found: CardColumn) -> Reason | None:  # noqa: ARG002
        """None."""
        return None

    def training_map(self, request: Request, statistic: Statistic) -> tuple[Matrix, Matrix]:
        """`local_steps` gradient steps."""
        return affine_map(
            self.measuring_factor(request, statistic),
            step_size=step_size_of(request),
            l2=float(request.model.l2),
            local_steps=request.schedule.local_steps,
        )

    def measuring_factor(self, request: Request, statistic: Statistic) -> Matrix:
        """R/√m of [X (1) y] in the request's scale."""
        factor = select(statistic, request.features, request.target, intercept=request.model.intercept)
        return scaled(factor, request.scalings())

    def statistic_entries(self, request: Request) -> int:
        """Entries of the triangular factor; with an intercept one of them is known."""
        parameters = request.parameters
        return (parameters + 1) * (parameters + 2) // 2 - int(request.model.intercept)

    def predict(self, model: BoughtModel, rows: Matrix) -> Matrix:
        """Xθ, and the intercept."""
        return np.asarray(rows @ np.array(model.weights) + (model.intercept or 0.0))
