"""The power of the size that a cost grows with: a line through logarithms, by least squares."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fit:
    """cost ≈ factor·size^exponent; no point is further away than by `off`, as a ratio of at least 1."""

    exponent: float
    factor: float
    off: float

    def at(self, size: float) -> float:
        """The cost by the fit."""
        return float(self.factor * size**self.exponent)


def fitted(points: Sequence[tuple[int, float]]) -> Fit:
    """Of (size, cost); raises ValueError for fewer than two sizes, or a number that has no logarithm."""
    sizes, costs = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    if len(set(sizes)) < 2:
        raise ValueError(f"a fit needs two sizes at least; there are {len(set(sizes))}")
    if sizes.min() <= 0 or costs.min() <= 0:
        raise ValueError(
            f"sizes and costs above zero have logarithms; the least are {sizes.min()}, {costs.min()}"
        )
    design = np.column_stack([np.log(sizes), np.ones(len(sizes))])
    (exponent, offset), *_ = np.linalg.lstsq(design, np.log(costs), rcond=None)
    residuals = np.log(costs) - design @ [exponent, offset]
    return Fit(float(exponent), float(np.exp(offset)), float(np.exp(np.abs(residuals).max())))


def fit_of(points: Sequence[tuple[int, float]]) -> Fit | None:
    """The same; nothing where there is no fit."""
    try:
        return fitted(points)
    except ValueError:
        return None
