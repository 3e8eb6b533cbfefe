"""A bought model's scores on a buyer's own rows: those that numpy and scikit-learn find, of every kind."""

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, log_loss, mean_absolute_error, r2_score, roc_auc_score

from protocol.bought_model import BoughtModel
from protocol.errors import MisuseError
from protocol.learning.kinds.registry import KINDS
from protocol.learning.scores.classification import ClassificationScores
from protocol.request_targets import SEVERAL
from services.common.errors import DataSetError
from services.data import sandboxed_scores
from services.data.own_scores import OwnScores, own_scores
from services.data.sandboxed_scores import scores_apart

Matrix = NDArray[np.float64]
AT = 1_750_000_000.0
CLASSES = ("binary_classification", "logistic_regression")


def model_of(kind: str, **changes: object) -> BoughtModel:
    target = "boolean" if kind in CLASSES else "numeric"
    fields = {"name": "m", "kind": kind, "features": ("a", "b"), "target": "y", "target_kind": target}
    if kind == "negative_binomial_regression":
        fields["dispersion"] = Decimal("0.5")
    return BoughtModel(**{**fields, "weights": (1.0, -0.5), "intercept": 0.25, **changes})  # type: ignore[arg-type]


def written(place: Path, kind: str, count: int = 200) -> tuple[Path, Matrix, Matrix]:
    """A file of rows, their target, and the plain prediction of it."""
    generator = np.random.default_rng(5)
    rows = generator.normal(size=(count, 2))
    predictor = rows @ [1.0, -0.5] + 0.25
    if kind in CLASSES:
        predicted = 1 / (1 + np.exp(-predictor))
        truth = (generator.random(count) < predicted).astype(float)
    elif kind == "linear_regression":
        predicted = predictor
        truth = predictor + generator.normal(size=count)
    else:
        predicted = np.exp(predictor)
        truth = generator.poisson(predicted) + (0.5 if kind == "gamma_regression" else 0.0)
    lines = [f"{a!r},{b!r},{y:g}" for (a, b), y in zip(rows.tolist(), truth.tolist(), strict=True)]
    place.write_text("a,b,y\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return place, truth, predicted


@pytest.mark.parametrize("kind", CLASSES)
def test_a_classification_is_scored_as_scikit_learn_scores_it(tmp_path: Path, kind: str) -> None:
    file, truth, predicted = written(tmp_path / "rows.csv", kind)
    found = own_scores(model_of(kind), file, AT)
    assert found.rows == len(truth)
    figures = found.figures
    assert figures["accuracy"] == pytest.approx(np.mean((predicted >= 0.5) == truth))
    assert figures["auc"] == pytest.approx(roc_auc_score(truth, predicted), abs=1e-3)
    assert figures["log_loss"] == pytest.approx(log_loss(truth, predicted))
    assert figures["brier"] == pytest.approx(brier_score_loss(truth, predicted))
    assert sum(figures["confusion"].values()) == len(truth)
    assert sum(group["rows"] for group in figures["calibration"]) == len(truth)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {*CLASSES, "cox_regression"} - SEVERAL))
def test_numbers_are_scored_as_scikit_learn_scores_them(tmp_path: Path, kind: str) -> None:
    file, truth, predicted = written(tmp_path / "rows.csv", kind)
    figures = own_scores(model_of(kind), file, AT).figures
    assert figures["mae"] == pytest.approx(mean_absolute_error(truth, predicted))
    assert figures["rmse"] == pytest.approx(np.sqrt(np.mean((truth - predicted) ** 2)))
    if kind == "linear_regression":
        assert figures["r2"] == pytest.approx(r2_score(truth, predicted))
    else:
        assert figures["deviance"] > 0
        assert figures["deviance_explained"] < 1


def test_hazards_are_scored_by_the_order_of_times(tmp_path: Path) -> None:
    """Of six rows in order by a, whose last two have no event, all nine pairs that can be compared are."""
    file = tmp_path / "rows.csv"
    file.write_text("a,b,y,died\n5,0,1,1\n4,0,2,1\n3,0,3,0\n2,0,4,0\n")
    found = own_scores(model_of("cox_regression", event="died"), file, AT)
    assert (found.rows, found.figures) == (4, {"concordance": 1.0, "events": 2})
    file.write_text("a,b,y\n5,0,1\n")
    with pytest.raises(DataSetError, match="no column 'y' or 'died'"):
        own_scores(model_of("cox_regression", event="died"), file, AT)
    file.write_text("a,b,y,died\n5,0,1,1\n4,0,2,\n")
    with pytest.raises(DataSetError, match="row 2: column 'died' has no value"):
        own_scores(model_of("cox_regression", event="died"), file, AT)


def test_rows_outside_the_training_are_counted_by_column(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a,b,y\n0.5,2,1\n0.5,0.5,1\n")
    columns = [{"name": name, "minimum": "0", "maximum": "1"} for name in "ab"]
    fields = model_of("linear_regression").model_dump(mode="json")
    model = BoughtModel.model_validate({**fields, "columns": columns}, strict=False)
    assert own_scores(model, file, AT).outside == {"b": 1}


def test_a_figure_that_overflows_is_none_and_not_a_number_that_json_lacks(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a,b,y\n1e200,0,1\n0,0,1\n")
    with np.errstate(over="ignore"):
        found = own_scores(model_of("linear_regression"), file, AT)
    assert found.figures["mse"] is None
    assert type(found).model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a,b\n1,2\n", "no column 'y'"),
        ("a,y\n1,2\n", "no column 'b'"),
        ("a,b,y\n", "no rows"),
        ("a,b,y\n1,2,\n", "row 1: column 'y' has no value"),
    ],
)
def test_what_cannot_be_scored_is_told(tmp_path: Path, content: str, told: str) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(content)
    with pytest.raises(DataSetError, match=told):
        own_scores(model_of("linear_regression"), file, AT)


def test_a_target_that_the_kind_does_not_have_is_told_with_its_row(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a,b,y\n1,2,3\n1,2,-3\n")
    with pytest.raises(MisuseError, match=r"row 2: the target is -3; counts of zero or more needed"):
        own_scores(model_of("poisson_regression"), file, AT)


async def test_a_process_of_its_own_finds_the_same_and_names_the_file_as_its_buyer_does(
    tmp_path: Path,
) -> None:
    model = model_of("logistic_regression")
    file, _truth, _predicted = written(tmp_path / "rows.csv", model.kind)
    found = await scores_apart(file, model, "mine.csv")
    assert found.figures == own_scores(model, file, AT).figures
    file.write_text("a,b\n1,2\n")
    with pytest.raises(DataSetError, match=r"^mine\.csv has no column 'y'"):
        await scores_apart(file, model, "mine.csv")


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ((20, 0, 0, 0, 0, 0, 0, 0, 0, 10), {0: 20, 9: 10}),
        ((20, 12, 0, 0, 0, 0, 0, 0, 1, 30), {0: 20, 9: 30}),
        ((20, 0, 5, 5, 0, 0, 0, 0, 0, 10), {0: 20, 9: 10}),
        ((3,) * 10, {}),
    ],
)
def test_published_groups_tell_of_no_few_rows(sizes: tuple[int, ...], shown: dict[int, int]) -> None:
    """Nor does what all groups together have, less those that are shown."""
    scores = ClassificationScores()
    for number, size in enumerate(sizes):
        scores.add(np.ones(size), np.full(size, number / 10 + 0.05))
    kept = OwnScores(at=AT, rows=sum(sizes), figures=scores.figures())
    published = kept.published()
    assert published is not None
    groups = published.figures["calibration"]
    assert {number: group["rows"] for number, group in enumerate(groups) if group["rows"]} == shown
    assert all(group["predicted"] is None for group in groups if not group["rows"])
    assert type(kept).model_validate_json(published.model_dump_json()) == published


@pytest.mark.parametrize(("rows", "told"), [(29, False), (30, True)])
def test_nothing_is_published_of_few_rows(tmp_path: Path, rows: int, *, told: bool) -> None:
    file, _truth, _predicted = written(tmp_path / "rows.csv", "linear_regression", rows)
    assert (own_scores(model_of("linear_regression"), file, AT).published() is not None) is told


@pytest.mark.parametrize(
    "changes",
    [
        {"figures": {"confusion": {}}},
        {"figures": {"mse": "1", "rmse": 1.0, "mae": 1.0, "r2": None}},
        {"figures": {"mse": 1.0, "rmse": 1.0, "mae": 1.0, "r2": None, "auc": 0.5}},
        {"rows": 0},
        {"outside": {"a": -1}},
        {"outside": {"no feature": 1}},
    ],
)
async def test_what_a_file_makes_its_reader_answer_is_not_taken_for_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    honest = {"at": 1e300, "rows": 3, "figures": {"mse": 1.0, "rmse": 1.0, "mae": 1.0, "r2": None}}
    answer = honest

    async def run_apart(*_asked: object) -> dict[str, str]:
        return {"scores": json.dumps(answer)}

    monkeypatch.setattr(sandboxed_scores, "run_apart", run_apart)
    model = model_of("linear_regression")
    assert (await scores_apart(tmp_path, model, "mine.csv")).at < 1e12, "not when the reader says"
    answer = {**honest, **changes}
    with pytest.raises(DataSetError, match=r"^mine\.csv cannot be scored"):
        await scores_apart(tmp_path, model, "mine.csv")


async def test_a_file_that_exceeds_the_bounds_ends_only_its_own_process(tmp_path: Path) -> None:
    file, _truth, _predicted = written(tmp_path / "rows.csv", "linear_regression")
    with pytest.raises(DataSetError, match=r"^mine\.csv needs more than 1 MiB"):
        await scores_apart(file, model_of("linear_regression"), "mine.csv", memory_bytes=1 << 20)
