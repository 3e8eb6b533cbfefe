"""The attack on published numbers: the likeliest statistics of all owners, given all that a viewer knows.

Unknown are the Gram matrices of the trainers and the validators' mean one. What the viewer sees moves it from
what it expected: to the largest posterior probability under independent normal deviations, by Levenberg's and
Marquardt's iteration with Tikhonov's term (D. W. Marquardt, SIAM Journal 11, 1963). It is the residual attack
of 2019 where errors are quadratic in what is looked for, and the models are unknown as well.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

ITERATIONS = 12
"""Of each precision."""

PRECISIONS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""What is seen is taken as so precise first: the iteration would stay at the nearest explanation else."""

_STEP = 1e-5


@dataclass(frozen=True)
class Problem:
    """What a viewer knows: `seen` (k) is what `expected` makes of the unknowns (…×n), up to `precision`.

    `prior` and `deviation` (n) are means and deviations of what it thinks of the unknowns before it looks.
    Who has nothing to begin with stands at a saddle there: no column is preferred to any other.
    """

    expected: Callable[[Matrix], Matrix]
    seen: Matrix
    prior: Matrix
    deviation: Matrix
    precision: float
    is_saddle: bool = True

    def left(self, found: Matrix, precision: float) -> Matrix:
        """What is left to explain (k), and how unlikely the unknowns are (n), each in its deviations."""
        explained = (self.seen - self.expected(found)) / precision
        return np.append(explained, (self.prior - found) / self.deviation)

    def cost(self, found: Matrix, precision: float) -> float:
        """Minus twice the logarithm of the posterior probability, up to a constant."""
        left = self.left(found, precision)
        with np.errstate(over="ignore"):
            return float(left @ left) if np.isfinite(left).all() else float("inf")

    def slopes(self, found: Matrix, precision: float) -> Matrix:
        """The derivatives of `left` with the sign turned, (k+n)×n."""
        sizes = _STEP * self.deviation
        made = self.expected(found + np.diag(sizes)) - self.expected(found - np.diag(sizes))
        return np.vstack([(made / (2 * sizes[:, None])).T / precision, np.diag(1 / self.deviation)])

    def left_open(self, found: Matrix, precision: float) -> Matrix:
        """The deviations of the unknowns (n) near `found` once all is seen, in those of before: 1 at most.

        To first order no attack does better on average (Cramér, Rao), whatever it searches by.
        """
        told = self.slopes(found, precision)[: len(self.seen)] * self.deviation
        _, sizes, directions = np.linalg.svd(told, full_matrices=False)
        seen = (sizes**2 / (1 + sizes**2)) @ directions**2
        return np.asarray(np.sqrt(np.maximum(1 - seen, 0)))


def likeliest(problem: Problem, starts: int, seed: int = 1) -> Matrix:
    """The mean of the likeliest unknowns (n) found from so many starts, drawn as the viewer expects them.

    From a saddle none would be found; where the mean itself is none it is the first start. Explanations that
    differ are as good as each other, and the mean of them is nearest to what they agree in.
    """
    generator, found = np.random.default_rng(seed), []
    for number in range(starts):
        apart = 1.0 if problem.is_saddle or number else 0.0
        at = problem.prior + apart * problem.deviation * generator.standard_normal(len(problem.prior)) / 3
        for precision in (*PRECISIONS, problem.precision):
            at = _descended(problem, at, precision)
        found.append(at)
    costs = [problem.cost(one, problem.precision) for one in found]
    explained = [one for one, cost in zip(found, costs, strict=True) if cost <= 4 * min(costs)]
    return np.asarray(np.mean(explained, axis=0))


def _descended(problem: Problem, found: Matrix, precision: float) -> Matrix:
    damping, cost = 1e-2, problem.cost(found, precision)
    for _ in range(ITERATIONS):
        left, slopes = problem.left(found, precision), problem.slopes(found, precision)
        inner, gradient = slopes.T @ slopes, slopes.T @ left
        for _ in range(6):
            move = np.linalg.solve(inner + damping * np.diag(np.diag(inner)), gradient)
            tried = problem.cost(found + move, precision)
            if tried < cost:
                break
            damping *= 8
        else:
            return found
        settled = cost - tried < 1e-4 * cost
        found, cost, damping = found + move, tried, damping / 8
        if settled:
            break
    return found
