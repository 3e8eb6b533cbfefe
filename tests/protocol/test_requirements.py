"""Whether a data set serves a request, as far as its card says."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from protocol.asset import ETHER
from protocol.data_card import CardColumn, DataCard
from protocol.data_set import card_of
from protocol.learning.statistic import StatisticBuilder
from protocol.payment import least_fixed_pay
from protocol.preparation.tables import Texts
from protocol.requirements import mismatches, noted_mismatches, pay_mismatch
from tests.support.deployment.documents import any_request

COLUMNS = ("bmi", "income", "age", "progression")


def card(
    columns: tuple[str, ...] = COLUMNS,
    rows: int = 32,
    ranges: Mapping[str, tuple[str, str]] | None = None,
    **changes: Any,
) -> DataCard:
    """Each column from 20 to 60 by default, which is within every range that is asked."""
    ends = dict.fromkeys(columns, ("20", "60")) | dict(ranges or {})
    return DataCard(
        name="clinic",
        columns=tuple(
            CardColumn(name=column, minimum=Decimal(low), maximum=Decimal(high))
            for column, (low, high) in ends.items()
        ),
        rows_from=rows,
        **changes,
    )


def with_column(column: CardColumn) -> DataCard:
    """The card with another column of that name."""
    columns = tuple(column if column.name == one.name else one for one in card().columns)
    return card().model_copy(update={"columns": columns})


def test_a_data_set_with_more_columns_in_another_order_serves() -> None:
    assert mismatches(any_request(), card()) == ()


def test_values_on_the_borders_serve() -> None:
    borders = {"bmi": ("10.5", "80"), "age": ("0", "120"), "progression": ("0", "400.0")}
    assert mismatches(any_request(), card(ranges=borders)) == ()


@pytest.mark.parametrize("name", ["bmi", "age", "progression"])
def test_a_missing_column_is_named(name: str) -> None:
    columns = tuple(column for column in COLUMNS if column != name)
    assert mismatches(any_request(), card(columns)) == (f"no column {name!r}",)


@pytest.mark.parametrize(
    ("name", "extremes", "text"),
    [
        ("bmi", ("10.4", "50"), "column 'bmi' runs from 10.4 to 50; 10.5 to 80 asked"),
        ("age", ("1", "121"), "column 'age' runs from 1 to 121; 0 to 120 asked"),
        ("progression", ("-1", "400.5"), "column 'progression' runs from -1 to 400.5; 0 to 400 asked"),
    ],
)
def test_values_outside_the_declared_range_are_named(name: str, extremes: tuple[str, str], text: str) -> None:
    assert mismatches(any_request(), card(ranges={name: extremes})) == (text,)


def test_too_few_rows_are_named() -> None:
    """Of 16 to 31 rows nobody is told whether they are 20."""
    assert mismatches(any_request(), card(rows=16)) == ("16 rows or more; at least 20 asked",)


def test_every_reason_is_given() -> None:
    assert len(mismatches(any_request(), card(("bmi",), 4, {"bmi": ("0", "1")}))) == 4


NAN = float("nan")
LEVELS = {"name": "a", "kind": "categorical", "levels": ["gas", "oil"]}
DAYS = {"name": "a", "kind": "date", "minimum": "1970-01-02", "maximum": "1970-02-01"}
NUMBERS = {"name": "a", "minimum": 1, "maximum": 9}


def mixed(values: Any, kind: Any, bounds: tuple[float, float] | None = None) -> DataCard:
    """The card of forty rows of one feature and the target."""
    builder = StatisticBuilder({"a": kind, "y": "number"}, logs=True, bounds={"a": bounds} if bounds else {})
    values = np.resize(np.array(values), 40)
    column = Texts.of([value or None for value in values]) if kind == "text" else values
    builder.add({"a": column, "y": np.arange(40.0)})
    return card_of("mixed", builder.finish())


@pytest.mark.parametrize(
    ("column", "values", "kind", "reason"),
    [
        (NUMBERS, [1.0, 9.0], "number", None),
        ({**NUMBERS, "minimum": 0}, [1.0, 0.0], "number", None),
        (NUMBERS, [1.0, NAN], "number", "has rows without a value"),
        ({**NUMBERS, "missing": "indicator"}, [2.0, NAN], "number", None),
        ({**NUMBERS, "missing": {"value": 2}}, [2.0, NAN], "number", None),
        ({**NUMBERS, "log": True}, [2.0, 3.0], "number", None),
        ({**NUMBERS, "log": True}, [0.0, 3.0], "number", "was kept without logarithms"),
        (NUMBERS, [2.0, 3.0], "date", "holds dates; numbers asked"),
        (NUMBERS, ["oil", "gas"], "text", "holds texts; numbers asked"),
        ({"name": "a", "kind": "boolean"}, [0.0, 1.0], "number", None),
        ({"name": "a", "kind": "boolean"}, [0.0, 2.0], "number", "holds numbers; yes and no asked"),
        (DAYS, [1.0, 31.0], "date", None),
        (DAYS, [0.0, 31.5], "date", "from 1970-01-01 to 1970-02-02; 1970-01-02 to 1970-02-01 asked"),
        (LEVELS, ["oil"], "text", None),
        (LEVELS, ["oil", "gas", ""], "text", "has rows without a value"),
        (LEVELS, ["oil", "wood"], "text", "has levels that are not asked for: wood"),
        ({**LEVELS, "other": "level"}, ["oil", "wood"], "text", None),
        (LEVELS, [1.0, 2.0], "number", "holds numbers; texts asked"),
    ],
)
def test_columns_of_other_kinds(column: dict[str, Any], values: Any, kind: str, reason: str | None) -> None:
    wanted = any_request(features=[column], target={"name": "y", "minimum": 0, "maximum": 400})
    found = mismatches(wanted, mixed(values, kind))
    assert (found == ()) if reason is None else (len(found) == 1 and reason in found[0])


def test_what_is_noted_and_logged_has_no_words_that_buyers_do_not_see() -> None:
    wanted = any_request(features=[LEVELS], target={"name": "y", "minimum": 0, "maximum": 400})
    card = mixed(["oil", "Ada Lovelace", "Alan Turing"], "text")
    assert not card.listed
    assert noted_mismatches(wanted, card) == ("column 'a' has levels that are not asked for, 2 of them",)
    listed = card.model_copy(update={"listed": True})
    assert noted_mismatches(wanted, listed) == mismatches(wanted, card)
    assert "Ada Lovelace" in mismatches(wanted, card)[0]


def test_a_column_of_too_many_texts_cannot_be_asked_for() -> None:
    builder = StatisticBuilder({"a": "text", "y": "number"})
    builder.add({"a": Texts.of([f"x{number}" for number in range(300)]), "y": np.arange(300.0)})
    wanted = any_request(features=[LEVELS], target={"name": "y", "minimum": 0, "maximum": 400})
    assert mismatches(wanted, card_of("texts", builder.finish())) == ("no column 'a'",)


def test_clipped_columns_serve_whom_clipping_is_right_and_the_bounds_count_as_range() -> None:
    target = {"name": "y", "minimum": 0, "maximum": 400}
    clipped = mixed([-5.0, 3.0, 40.0], "number", (1, 9))
    assert mismatches(any_request(features=[{**NUMBERS, "outside": "clip"}], target=target), clipped) == ()
    [reason] = mismatches(any_request(features=[NUMBERS], target=target), clipped)
    assert reason == "column 'a' was clipped to a range; values as they are asked"
    narrow = {**NUMBERS, "minimum": 2, "outside": "clip"}
    for values in ([-5.0, 3.0, 40.0], [3.0]):  # whatever the rows are
        [reason] = mismatches(any_request(features=[narrow], target=target), mixed(values, "number", (1, 9)))
        assert reason == "column 'a' runs from 1 to 9; 2 to 9 asked"


def test_a_request_that_pays_less_than_the_card_asks_does_not_fit() -> None:
    least = least_fixed_pay(any_request())
    assert pay_mismatch(any_request(), card(least_pay_wei=least)) == ()
    assert pay_mismatch(any_request(), card(least_pay_wei=least + 1)) == (
        f"the least fixed pay is {ETHER.shown(least)}; its card asks for {ETHER.shown(least + 1)}",
    )


def test_a_vocabulary_that_is_not_asked_for_is_told_in_short() -> None:
    words = tuple(f"{number:0>100}" for number in range(256))
    fuel = CardColumn(name="fuel", kind="categorical", vocabulary=words)
    held = DataCard(name="a", columns=(fuel, *card().columns), rows_from=1 << 20)
    column = {"name": "fuel", "kind": "categorical", "levels": ["gas", "oil"]}
    [reason] = mismatches(any_request(features=[column]), held)
    assert reason.endswith(f"{words[9]} and 246 more")
    assert len(reason) < 1200
