"""The simulation in the README runs as written, and the pages in deltaml/examples show measured figures.

The pages themselves are run by `make campaigns`: tests/deltaml/run_example_pages.py.
"""

import ast
import re
from pathlib import Path

import pytest

import deltaml
from protocol.request_sections import Owners
from protocol.roles.owner.budget import most_numbers
from protocol.roles.owner.default_budget import safe_per_buyer
from services.data.few_rows import few_rows
from tests.benchmarks.models import RESULTS
from tests.support.deployment.documents import any_request

PACKAGE = Path(deltaml.__file__).parent
PAGE = PACKAGE / "examples" / "breast_cancer.md"


def blocks(path: Path, language: str) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a reader of the page would be."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


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


def test_the_request_for_unlike_patients_asks_for_as_many_rows_as_their_fits_need() -> None:
    [block] = blocks(PAGE.with_name("unlike_patients.md"), "python")
    [written] = re.findall(r"^request = (\{.*?^\})$", block, re.DOTALL | re.MULTILINE)
    request = any_request(**ast.literal_eval(written))
    assert few_rows(request) is None
    assert request.schedule.rounds > 2


def test_the_page_on_patients_by_age_asks_for_duals() -> None:
    """The whole page runs in `make campaigns`."""
    page = PAGE.with_name("patients_by_age.md").read_text(encoding="utf-8")
    [written] = re.findall(r'^    "schedule": (\{.*\}),$', page, re.MULTILINE)
    schedule = any_request(schedule=ast.literal_eval(written)).schedule
    assert schedule.is_admm
    assert float(schedule.penalty) == 0.01


def test_the_curves_on_the_page_may_be_asked_for() -> None:
    """The whole page runs in `make campaigns`."""
    [block] = blocks(PAGE.with_name("cold_and_warm_days.md"), "python")
    [written] = re.findall(r"^request = (\{.*?^\})$", block, re.DOTALL | re.MULTILINE)
    [curves] = re.findall(r"^curves = (\[.*?^\])$", block, re.DOTALL | re.MULTILINE)
    request = any_request(**ast.literal_eval(written), basis=ast.literal_eval(curves))
    assert len(request.curve_names) == 5
    few = request.model_copy(update={"owners": Owners(minimum=4, maximum=5)})
    assert (most_numbers(few), safe_per_buyer(few)) == (24, 15)
    assert most_numbers(few.model_copy(update={"basis": ()})) == 19


def test_the_path_of_penalties_on_the_page_may_be_asked_for_and_shows_no_more_than_one_of_them() -> None:
    """The whole page runs in `make campaigns`."""
    [block] = blocks(PAGE.with_name("many_markers.md"), "python")
    [path] = re.findall(r"^path = (\[.*\])$", block, re.MULTILINE)
    features = [{"name": f"marker {number}", "minimum": -1, "maximum": 1} for number in range(15)]
    several, one = (
        any_request(model={"l2": l2}, features=features, schedule={"rounds": 4})
        for l2 in (ast.literal_eval(path), 1)
    )
    assert len(several.model.ridges) == 4
    assert most_numbers(several) == most_numbers(one)
