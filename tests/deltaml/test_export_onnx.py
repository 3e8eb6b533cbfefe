import stat

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaml import BoughtRegressor
from deltaml.export_onnx import as_onnx
from protocol.bought_model import BoughtModel
from protocol.learning.kinds.registry import KINDS
from protocol.preparation.tables import Texts
from services.common.errors import ConfigurationError
from tests.deltaml.bought import bought
from tests.support.deployment.documents import any_request
from tests.support.mixed_columns import requests, rows_for


def run(content, columns):
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (predicted,) = session.run(None, columns)
    return predicted


def inputs_of(columns, table):
    """Each column as the graph takes it: texts, "" for a gap; numbers, nan for a gap."""
    return {column.name: _input(table[column.name])[:, None] for column in columns}


def _input(values):
    if not isinstance(values, Texts):
        return values
    return np.array([values.levels[code] if code >= 0 else "" for code in values.codes], dtype=object)


@settings(max_examples=50)
@given(request=requests(), seed=st.integers(0, 1000))
def test_the_graph_predicts_what_the_model_does(request, seed):
    model, table = bought(request, seed), rows_for(request, 20, seed)
    expected = KINDS[model.kind].predict(model, model.design(table))
    predicted = run(as_onnx(model).SerializeToString(), inputs_of(request.features, table))
    assert predicted.shape == (20, 1)
    assert np.abs(predicted[:, 0] - expected).max() <= 1e-6


@pytest.mark.parametrize(
    ("column", "refused"),
    [
        ({"kind": "numeric", "minimum": 1, "maximum": 9}, np.nan),
        ({"kind": "numeric", "minimum": 1, "maximum": 9, "outside": "clip"}, np.nan),
        ({"kind": "numeric", "minimum": 1, "maximum": 9, "log": True}, -1.0),
        ({"kind": "numeric", "minimum": 1, "maximum": 9}, np.inf),
        ({"kind": "numeric", "minimum": 1, "maximum": 9, "outside": "clip"}, -np.inf),
        ({"kind": "numeric", "minimum": 1, "maximum": 9, "log": True, "missing": {"value": 2}}, np.inf),
        ({"kind": "boolean"}, 0.5),
        ({"kind": "boolean", "missing": "indicator"}, np.inf),
        ({"kind": "date", "minimum": "2024-01-01", "maximum": "2024-12-31"}, np.nan),
        ({"kind": "date", "minimum": "2024-01-01", "maximum": "2024-12-31", "outside": "clip"}, np.inf),
        ({"kind": "categorical", "levels": ["a", "b"]}, "c"),
        ({"kind": "categorical", "levels": ["a", "b"], "missing": "indicator"}, "c"),
        ({"kind": "categorical", "levels": ["a", "b"], "other": "level"}, ""),
    ],
)
def test_what_the_model_does_not_map_comes_out_as_no_number(column, refused):
    wanted = any_request(features=[{"name": "x", **column}], start={"start": "zero"})
    kind = object if isinstance(refused, str) else float
    predicted = run(as_onnx(bought(wanted, 1)).SerializeToString(), {"x": np.array([[refused]], dtype=kind)})
    assert np.isnan(predicted).all()


def test_inputs_and_output_have_the_columns_names_whatever_these_are(tmp_path):
    names = ("deltaml/1", "deltaml//2", "Wohnfläche m²")
    model = BoughtModel(name="m", features=names, target="y", weights=(1 / 3, 2 / 3, 1), intercept=0.5)
    path = tmp_path / "model.onnx"
    BoughtRegressor(model).to_onnx(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    graph = onnx.load(path).graph
    assert [column.name for column in graph.input] == list(model.features)
    assert [column.name for column in graph.output] == ["predicted_y"]
    columns = {name: np.array([[1.0], [3.0]]) for name in model.features}
    assert run(path.read_bytes(), columns)[:, 0] == pytest.approx([2.5, 6.5])
    with pytest.raises(ConfigurationError, match="exists"):
        BoughtRegressor(model).to_onnx(path)


def test_a_cox_regressions_output_says_that_it_is_no_time():
    model = BoughtModel(
        name="m",
        kind="cox_regression",
        event="died",
        features=("age",),
        target="months",
        weights=(0.5,),
        intercept=None,
    )
    graph = as_onnx(model)
    assert [column.name for column in graph.graph.output] == ["predicted_log_hazard"]
    assert run(graph.SerializeToString(), {"age": np.array([[3.0]])}).tolist() == [[1.5]]


def test_a_column_may_have_the_outputs_name():
    names = ("predicted_y", "predicted_y_")
    model = BoughtModel(name="m", features=names, target="y", weights=(1, 2), intercept=0)
    graph = as_onnx(model)
    assert [column.name for column in graph.graph.output] == ["predicted_y__"]
    columns = {name: np.array([[3.0]]) for name in names}
    assert run(graph.SerializeToString(), columns).tolist() == [[9.0]]
