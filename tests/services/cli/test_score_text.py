"""What `deltaml predict` says of a classification on rows whose target is known."""

import pytest

from protocol.bought_model import BoughtModel
from services.data.model_file import write_model
from tests.support.daemons.command_line import run, run_json

MODEL = BoughtModel(
    name="m",
    kind="binary_classification",
    features=("a",),
    target="y",
    target_kind="boolean",
    weights=(1.0,),
    intercept=0.0,
)
TOLD = """\
4 rows, accuracy 0.7500, AUC 0.6250, log-loss 0.6735, Brier score 0.2191
         predicted 0  predicted 1
truth 0            1            1
truth 1            0            2
probability         rows  mean probability  share of ones
0.1 to 0.2             1            0.1192         0.0000
0.7 to 0.8             1            0.7311         1.0000
0.8 to 0.9             2            0.8808         0.5000
"""


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.json"
    write_model(path, MODEL)
    return path


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,y\n-2,no\n1,yes\n2,yes\n2,no\n")
    return path


def test_scores_go_below_the_predictions(model, rows, tmp_path):
    out = tmp_path / "out.csv"
    assert run("predict", model, rows, "--out", out).stdout == TOLD
    assert out.read_text().splitlines()[:2] == ["predicted_y", "0.11920292202211755"]
    assert run("predict", model, rows).stderr.endswith(TOLD)


def test_programs_get_every_figure(model, rows):
    told = run_json("predict", model, rows)
    scores = told["scores"]
    assert told["r2"] is None
    assert told["mse"] == scores["brier"] == pytest.approx(0.2191, abs=5e-5)
    assert scores["confusion"] == {
        "true_negative": 1,
        "false_positive": 1,
        "false_negative": 0,
        "true_positive": 2,
    }
    assert [group["rows"] for group in scores["calibration"]] == [0, 1, 0, 0, 0, 0, 0, 1, 2, 0]
    assert scores["calibration"][0] == {"rows": 0, "predicted": None, "share": None}


def test_without_a_target_there_is_nothing_to_score(model, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("a\n0\n")
    assert run_json("predict", model, path)["scores"] is None
    assert run("predict", model, path).stderr.endswith("1 rows\n")


def test_one_class_alone_has_no_auc(model, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,y\n1,1\n-1,1\n")
    assert ", accuracy 0.5000, log-loss" in run("predict", model, path).stderr


def test_a_target_of_another_value_is_named_by_its_row_with_the_remedy(model, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,y\n1,1\n2,3\n")
    result = run("predict", model, path)
    assert result.stdout.count("\n") == 3
    assert "the model's error is not told: " in result.stderr
    assert "row 2: column 'y' is neither yes nor no; write true or false, yes or no, 1 or 0" in result.stderr


def test_help_says_what_is_scored():
    text = " ".join(run("predict", "--help").stdout.split())
    for word in ("accuracy", "AUC", "log-loss", "calibration", "MAE"):
        assert word in text
