"""A bought classification in scikit-learn and ONNX."""

import pickle

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from deltaml import BoughtClassifier, BoughtModel, OutsideRangeWarning, load_model
from deltaml.export_onnx import as_onnx
from protocol.preparation.columns import CategoricalColumn, NumericColumn

MODEL = BoughtModel(
    name="tumours",
    kind="binary_classification",
    features=("radius", "texture"),
    target="benign",
    target_kind="boolean",
    weights=(-0.5, 0.1),
    intercept=5.0,
    columns=(
        NumericColumn(name="radius", minimum=0, maximum=30),
        NumericColumn(name="texture", minimum=0, maximum=30),
    ),
)
ROWS = pd.DataFrame(np.random.default_rng(3).uniform(0, 30, (60, 2)), columns=["radius", "texture"])
LOG_ODDS = ROWS.to_numpy() @ [-0.5, 0.1] + 5.0
ESTIMATOR = BoughtClassifier(MODEL)


def test_probabilities_classes_and_log_odds_belong_together():
    probability = 1 / (1 + np.exp(-LOG_ODDS))
    np.testing.assert_allclose(ESTIMATOR.predict_proba(ROWS), np.column_stack([1 - probability, probability]))
    np.testing.assert_allclose(ESTIMATOR.decision_function(ROWS), LOG_ODDS, atol=1e-9)
    np.testing.assert_array_equal(ESTIMATOR.predict(ROWS), LOG_ODDS >= 0)
    assert ESTIMATOR.score(ROWS, LOG_ODDS >= 0) == 1.0
    assert ESTIMATOR.classes_.tolist() == [0, 1]
    assert ESTIMATOR.coef_.shape == (1, 2)
    assert ESTIMATOR.intercept_.tolist() == [5.0]


def test_it_stays_as_it_was_bought():
    assert ESTIMATOR.fit(ROWS, np.arange(60) % 2) is ESTIMATOR
    assert clone(ESTIMATOR).model == MODEL
    calibrated = CalibratedClassifierCV(FrozenEstimator(ESTIMATOR)).fit(ROWS, LOG_ODDS > 1)
    assert roc_auc_score(LOG_ODDS > 1, calibrated.predict_proba(ROWS)[:, 1]) == 1.0


def test_targets_that_are_no_classes_are_named_by_row_and_value():
    with pytest.raises(ValueError, match=r"y\[2\] is '2'; .* code the class"):
        ESTIMATOR.fit(ROWS[:3], [0, 1, 2])
    with pytest.raises(ValueError, match=r"y\[0\] is 'benign'"):
        ESTIMATOR.fit(ROWS[:1], ["benign"])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ESTIMATOR.fit(ROWS[:3], [0, 1])
    with pytest.raises(ValueError, match="requires y"):
        ESTIMATOR.fit(ROWS, None)


def test_rows_beyond_the_ranges_are_told():
    with pytest.warns(OutsideRangeWarning, match="'radius' in 1"):
        ESTIMATOR.predict(pd.DataFrame({"radius": [40.0], "texture": [1.0]}))


def test_files_and_exports_predict_the_same(tmp_path):
    ESTIMATOR.save(tmp_path / "model.json")
    loaded = load_model(tmp_path / "model.json")
    assert isinstance(loaded, BoughtClassifier)
    expected = ESTIMATOR.predict_proba(ROWS)
    exported = pickle.loads(pickle.dumps(ESTIMATOR.to_sklearn()))
    assert isinstance(exported, LogisticRegression)
    for other in (loaded, exported):
        np.testing.assert_allclose(other.predict_proba(ROWS), expected, rtol=1e-12)
    session = onnxruntime.InferenceSession(
        as_onnx(MODEL).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (predicted,) = session.run(None, {name: ROWS[[name]].to_numpy() for name in ROWS})
    np.testing.assert_allclose(predicted[:, 0], expected[:, 1], atol=1e-9)


def test_levels_are_prepared_before_they_are_classified():
    heating = CategoricalColumn(name="heating", kind="categorical", levels=("gas", "oil"))
    fields = {"features": ("heating=oil",), "weights": (2.0,), "intercept": -1.0, "columns": (heating,)}
    estimator = BoughtClassifier(BoughtModel.model_validate({**dict(MODEL), **fields}))
    rows = pd.DataFrame({"heating": ["gas", "oil"]})
    assert estimator.predict(rows).tolist() == [0, 1]
    np.testing.assert_allclose(
        estimator.to_sklearn().predict_proba(rows)[:, 1], 1 / (1 + np.exp([1.0, -1.0])), rtol=1e-12
    )


@pytest.mark.parametrize("wrong", [{"target_kind": "numeric"}, {"intercept": None}])
def test_no_classification_has_another_target_or_no_intercept(wrong):
    with pytest.raises(ValueError, match="a binary classification has a boolean target and an intercept"):
        BoughtModel.model_validate({**dict(MODEL), **wrong})
