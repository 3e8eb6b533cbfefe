"""Dates, levels and truth values as a request has them."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

MAXIMUM_LEVELS = 256
"""Of one column, in a request and in a data set."""
MOST_LEVELS_TOGETHER = 8192
"""Of all columns of a request: each is a weight but for one a column (`request.MAXIMUM_FEATURES`)."""
LONGEST_LEVEL = 100
"""Characters."""

UNIT_DAYS = {
    "days": Decimal(1),
    "weeks": Decimal(7),
    "months": Decimal("30.436875"),
    "years": Decimal("365.2425"),
}
"""Days in each unit of a date: a month is a twelfth of the mean year of the calendar."""

FIRST_DAY, LAST_DAY = -719_162, 2_932_896
"""0001-01-01 and 9999-12-31 in days since 1970-01-01: no request names earlier or later dates.

The last stands in tables for what has no end.
"""


def days_since_1970(day: str) -> int:
    """Days from 1970-01-01 to a date like 2024-02-29, in the Gregorian calendar; ValueError for others."""
    import numpy as np  # noqa: PLC0415  not for --help

    return int(np.datetime64(day, "D").astype(np.int64))


def _calendar_day(value: str) -> str:
    import numpy as np  # noqa: PLC0415  not for --help

    try:
        is_day = str(np.datetime64(value, "D")) == value
    except ValueError:
        is_day = False
    if not is_day:
        raise ValueError("must be a date like 2024-02-29")
    return value


Day = Annotated[str, Field(min_length=10, max_length=10), AfterValidator(_calendar_day)]
"""A date in the years 1 to 9999, as ISO 8601 writes it."""


def _level_text(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("write it in quotes: it is a text")  # noqa: TRY004  pydantic's validators raise ValueError
    return str(value) if isinstance(value, int) else value


def _trimmed(value: str) -> str:
    if value != value.strip():
        raise ValueError("must not begin or end with a space: levels are compared without")
    if not value.isprintable():
        raise ValueError("must be printable text on one line")
    return value


Level = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_LEVEL),
    AfterValidator(_trimmed),
    BeforeValidator(_level_text),
]
"""One value of a categorical column."""
