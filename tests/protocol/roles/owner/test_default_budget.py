"""The budget by default, a count of equations: whatever is asked for gets fewer than there are unknowns."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.inference_terms import FEWEST_TRAINERS
from protocol.owner_policy import Budget
from protocol.preparation.design import design_matrix
from protocol.roles.owner.budget import Counts, most_numbers, standing
from protocol.roles.owner.default_budget import FEWEST_OWNERS, safe_in_total, safe_per_buyer
from tests.support.curved import curved_request, curved_rows
from tests.support.roles.budgets import BUYER, OTHER, asking, joined, waves


def test_the_figures_by_default_are_a_count_of_equations() -> None:
    # Two of eight owners validate: joining, 5 rounds of 2 numbers for each trainer, first error, 11 weights,
    # and each validator's part of an error.
    assert most_numbers(asking()) == 1 + 5 * 2 * 6 + 1 + 11 + 2
    # 12×12 triangular factors, of which the ones' own entry is known.
    assert safe_in_total(asking()) == 4 * (78 - 1) - 1
    assert safe_per_buyer(asking()) == 153


@given(st.integers(1, 40), st.integers(4, 64), st.integers(0, 60), st.integers(1, 50))
def test_more_owners_raise_what_is_asked_and_never_what_is_left(
    columns: int, least: int, more: int, rounds: int
) -> None:
    few = asking(columns, rounds=rounds)
    many = asking(columns, least, max(8, least + more), rounds)
    assert safe_in_total(many) == safe_in_total(few)
    assert most_numbers(many) >= most_numbers(few)


@given(st.integers(1, 12), st.integers(1, 300), st.sampled_from(["linear_regression", "logistic_regression"]))
def test_curves_raise_what_is_asked_and_never_what_is_left(columns: int, number: int, kind: str) -> None:
    target = {"name": "y", "kind": "boolean"} if kind == "logistic_regression" else {}
    start = {"start": "mean", "value": "0.5"}
    other = {"model": {"kind": kind}, "start": start, **({"target": target} if target else {})}
    straight, curved = (asking(columns, basis=waves(count), **other) for count in (0, number))
    assert safe_in_total(curved) == safe_in_total(straight)
    assert most_numbers(curved) == most_numbers(straight) + number


@given(st.integers(1, 40), st.integers(7, 20), st.integers(1, 5))
def test_one_buyer_gets_the_pooled_information_of_the_same_rows_once(
    columns: int, owners: int, rounds: int
) -> None:
    """Two sums of trainers that differ by one would show that one's matrix."""
    request = asking(columns, owners, owners, rounds, inference=True)
    entries, p = (columns + 1) * (columns + 2) // 2, columns + 1
    assert most_numbers(request) == most_numbers(asking(columns, owners, owners, rounds)) + entries
    least = 1 + 2 * FEWEST_TRAINERS + 1 + p + entries  # after one round
    counts = joined((BUYER, "a", least))
    assert standing(Budget(), counts, request, BUYER, "a").is_exhausted


@given(st.integers(1, 40), st.integers(1, 8), st.sampled_from([BUYER, OTHER]))
def test_by_default_a_data_set_is_in_one_sum_for_whichever_buyers(
    columns: int, fewer: int, first: str
) -> None:
    """Two sums of whatever columns may differ by the matrix of one owner, whom only one of them holds."""
    request = asking(columns, 7, inference=True)
    counts = joined((first, "a", 1), pooled=1)
    assert standing(Budget(), counts, request, BUYER, "a").pooled_before == 1
    assert standing(Budget(), counts, request, BUYER, "a").is_exhausted
    assert standing(Budget(), counts, asking(fewer, 7, inference=True), OTHER, "a").is_exhausted
    assert standing(Budget(), counts, request, BUYER, "b").pooled_before == 0


def test_a_sum_takes_nothing_from_trainings_without_and_an_owner_may_allow_more_of_them() -> None:
    counts = joined((OTHER, "a", 1), pooled=1)
    assert not standing(Budget(), counts, asking(least=7), BUYER, "a").is_exhausted
    wanted = asking(least=7, inference=True)
    allowing = Budget(per_buyer=1000, in_total=1000)
    assert not standing(allowing, counts, wanted, BUYER, "a").is_exhausted
    assert standing(Budget(per_buyer=1000), counts, wanted, BUYER, "a").is_exhausted


def test_a_buyer_of_ten_columns_gets_it_by_default() -> None:
    request = asking(least=7, inference=True)
    assert not standing(Budget(), Counts(), request, BUYER, "a").is_exhausted


@pytest.mark.parametrize("number", [0, 50, 1000])
def test_of_one_column_no_number_of_waves_gets_a_training_by_default(number: int) -> None:
    request = asking(columns=1, basis=waves(number))
    assert safe_in_total(request) == 4 * 5 - 1
    assert standing(Budget(), Counts(), request, BUYER, "a").is_exhausted


def test_ten_columns_with_a_spline_of_three_knots_each_are_joined_by_default() -> None:
    basis = [{"kind": "spline", "column": f"x{i}", "knots": ["-0.5", "0", "0.5"]} for i in range(10)]
    assert most_numbers(asking(basis=basis)) == 105 <= safe_per_buyer(asking(basis=basis))
    assert not standing(Budget(), Counts(), asking(basis=basis), BUYER, "a").is_exhausted


@pytest.mark.parametrize("target", [{"minimum": -10, "maximum": 10}, {"kind": "boolean"}])
@pytest.mark.parametrize("intercept", [True, False])
def test_entries_that_follow_from_others_are_no_unknowns(target: dict[str, Any], intercept: bool) -> None:
    """Counted as the rank of the products of columns of every kind, over more rows than there are entries."""
    wanted = curved_request(
        basis=[],
        target={"name": "y", **target},
        model={"kind": "linear_regression", "intercept": intercept},
        bounds={"min_rows": 1000},
    )
    rows = curved_rows(1000)
    assert isinstance(rows["y"], np.ndarray)
    y = (rows["y"] > 0).astype(float) if "kind" in target else rows["y"]
    ones = np.ones((1000, int(intercept)))
    table = np.column_stack([ones, design_matrix(wanted.features, rows), y])
    table = table / np.abs(table).max(axis=0)
    left, right = np.triu_indices(table.shape[1])
    rank = np.linalg.matrix_rank(table[:, left] * table[:, right])
    assert safe_in_total(wanted) == 4 * (rank - int(intercept)) - 1


def test_rows_hold_no_more_unknowns_than_values() -> None:
    few, many = (asking(bounds={"min_rows": rows}) for rows in (5, 1000))
    assert safe_in_total(few) == 4 * 5 * 11 - 1
    assert safe_in_total(many) == safe_in_total(asking())


@given(st.data())
def test_no_choice_of_columns_curves_buyers_and_owners_gets_more_equations_than_unknowns(
    data: st.DataObject,
) -> None:
    """An attacker's trainings: of each set of columns fewer numbers are out than its statistics hold."""
    counts, trainings = Counts(), list[tuple[str, str, int]]()
    published: dict[int, int] = {}
    rows = 0
    for _ in range(data.draw(st.integers(1, 12))):
        columns, most = data.draw(st.integers(1, 12)), data.draw(st.integers(4, 20))
        basis, least = waves(data.draw(st.integers(0, 60))), data.draw(st.integers(1, 30))
        rounds = data.draw(st.integers(1, 6))
        request = asking(columns, 4, most, rounds, basis=basis, bounds={"min_rows": least})
        buyer = data.draw(st.sampled_from([BUYER, OTHER, "0x" + "b3" * 20]))
        if standing(Budget(), counts, request, buyer, "rows").is_exhausted:
            continue
        trainings.append((buyer, "rows", most_numbers(request)))
        counts, rows = joined(*trainings), max(rows, least)
        published[columns] = published.get(columns, 0) + most_numbers(request)
        # The columns asked for are the first few, so smaller sets lie within larger ones.
        within = sum(numbers for size, numbers in published.items() if size <= columns)
        assert within < FEWEST_OWNERS * ((columns + 2) * (columns + 3) // 2 - 1)
        assert within < FEWEST_OWNERS * rows * (columns + 1)


def test_many_rounds_are_refused_by_default_even_at_first() -> None:
    many = asking(rounds=1000)
    assert standing(Budget(), Counts(), many, BUYER, "a").is_exhausted
    assert not standing(Budget(), Counts(), asking(), BUYER, "a").is_exhausted
