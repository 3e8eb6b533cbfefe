"""Cox's proportional hazards, stratified by owner, trained encrypted as quadratics.

Each owner's partial likelihood is expanded around the optimum of its own rows (`learning.glm.hazards`); no
row is ever compared with another owner's, and baseline hazards are nobody's to learn.
"""

from protocol.bought_model import BoughtModel
from protocol.data_card import CardColumn
from protocol.learning.kinds.interface import Kind, PublishedErrors
from protocol.learning.scores.concordance import ConcordanceScores
from protocol.learning.statistic import Matrix, Statistic
from protocol.preparation.columns import Column
from protocol.reason import Reason
from protocol.request import Request


class ProportionalHazards(Kind):
    """Predicts the logarithm of a row's hazard beside that of a row in the middle of the declared ranges."""

    reads_rows = True

    def target_mismatch(self, target: Column, found: CardColumn) -> Reason | None:  # noqa: ARG002
        """None: times within the declared range have an order."""
        return None

    def training_factor(self, request: Request, statistic: Statistic) -> Matrix:  # noqa: ARG002
        """The expansion at the owner's optimum; raises MisuseError for rows that were not fitted."""
        return statistic.quadratics().training

    def measuring_factor(self, request: Request, statistic: Statistic) -> Matrix:  # noqa: ARG002
        """−2·ln of the partial likelihood, a row's mean, over L²: exact at the start and at the optimum.

        Raises MisuseError for rows that were not fitted.
        """
        return statistic.quadratics().measuring

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
