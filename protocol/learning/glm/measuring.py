"""What an owner measures with: its deviance as a square, exact at the public start and at its own optimum."""

import numpy as np

from protocol.learning.statistic import Matrix
from protocol.links import LARGEST_SCALE


def measured(factor: Matrix, start: Matrix, deviances: tuple[float, float], reach: float) -> Matrix:
    """R with ‖R(θ, −1)‖² = (D + s·‖R̂(θ − θ*)‖²)/L², for the `factor` R̂ (p+1)×(p+1) whose least is θ*.

    `deviances` are the means at the `start` and D at θ*. s makes the square that of the start, as far as
    `LARGEST_SCALE`; where the start fits these rows best, s is 1.
    """
    at_start, least = deviances
    distance = factor[:-1, :-1] @ start - factor[:-1, -1]
    spread, gained = float(distance @ distance), (at_start - least) / reach**2
    stretch = min(gained / spread, LARGEST_SCALE) if spread > 0 and gained > 0 else 1.0
    measuring = np.zeros_like(factor)
    measuring[:-1] = np.sqrt(stretch) * factor[:-1]
    measuring[-1, -1] = np.sqrt(least) / reach
    return measuring
