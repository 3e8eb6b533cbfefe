"""Cox regression as a kind: what an owner gives, and what the buyer gets."""

import numpy as np
import onnxruntime
import pandas as pd
import pytest

from deltaml.export_onnx import as_onnx
from deltaml.regressor import BoughtRegressor, estimator_of
from protocol.bought_model import BoughtModel
from protocol.errors import MisuseError
from protocol.learning.glm.fitting import with_fit
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import KINDS, kind_of
from protocol.learning.scores.concordance import ConcordanceScores
from tests.support.hazards import KIND, hazard_request, hazard_rows, statistic_of_hazards, table_of_hazards

ERRORS = PublishedErrors(1.0, 0.5)


def bought() -> BoughtModel:
    """Of ages from 30 to 90: in the middle of them and of b the hazard is that which others are beside."""
    age, b = {"name": "age", "minimum": 30, "maximum": 90}, {"name": "b", "minimum": -1, "maximum": 1}
    request = hazard_request(features=[age, b])
    half = float(request.scalings()[-1].half)
    return kind_of(request).bought(request, [0.9 / half, -1 / half, 0.0], ERRORS)


def test_the_factors_are_those_of_the_fit_and_rows_without_one_are_none() -> None:
    request, rows = hazard_request(), hazard_rows(60)
    plain = statistic_of_hazards(rows)
    statistic = with_fit(request, plain, lambda: [table_of_hazards(rows)])
    assert statistic.fitted is not None
    assert kind_of(request).training_factor(request, statistic) is statistic.fitted.training
    assert kind_of(request).measuring_factor(request, statistic) is statistic.fitted.measuring
    assert kind_of(request).statistic_entries(request) == 6
    for factor in (kind_of(request).training_factor, kind_of(request).measuring_factor):
        with pytest.raises(MisuseError, match="read them again"):
            factor(request, plain)


def test_what_is_delivered_predicts_log_hazards_beside_the_middle_of_the_ranges() -> None:
    model = bought()
    assert (model.kind, model.event) == (KIND, "died")
    assert model.weights == pytest.approx((0.03, -1.0))
    table = {"age": np.array([60.0, 70.0, 60.0]), "b": np.array([0.0, 0.0, 1.0])}
    np.testing.assert_allclose(KINDS[KIND].predict(model, model.design(table)), [0, 0.3, -1], atol=1e-12)
    assert KINDS[KIND].scores(model) == ConcordanceScores()
    assert BoughtModel.model_validate_json(model.model_dump_json()) == model


@pytest.mark.parametrize("changes", [{"event": None}, {"kind": "linear_regression"}])
def test_a_model_of_hazards_has_an_event_and_no_other_model_has(changes: dict[str, object]) -> None:
    fields = {**bought().model_dump(mode="json"), **changes}
    with pytest.raises(ValueError, match="has an event"):
        BoughtModel.model_validate(fields, strict=False)


def test_estimators_and_exports_predict_what_the_model_does() -> None:
    model = bought()
    frame = pd.DataFrame({"age": [40.0, 75.0], "b": [0.5, -0.5]})
    expected = KINDS[KIND].predict(model, frame.to_numpy())
    estimator = estimator_of(model)
    assert isinstance(estimator, BoughtRegressor)
    np.testing.assert_allclose(estimator.predict(frame), expected)
    np.testing.assert_allclose(estimator.to_sklearn().predict(frame), expected)
    session = onnxruntime.InferenceSession(as_onnx(model).SerializeToString())
    np.testing.assert_allclose(
        session.run(None, {name: frame[[name]].to_numpy() for name in frame})[0][:, 0], expected
    )
