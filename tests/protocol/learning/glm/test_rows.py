"""Rows that are read again must be those of which the statistic was made."""

import numpy as np
import pytest

from protocol.errors import MisuseError
from protocol.learning.glm.fitting import with_fit
from protocol.learning.glm.rows import scaled_batches
from protocol.learning.statistic import Statistic, StatisticBuilder
from tests.support.generalized import NAMES, request_of, rows_of, statistic_of, table_of

KIND = "poisson_regression"


def test_columns_are_scaled_as_the_request_says() -> None:
    request = request_of(KIND, features=[{"name": "a", "minimum": -3, "maximum": 1}])
    rows = rows_of(KIND)
    [(columns, target)] = scaled_batches(request, statistic_of(rows), lambda: [table_of(rows)])()
    np.testing.assert_allclose(columns, np.column_stack([(rows[:, 0] + 1) / 2, np.ones(len(rows))]))
    np.testing.assert_array_equal(target, rows[:, 2])


@pytest.mark.parametrize("change", ["fewer", "beyond"])
def test_other_rows_than_were_added_are_not_fitted(change: str) -> None:
    """An owner was admitted, and its seat taken, with the card of others; bounds could be broken by these."""
    rows = rows_of(KIND)
    other = rows[1:].copy() if change == "fewer" else rows.copy()
    if change == "beyond":
        other[0, 0] = 1.0
    says = "399 rows now and were 400" if change == "fewer" else "column 'a' has other values"
    with pytest.raises(MisuseError, match=says):
        with_fit(request_of(KIND), statistic_of(rows), lambda: [table_of(other)])


def test_values_are_clipped_where_the_owner_had_that_done() -> None:
    rows = rows_of(KIND)
    builder = StatisticBuilder(dict.fromkeys(NAMES, "number"), bounds={"a": (-0.5, 0.5)})
    builder.add(table_of(rows))
    [(columns, _)] = scaled_batches(request_of(KIND), builder.finish(), lambda: [table_of(rows)])()
    np.testing.assert_allclose(columns[:, 0], np.clip(rows[:, 0], -0.5, 0.5))


def test_a_value_outside_the_request_s_range_is_refused() -> None:
    rows, narrow = rows_of(KIND), [{"name": "a", "minimum": 0, "maximum": "0.1"}]
    with pytest.raises(MisuseError, match="outside the range that the request declares"):
        with_fit(request_of(KIND, features=narrow), statistic_of(rows), lambda: [table_of(rows)])


def test_a_gap_is_told_without_its_row() -> None:
    rows = rows_of(KIND)
    rows[3, 1] = np.nan
    builder = StatisticBuilder(dict.fromkeys(NAMES, "number"))
    builder.add(table_of(rows))
    with pytest.raises(MisuseError, match="column 'b' has no value"):
        with_fit(request_of(KIND), builder.finish(), lambda: [table_of(rows)])


def test_the_fit_is_kept_with_the_statistic() -> None:
    rows = rows_of(KIND)
    fitted = with_fit(request_of(KIND), statistic_of(rows), lambda: [table_of(rows)])
    again = Statistic.from_bytes(fitted.to_bytes())
    assert fitted.fitted is not None
    assert again.fitted is not None
    np.testing.assert_array_equal(again.fitted.training, fitted.fitted.training)
    np.testing.assert_array_equal(again.fitted.measuring, fitted.fitted.measuring)
    assert Statistic.from_bytes(statistic_of(rows).to_bytes()).fitted is None
