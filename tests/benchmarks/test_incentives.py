"""What worse data earn is told of every kind of model, with curves and without."""

from dataclasses import replace

from protocol.learning.kinds.registry import KINDS
from services.data.few_rows import ROWS_PER_FEATURE
from tests.benchmarks.cases import diabetes
from tests.benchmarks.cheating import CHEATS, share
from tests.benchmarks.incentives import PAID_CASES
from tests.benchmarks.shuffled import ROWS_EACH, rows_drawn


def test_every_kind_is_there_with_curves_and_without() -> None:
    cases = [make() for make in PAID_CASES]
    assert {case.kind for case in cases if not case.basis} == set(KINDS)
    assert {case.kind for case in cases if case.basis} == set(KINDS)


def test_every_kind_warns_of_a_number_of_rows_that_was_measured() -> None:
    assert set(ROWS_PER_FEATURE) == set(KINDS)
    assert set(ROWS_PER_FEATURE.values()) <= set(ROWS_EACH)


def test_the_honest_earn_and_targets_of_one_value_do_not() -> None:
    for case in (diabetes(), replace(rows_drawn("poisson_regression", 20, 1))):
        honest = share(case, CHEATS["honest"], 1)
        assert honest > 0.2
        assert share(case, CHEATS["the least target in every row"], 1) < 0.02
        assert share(case, CHEATS["shuffled targets"], 1) < honest
