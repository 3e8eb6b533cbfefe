"""Names and levels in Python, with accents in any form."""

from unicodedata import normalize

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from deltaml import BoughtModel, BoughtRegressor
from deltaml.arrow_tables import data_set_of
from deltaml.requests import request_of
from protocol.errors import MisuseError
from services.common.errors import DataSetError
from tests.support.deployment.documents import any_request

CAFE, THE = "café", "thé"
CAFE_APART, THE_APART = normalize("NFD", CAFE), normalize("NFD", THE)
KINDS = (pd.DataFrame, pl.DataFrame, pa.table)


def document(*levels):
    features = [{"name": CAFE_APART, "kind": "categorical", "levels": list(levels)}]
    return {**any_request().model_dump(mode="json"), "features": features}


def test_a_request_names_columns_and_levels_as_tables_do():
    request = request_of(document("lait", THE_APART))
    assert (request.features[0].name, request.features[0].levels) == (CAFE, ("lait", THE))
    apart = request.model_copy(update={"purpose": THE_APART})
    assert request_of(apart).purpose == THE
    assert request_of(request) is request


def test_levels_that_become_one_are_refused_by_name():
    with pytest.raises(MisuseError, match="column 'café': level 'thé' is named twice"):
        request_of(document(THE, THE_APART))


@pytest.mark.parametrize("kind", KINDS)
def test_tables_are_read_by_names_and_levels_in_any_form(kind):
    request = request_of(document("lait", THE))
    rows = {CAFE_APART: [THE_APART, "lait"] * 20, "progression": [1.0, 2.0] * 20}
    data_set = data_set_of("one", kind(rows), request)
    assert data_set.card.columns[0].vocabulary == ("lait", THE)
    with pytest.raises(DataSetError, match="has two columns named 'café'; rename one"):
        data_set_of("one", kind({**rows, CAFE: ["lait"] * 40}), request)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_predicts_for_names_in_any_form(kind):
    model = BoughtModel(name="m", features=(CAFE, "b"), target="y", weights=(2.0, 1.0), intercept=0.0)
    rows = kind({CAFE_APART: [1.0, 3.0], "b": [2.0, 0.0]})
    assert BoughtRegressor(model).predict(rows).tolist() == [4.0, 6.0]


def test_the_index_of_a_table_is_no_column():
    model = BoughtModel(name="m", features=(CAFE,), target="y", weights=(2.0,), intercept=0.0)
    rows = pd.DataFrame({CAFE_APART: [1.0]}, index=["first"])
    assert BoughtRegressor(model).predict(rows).tolist() == [2.0]
