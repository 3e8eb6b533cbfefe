"""A model's curves and products of columns as nodes of an ONNX graph; see `protocol.preparation.curves`."""

from collections.abc import Mapping, Sequence

import numpy as np

from deltaml.onnx_graph import Graph
from deltaml.optional import extra
from protocol.preparation.bases import Basis, Fourier, Interaction, Polynomial, Spline
from protocol.preparation.columns import Column
from protocol.preparation.curves import Place, pieces_of, places_of, range_of, waves_of

with extra():
    from onnx import TensorProto


def curve_blocks(graph: Graph, columns: Sequence[Column], bases: Sequence[Basis], row: str) -> list[str]:
    """The functions of each basis, a block of m×n each, out of `row`, the columns' own m×k."""
    places = places_of(columns)
    named = {column.name: column for column in columns}
    units = {
        name: _units(graph, places[name], row)
        for name in dict.fromkeys(n for one in bases for n in one.names)
    }
    return [_block(graph, basis, named, places, units) for basis in bases]


def _units(graph: Graph, place: Place, row: str) -> str:
    values = _chosen(graph, row, [place.first + step for step in range(len(place.parameters))])
    centers, halves = zip(*map(range_of, place.parameters), strict=True)
    scaled = graph.add("Div", graph.add("Sub", values, graph.number([centers])), graph.number([halves]))
    return graph.add("Clip", scaled, graph.number(-1.0), graph.number(1.0))


def _block(
    graph: Graph,
    basis: Basis,
    columns: Mapping[str, Column],
    places: Mapping[str, Place],
    units: Mapping[str, str],
) -> str:
    match basis:
        case Polynomial():
            return _legendre(graph, units[basis.column], basis.degree)
        case Spline():
            return _spline(graph, basis, columns[basis.column], units[basis.column])
        case Interaction():
            return _products(graph, basis, places, units)
        case Fourier():
            waves, shifts = waves_of(basis)
            together = graph.add("Concat", *(units[name] for name in basis.columns), axis=1)
            angles = graph.add(
                "Add", graph.add("MatMul", together, graph.number(waves)), graph.number(shifts)
            )
            return graph.add("Cos", angles)


def _legendre(graph: Graph, values: str, degree: int) -> str:
    """By powers, m×(degree + 1), times the polynomials' coefficients."""
    powers = [graph.add("Pow", values, graph.number(float(power))) for power in range(degree + 1)]
    coefficients = np.array([[-0.5, 0.0], [0.0, -1.5], [1.5, 0.0], [0.0, 2.5]])[: degree + 1, : degree - 1]
    return graph.add("MatMul", graph.add("Concat", *powers, axis=1), graph.number(coefficients))


def _spline(graph: Graph, basis: Spline, column: Column, values: str) -> str:
    """By the powers of the distance to the left end, in the interval of the value and zero in the others."""
    pieces = pieces_of(basis, column)
    reached = graph.as_number(graph.add("GreaterOrEqual", values, graph.number(pieces.lefts[None, :])))
    count = len(pieces.lefts)
    within = graph.add("MatMul", reached, graph.number(np.eye(count) - np.eye(count, k=-1)))
    distance = graph.add("Sub", values, graph.number(pieces.lefts[None, :]))
    powers = [within]
    for _ in range(3):
        powers.append(graph.add("Mul", powers[-1], distance))
    return graph.add("MatMul", graph.add("Concat", *powers, axis=1), graph.number(pieces.stacked))


def _products(graph: Graph, basis: Interaction, places: Mapping[str, Place], units: Mapping[str, str]) -> str:
    left, right = basis.columns
    counts = [len(places[name].parameters) for name in basis.columns]
    lefts, rights = np.indices(counts).reshape(2, -1).tolist()
    return graph.add("Mul", _chosen(graph, units[left], lefts), _chosen(graph, units[right], rights))


def _chosen(graph: Graph, row: str, places: Sequence[int]) -> str:
    """Some columns of a block, in this order."""
    picked = graph.add("Cast", graph.number(places), to=TensorProto.INT64)
    return graph.add("Gather", row, picked, axis=1)
