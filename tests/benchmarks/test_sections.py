"""RESULTS.md in sections: made anew, or kept as they were."""

from pathlib import Path

from tests.benchmarks.models import RESULTS, sections
from tests.benchmarks.sections import renewed, table


def never() -> str:
    raise AssertionError("it was to be kept")


def test_sections_that_are_not_asked_for_are_kept_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    file.write_text(renewed({"One": lambda: "first\n", "Two": lambda: "second\n"}, file, ""))
    found = renewed({"One": never, "Two": lambda: "third\n", "Three": lambda: "new\n"}, file, "Two")
    assert found.endswith("## One\n\nfirst\n\n## Two\n\nthird\n\n## Three\n\nnew\n")
    assert found.startswith("# How good the models are\n")


def test_with_nothing_named_all_are_made() -> None:
    assert "## One\n\nfirst\n" in renewed({"One": lambda: "first\n"}, RESULTS, "")


def test_a_table_is_markdown() -> None:
    assert list(table(("a", "b"), {"x": ["1"]})) == ["| a | b |", "| --- | ---: |", "| x | 1 |"]


def test_the_results_that_are_kept_have_every_section_and_no_other() -> None:
    titles = [line[3:] for line in RESULTS.read_text(encoding="utf-8").splitlines() if line.startswith("## ")]
    assert titles == list(sections(10))
