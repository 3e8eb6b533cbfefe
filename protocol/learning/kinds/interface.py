"""What a training asks of a kind of model; `registry.py` knows those there are.

A kind fits this protocol when its local steps are an affine map of the weights and its error is a quadratic
form of them: then an encrypted model of it is trained by `descent.local_model` and measured by `metric`. So
an owner gives two quadratics of its rows, each as the triangular factor R of weighted rows [X z]:
‖R·(θ, −1)‖².
"""

from typing import NamedTuple, Protocol

import numpy as np

from protocol.bought_model import BoughtModel
from protocol.data_card import CardColumn
from protocol.learning.consensus import proximal_map
from protocol.learning.descent import affine_map, step_size_of
from protocol.learning.scores.interface import Scores
from protocol.learning.statistic import Matrix, Statistic
from protocol.preparation.columns import Column
from protocol.reason import Reason
from protocol.request import Request


class PublishedErrors(NamedTuple):
    """Mean squared errors on the validators' rows, in the target's own units squared, as the chain has them.

    `start` is of the request's first model, `delivered` of the one that was bought.
    """

    start: float
    delivered: float


class Kind(Protocol):
    """One kind of model, with p weights as `Request.parameters` counts them; stateless.

    `reads_rows` is of kinds for which an owner's rows are read again once the request is known, and of all
    kinds where it has a basis: their statistic needs to be `fitted`.
    """

    reads_rows: bool = False

    def target_mismatch(self, target: Column, found: CardColumn) -> Reason | None:
        """Why a target that a card has within its range does not suit this kind; None when it does."""
        ...

    def training_factor(self, request: Request, statistic: Statistic) -> Matrix:
        """R, (p+1)×(p+1): the local steps descend on ‖R·(θ, −1)‖², ridge's λ apart.

        Raises MisuseError for a column that the data set lacks.
        """
        ...

    def training_map(self, request: Request, statistic: Statistic, ridge: int = 0) -> tuple[Matrix, Matrix]:
        """(M, v), p×p and p: a round's local steps, or ADMM's one, on the owner's rows are θ ← Mθ + v.

        `ridge` is which λ of the request's path, counted from 0.
        Raises MisuseError for a column that the data set lacks.
        """
        factor, l2 = self.training_factor(request, statistic), float(request.model.ridges[ridge])
        if request.schedule.is_admm:
            return proximal_map(factor, penalty=float(request.schedule.penalty), l2=l2)
        return affine_map(
            factor,
            step_size=step_size_of(request),
            l2=l2,
            local_steps=request.schedule.local_steps,
        )

    def measuring_factor(self, request: Request, statistic: Statistic) -> Matrix:
        """R, (p+1)×(p+1): the mean error of θ on the owner's rows is ‖R·(θ, −1)‖².

        Raises MisuseError for a column that the data set lacks.
        """
        ...

    def information_factor(self, request: Request, statistic: Statistic) -> Matrix:
        """R/√m of √W·X, of `request.estimated` columns, with W the Fisher information of a row.

        W is 1 where the target itself is predicted.

        Raises MisuseError for a column that the data set lacks, and for rows that were not fitted.
        """
        return self.measuring_factor(request, statistic)[:-1, :-1]

    def statistic_entries(self, request: Request) -> int:
        """How many unknown numbers about an owner's rows the published ones could determine."""
        ...

    def bought(self, request: Request, weights: list[float], errors: PublishedErrors) -> BoughtModel:
        """What the buyer gets of p trained weights, between scaled columns and the intercept last."""
        ...

    def expected(self, predictor: Matrix) -> Matrix:
        """The inverse link: the expected target for m values of Xθ and the intercept."""
        ...

    def predict(self, model: BoughtModel, rows: Matrix) -> Matrix:
        """The expected target for each of m×p rows, as `BoughtModel.design` makes them; of K targets m×K."""
        return self.expected(np.asarray(rows @ np.array(model.weights) + (model.intercept or 0.0)))

    def scores(self, model: BoughtModel) -> Scores:
        """What predictions of a model of this kind are judged by; takes the rows in batches."""
        ...
