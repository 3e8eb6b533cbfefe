"""Consensus ADMM: the trainers' quadratics are minimised together, whatever their rows have in common.

S. Boyd et al., "Distributed optimization and statistical learning via the alternating direction method of
multipliers", Foundations and Trends in Machine Learning 3, 2011, §7.1; encrypted by W. Zheng et al., "Helen",
IEEE S&P 2019. With trainer t's loss f_t, its dual u_t and the mean z,

    θ_t = argmin f_t(θ) + ρ/2·‖θ − (z − u_t)‖²,   z′ = mean_t (θ_t + u_t),   u_t′ = u_t + θ_t − z′.

f_t is quadratic, so θ_t is an affine map of w_t = z − u_t, the model that t is sent. Duals begin at zero, and
so their sum stays zero: z′ is the mean of the θ_t, and w_t′ = w_t + 2z′ − z − θ_t.

A dual is carried as long as every trainer that had one has answered; where one has not, they no longer make
zero, and all trainers start anew from the mean. A trainer that had none starts there.
"""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from protocol.learning.descent import gram

Matrix = NDArray[np.float64]
Model = TypeVar("Model")


class Carried(NamedTuple, Generic[Model]):
    """The trainers with a dual, in seat order, and w_t of each; all others are sent the mean."""

    trainers: tuple[str, ...] = ()
    models: tuple[Model, ...] = ()

    def of(self, trainer: str, mean: Model) -> Model:
        """What a trainer is sent in a round that starts from `mean`."""
        return dict(zip(self.trainers, self.models, strict=True)).get(trainer, mean)

    def continues(self, answered: Sequence[str]) -> bool:
        """Whether the duals of those that have answered make zero together."""
        return set(self.trainers) <= set(answered)


def proximal_map(factor: Matrix, *, penalty: float, l2: float) -> tuple[Matrix, Matrix]:
    """(A, b), p×p and p: θ = A·w + b minimises ‖R·(θ, −1)‖²/2 + λ/2·‖θ‖² + ρ/2·‖θ − w‖².

    `factor` is R/√m of [X y], (p+1)×(p+1), `l2` λ and `penalty` ρ, above zero.
    """
    curvature, slope = gram(factor, l2)
    regular = curvature + penalty * np.eye(len(curvature))
    inverse: Matrix = np.asarray(np.linalg.inv(regular), dtype=np.float64)
    return penalty * inverse, inverse @ slope
