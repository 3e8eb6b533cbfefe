"""The functions of a request's bases, out of its columns as `design` makes them, each within [−1, 1]."""

from collections.abc import Mapping, Sequence
from hashlib import shake_128
from typing import NamedTuple

import numpy as np

from protocol.preparation.bases import (
    Basis,
    Fourier,
    Interaction,
    Polynomial,
    Spline,
    limits_of,
    value_parameters,
)
from protocol.preparation.columns import Column, Parameter
from protocol.preparation.pieces import Pieces, cubic_pieces, natural_pieces
from protocol.preparation.tables import Matrix

_DRAWN = b"deltaml fourier basis"
_DIGITS = 53
"""Of a drawn number between 0 and 1: those that a double has."""


class Place(NamedTuple):
    """Where the values of a column stand in a row of a design, and what each is."""

    first: int
    parameters: tuple[Parameter, ...]


def places_of(columns: Sequence[Column]) -> dict[str, Place]:
    """By the columns' names."""
    places: dict[str, Place] = {}
    first = 0
    for column in columns:
        places[column.name] = Place(first, value_parameters(column))
        first += len(column.parameters)
    return places


def with_bases(columns: Sequence[Column], bases: Sequence[Basis], design: Matrix) -> Matrix:
    """m×p out of the m×k of `columns` alone: these, and then the functions of each basis."""
    if not bases:
        return design
    units = {name: _units(place, design) for name, place in places_of(columns).items()}
    named = {column.name: column for column in columns}
    return np.column_stack([design, *(_functions(basis, named, units) for basis in bases)])


def range_of(parameter: Parameter) -> tuple[float, float]:
    """(center, half) of a number, which (x − center)/half brings to [−1, 1]; an indicator's stay 0 and 1."""
    if parameter.limits is None:
        return 0.0, 1.0
    low, high = limits_of(parameter)
    return float((low + high) / 2), float((high - low) / 2)


def _units(place: Place, design: Matrix) -> Matrix:
    """m×k, the column's values as u."""
    values = design[:, place.first : place.first + len(place.parameters)]
    ranges = np.array([range_of(one) for one in place.parameters]).reshape(-1, 2)
    return np.asarray(np.clip((values - ranges[:, 0]) / ranges[:, 1], -1.0, 1.0))


def _functions(basis: Basis, columns: Mapping[str, Column], units: Mapping[str, Matrix]) -> Matrix:
    match basis:
        case Polynomial():
            return legendre(units[basis.column][:, 0], basis.degree)
        case Spline():
            return pieces_of(basis, columns[basis.column]).of(units[basis.column][:, 0])
        case Interaction():
            left, right = (units[name] for name in basis.columns)
            return np.asarray((left[:, :, None] * right[:, None, :]).reshape(len(left), -1))
        case Fourier():
            waves, shifts = waves_of(basis)
            return np.asarray(
                np.cos(np.column_stack([units[name][:, 0] for name in basis.columns]) @ waves + shifts)
            )


def legendre(values: Matrix, degree: int) -> Matrix:
    """m×(degree − 1): the polynomials of degree 2, and 3."""
    second, third = (3 * values**2 - 1) / 2, (5 * values**3 - 3 * values) / 2
    return np.column_stack([second, third][: degree - 1])


def pieces_of(basis: Spline, column: Column) -> Pieces:
    """The spline's functions."""
    make = cubic_pieces if basis.form == "cubic" else natural_pieces
    return make(basis.places(column))


def waves_of(basis: Fourier) -> tuple[Matrix, Matrix]:
    """(k×n, n): w and b of each wave of k columns, the same for everybody who reads the request.

    Normal numbers by the method of Box and Muller out of SHAKE128 of the seed: no generator of a library
    keeps its stream for good.
    """
    size, number = len(basis.columns), basis.number
    drawn = _uniform(basis.seed, number * (2 * size + 1)).reshape(number, 2 * size + 1)
    radius = np.sqrt(-2 * np.log1p(-drawn[:, :size]))
    normal = radius * np.cos(2 * np.pi * drawn[:, size : 2 * size])
    return (normal / float(basis.length_scale)).T, 2 * np.pi * drawn[:, -1]


def _uniform(seed: int, count: int) -> Matrix:
    """At least 0 and below 1."""
    stream = shake_128(_DRAWN + seed.to_bytes(8, "big")).digest(8 * count)
    whole = np.frombuffer(stream, dtype=">u8") >> np.uint64(64 - _DIGITS)
    return np.asarray(whole.astype(np.float64) / 2.0**_DIGITS)
