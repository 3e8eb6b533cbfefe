"""Bought models of several targets and classes as scikit-learn's and as ONNX: all predict alike."""

from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest

from deltaml.export_onnx import as_onnx
from deltaml.regressor import estimator_of, load_model
from deltaml.several import BoughtSeveralClasses, BoughtTargets
from protocol.bought_model import BoughtModel
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import KINDS, kind_of
from tests.support.several import CLASSES, LEVELS, TARGETS, several_request, some_table, truth_of

ROWS = {name: np.asarray(some_table()[name]) for name in ("x0", "x1")}
CONTENTS = pytest.mark.parametrize("content", [TARGETS, CLASSES], ids=["targets", "classes"])


def model_of(content: dict) -> BoughtModel:
    request = several_request(content)
    weights = np.random.default_rng(3).normal(size=request.parameters).tolist()
    return kind_of(request).bought(request, weights, PublishedErrors(0.2, 0.1))


def predicted_by(model: BoughtModel) -> np.ndarray:
    return KINDS[model.kind].predict(model, model.design(ROWS))


def test_several_targets_are_predicted_as_columns(tmp_path: Path) -> None:
    model = model_of(TARGETS)
    estimator = estimator_of(model)
    assert isinstance(estimator, BoughtTargets)
    assert estimator.targets_ == ("rent", "price")
    assert (estimator.coef_.shape, estimator.intercept_.shape) == ((2, 2), (2,))
    rows, truth = pd.DataFrame(ROWS), truth_of(some_table(), TARGETS)
    np.testing.assert_allclose(estimator.predict(rows), predicted_by(model))
    assert estimator.fit(rows, truth) is estimator
    assert estimator.score(rows, truth) <= 1
    with pytest.raises(ValueError, match="2 columns expected"):
        estimator.fit(rows, truth[:, 0])
    estimator.save(tmp_path / "model.json")
    assert isinstance(load_model(tmp_path / "model.json"), BoughtTargets)


def test_the_likeliest_class_is_predicted_by_its_name() -> None:
    model = model_of(CLASSES)
    estimator = estimator_of(model)
    assert isinstance(estimator, BoughtSeveralClasses)
    rows = pd.DataFrame(ROWS)
    np.testing.assert_allclose(estimator.predict_proba(rows), predicted_by(model))
    names = [LEVELS[place] for place in predicted_by(model).argmax(axis=1)]
    assert estimator.predict(rows).tolist() == names
    assert estimator.fit(rows, names).score(rows, names) == 1
    with pytest.raises(ValueError, match="y has 'Neri'"):
        estimator.fit(rows, ["Neri"] * 60)


@CONTENTS
def test_scikit_learns_own_estimators_predict_the_same(content: dict) -> None:
    model = model_of(content)
    plain, rows = estimator_of(model).to_sklearn(), pd.DataFrame(ROWS)
    if content is TARGETS:
        np.testing.assert_allclose(plain.predict(rows), predicted_by(model))
        return
    places = [LEVELS.index(level) for level in plain.classes_]
    np.testing.assert_allclose(plain.predict_proba(rows), predicted_by(model)[:, places])
    assert plain.predict(rows).tolist() == estimator_of(model).predict(rows).tolist()


@CONTENTS
def test_the_onnx_graph_predicts_the_same(content: dict) -> None:
    model = model_of(content)
    session = onnxruntime.InferenceSession(as_onnx(model).SerializeToString())
    [found] = session.run(None, {name: values[:, None] for name, values in ROWS.items()})
    np.testing.assert_allclose(found, predicted_by(model), rtol=1e-9)
