import pickle
import stat
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from deltaml import BoughtRegressor, OutsideRangeWarning, load_model
from protocol.learning.kinds.registry import KINDS
from services.common.errors import ConfigurationError
from services.data.model_file import write_model
from tests.deltaml.bought import bought, frame_of, model_of
from tests.support.deployment.documents import any_request
from tests.support.mixed_columns import requests, rows_for

WIDTHS = {
    1: {"check_fit2d_1feature"},
    2: {
        "check_estimators_fit_returns_self",
        "check_estimators_overwrite_params",
        "check_fit_check_is_fitted",
        "check_fit_idempotent",
        "check_readonly_memmap_input",
    },
    4: {
        "check_n_features_in_after_fitting",
        "check_positive_only_tag_during_fit",
        "check_regressors_no_decision_function",
    },
    5: {"check_estimators_dtypes"},
    10: {
        "check_dtype_object",
        "check_fit2d_1sample",
        "check_regressor_data_not_an_array",
        "check_regressors_int",
        "check_regressors_train",
    },
    3: {
        "check_dict_unchanged",
        "check_dont_overwrite_parameters",
        "check_estimators_nan_inf",
        "check_estimators_pickle",
        "check_f_contiguous_array_estimator",
        "check_fit2d_predict1d",
        "check_fit_score_takes_y",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_pipeline_consistency",
        "check_supervised_y_2d",
    },
}
"""Columns of the rows that scikit-learn's checks draw; a bought model takes its own columns alone."""

CANNOT_APPLY = {
    "check_n_features_in": "asks that the number of columns be unknown before fit: a bought model has it"
}


def expected_to_fail(width):
    """The checks that a model of so many columns cannot pass, each with the reason."""
    others = {
        check: f"its rows have {columns} columns, the model {width}"
        for columns, checks in WIDTHS.items()
        if columns != width
        for check in checks
    }
    return others | CANNOT_APPLY


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("width", WIDTHS)
def test_the_estimator_checks_that_apply_pass(width):
    expected = expected_to_fail(width)
    results = check_estimator(BoughtRegressor(model_of(width)), expected_failed_checks=expected, on_skip=None)
    statuses = {(result["check_name"], result["status"]) for result in results}
    assert {check for check, status in statuses if status == "xfail"} == set(expected)
    assert {check for check, status in statuses if status == "passed"} >= WIDTHS[width]
    # It compares array libraries, and asks for an environment variable of scipy's.
    assert {check for check, status in statuses if status == "skipped"} == {"check_array_api_input"}


@settings(max_examples=30)
@given(request=requests(), seed=st.integers(0, 1000))
def test_it_predicts_what_the_protocol_does_and_so_does_its_export(request, seed):
    model, table = bought(request, seed), rows_for(request, 20, seed, beyond=False)
    rows = frame_of(request.features, table)
    expected = KINDS[model.kind].predict(model, model.design(table))
    estimator = BoughtRegressor(model)
    for predicted in (estimator.predict(rows), estimator.to_sklearn().predict(rows)):
        assert np.allclose(predicted, expected, rtol=0, atol=1e-6)
    assert estimator.n_features_in_ == len(rows.columns)
    assert len(estimator.coef_) == len(model.features)
    assert estimator.fit(rows, expected) is estimator


def test_tables_of_pandas_and_polars_are_taken_by_the_names_of_their_columns():
    estimator = BoughtRegressor(model_of(2))
    columns = {"x0": [1.0, 2.0], "x1": [3.0, 6.0]}
    for table in (pd.DataFrame(columns), pl.DataFrame(columns)):
        assert np.allclose(estimator.predict(table), [17 / 6, 31 / 6])
        turned = table[["x1", "x0"]]
        with pytest.raises(ValueError, match="must be in the same order"):
            estimator.predict(turned)
        assert np.allclose(
            estimator.predict(turned[estimator.feature_names_in_.tolist()]), [2.8333333, 5.1666667]
        )
    with pytest.raises(ValueError, match="unseen at fit time:\n- other"):
        estimator.predict(pd.DataFrame({"x0": [1.0], "other": [2.0]}))
    with pytest.raises(ValueError, match="NaN"):
        estimator.predict(pd.DataFrame({"x0": [1.0], "x1": [None]}, dtype=float))


def test_rows_that_the_model_does_not_map_are_told_by_row_and_column():
    heating = {"name": "heating", "kind": "categorical", "levels": ["gas", "oil"]}
    built = {"name": "built", "kind": "date", "minimum": "1950-01-01", "maximum": "2020-01-01"}
    estimator = BoughtRegressor(bought(any_request(features=[heating, built], start={"start": "zero"}), 1))
    rows = pd.DataFrame({"heating": ["gas", " oil"], "built": pd.to_datetime(["1960-05-01", "1999-12-31"])})
    whole = estimator.predict(rows)
    for same in (
        pl.DataFrame({"heating": rows["heating"].tolist(), "built": rows["built"].tolist()}),
        pl.from_pandas(rows).with_columns(pl.col("heating").cast(pl.Categorical)),
        rows.astype({"heating": "category"}),
        pa.table(rows),
        rows.to_numpy(),
    ):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            assert np.array_equal(estimator.predict(same), whole)
    with pytest.raises(ValueError, match="row 2: column 'heating' has another level than gas, oil"):
        estimator.predict(rows.assign(heating=["gas", "peat"]))
    with pytest.raises(ValueError, match="row 1: column 'built' has no value"):
        estimator.predict(rows.assign(built=[None, rows["built"][1]]))
    with pytest.raises(ValueError, match="X, row 2: column 'built' is no date; write it like 2024-02-29"):
        estimator.predict(rows.assign(built=["1999-12-31", "yesterday"]))
    with pytest.raises(ValueError, match="X has a column of several types") as told:
        estimator.predict(rows.assign(heating=[b"secret", 7]))
    assert "secret" not in str(told.value)
    with pytest.warns(OutsideRangeWarning, match="'built' in 1"):
        estimator.predict(rows.assign(built=pd.to_datetime(["1930-05-01", "1999-12-31"])))


def test_attributes_are_those_of_a_linear_model():
    estimator = BoughtRegressor(model_of(3))
    assert estimator.feature_names_in_.tolist() == ["x0", "x1", "x2"]
    assert estimator.n_features_in_ == 3
    assert estimator.coef_.tolist() == pytest.approx([1 / 3, 2 / 3, 1])
    assert estimator.intercept_ == 0.5
    assert BoughtRegressor(model_of(1).model_copy(update={"intercept": None})).intercept_ == 0.0
    assert set(estimator.get_params()) == {"model"}
    assert estimator.set_params(model=model_of(1)).n_features_in_ == 1


def test_it_is_a_step_of_a_pipeline_and_fitting_changes_nothing():
    estimator = BoughtRegressor(model_of(2))
    table = pd.DataFrame({"x0": [1.0, 2.0, 4.0, 0.5], "x1": [3.0, 6.0, 1.0, 7.0]})
    truth = estimator.predict(table)
    copy = clone(estimator)
    assert copy.model == estimator.model
    pipeline = make_pipeline(FunctionTransformer(lambda rows: rows * 2), copy).fit(table / 2, -truth)
    assert np.array_equal(pipeline.predict(table / 2), truth)
    assert pipeline.score(table / 2, truth) == 1
    assert cross_val_score(estimator, table, truth, cv=2).tolist() == [1, 1]
    with pytest.raises(ValueError, match="seen at fit time, yet now missing:\n- x1"):
        estimator.fit(table[["x0"]], truth)


def test_rows_outside_the_ranges_are_told():
    estimator = BoughtRegressor(model_of(2, ranges=True))
    inside = pd.DataFrame({"x0": [-9.0, 9.0], "x1": [0.0, 1.0]})
    estimator.predict(inside)
    with pytest.warns(OutsideRangeWarning, match="of 2 rows some lie outside .* 'x0' in 2, 'x1' in 1"):
        estimator.predict(inside + np.array([[19.0, 0.0], [10.0, 9.0]]))


def test_the_model_file_is_read_and_written_for_its_owner_alone(tmp_path):
    path = tmp_path / "model.json"
    write_model(path, model_of(2))
    estimator = load_model(path)
    assert estimator.model == model_of(2)
    copy = tmp_path / "copy.json"
    estimator.save(copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert load_model(str(copy)).model == estimator.model
    with pytest.raises(ConfigurationError, match="exists"):
        estimator.save(copy)
    estimator.save(copy, replace=True)
    copy.chmod(0o644)
    with pytest.raises(ConfigurationError, match="others"):
        load_model(copy)
    with pytest.raises(ConfigurationError):
        load_model(tmp_path / "none.json")


def test_the_sklearn_export_stands_alone():
    exported = pickle.loads(pickle.dumps(BoughtRegressor(model_of(2)).to_sklearn()))
    assert type(exported) is LinearRegression
    assert b"deltaml" not in pickle.dumps(exported)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert exported.predict(pd.DataFrame({"x0": [1.0], "x1": [3.0]})) == pytest.approx(
            [2.8333333333333335]
        )
