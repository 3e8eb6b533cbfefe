"""What worse data earn of every kind of model, with curves and without: shares of the contribution pot."""

from collections.abc import Callable
from dataclasses import replace

from tests.benchmarks.cases import (
    CASES,
    DRAWN,
    Case,
    diabetes_amounts,
    diabetes_odds,
    dispersed_visits,
    survival,
    visits,
)
from tests.benchmarks.cheating import CHEATS, shares
from tests.benchmarks.curved_cases import CURVED_CASES
from tests.benchmarks.several_cases import diabetes_targets, wine_classes


def _curved(make: Callable[[], Case], column: str, *knots: float) -> Callable[[], Case]:
    """The case with a spline of a column besides."""

    def made() -> Case:
        case = make()
        spline = {"kind": "spline", "column": column, "form": "cubic", "knots": list(knots)}
        return replace(case, title=f"{case.title}, with a curve", basis=(spline,))

    return made


PAID_CASES = (
    *CASES,
    wine_classes,
    diabetes_targets,
    *CURVED_CASES,
    _curved(diabetes_odds, "bmi", 23, 26, 29),
    _curved(diabetes_amounts, "bmi", 23, 26, 29),
    _curved(visits, "age", 35, 55, 75),
    _curved(dispersed_visits, "age", 35, 55, 75),
    _curved(survival, "age", 45, 60, 75),
    _curved(wine_classes, "alcohol", 12, 13, 14),
    _curved(diabetes_targets, "bmi", 23, 26, 29),
)
"""Every kind of model, with curves and without."""


def markdown(seeds: int) -> str:
    """The section's text: a row for each case, mean and largest share by what the first trainer has."""
    heads = ("table", "kind", *CHEATS)
    lines = [
        f"Of the contribution pot, one of {DRAWN} trainers: mean and largest of {seeds} seeds.",
        "An even part is a third. Targets below the declared range are refused: the least stands for zero.",
        "",
        f"| {' | '.join(heads)} |",
        f"| --- | --- |{' ---: |' * len(CHEATS)}",
    ]
    for make in PAID_CASES:
        case = make()
        earned = shares(case, seeds)
        cells = [f"{mean:.1%}, {most:.0%}" for mean, most in earned.values()]
        lines.append(f"| {' | '.join((case.title, f'`{case.kind}`', *cells))} |")
    return "\n".join(lines) + "\n"
