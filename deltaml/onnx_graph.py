"""An ONNX graph under construction: nodes and constants, named as no column is."""

from typing import Any

import numpy as np

from deltaml.optional import extra

with extra():
    import onnx
    from onnx import TensorProto, helper, numpy_helper

_OPSET = 21
"""Of March 2024: what runs graphs has it."""


class Graph:
    """Nodes and constants; their names begin as no column's does, since a graph has each name once."""

    def __init__(self, columns: list[str]) -> None:
        self._prefix = "deltaml/"
        while any(name.startswith(self._prefix) for name in columns):
            self._prefix += "/"
        self._count = 0
        self.nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """A node with one output, whose name is returned."""
        output = self._name()
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def number(self, value: Any) -> str:
        """A constant of double-precision numbers, by its name."""
        return self._constant(np.array(value, dtype=np.float64))

    def place(self, *axes: int) -> str:
        """A constant row of whole numbers, by its name."""
        return self._constant(np.array(axes, dtype=np.int64))

    def text(self, *values: str) -> str:
        """A constant row of texts, by its name."""
        return self._constant(np.array([values], dtype=object))

    def as_number(self, flags: str) -> str:
        """1 for true and 0 for false."""
        return self.add("Cast", flags, to=TensorProto.DOUBLE)

    def proto(self, inputs: list[onnx.ValueInfoProto], output: onnx.ValueInfoProto) -> onnx.ModelProto:
        """The whole, in the earliest format that has the operators."""
        graph = helper.make_graph(self.nodes, "bought_model", inputs, [output], self._constants)
        opsets = [helper.make_opsetid("", _OPSET)]
        return helper.make_model_gen_version(graph, opset_imports=opsets, producer_name="deltaml")

    def _name(self) -> str:
        self._count += 1
        return f"{self._prefix}{self._count}"

    def _constant(self, value: np.ndarray[Any, Any]) -> str:
        name = self._name()
        self._constants.append(numpy_helper.from_array(value, name))
        return name
