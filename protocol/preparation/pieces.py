"""Cubic splines on [−1, 1] as pieces: which function has which cubic between which knots.

The functions are those beside a constant and the line u itself: with these they make every cubic spline of
the knots (`cubic_pieces`), or every one without a bend at both ends (`natural_pieces`), and each only once.
Every function lies within [−1, 1]. Boor, "A Practical Guide to Splines", 2001, chapters IV and IX.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from protocol.hiding import without
from protocol.preparation.tables import Matrix

_DEGREE = 3


class Pieces(NamedTuple):
    """`lefts` are the left ends of I intervals; `coefficients` (I×4×J) of 1, t, t², t³ with t = u − left."""

    lefts: Matrix
    coefficients: Matrix

    def __repr__(self) -> str:
        """Show no contents."""
        return without(self, "lefts", "coefficients")

    @property
    def stacked(self) -> Matrix:
        """(4I)×J: to be multiplied with [in interval i]·t^k, one power k of all intervals after the other."""
        swapped = self.coefficients.transpose(1, 0, 2)
        return swapped.reshape(-1, swapped.shape[2])

    def of(self, values: Matrix) -> Matrix:
        """m×J, the functions of m values of u between −1 and 1."""
        place = np.clip(np.searchsorted(self.lefts, values, side="right") - 1, 0, len(self.lefts) - 1)
        local = values - self.lefts[place]
        powers = np.stack([local**power for power in range(_DEGREE + 1)], axis=1)
        return np.asarray(np.einsum("mk,mkj->mj", powers, self.coefficients[place]))


def cubic_pieces(knots: Sequence[float]) -> Pieces:
    """B-splines but for the first and the last, knots + 2 of them; between 0 and 1.

    The two left out differ in the coefficients that a constant and u have of them, so that all are spanned.
    """
    ends = [-1.0] * (_DEGREE + 1), [1.0] * (_DEGREE + 1)
    all_knots = np.array([*ends[0], *knots, *ends[1]])
    lefts = np.array([-1.0, *knots])
    coefficients = np.stack([_b_splines(all_knots, index + _DEGREE) for index in range(len(lefts))])
    return Pieces(lefts, coefficients[:, :, 1:-1])


def _b_splines(knots: Matrix, interval: int) -> Matrix:
    """4×(knots − 4): the coefficients in one interval, by the recursion of Cox and de Boor."""
    left = knots[interval]
    found = np.zeros((_DEGREE + 1, len(knots) - 1))
    found[0, interval] = 1.0
    for degree in range(1, _DEGREE + 1):
        higher = np.zeros((_DEGREE + 1, found.shape[1] - 1))
        for place in range(higher.shape[1]):
            first, last = knots[place], knots[place + degree + 1]
            rise, fall = knots[place + degree] - first, last - knots[place + 1]
            if rise > 0:
                higher[:, place] += _times(found[:, place], (left - first) / rise, 1 / rise)
            if fall > 0:
                higher[:, place] += _times(found[:, place + 1], (last - left) / fall, -1 / fall)
        found = higher
    return found


def _times(cubic: Matrix, constant: float, slope: float) -> Matrix:
    """A polynomial in t times constant + slope·t, of degree 3 at most."""
    return constant * cubic + slope * np.concatenate([[0.0], cubic[:-1]])


def natural_pieces(knots: Sequence[float]) -> Pieces:
    """One function a knot: 0 at the other knots and the ends, and at these without a bend."""
    places = np.array([-1.0, *knots, 1.0])
    values = np.eye(len(places))[:, 1:-1]
    widths = np.diff(places)
    bends = _bends(widths, values)
    heights, rises = values[:-1], np.diff(values, axis=0) / widths[:, None]
    slopes = rises - widths[:, None] * (2 * bends[:-1] + bends[1:]) / 6
    cubes = np.diff(bends, axis=0) / (6 * widths[:, None])
    coefficients = np.stack([heights, slopes, bends[:-1] / 2, cubes], axis=1)
    return Pieces(places[:-1], coefficients / _largest(widths, coefficients))


def _bends(widths: Matrix, values: Matrix) -> Matrix:
    """Second derivatives at all places, zero at the ends, of the splines through `values` (a column each)."""
    count = len(widths) - 1
    system = np.diag((widths[:-1] + widths[1:]) / 3)
    system += np.diag(widths[1:-1] / 6, 1) + np.diag(widths[1:-1] / 6, -1)
    turns = np.diff(np.diff(values, axis=0) / widths[:, None], axis=0)
    bends = np.zeros_like(values)
    bends[1 : count + 1] = np.linalg.solve(system, turns)
    return bends


def _largest(widths: Matrix, coefficients: Matrix) -> Matrix:
    """For each function a number that it nowhere exceeds: a cubic lies between its Bernstein coefficients."""
    scaled = coefficients * widths[:, None, None] ** np.arange(_DEGREE + 1)[None, :, None]
    bernstein = np.array([[1, 0, 0, 0], [1, 1 / 3, 0, 0], [1, 2 / 3, 1 / 3, 0], [1, 1, 1, 1]])
    return np.asarray(np.abs(np.einsum("bk,ikj->ibj", bernstein, scaled)).max(axis=(0, 1)))
