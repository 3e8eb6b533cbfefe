"""Least squares, with ridge's λ where the request asks for it: full-batch gradient descent on X and y."""

from protocol.bought_model import BoughtModel
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.least_squares import LeastSquares
from protocol.learning.scores.regression import RegressionScores
from protocol.learning.statistic import Matrix
from protocol.request import Request


class LinearRegression(LeastSquares):
    """Predicts Xθ and the intercept; any target will do."""

    def bought(self, request: Request, weights: list[float], errors: PublishedErrors) -> BoughtModel:  # noqa: ARG002
        """The trained weights in the columns' own units."""
        return BoughtModel.of(request, weights)

    def expected(self, predictor: Matrix) -> Matrix:
        """The predictor itself."""
        return predictor

    def scores(self, model: BoughtModel) -> RegressionScores:  # noqa: ARG002
        """RMSE, MAE and R²."""
        return RegressionScores()
