"""Predictions of several targets and of several classes on files, with the scores of both."""

from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest

from protocol.bought_model import BoughtModel
from protocol.learning.kinds.interface import PublishedErrors
from protocol.learning.kinds.registry import KINDS, kind_of
from protocol.preparation.tables import Table, Texts
from services.cli.score_text import score_figures, score_tables
from services.common.errors import DataSetError
from services.data.model_file import read_model, write_model
from services.data.own_scores import OwnScores, own_scores
from services.data.prediction_files import predicted_columns, prediction_file
from services.data.predictions import open_rows, predict_rows
from tests.support.several import CLASSES, LEVELS, TARGETS, several_request, some_table, truth_of

WEIGHTS = [0.01 * place for place in range(9)]


def model_of(content: dict) -> BoughtModel:
    request = several_request(content)
    return kind_of(request).bought(request, WEIGHTS[: request.parameters], PublishedErrors(0.2, 0.1))


def written(place: Path, table: Table, *names: str) -> Path:
    columns = []
    for name in names:
        values = table[name]
        texts = isinstance(values, Texts)
        columns.append([values.levels[code] for code in values.codes] if texts else values.tolist())
    lines = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    place.write_text("\n".join([",".join(names), *lines]) + "\n", encoding="utf-8")
    return place


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_every_target_has_a_column_of_predictions(tmp_path: Path, suffix: str) -> None:
    table, model = some_table(), model_of(TARGETS)
    file = written(tmp_path / "rows.csv", table, "x0", "x1", "rent", "price")
    out = tmp_path / f"out{suffix}"
    with prediction_file(out, model, replace=False) as write:
        quality = predict_rows(open_rows(model, file), write)
    found = pyarrow.csv.read_csv(out) if suffix == ".csv" else pyarrow.parquet.read_table(out)
    assert found.column_names == ["predicted_rent", "predicted_price"]
    predicted = KINDS["several_targets"].predict(model, model.design(table))
    np.testing.assert_allclose(np.column_stack([one.to_numpy() for one in found.columns]), predicted)
    mean = float(np.mean((predicted[:, 1] - truth_of(table, TARGETS)[:, 1]) ** 2))
    scores = own_scores(model, file, 1.0)
    assert scores.figures["targets"]["price"]["mse"] == pytest.approx(mean)
    assert OwnScores.model_validate_json(scores.model_dump_json()) == scores
    assert [line.split(",")[0] for line in score_tables(quality.scores)] == ["rent", "price"]
    assert ", mean R² " in score_figures(quality.scores)


def test_a_log_hazard_is_not_named_after_the_time() -> None:
    model = model_of(TARGETS).model_copy(update={"kind": "cox_regression", "outputs": ()})
    assert predicted_columns(model) == ("predicted_log_hazard",)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_row_has_its_likeliest_class_and_all_probabilities(tmp_path: Path, suffix: str) -> None:
    table, model = some_table(), model_of(CLASSES)
    file = written(tmp_path / "rows.csv", table, "x0", "x1", "grower")
    out = tmp_path / f"out{suffix}"
    with prediction_file(out, model, replace=False) as write:
        quality = predict_rows(open_rows(model, file), write)
    found = pyarrow.csv.read_csv(out) if suffix == ".csv" else pyarrow.parquet.read_table(out)
    assert tuple(found.column_names) == predicted_columns(model)
    assert found.column_names[:2] == ["predicted_grower", "predicted_grower=Rossi"]
    predicted = KINDS["several_classes"].predict(model, model.design(table))
    assert found.column(0).to_pylist() == [LEVELS[place] for place in predicted.argmax(axis=1)]
    scores = own_scores(model, file, 1.0)
    right = predicted.argmax(axis=1) == truth_of(table, CLASSES).argmax(axis=1)
    assert scores.figures["accuracy"] == pytest.approx(np.mean(right))
    assert OwnScores.model_validate_json(scores.model_dump_json()) == scores
    head, *rows = score_tables(quality.scores)
    assert head.split() == ["predicted", *LEVELS, "precision", "recall"]
    assert [row.split()[0] for row in rows] == list(LEVELS)


def test_a_class_that_the_model_does_not_know_is_told_by_its_row(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("x0,x1,grower\n1,2,Rossi\n1,2,Neri\n", encoding="utf-8")
    with pytest.raises(Exception, match="row 2: its class is none of Rossi, Bianchi, Verdi"):
        own_scores(model_of(CLASSES), file, 1.0)


def test_scores_need_every_target(tmp_path: Path) -> None:
    file = written(tmp_path / "rows.csv", some_table(), "x0", "x1", "rent")
    with pytest.raises(DataSetError, match="no column 'rent' or 'price'"):
        own_scores(model_of(TARGETS), file, 1.0)
    assert predict_rows(open_rows(model_of(TARGETS), file), None).rows == 60


@pytest.mark.parametrize("content", [TARGETS, CLASSES], ids=["targets", "classes"])
def test_a_model_file_holds_every_target(tmp_path: Path, content: dict) -> None:
    model = model_of(content)
    write_model(tmp_path / "model.json", model)
    assert read_model(tmp_path / "model.json") == model
