import csv
import stat

import pytest

from protocol.bought_model import BoughtModel
from protocol.codec import pack
from protocol.learning.inference.estimates import Inference
from services.store import StepWrites, Store
from tests.support.daemons.command_line import refused, run, run_json

MODEL = BoughtModel(name="m", features=("a",), target="y", weights=(2.0,), intercept=10.0)
FOUND = Inference(
    names=("a", "intercept"),
    standard_errors=(0.5, 20.0),
    degrees=120.0,
    dispersion=4.0,
    trainers=5,
    rows=500,
)
OWNER = "0x" + "11" * 20


@pytest.fixture
def stored(tmp_path):
    """The path of a buyer's store whose training 7 has this result beside its model."""

    def write(found: Inference | None):
        path = tmp_path / "buyer.sqlite"
        store = Store(f"sqlite:///{path}")
        results = {"model": pack(MODEL), **({} if found is None else {"inference": pack(found)})}
        writes = StepWrites(7, b"state", "FINISHED", finished=True, references=frozenset(), results=results)
        store.add_inputs([(b"i" * 32, "training:ab", b"input")])
        store.write_step(store.next_input("training:ab"), writes, 1_700_000_000.0)
        store.close()
        return path

    return write


def test_the_table_has_a_line_for_each_weight(stored):
    told = run("coefficients", "7", "--store", stored(FOUND)).stdout
    assert "intervals of 95 %, Student's t with 120 degrees of freedom" in told
    assert "of 500 rows of 5 trainers; dispersion 4" in told
    line = next(line for line in told.splitlines() if "intercept" in line)
    assert [cell.strip() for cell in line.strip("│| ").replace("│", "|").split("|")][1:3] == ["10", "20"]


def test_programs_get_the_same_in_full(stored):
    told = run_json("coefficients", "7", "--store", stored(FOUND), "--confidence", "0.5")
    first, second = told["coefficients"]
    assert (told["confidence"], told["statistic"], told["degrees"]) == (0.5, "t", 120)
    assert (first["name"], first["weight"], first["statistic"]) == ("a", 2.0, 4.0)
    assert first["p_value"] == pytest.approx(1.09e-4, rel=0.01)
    assert second["low"] == pytest.approx(10 - 0.6766 * 20, abs=0.01)


def test_a_file_is_for_the_buyer_alone_and_never_replaced_unasked(stored, tmp_path):
    out, store = tmp_path / "coefficients.csv", stored(FOUND)
    run("coefficients", "7", "--store", store, "--out", out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with out.open() as file:
        lines = list(csv.DictReader(file))
    assert [line["name"] for line in lines] == ["a", "intercept"]
    assert float(lines[0]["standard_error"]) == 0.5
    assert "exists" in refused("coefficients", "7", "--store", store, "--out", out)
    run("coefficients", "7", "--store", store, "--out", out, "--force")


def test_statistics_that_are_normal_are_called_z(stored):
    normal = FOUND.model_copy(update={"degrees": None})
    assert "intervals of 95 %, normal" in run("coefficients", "7", "--store", stored(normal)).stdout


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "inference: true"),
        (Inference(missing="too_few_trainers"), "fewer than five owners"),
        (Inference(missing="silent", silent=(OWNER,)), OWNER),
        (Inference(missing="implausible_sum"), "something else"),
        (Inference(missing="ended_early"), "before its last round"),
        (Inference(missing="singular"), "only together"),
    ],
)
def test_where_there_are_none_it_is_said_why(stored, found, why):
    assert why in " ".join(refused("coefficients", "7", "--store", stored(found)).split())


def test_a_confidence_that_is_none_is_refused(stored):
    assert "between 0 and 1" in refused("coefficients", "7", "--store", stored(FOUND), "--confidence", "95")
