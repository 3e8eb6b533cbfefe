import json
import stat
from unicodedata import normalize

import numpy as np
import pytest

from protocol.bought_model import BoughtModel
from protocol.learning.kinds.registry import KINDS
from services.common.errors import ConfigurationError
from services.data.model_file import read_model, write_model

MODEL = BoughtModel(name="m", features=("a", "b"), target="y", weights=(0.1, -2.5e-17), intercept=1.0)


def test_a_model_survives_its_file_exactly_and_stays_private(tmp_path):
    path = tmp_path / "model.json"
    for model in (MODEL, MODEL.model_copy(update={"intercept": None})):
        write_model(path, model)
        assert read_model(path) == model
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["features"] == ["a", "b"]


def test_files_that_hold_no_model_are_refused_without_their_content(tmp_path):
    path = tmp_path / "model.json"
    fields = MODEL.model_dump(mode="json")
    for content in (
        "8675309",
        "{",
        json.dumps({**fields, "weights": [8675309]}),
        json.dumps({**fields, "weights": ["8675309", "1"]}),
        json.dumps({**fields, "intercept": float("inf")}),
    ):
        write_model(path, MODEL)
        path.write_text(content)
        with pytest.raises(ConfigurationError, match="is not a model file") as refused:
            read_model(path)
        assert "8675309" not in str(refused.value)


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"", b"\xff\xfe{", b"PAR1", b" " * ((16 << 20) + 1)])
def test_of_another_file_its_content_is_told_and_not_its_rights(tmp_path, content):
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match=r"is not a model file: .*; name one that") as refused:
        read_model(path)
    assert "chmod" not in str(refused.value)


def test_names_and_levels_have_their_accents_in_the_form_that_rows_have(tmp_path):
    path = tmp_path / "model.json"
    parts = {"name": "café", "kind": "categorical", "levels": ["crème", "lait"]}
    plain = {"name": "m", "features": ["café=lait"], "target": "é", "weights": [1.0], "intercept": None}
    model = BoughtModel.model_validate_json(json.dumps({**plain, "columns": [parts]}))
    write_model(path, model)
    path.write_text(normalize("NFD", path.read_text()))
    assert read_model(path) == model
    assert read_model(path).columns[0].levels == ("crème", "lait")
    twice = {**parts, "levels": [normalize("NFD", "crème"), "crème"]}
    path.write_text(json.dumps({**plain, "columns": [twice], "features": ["café=crème"]}))
    with pytest.raises(ConfigurationError, match="column 'café': level 'crème' is named twice"):
        read_model(path)


def test_predictions_follow_the_weights():
    rows = np.array([[1.0, 2.0], [3.0, 4.0]])
    predict = KINDS[MODEL.kind].predict
    assert predict(MODEL, rows) == pytest.approx([1.1, 1.3])
    assert predict(MODEL.model_copy(update={"intercept": None}), rows) == pytest.approx([0.1, 0.3])
