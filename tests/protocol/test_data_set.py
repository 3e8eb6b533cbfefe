"""Rows and their card: the ones lie within the other."""

from decimal import Decimal

import numpy as np
import pytest

from protocol.data_set import DataSet, card_of, faults, renewed
from protocol.errors import MisuseError
from protocol.learning.statistic import Statistic, StatisticBuilder
from protocol.preparation.tables import Texts
from protocol.preparation.values import LAST_DAY, days_since_1970
from tests.support.roles.pure_party import make_statistic


def statistic(low: float = 0.5, high: float = 9.87, rows: int = 5) -> Statistic:
    return make_statistic(("a", "b"), np.column_stack([np.linspace(low, high, rows), np.ones(rows)]))


def test_a_card_says_no_more_than_round_numbers() -> None:
    data_set = DataSet.of("rows", statistic())
    assert data_set.card.columns[0].limits == (Decimal("0.5"), Decimal("9.9"))
    assert data_set.card.columns[1].kind == "boolean"
    assert data_set.card.rows_from == 4
    assert not faults(data_set.card, data_set.statistic)


@pytest.mark.parametrize(
    ("other", "text"),
    [
        (statistic(high=10.0), "column 'a' runs from 0.5 to 10; its card says 0.5 to 9.9"),
        (statistic(rows=8), "it says 4 rows or more, but not twice as many; there are 8"),
        (make_statistic(("b", "a"), np.ones((5, 2))), "its columns are not those of the rows"),
    ],
)
def test_rows_that_are_not_as_the_card_says_are_found(other: Statistic, text: str) -> None:
    assert faults(card_of("rows", statistic()), other) == (text,)


def test_what_is_declared_stays_when_rows_are_replaced() -> None:
    plain = card_of("rows", statistic())
    columns = (plain.columns[0].model_copy(update={"maximum": Decimal(15), "unit": "m"}), plain.columns[1])
    earlier = DataSet(plain.model_copy(update={"purpose": "tests", "columns": columns}), statistic(), ("a",))
    again = renewed(earlier, statistic(1, 2, 70))
    assert (again.columns, again.rows_from, again.purpose) == (columns, 64, "tests")
    assert faults(again, statistic(1, 2, 70)) == ()
    assert faults(renewed(earlier, statistic(1, 20)), statistic(1, 20))


def test_ends_that_floating_point_only_comes_near_to_are_within() -> None:
    assert DataSet.of("rows", statistic(0.25, 0.9)).card.columns[0].maximum == Decimal("0.9")
    assert faults(card_of("rows", statistic(0.25, 0.9)), statistic(0.25, 0.9)) == ()


def test_a_range_that_nobody_declared_follows_the_rows() -> None:
    again = renewed(DataSet.of("rows", statistic()), statistic(1, 20))
    assert again == card_of("rows", statistic(1, 20))


def mixed(*levels: str, day: float = 10.0) -> Statistic:
    builder = StatisticBuilder({"fuel": "text", "day": "date", "area": "number"}, logs=True)
    count = len(levels)
    texts = Texts.of([level or None for level in levels])
    builder.add({"fuel": texts, "day": np.linspace(0, day, count), "area": np.linspace(3, 977, count)})
    return builder.finish()


def test_columns_of_all_kinds_have_their_card_and_words_are_listed_by_hand() -> None:
    card = card_of("houses", mixed("gas", "oil", ""))
    fuel, day, area = card.columns
    assert (fuel.kind, fuel.vocabulary, fuel.gaps) == ("categorical", ("gas", "oil"), True)
    assert (day.kind, day.limits) == ("date", (Decimal(0), Decimal(10)))
    assert (area.log, area.limits) == (True, (Decimal(1), Decimal(980)))
    assert not card.listed
    assert faults(card, mixed("oil", "oil", "oil")) == ()
    assert faults(card, mixed("oil", "wood", day=11)) == (
        "column 'fuel' has levels that are not on its card: wood",
        "column 'day' runs from 0 to 11; its card says 0 to 10",
    )


def test_new_words_take_a_card_off_the_list() -> None:
    listed = card_of("houses", mixed("gas", "oil")).model_copy(update={"listed": True})
    earlier = DataSet(listed, mixed("gas", "oil"))
    assert renewed(earlier, mixed("oil", "gas", "gas")).listed
    assert not renewed(earlier, mixed("oil", "wood")).listed


def test_numbers_that_no_request_can_name_are_refused() -> None:
    with pytest.raises(MisuseError, match="beyond 1e30: use larger units"):
        card_of("rows", statistic(high=1e31))


def test_the_last_of_all_days_is_one_that_a_request_can_name() -> None:
    builder = StatisticBuilder({"until": "date", "area": "number"})
    days = np.array([days_since_1970(day) for day in ("0001-01-01", "2024-02-29", LAST_DAY)], dtype=float)
    builder.add({"until": days, "area": np.arange(3.0)})
    column = card_of("rows", builder.finish()).columns[0]
    assert column.limits == (days[0], days[2])
