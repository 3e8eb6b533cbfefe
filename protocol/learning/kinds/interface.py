"""What a training asks of a kind of model; `registry.py` knows those there are.

A kind fits this protocol when its local steps are an affine map of the weights and its error is a quadratic
form of them: then an encrypted model of it is trained by `descent.local_model` and measured by `metric`.
"""

from typing import Protocol

from protocol.bought_model import BoughtModel
from protocol.data_card import CardColumn
from protocol.learning.statistic import Matrix, Statistic
from protocol.preparation.columns import Column
from protocol.reason import Reason
from protocol.request import Request


class Kind(Protocol):
    """One kind of model, with p weights as `Request.parameters` counts them; stateless."""

    def target_mismatch(self, target: Column, found: CardColumn) -> Reason | None:
        """Why a target that a card has within its range does not suit this kind; None when it does."""
        ...

    def training_map(self, request: Request, statistic: Statistic) -> tuple[Matrix, Matrix]:
        """(M, v), p×p and p: a round's local steps on the owner's rows are θ ← Mθ + v.

        Raises MisuseError for a column that the data set lacks.
        """
        ...

    def measuring_factor(self, request: Request, statistic: Statistic) -> Matrix:
        """R, (p+1)×(p+1): the mean error of θ on the owner's rows is ‖R·(θ, −1)‖².

        Raises MisuseError for a column that the data set lacks.
        """
        ...

    def statistic_entries(self, request: Request) -> int:
        """How many unknown numbers about an owner's rows the published ones could determine."""
        ...

    def predict(self, model: BoughtModel, rows: Matrix) -> Matrix:
        """The target for each of m×p rows, as `BoughtModel.design` makes them."""
        ...
