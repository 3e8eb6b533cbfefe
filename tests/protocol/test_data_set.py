"""Rows and their card: the ones lie within the other."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest

from protocol.data_card import MOST_COLUMNS
from protocol.data_set import DataSet, card_of, faults, newly_revealed, renewed, revealing
from protocol.errors import MisuseError
from protocol.learning.statistic import Statistic, StatisticBuilder
from protocol.preparation.layout import KeptColumn
from protocol.preparation.tables import Texts
from protocol.preparation.values import days_since_1970
from protocol.requirements import mismatches
from tests.support.deployment.documents import any_request
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


@pytest.mark.parametrize("exact", [True, False])
def test_numbers_nearer_to_zero_than_a_request_can_name_have_a_card(exact: bool) -> None:
    rows = make_statistic(("a", "b"), np.array([[1e-40, -3], [1, -1e-40]]))
    card = card_of("rows", rows, exact=exact)
    assert card.columns[0].limits == (Decimal(0), Decimal(1))
    assert not faults(card, rows)


def test_no_card_has_more_columns_than_a_request() -> None:
    kept = tuple(KeptColumn(name=f"x{number}", minimum=0, maximum=2) for number in range(MOST_COLUMNS + 1))
    with pytest.raises(MisuseError, match="4098 columns; no request asks for more than 4097"):
        card_of("rows", Statistic(kept, rows=1, factor=np.zeros((1, 1))))


@pytest.mark.parametrize("end", ["9999-12-31", "9000-01-01", "2262-04-11"])
@pytest.mark.parametrize("begin", ["0001-01-01", "1999-01-01"])
def test_dates_to_the_end_of_the_calendar_can_be_asked_for(begin: str, end: str) -> None:
    """As "for ever" is often written; the rounded range is no date any more."""
    card = card_of("houses", dated(begin, end))
    assert faults(card, dated(begin, end)) == ()
    day = {"name": "day", "kind": "date", "minimum": "0001-01-01", "maximum": "9999-12-31"}
    columns = {"features": [day], "target": {"name": "day2", "minimum": -(10**7), "maximum": 10**7}}
    assert mismatches(any_request(**columns, bounds={"min_rows": 1}), card) == ("no column 'day2'",)


@pytest.mark.parametrize("days", [(-719_163.0, 0.0), (0.0, 2_932_897.0)])
def test_dates_that_no_request_can_name_are_refused(days: tuple[float, float]) -> None:
    with pytest.raises(MisuseError, match="outside the years 1 to 9999: clip them"):
        card_of("houses", dated(*days))


def dated(begin: str | float, end: str | float) -> Statistic:
    builder = StatisticBuilder({"day": "date"})
    ends = [float(days_since_1970(one)) if isinstance(one, str) else one for one in (begin, end)]
    builder.add({"day": np.array(ends)})
    return builder.finish()


def texts(*columns: Sequence[str]) -> Statistic:
    """Columns a, b, ... of texts; an empty one is a gap."""
    builder = StatisticBuilder(dict.fromkeys("abcdef"[: len(columns)], "text"))
    named = zip("abcdef", columns, strict=False)
    builder.add({name: Texts.of([text or None for text in column]) for name, column in named})
    return builder.finish()


UNIQUE = [f"person {n}" for n in range(40)]
TOWNS = ["Ulm", "Bonn"] * 20
RARE = ["none"] * 30 + [f"note {n}" for n in range(10)]
PAIRS = [f"{n // 3}" for n in range(40)]
SPARSE = [f"seen {n}" if n < 6 else "" for n in range(40)]


def test_words_of_single_rows_are_found() -> None:
    found = texts(UNIQUE, TOWNS, RARE, PAIRS, SPARSE, ["a", "b", "c", "d"] * 10)
    assert revealing(found) == ("a", "c", "e")


def test_only_words_that_buyers_have_not_seen_are_newly_revealed() -> None:
    statistic = texts(UNIQUE, TOWNS)
    card = card_of("people", statistic)
    assert newly_revealed(card, statistic, None) == (), "not listed"
    listed = card.model_copy(update={"listed": True})
    assert newly_revealed(listed, statistic, None) == ("a",)
    assert newly_revealed(listed, statistic, card) == ("a",)
    assert newly_revealed(listed, statistic, listed) == ()
    fewer = card_of("people", texts(UNIQUE[:30] * 2, TOWNS + TOWNS[:20])).model_copy(update={"listed": True})
    assert newly_revealed(listed, statistic, fewer) == ("a",)
