"""The pages in deltaml/examples run as written, each a market or two: part of `make campaigns`."""

import re
import shlex
from pathlib import Path

import deltaml
from tests.deltaml.test_example_pages import PAGE, blocks, folder
from tests.support.daemons.command_line import run

__all__ = ["folder"]

QUICK = ["--key-bits", "1024", "--workers", "0", "--rounds", "2"]
"""What the demo of a page is given besides, so that the tests do not take minutes."""


def test_the_page_on_breast_cancer_runs(folder: Path) -> None:
    namespace: dict[str, object] = {}
    table, simulation = blocks(PAGE, "python")
    exec(table, namespace)
    [commands] = blocks(PAGE, "sh")
    demo, predict = (shlex.split(line)[1:] for line in commands.splitlines())
    run(*demo, *QUICK)
    told = run(*predict).stdout
    found = re.match(r"171 rows, accuracy ([\d.]+), AUC ([\d.]+), log-loss ([\d.]+), Brier", told)
    assert found is not None, told
    accuracy, auc, log_loss = map(float, found.groups())
    assert accuracy > 0.88
    assert auc > 0.96
    assert log_loss < 0.3
    assert [line.split("  ")[0] for line in told.splitlines()[1:5]] == [
        "",
        "truth 0",
        "truth 1",
        "probability",
    ]
    assert (folder / "probabilities.csv").read_text().startswith("predicted_benign\n")

    exec(simulation, namespace)
    assert isinstance(namespace["accuracy"], float)
    assert namespace["accuracy"] > 0.85


def test_the_page_on_counts_runs(folder: Path) -> None:
    namespace: dict[str, object] = {}
    [simulation] = blocks(PAGE.with_name("doctor_visits.md"), "python")
    exec(simulation, namespace)
    outcome = namespace["outcome"]
    assert isinstance(outcome, deltaml.Simulation)
    assert outcome.errors[-1] < 0.75 * outcome.errors[0]
    assert abs(outcome.bought.weights[1] - 0.25) < 0.05


def test_the_page_on_unlike_patients_runs(folder: Path) -> None:
    namespace: dict[str, object] = {}
    [simulation] = blocks(PAGE.with_name("unlike_patients.md"), "python")
    exec(simulation, namespace)
    outcome = namespace["outcome"]
    assert isinstance(outcome, deltaml.Simulation)
    assert min(outcome.errors) < 0.75 * outcome.errors[0]
    assert isinstance(namespace["accuracy"], float)
    assert namespace["accuracy"] > 0.78


def test_the_page_on_curves_runs(folder: Path) -> None:
    namespace: dict[str, object] = {}
    [simulation] = blocks(PAGE.with_name("cold_and_warm_days.md"), "python")
    exec(simulation, namespace)
    scores = namespace["scores"]
    assert isinstance(scores, dict)
    assert scores["straight"] < 0.4
    assert scores["curved"] > 0.94
