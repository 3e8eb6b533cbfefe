"""A model with its preparation; files of earlier versions, which knew numbers alone, are read as before."""

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from protocol.bought_model import BoughtModel
from protocol.codec import pack, unpack
from protocol.preparation.tables import Texts
from tests.support.deployment.documents import any_request

HEATING = {"name": "heating", "kind": "categorical", "levels": ["gas", "oil"], "missing": "indicator"}
AREA = {"name": "area", "minimum": 1, "maximum": 100, "log": True}
OLD: dict[str, Any] = {
    "name": "m",
    "features": ["a", "b"],
    "target": "y",
    "weights": [2, 1],
    "intercept": 0.5,
}


def test_a_model_carries_all_it_needs_to_predict_on_rows() -> None:
    model = BoughtModel.of(any_request(features=[AREA, HEATING], scale="none"), [2.0, 5.0, -1.0, 3.0])
    assert model.features == ("log(area)", "heating=oil", "heating is missing")
    for again in (BoughtModel.model_validate_json(model.model_dump_json()), unpack(BoughtModel, pack(model))):
        assert again == model
    table = {"area": np.array([1.0, np.e, 1.0]), "heating": Texts.of(["gas", "oil", None])}
    np.testing.assert_allclose(model.design(table), [[0, 0, 0], [1, 1, 0], [0, 0, 1]])


@pytest.mark.parametrize("ranges", [[], [{"minimum": 0, "maximum": 0.1}, {"minimum": -1, "maximum": 5}]])
def test_files_of_earlier_versions_hold_numbers_in_their_ranges(ranges: list[Any]) -> None:
    model = BoughtModel.model_validate_json(json.dumps({**OLD, "ranges": ranges}))
    limits = [(float(column.minimum), float(column.maximum)) for column in model.columns]
    assert limits == ([(0, 0.1), (-1, 5)] if ranges else [(-1e30, 1e30)] * 2)
    assert [column.name for column in model.columns] == ["a", "b"]
    table = {"a": np.array([1.5]), "b": np.array([-2.0])}
    assert model.design(table).tolist() == [[1.5, -2.0]]
    assert "ranges" not in model.model_dump()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"ranges": [{"minimum": 0, "maximum": 1}]}, "as many ranges"),
        ({"columns": [{"name": "a", "minimum": "0", "maximum": "1"}]}, "the columns make other features"),
        ({"columns": [AREA]}, "the columns make other features"),
        ({"features": ["a", "a"]}, "a column is named twice"),
        ({"target": "y\x1b[2J"}, "printable"),
        ({"name": "m\nis safe"}, "printable"),
    ],
)
def test_a_model_that_does_not_fit_together_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        BoughtModel.model_validate_json(json.dumps({**OLD, **changes}))
