"""Bought generalized linear models in scikit-learn and ONNX."""

import numpy as np
import onnxruntime
import pandas as pd
import pytest

from deltaml import BoughtClassifier, BoughtRegressor
from deltaml.export_onnx import as_onnx
from deltaml.regressor import estimator_of
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import KINDS, kind_of
from protocol.links import LINKS
from tests.support.generalized import request_of, rows_of, table_of

TABLE = pd.DataFrame(rows_of("gamma_regression", 30)[:, :2], columns=["a", "b"])


@pytest.mark.parametrize("kind", LINKS)
def test_estimators_and_exports_predict_what_the_model_does(kind: str) -> None:
    request = request_of(kind)
    model = kind_of(request).bought(request, [0.02, -0.03, 0.01], PublishedErrors(1.0, 0.5))
    expected = KINDS[kind].predict(model, model.design(table_of(rows_of("gamma_regression", 30))))
    estimator = estimator_of(model)
    if isinstance(estimator, BoughtClassifier):
        predicted = estimator.predict_proba(TABLE)[:, 1]
        exported = estimator.to_sklearn().predict_proba(TABLE)[:, 1]
    else:
        assert isinstance(estimator, BoughtRegressor)
        predicted, exported = estimator.predict(TABLE), estimator.to_sklearn().predict(TABLE)
    np.testing.assert_allclose(predicted, expected)
    np.testing.assert_allclose(exported, expected)
    session = onnxruntime.InferenceSession(as_onnx(model).SerializeToString())
    columns = {name: TABLE[[name]].to_numpy() for name in TABLE}
    np.testing.assert_allclose(session.run(None, columns)[0][:, 0], expected, rtol=1e-9)
