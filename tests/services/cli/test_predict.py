import stat

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from protocol.bought_model import BoughtModel, Range
from services.common.errors import ConfigurationError
from services.data.model_file import write_model
from services.data.prediction_files import prediction_file
from tests.support.daemons.command_line import refused, run, run_json
from tests.support.deployment.documents import any_request

MODEL = BoughtModel(name="m", features=("a", "b"), target="y", weights=(2.0, -1.0), intercept=0.5)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.json"
    write_model(path, MODEL)
    return path


@pytest.fixture
def rows_file(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("b,note,a\n1,x,1\n2,y,0\n")
    return path


def test_predictions_go_to_standard_output_by_the_features_names(model, rows_file):
    result = run("predict", model, rows_file)
    assert result.stdout == "predicted_y\n1.5\n-1.5\n"
    assert result.stderr == "features: a, b; target: none in the file\n2 rows\n"


def test_rows_outside_the_ranges_of_the_training_are_counted(tmp_path, rows_file):
    """The first row has b = 1 and a = 1, the second b = 2 and a = 0."""
    path = tmp_path / "ranged.json"
    ranges = (Range(minimum=0, maximum=0.5), Range(minimum=1, maximum=2))
    write_model(path, BoughtModel(**MODEL.model_dump(exclude={"columns"}), ranges=ranges))
    result = run("predict", path, rows_file)
    assert "outside the ranges that the model was trained in: a in 1\n" in result.stderr
    assert run_json("predict", path, rows_file)["outside"] == {"a": 1}


def test_predictions_never_take_the_place_of_what_they_are_made_from(model, rows_file):
    before = model.read_bytes(), rows_file.read_bytes()
    for out in (rows_file, rows_file.parent / ".." / rows_file.parent.name / "rows.csv"):
        assert "is one of the files that are read" in refused("predict", model, rows_file, "--out", out)
    assert (model.read_bytes(), rows_file.read_bytes()) == before


def test_a_file_that_cannot_be_used_puts_no_header_on_standard_output(model, tmp_path):
    (tmp_path / "rows.csv").write_text("a,c\n1,2\n")
    for name in ("rows.csv", "missing.csv"):
        result = run("predict", model, tmp_path / name, status=2)
        assert result.stdout == ""
        assert result.stderr.startswith("error: ")


def test_predictions_are_written_to_private_files(model, rows_file, tmp_path):
    for name in ("out.csv", "out.parquet"):
        result = run("predict", model, rows_file, "--out", tmp_path / name)
        assert result.stdout == "2 rows\n"
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert (tmp_path / "out.csv").read_text() == "predicted_y\n1.5\n-1.5\n"
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert table.to_pydict() == {"predicted_y": [1.5, -1.5]}


def test_with_the_target_the_error_is_told_over_all_batches(model, tmp_path):
    random = np.random.default_rng(1)
    rows = random.normal(size=(800_000, 2))
    truth = 1000 + rows @ [2.0, -1.0] + random.normal(size=len(rows))
    table = pa.table({"a": rows[:, 0], "b": rows[:, 1], "y": truth})
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    errors = truth - (rows @ [2.0, -1.0] + 0.5)
    told = run_json("predict", model, tmp_path / "rows.parquet", "--out", tmp_path / "out.parquet")
    assert told["rows"] == 800_000
    assert told["mse"] == pytest.approx(np.mean(errors**2), rel=1e-12)
    assert told["r2"] == pytest.approx(1 - np.sum(errors**2) / np.sum((truth - truth.mean()) ** 2), rel=1e-9)
    assert told["out"] == str(tmp_path / "out.parquet")
    assert pyarrow.parquet.ParquetFile(tmp_path / "out.parquet").metadata.num_rows == 800_000


def test_figures_for_people(model, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b,y\n1,1,1\n0,2,0\n")
    assert (
        run("predict", model, path, "--out", tmp_path / "o.csv").stdout
        == "2 rows, MSE 1.25 (its root 1.11803), MAE 1, R² -4.000000\n"
    )
    told = "features: a, b; target: y\n2 rows, MSE 1.25 (its root 1.11803), MAE 1, R² -4.000000\n"
    assert run("predict", model, path).stderr == told
    path.write_text("a,b,y\n1,1,1\n")
    assert run_json("predict", model, path) == {
        "model": "m",
        "features": ["a", "b"],
        "target": "y",
        "left_out": [],
        "rows": 1,
        "mse": 0.25,
        "r2": None,
        "scores": {"mse": 0.25, "rmse": 0.5, "mae": 0.5, "r2": None},
        "not_measured": None,
        "outside": {},
        "out": None,
    }
    path.write_text("a,b,y\n")
    assert run_json("predict", model, path)["mse"] is None


@pytest.mark.parametrize(
    ("targets", "reason"),
    [
        (("", ""), "row 1: column 'y' has no value"),
        (("1", ""), "row 2: column 'y' has no value"),
        (("1", "unknown"), "row 2: column 'y' is not numeric"),
        (("inf", "1"), "row 1: column 'y' has an infinite value"),
    ],
)
def test_a_target_that_is_not_known_is_not_compared_and_the_reason_is_told(model, tmp_path, targets, reason):
    path = tmp_path / "rows.csv"
    path.write_text("a,b,y\n1,1,{}\n0,2,{}\n".format(*targets))
    result = run("predict", model, path)
    assert result.stdout == "predicted_y\n1.5\n-1.5\n"
    assert f"2 rows\nthe model's error is not told: {path}, {reason}" in result.stderr
    told = run_json("predict", model, path, "--out", tmp_path / "out.csv")
    assert (told["rows"], told["mse"], told["r2"]) == (2, None, None)
    assert reason in told["not_measured"]
    assert (tmp_path / "out.csv").read_text() == result.stdout


def test_a_target_that_ends_in_the_midst_of_a_long_file_costs_no_row_and_doubles_none(model, tmp_path):
    path, out = tmp_path / "rows.parquet", tmp_path / "out.parquet"
    known = np.arange(800_000.0)
    target = pa.array(known, mask=known == 700_000)
    pyarrow.parquet.write_table(pa.table({"a": known, "b": np.zeros(800_000), "y": target}), path)
    assert "row 700001: column 'y' has no value" in run("predict", model, path, "--out", out).stdout
    assert np.array_equal(pyarrow.parquet.read_table(out)["predicted_y"].to_numpy(), 2 * known + 0.5)


def test_two_columns_called_like_the_target_are_not_compared(model, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b,y,y\n1,1,1,2\n")
    assert "has two columns named 'y'" in run("predict", model, path).stderr


def test_what_is_used_and_what_is_left_out_is_told(model, tmp_path):
    path = tmp_path / "rows.parquet"
    columns = {"a": [1.0], "b": [1.0], "y": [1.0], "__index_level_0__": [7]}
    pyarrow.parquet.write_table(pa.table(columns), path)
    told = run("predict", model, path).stderr.splitlines()
    assert told[0] == "features: a, b; target: y"
    assert told[1] == "left out, because pandas stored its index there: __index_level_0__"
    assert run_json("predict", model, path)["left_out"] == ["__index_level_0__"]


def test_what_does_not_fit_is_refused_and_leaves_no_file(model, rows_file, tmp_path):
    out = tmp_path / "out.csv"
    assert "there is no file" in refused("predict", tmp_path / "none.json", rows_file)
    assert "is not a model file" in refused("predict", _private(tmp_path / "x.json", "{}"), rows_file)
    assert "written to .csv or .parquet" in refused("predict", model, rows_file, "--out", tmp_path / "o.txt")
    assert "cannot write" in refused("predict", model, rows_file, "--out", tmp_path / "no" / "o.csv")
    rows_file.write_text("a,c\n1,2\n")
    assert "has no column 'b'; it has a, c" in refused("predict", model, rows_file, "--out", out)
    rows_file.write_text("a,b\n1,2\n1,\n")
    assert "row 2: column 'b' has no value" in refused("predict", model, rows_file, "--out", out)
    assert {path.name for path in tmp_path.iterdir()} == {"model.json", "rows.csv", "x.json"}


def test_a_failure_keeps_the_older_predictions(model, rows_file, tmp_path):
    out = tmp_path / "out.parquet"
    run("predict", model, rows_file, "--out", out)
    before = out.read_bytes()
    rows_file.write_text("a,b\n1,2\n1,\n")
    refused("predict", model, rows_file, "--out", out, "--force")
    assert out.read_bytes() == before


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_predictions_take_the_place_of_a_file_with_force_alone(model, rows_file, tmp_path, name):
    out = tmp_path / name
    out.write_text("notes of a year")
    said = refused("predict", model, rows_file, "--out", out)
    assert f"{out} exists already; name another file, or add --force to replace it" in said
    assert out.read_text() == "notes of a year"
    run("predict", model, rows_file, "--out", out, "--force")
    assert out.read_bytes() != b"notes of a year"


def test_a_file_that_comes_while_rows_are_predicted_stays(tmp_path):
    out = tmp_path / "out.csv"

    def written_beside_another():
        bought = BoughtModel(name="m", features=(), target="y", weights=(), intercept=0.0)
        with prediction_file(out, bought, replace=False) as write:
            write(np.array([1.0]))
            out.write_text("of another")

    with pytest.raises(ConfigurationError, match="exists already"):
        written_beside_another()
    assert out.read_text() == "of another"


def test_a_model_that_others_can_read_is_refused(model, rows_file):
    model.chmod(0o644)
    assert "run: chmod 0600" in refused("predict", model, rows_file)


def _private(path, text):
    path.touch(mode=0o600)
    path.write_text(text)
    return path


HOUSES = {
    "features": [
        {"name": "area", "minimum": 10, "maximum": 200, "outside": "clip"},
        {"name": "garden", "kind": "boolean", "missing": {"value": False}},
        {"name": "heating", "kind": "categorical", "levels": ["gas", "oil"], "missing": "indicator"},
        {"name": "built", "kind": "date", "minimum": "2000-01-01", "maximum": "2020-01-01", "unit": "weeks"},
    ],
    "target": {"name": "price", "minimum": 0, "maximum": 400},
}
ROWS = """garden,area,built,heating,price
yes,50,2000-01-08,gas,47.3
No,300,2000-01-01, oil ,
,50,1999-12-25,,
"""
WRITTEN = ({}, {"garden": pa.bool_(), "built": pa.date32()}, {"garden": pa.float64()})


@pytest.fixture
def houses_model(tmp_path):
    """A price of the area, 10 for a garden, 20 for oil, 5 for no heating that is known, and 1 a week."""
    path = tmp_path / "houses.json"
    write_model(path, BoughtModel.of(any_request(**HOUSES, scale="none"), [1.0, 10, 20, 5, 1, -1565]))
    return path


@pytest.mark.parametrize("kinds", WRITTEN, ids=("text", "typed", "numbers"))
def test_rows_of_every_kind_are_prepared_as_the_model_says(tmp_path, houses_model, kinds):
    rows = tmp_path / "rows.csv"
    rows.write_text(ROWS)
    table = pyarrow.csv.read_csv(rows, convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True))
    for name, kind in kinds.items():
        values = table["garden"].to_pylist()
        plain = pa.array([None if value is None else value == "yes" for value in values], pa.bool_())
        column = plain.cast(kind) if name == "garden" else table[name].cast(kind)
        table = table.set_column(table.schema.get_field_index(name), name, column)
    if not kinds:
        table = table.set_column(2, "built", table["built"].cast(pa.string()))
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    for file in (rows, tmp_path / "rows.parquet"):
        result = run("predict", houses_model, file)
        found = [float(line) for line in result.stdout.splitlines()[1:]]
        weeks = 10957 / 7
        assert found == pytest.approx([50 + 10 + weeks + 1 - 1565, 220 + weeks - 1565, 54 + weeks - 1565])
        assert "features: area, garden, heating, built; target: price" in result.stderr
        assert "outside the ranges that the model was trained in: area in 1, built in 1" in result.stderr
        assert "row 2: column 'price' has no value" in result.stderr


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("yes,50,2000-01-08,wood,1", "row 4: column 'heating' has another level than gas, oil"),
        ("perhaps,50,2000-01-08,gas,1", "row 4: column 'garden' is neither yes nor no; write"),
        ("yes,50,2000-02-30,gas,1", "row 4: column 'built' is no date; write it like 2024-02-29"),
        ("yes,50,,gas,1", "row 4: column 'built' has no value"),
        ("yes,large,2000-01-08,gas,1", "row 4: column 'area' is not numeric"),
        ("yes,inf,2000-01-08,gas,1", "row 4: column 'area' has an infinite value"),
    ],
)
def test_a_row_that_the_model_does_not_map_is_named_and_not_shown(tmp_path, houses_model, line, text):
    rows = tmp_path / "rows.csv"
    rows.write_text(ROWS + line + "\n")
    told = refused("predict", houses_model, rows, "--out", tmp_path / "out.csv")
    assert text in told
    assert not {"wood", "perhaps", "02-30", "large"} & set(told.replace("'", " ").split())
