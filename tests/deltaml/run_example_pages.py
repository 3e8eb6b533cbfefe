"""The pages in deltaml/examples run as written, each a market or two: part of `make campaigns`."""

import re
import shlex
from pathlib import Path

import numpy as np
from sklearn.datasets import load_wine

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


def test_the_page_on_times_runs(folder: Path) -> None:
    namespace: dict[str, object] = {}
    [simulation] = blocks(PAGE.with_name("months_until_death.md"), "python")
    exec(simulation, namespace)
    outcome = namespace["outcome"]
    assert isinstance(outcome, deltaml.Simulation)
    assert outcome.errors[-1] < 0.97 * outcome.errors[0]
    assert np.allclose(outcome.bought.weights, (0.03, 0.5, -0.1), rtol=0.25)


def test_the_page_on_unlike_patients_runs(folder: Path) -> None:
    namespace: dict[str, object] = {}
    [simulation] = blocks(PAGE.with_name("unlike_patients.md"), "python")
    exec(simulation, namespace)
    outcome = namespace["outcome"]
    assert isinstance(outcome, deltaml.Simulation)
    assert min(outcome.errors) < 0.75 * outcome.errors[0]
    assert isinstance(namespace["accuracy"], float)
    assert namespace["accuracy"] > 0.78


def test_the_page_on_patients_by_age_runs(folder: Path) -> None:
    namespace: dict[str, object] = {}
    [simulation] = blocks(PAGE.with_name("patients_by_age.md"), "python")
    exec(simulation, namespace)
    outcome = namespace["outcome"]
    assert isinstance(outcome, deltaml.Simulation)
    assert outcome.errors[-1] < 0.6 * outcome.errors[0]
    assert isinstance(namespace["score"], float)
    assert namespace["score"] > 0.4


def test_the_page_on_curves_runs(folder: Path) -> None:
    namespace: dict[str, object] = {}
    [simulation] = blocks(PAGE.with_name("cold_and_warm_days.md"), "python")
    exec(simulation, namespace)
    scores = namespace["scores"]
    assert isinstance(scores, dict)
    assert scores["straight"] < 0.4
    assert scores["curved"] > 0.94


def test_the_page_on_a_path_of_penalties_runs(folder: Path) -> None:
    namespace: dict[str, object] = {}
    [simulation] = blocks(PAGE.with_name("many_markers.md"), "python")
    exec(simulation, namespace)
    outcome, scores = namespace["outcome"], namespace["scores"]
    assert isinstance(outcome, deltaml.Simulation)
    assert isinstance(scores, dict)
    assert [one.ridge for one in outcome.penalties if one.chosen] != ["1"]
    assert outcome.penalties[0].error == max(one.error for one in outcome.penalties if one.error is not None)
    assert scores["DeltaML"] > scores["RidgeCV"] - 0.15


def test_three_growers_of_wine_are_told_apart_by_three_trainings() -> None:
    data = load_wine(as_frame=True)
    growers = data.target.map(dict(enumerate("abc")))
    wines = data.data.assign(grower=growers).sample(frac=1, random_state=1)
    request = {
        "name": "wines",
        "features": [
            {"name": name, "minimum": float(column.min()), "maximum": float(column.max())}
            for name, column in data.data.items()
        ],
        "target": {"name": "grower"},
        "schedule": {"rounds": 1},
    }
    tables = {f"cellar {place}": wines.iloc[place:140:4] for place in range(4)}
    shares = {"a": 0.33, "b": 0.4, "c": 0.27}
    outcome = deltaml.simulate_classes(request, tables, shares, key_bits=1152)
    later = wines.iloc[140:]
    assert outcome.model.score(later[data.feature_names], later["grower"]) > 0.9
    assert set(outcome.payments) == set(tables)
