"""The examples of README and of the pages in deltaml/examples run as written; their figures are measured."""

import re
import shlex
from pathlib import Path

import pytest

import deltaml
from tests.benchmarks.models import RESULTS
from tests.support.daemons.command_line import run

PACKAGE = Path(deltaml.__file__).parent
PAGE = PACKAGE / "examples" / "breast_cancer.md"
QUICK = ["--key-bits", "1024", "--workers", "0", "--rounds", "2"]
"""What the demo of a page is given besides, so that the tests do not take minutes."""


def blocks(path: Path, language: str) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a reader of the page would be."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


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


def test_the_simulation_in_the_readme_takes_ten_lines_and_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [block] = blocks(PACKAGE.parent / "README.md", "python")
    assert len([line for line in block.splitlines() if line]) == 10
    exec(block, {})
    accuracy, payments = capsys.readouterr().out.split(" ", 1)
    assert float(accuracy) > 0.85
    assert payments.count("clinic ") == 5


def test_the_pages_figures_are_those_of_the_table() -> None:
    table = RESULTS.read_text(encoding="utf-8")
    section = table.split("## Breast cancer")[1].split("\n## ")[0]
    cells = [line.split(" | ") for line in section.splitlines() if line.startswith(("| DeltaML", "| scikit"))]
    measured = {(float(row[1]), float(row[2]), float(row[3])) for row in cells}
    row = re.compile(r"^\| .* \| (\.\d+) \| (\.\d+) \| (\.\d+) \|$", re.MULTILINE)
    shown = row.findall(PAGE.read_text(encoding="utf-8"))
    assert len(shown) == len(measured) == 4
    for accuracy, auc, log_loss in (map(float, one) for one in shown):
        assert any(
            abs(accuracy - one[0]) <= 6e-4 and abs(auc - one[1]) <= 6e-5 and abs(log_loss - one[2]) <= 6e-4
            for one in measured
        )
