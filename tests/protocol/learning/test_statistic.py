"""The triangular factor of a data set against numpy on all rows at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from protocol.errors import MisuseError
from protocol.learning.statistic import Statistic, StatisticBuilder
from tests.support.statistics import chosen_factor

Matrix = NDArray[np.float64]
COLUMNS = ("age", "weight", "height", "price")


def table(rows: int, seed: int = 0) -> Matrix:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(rows, len(COLUMNS))) * [1.0, 10.0, 0.1, 100.0] + [0.0, 5.0, 1.0, -20.0]


def statistic_of(*batches: Matrix) -> Statistic:
    builder = StatisticBuilder(COLUMNS)
    for batch in batches:
        builder.add(batch)
    return builder.finish()


def gram(matrix: Matrix) -> Matrix:
    return matrix.T @ matrix


def with_ones(rows: Matrix) -> Matrix:
    return np.column_stack([rows, np.ones(len(rows))])


@given(rows=st.integers(1, 60), seed=st.integers(0, 1000), cuts=st.lists(st.integers(0, 60), max_size=6))
def test_any_batches_give_the_gram_matrix_of_the_whole(rows: int, seed: int, cuts: list[int]) -> None:
    whole = table(rows, seed)
    statistic = statistic_of(*np.split(whole, sorted(cut for cut in cuts if cut <= rows)))
    assert statistic.rows == rows
    assert statistic.factor.shape == (5, 5)
    np.testing.assert_array_equal(statistic.factor, np.triu(statistic.factor))
    expected = gram(with_ones(whole)) / rows
    np.testing.assert_allclose(gram(statistic.factor), expected, rtol=1e-10, atol=1e-8)
    assert [one.minimum for one in statistic.kept] == whole.min(axis=0).tolist()
    assert [one.maximum for one in statistic.kept] == whole.max(axis=0).tolist()


@given(order=st.permutations(range(6)))
def test_the_order_of_batches_does_not_matter(order: list[int]) -> None:
    batches = np.split(table(60), 6)
    first, second = statistic_of(*batches), statistic_of(*[batches[i] for i in order])
    np.testing.assert_allclose(gram(first.factor), gram(second.factor), rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("features", [("height", "age"), ("age", "weight", "height"), ("weight",)])
def test_selection_is_the_factor_of_the_chosen_columns(features: tuple[str, ...], intercept: bool) -> None:
    rows = table(50)
    factor = chosen_factor(statistic_of(rows[:20], rows[20:]), features, "price", intercept=intercept)
    columns = [rows[:, COLUMNS.index(name)] for name in features]
    columns += [np.ones(50)] * intercept + [rows[:, COLUMNS.index("price")]]
    chosen = np.column_stack(columns)
    assert factor.shape == (len(columns), len(columns))
    np.testing.assert_allclose(gram(factor), gram(chosen) / 50, rtol=1e-10, atol=1e-9)
    weights = np.arange(1.0, len(columns))
    error = chosen[:, :-1] @ weights - chosen[:, -1]
    residual = factor @ np.append(weights, -1.0)
    assert residual @ residual == pytest.approx(np.mean(error**2), rel=1e-12)


def test_fewer_rows_than_columns() -> None:
    rows = table(2)
    factor = chosen_factor(statistic_of(rows), ("age", "weight", "height"), "price", intercept=True)
    assert factor.shape == (5, 5)
    chosen = np.column_stack([rows[:, :3], np.ones(2), rows[:, 3]])
    np.testing.assert_allclose(gram(factor), gram(chosen) / 2, rtol=1e-10, atol=1e-9)


def test_the_statistic_survives_its_bytes() -> None:
    statistic = statistic_of(table(30))
    copy = Statistic.from_bytes(statistic.to_bytes())
    assert (copy.kept, copy.rows) == (statistic.kept, statistic.rows)
    np.testing.assert_array_equal(copy.factor, statistic.factor)


def test_repr_hides_what_was_computed_from_rows() -> None:
    assert repr(statistic_of(table(30))) == f"Statistic(columns={COLUMNS!r}, rows=30)"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_missing_and_infinite_values_are_refused_by_column(bad: float) -> None:
    builder = StatisticBuilder(COLUMNS)
    builder.add(table(10))
    broken = table(3)
    broken[1, 2] = bad
    with pytest.raises(MisuseError, match="column 'height'") as caught:
        builder.add(broken)
    assert str(broken[1, 0]) not in str(caught.value)
    assert builder.finish().rows == 10


@pytest.mark.parametrize("shape", [(3, 3), (3, 5), (4,), (0, 3)])
def test_batches_of_another_width_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(MisuseError, match="4 columns expected"):
        StatisticBuilder(COLUMNS).add(np.zeros(shape))


def test_no_rows_are_refused() -> None:
    with pytest.raises(MisuseError, match="no rows; at least one"):
        statistic_of(np.zeros((0, 4)))


@pytest.mark.parametrize(("columns", "text"), [((), "no column"), (("a", "b", "a"), "'a' comes twice")])
def test_unusable_columns_are_refused(columns: tuple[str, ...], text: str) -> None:
    with pytest.raises(MisuseError, match=text):
        StatisticBuilder(columns)


def test_a_missing_column_is_named_with_those_there_are() -> None:
    with pytest.raises(MisuseError, match="no column 'income'; it has age, weight, height, price"):
        chosen_factor(statistic_of(table(5)), ("age", "income"), "price", intercept=False)
