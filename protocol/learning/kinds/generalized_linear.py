"""Generalized linear models: logistic, Poisson, negative binomial and gamma, trained encrypted as quadratics.

An owner's loss is expanded around the optimum of its own rows (`learning.glm.fitting`), so the local steps
are an affine map and the error a quadratic form, as `interface` asks. Both quadratics are made of the rows
with the request known, and stand in the training's copy of the statistic.
"""

from protocol.bought_model import BoughtModel
from protocol.errors import MisuseError
from protocol.learning.glm.families import CURVES
from protocol.learning.kinds.fitted import FittedQuadratics
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.scores.classification import ClassificationScores
from protocol.learning.scores.deviance import DevianceScores
from protocol.learning.scores.interface import Scores
from protocol.learning.statistic import Matrix, Statistic
from protocol.request import Request


class GeneralizedLinear(FittedQuadratics):
    """One family, by the name of its kind of model; paid by its mean deviance near the owners' optima."""

    def __init__(self, name: str) -> None:
        """`name` is among `LINKS` and `CURVES`."""
        self._name, self._curve = name, CURVES[name]

    def information_factor(self, request: Request, statistic: Statistic) -> Matrix:  # noqa: ARG002
        """R/√m of √W·X, p×p, at the owner's optimum; raises MisuseError for rows fitted without inference."""
        information = statistic.quadratics().information
        if information is None:
            raise MisuseError("the rows were fitted for a request without inference: fit them with this one")
        return information

    def statistic_entries(self, request: Request) -> int:
        """Entries of one triangular factor: an owner trains or measures, and gives one of the two."""
        return (request.parameters + 1) * (request.parameters + 2) // 2

    def bought(self, request: Request, weights: list[float], errors: PublishedErrors) -> BoughtModel:  # noqa: ARG002
        """The weights of the linear predictor in the columns' own units."""
        family = {"kind": self._name, "dispersion": request.model.dispersion}
        return BoughtModel.of(request, weights).model_copy(update=family)

    def expected(self, predictor: Matrix) -> Matrix:
        """The inverse link: a probability, or a mean above zero."""
        return self._curve.mean(predictor)

    def scores(self, model: BoughtModel) -> Scores:
        """Those of a classification, or the deviance with its share explained, RMSE and MAE."""
        if self._name == "logistic_regression":
            return ClassificationScores()
        return DevianceScores(self._name, model.dispersion)
