"""A bought model as an ONNX graph, whose inputs are the columns as people have them.

Every column is an input of m×1 under its own name: texts as they are written among the levels, "" for a gap;
of all other kinds double-precision numbers, nan for a gap, truth values as 0 and 1, dates as days since
1970-01-01. The output is `predicted_` and the target's name (and "_" where a column has that one; of a Cox
regression, whose target is a time, `predicted_log_hazard`), m×1 in the target's own units, of a
classification the probability of 1; of several targets, or classes, m×K in the model's order; nan where the
model does not map a row. What stands between, the preparation of the columns too, is part of the graph, so a
program that runs it needs to know nothing of this product.
"""

from pathlib import Path

import numpy as np

from deltaml.onnx_curves import curve_blocks
from deltaml.onnx_graph import Graph
from deltaml.optional import extra
from protocol.bought_model import BoughtModel
from protocol.preparation.columns import (
    BooleanColumn,
    CategoricalColumn,
    Column,
    DateColumn,
    NumericColumn,
)
from protocol.preparation.design import raw_range
from protocol.preparation.values import UNIT_DAYS, days_since_1970
from services.common.files import write_private

with extra():
    import onnx
    from onnx import TensorProto, helper

_INVERSES = {
    "binary_classification": "Sigmoid",
    "logistic_regression": "Sigmoid",
    "poisson_regression": "Exp",
    "gamma_regression": "Exp",
    "negative_binomial_regression": "Exp",
}
"""What makes a mean of a predictor, by the kind of model; of others the predictor is the target."""


def as_onnx(model: BoughtModel) -> onnx.ModelProto:
    """The graph, checked; it agrees with `predict` to the rounding of double precision."""
    graph = Graph([column.name for column in model.columns])
    blocks = [block for column in model.columns for block in _blocks(graph, column)]
    row = graph.add("Concat", *blocks, axis=1)
    if model.basis:
        row = graph.add("Concat", row, *curve_blocks(graph, model.columns, model.basis, row), axis=1)
    each = model.outputs or (model,)
    product = graph.add("MatMul", row, graph.number(np.array([one.weights for one in each]).T))
    output = _output_name(model)
    shift = graph.number([one.intercept or 0.0 for one in each])
    inverse = _INVERSES.get(model.kind)
    if model.kind == "several_classes":
        _add_shares(graph, graph.add("Add", product, shift), output)
    elif inverse is not None:
        predictor = graph.add("Add", product, shift)
        graph.nodes.append(helper.make_node(inverse, [predictor], [output]))
    else:
        graph.nodes.append(helper.make_node("Add", [product, shift], [output]))
    proto = graph.proto(
        [_input(column) for column in model.columns], _tensor(output, TensorProto.DOUBLE, len(each))
    )
    onnx.checker.check_model(proto, full_check=True)
    return proto


def _add_shares(graph: Graph, log_odds: str, output: str) -> None:
    """Each class's probability against the rest, all of a row divided by their sum."""
    least = graph.number(np.finfo(np.float64).tiny)
    apart = graph.add("Max", graph.add("Sigmoid", log_odds), least)
    whole = graph.add("ReduceSum", apart, graph.place(1), keepdims=1)
    graph.nodes.append(helper.make_node("Div", [apart, whole], [output]))


def _output_name(model: BoughtModel) -> str:
    """With as many underscores as no column of that name needs: a graph has each name once."""
    name = "predicted_log_hazard" if model.kind == "cox_regression" else f"predicted_{model.target}"
    while name in {column.name for column in model.columns}:
        name += "_"
    return name


def write_onnx(proto: onnx.ModelProto, path: Path, *, replace: bool = False) -> None:
    """Write the graph, readable by its owner alone.

    Raises ConfigurationError when it cannot be written, or exists and is not to be replaced.
    """
    write_private(path, proto.SerializeToString(), replace=replace)


def _blocks(graph: Graph, column: Column) -> list[str]:
    """The column's parameters in the order of the model's weights, each block m×k; see `design_matrix`."""
    if isinstance(column, CategoricalColumn):
        return _indicators(graph, column)
    gaps = graph.add("IsNaN", column.name)
    fill = graph.number(np.nan if column.fill is None else column.fill)
    numbers = graph.add("Where", gaps, fill, _numbers(graph, column))
    return [numbers, graph.as_number(gaps)] if column.missing == "indicator" else [numbers]


def _numbers(graph: Graph, column: NumericColumn | BooleanColumn | DateColumn) -> str:
    values = column.name
    if isinstance(column, BooleanColumn):
        ends = [graph.add("Equal", values, graph.number(end)) for end in (0, 1)]
        return graph.add("Where", graph.add("Or", *ends), values, graph.number(np.nan))
    values = graph.add("Where", graph.add("IsInf", values), graph.number(np.nan), values)
    if column.outside == "clip":
        values = graph.add("Clip", values, *map(graph.number, raw_range(column)))
    if isinstance(column, DateColumn):
        since = graph.add("Sub", values, graph.number(days_since_1970(column.origin)))
        return graph.add("Div", since, graph.number(float(UNIT_DAYS[column.unit])))
    if column.log:
        mapped = graph.add("Greater", values, graph.number(0))
        return graph.add("Where", mapped, graph.add("Log", values), graph.number(np.nan))
    return values


def _indicators(graph: Graph, column: CategoricalColumn) -> list[str]:
    gaps = graph.add("Equal", column.name, graph.text(""))
    values = column.name
    if column.fill is not None:
        values = graph.add("Where", gaps, graph.text(column.fill), values)
    gap = graph.as_number(gaps)
    among = graph.as_number(graph.add("Equal", column.name, graph.text(*column.levels)))
    known = graph.add("MatMul", among, graph.number(np.ones((len(column.levels), 1))))
    mapped = known if column.missing == "refuse" else graph.add("Add", known, gap)
    blocks = []
    if column.indicated:
        blocks.append(graph.as_number(graph.add("Equal", values, graph.text(*column.indicated))))
    if column.other == "level":
        others = graph.add("Sub", graph.number(1), graph.add("Add", known, gap))
        mapped = graph.add("Add", mapped, others)
        blocks.append(others)
    if column.missing == "indicator":
        blocks.append(gap)
    is_mapped = graph.add("Greater", mapped, graph.number(0))
    return [graph.add("Where", is_mapped, block, graph.number(np.nan)) for block in blocks]


def _input(column: Column) -> onnx.ValueInfoProto:
    return _tensor(column.name, TensorProto.STRING if column.kind == "categorical" else TensorProto.DOUBLE)


def _tensor(name: str, kind: int, width: int = 1) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, ["rows", width])
