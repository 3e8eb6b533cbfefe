"""Columns as pyarrow reads them into what `protocol` takes: numbers with gaps, or texts by their levels.

Its errors tell where a value stands and what it is, never the value.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from protocol.preparation.tables import Matrix, Texts, ValueKind, Values

pc: Any = pyarrow.compute
"""Made when it is loaded, so that no stub knows all of it."""

TRUE, FALSE = ("true", "yes", "y"), ("false", "no", "n")
_MOMENT = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?$"
_DAY = 86_400_000_000
"""Microseconds."""


class MisreadValue(ValueError):  # noqa: N818
    """A value that its column's kind cannot be; `row` counts from 0."""

    def __init__(self, row: int, reason: str) -> None:
        """`reason` says what it is and what to do."""
        super().__init__(reason)
        self.row = row
        self.reason = reason


def values_of(column: Any, kind: ValueKind) -> Values:
    """A column of a record batch as numbers, with nan for gaps, or as texts.

    Truth values are 0 and 1, dates days since 1970-01-01. Raises MisreadValue.
    """
    if kind == "text":
        return _texts(plain_texts(column))
    if is_text(column.type):
        texts = plain_texts(column)
        column = truth_values(texts) if kind == "boolean" else moments(texts)
        _require(pc.and_(pc.is_valid(texts), pc.is_null(column)), _MISREAD[kind])
    if kind == "date":
        return _days(column)
    numbers = _numbers(column)
    _require(pa.array(np.isinf(numbers)), "has an infinite value; fill such values or drop such rows")
    if kind == "boolean":
        _require(pa.array(~(np.isnan(numbers) | np.isin(numbers, (0, 1)))), _MISREAD["boolean"])
    return numbers


_MISREAD = {
    "boolean": "is neither yes nor no; write true or false, yes or no, 1 or 0",
    "date": "is no date; write it like 2024-02-29",
}


def is_text(kind: Any) -> bool:
    """Whether a column is of texts, plain or as a dictionary."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def plain_texts(column: Any) -> Any:
    """Texts as they are compared: without spaces around them, accents in one form; an empty one is a gap."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    texts = pc.utf8_normalize(pc.utf8_trim_whitespace(pc.cast(column, pa.string())), form="NFC")
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def truth_values(texts: Any) -> Any:
    """1 and 0 for texts that say yes or no, null for others."""
    lower = pc.utf8_lower(texts)
    true = pc.is_in(lower, pa.array([*TRUE, "1"]))
    known = pc.or_(true, pc.is_in(lower, pa.array([*FALSE, "0"])))
    return pc.if_else(known, pc.cast(true, pa.float64()), pa.scalar(None, pa.float64()))


def moments(texts: Any) -> Any:
    """Timestamps of texts that are ISO 8601 without a zone, null for others."""
    written = pc.if_else(pc.match_substring_regex(texts, _MOMENT), texts, pa.scalar(None, pa.string()))
    try:
        return pc.cast(written, pa.timestamp("us"))
    except pa.ArrowInvalid:  # a day or an hour that there is not: they are looked at one by one
        return pa.array([_moment(text) for text in written.to_pylist()], pa.timestamp("us"))


def _moment(text: str | None) -> Any:
    try:
        return None if text is None else np.datetime64(text, "us").astype(object)
    except ValueError:
        return None


def _texts(texts: Any) -> Texts:
    coded = texts.dictionary_encode()
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    return Texts(codes.astype(np.int64), tuple(coded.dictionary.to_pylist()))


def _days(column: Any) -> Matrix:
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        moment = pc.cast(column, pa.timestamp("us"), safe=False)
        return _numbers(pc.cast(moment, pa.int64())) / _DAY
    raise MisreadValue(0, "is no date")


def _numbers(column: Any) -> Matrix:
    numbers = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.array(numbers, dtype=np.float64)


def _require(bad: Any, reason: str) -> None:
    rows = np.flatnonzero(bad.to_numpy(zero_copy_only=False))
    if len(rows):
        raise MisreadValue(int(rows[0]), reason)
