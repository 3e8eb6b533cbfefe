"""What kinds share whose owners expand their loss around the optimum of their own rows (`learning.glm`)."""

from protocol.data_card import CardColumn
from protocol.learning.kinds.interface import Kind
from protocol.learning.statistic import Matrix, Statistic
from protocol.preparation.columns import Column
from protocol.reason import Reason
from protocol.request import Request


class FittedQuadratics(Kind):
    """Trains and measures with the two quadratics of a statistic that was fitted for the request."""

    reads_rows = True

    def target_mismatch(self, target: Column, found: CardColumn) -> Reason | None:  # noqa: ARG002
        """None: whatever lies within the declared range, as `request_kinds` has it, will do."""
        return None

    def training_factor(self, request: Request, statistic: Statistic) -> Matrix:  # noqa: ARG002
        """The expansion at the owner's optimum; raises MisuseError for rows that were not fitted."""
        return statistic.quadratics().training

    def measuring_factor(self, request: Request, statistic: Statistic) -> Matrix:  # noqa: ARG002
        """The owner's mean loss over L², exact at the public start and at its optimum.

        Raises MisuseError for rows that were not fitted.
        """
        return statistic.quadratics().measuring
