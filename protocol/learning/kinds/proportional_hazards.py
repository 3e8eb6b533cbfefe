"""Cox's proportional hazards, stratified by owner, trained encrypted as quadratics.

Each owner's partial likelihood is expanded around the optimum of its own rows (`learning.glm.hazards`); no
row is ever compared with another owner's, and baseline hazards are nobody's to learn.
"""

from protocol.bought_model import BoughtModel
from protocol.learning.kinds.fitted import FittedQuadratics
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.scores.concordance import ConcordanceScores
from protocol.learning.statistic import Matrix, Statistic, triangular
from protocol.request import Request


class ProportionalHazards(FittedQuadratics):
    """Predicts the logarithm of a row's hazard beside that of a row in the middle of the declared ranges."""

    def information_factor(self, request: Request, statistic: Statistic) -> Matrix:
        """R/√m of the partial likelihood's curvature at the owner's optimum, without the intercept's of zero.

        Raises MisuseError for rows that were not fitted.
        """
        return triangular(self.training_factor(request, statistic)[:-1, :-2])

    def statistic_entries(self, request: Request) -> int:
        """Entries of one triangular factor without the intercept's: an owner trains or measures."""
        return request.parameters * (request.parameters + 1) // 2

    def bought(self, request: Request, weights: list[float], errors: PublishedErrors) -> BoughtModel:  # noqa: ARG002
        """The weights of log hazards in the columns' own units."""
        kind = {"kind": request.model.kind, "event": request.model.event}
        return BoughtModel.of(request, weights).model_copy(update=kind)

    def expected(self, predictor: Matrix) -> Matrix:
        """The log hazard ratio itself: larger where the event comes earlier."""
        return predictor

    def scores(self, model: BoughtModel) -> ConcordanceScores:  # noqa: ARG002
        """The concordance index."""
        return ConcordanceScores()
