"""What kinds share whose owners train and measure with the squares of Xθ − y: one factor of [X (1) y]."""

from protocol.data_card import CardColumn
from protocol.learning.kinds.interface import Kind
from protocol.learning.statistic import Matrix, Statistic, scaled, select
from protocol.preparation.columns import Column
from protocol.reason import Reason
from protocol.request import Request


class LeastSquares(Kind):
    """Trains and measures out of the triangular factor alone, in the request's scale.

    Of a request with a basis the rows have been read for the factor: no sum of a statistic's parts is one
    of its curves.
    """

    def __init__(self, *, reads_rows: bool = False) -> None:
        """`reads_rows` is of requests with a basis (`registry.kind_of`)."""
        self.reads_rows = reads_rows

    def target_mismatch(self, target: Column, found: CardColumn) -> Reason | None:  # noqa: ARG002
        """None: whatever lies within the declared range has squares."""
        return None

    def training_factor(self, request: Request, statistic: Statistic) -> Matrix:
        """That which measures: the steps descend on the very error that is paid for."""
        return self.measuring_factor(request, statistic)

    def measuring_factor(self, request: Request, statistic: Statistic) -> Matrix:
        """R/√m of [X (1) y] in the request's scale.

        Raises MisuseError for rows that were not read for a basis.
        """
        if self.reads_rows:
            return statistic.quadratics().measuring
        factor = select(statistic, request.features, request.outputs, intercept=request.model.intercept)
        return scaled(factor, request.scalings())

    def statistic_entries(self, request: Request) -> int:
        """Entries of the triangular factor; with an intercept one of them is known."""
        parameters = request.parameters
        return (parameters + 1) * (parameters + 2) // 2 - int(request.model.intercept)
