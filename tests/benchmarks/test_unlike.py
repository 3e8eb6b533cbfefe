"""The table of the page on patients by age is what its command prints, and says what the page does."""

from pathlib import Path

import pytest

import deltaml
from tests.benchmarks import unlike


def test_the_table_on_the_page_is_the_one_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    unlike.main()
    page = Path(deltaml.__file__).with_name("examples") / "patients_by_age.md"
    assert capsys.readouterr().out in page.read_text(encoding="utf-8")


def test_averages_stay_away_from_the_optimum_and_duals_do_not() -> None:
    found = unlike.gaps()
    averaged, carried = found["averages of 500 steps"], found["ADMM, ρ = 0.01"]
    assert min(averaged) > 0.07
    assert carried == sorted(carried, reverse=True)
    assert carried[2] < 0.007
    assert carried[-1] < 0.0025
