"""Curves in what a bought model is elsewhere: estimators, scikit-learn's pipelines, ONNX graphs, files."""

import json

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaml import BoughtRegressor, load_model
from deltaml.export_onnx import as_onnx
from deltaml.preparation import ColumnPreparation
from protocol.learning.kinds.registry import KINDS
from tests.deltaml.bought import bought, frame_of
from tests.support.curved import BASES, curved_request, curved_rows


def frame(count, seed=1):
    request = curved_request()
    return frame_of(request.features, curved_rows(count, seed))


def expected(model, rows):
    return KINDS[model.kind].predict(model, model.design(rows))


@settings(max_examples=20)
@given(basis=st.lists(st.sampled_from(BASES), unique_by=json.dumps), seed=st.integers(0, 100))
def test_the_graph_predicts_what_the_model_does(basis, seed):
    request = curved_request(basis=basis)
    model, rows = bought(request, seed), curved_rows(20, seed)
    inputs = {column.name: rows[column.name] for column in request.features}
    texts = rows["heat"]
    inputs["heat"] = np.array([texts.levels[code] if code >= 0 else "" for code in texts.codes], dtype=object)
    session = onnxruntime.InferenceSession(
        as_onnx(model).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (predicted,) = session.run(None, {name: values[:, None] for name, values in inputs.items()})
    np.testing.assert_allclose(predicted[:, 0], expected(model, rows), atol=1e-9)


def test_estimator_and_pipeline_predict_what_the_model_does():
    model, rows, table = bought(curved_request(), 2), curved_rows(30), frame(30)
    estimator = BoughtRegressor(model)
    np.testing.assert_allclose(estimator.predict(table), expected(model, rows), atol=1e-9)
    pipeline = estimator.to_sklearn()
    np.testing.assert_allclose(pipeline.predict(table), expected(model, rows), atol=1e-9)
    assert tuple(pipeline.named_steps["columns"].get_feature_names_out()) == model.features


def test_plain_columns_with_a_curve_are_prepared_too():
    features = [{"name": "size", "minimum": 10, "maximum": 210}]
    basis = [{"kind": "polynomial", "column": "size", "degree": 2}]
    model = bought(curved_request(features=features, basis=basis), 1)
    assert isinstance(BoughtRegressor(model).to_sklearn().named_steps["columns"], ColumnPreparation)


def test_a_model_file_keeps_its_curves_and_one_without_has_no_field_for_them(tmp_path):
    model = bought(curved_request(), 2)
    BoughtRegressor(model).save(tmp_path / "curves.json")
    assert load_model(tmp_path / "curves.json").model == model
    plain = bought(curved_request(basis=[]), 2)
    assert "basis" not in json.loads(plain.model_dump_json())


def test_a_file_whose_curves_make_other_features_is_no_model():
    model = bought(curved_request(), 2)
    with pytest.raises(ValueError, match="other features than there are weights for"):
        type(model).model_validate_json(model.model_copy(update={"basis": ()}).model_dump_json())
