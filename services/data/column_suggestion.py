"""What a request may declare of a column, out of values of it, with a reason for each choice."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from typing import Any

import numpy as np

from protocol.learning.statistic import Matrix
from protocol.preparation.moments import day_of
from protocol.preparation.tables import Texts, ValueKind, Values
from protocol.preparation.values import FIRST_DAY, LAST_DAY, LONGEST_LEVEL, MAXIMUM_LEVELS
from protocol.scaling import Scaling
from services.common.errors import UnusableColumn

_MOST_SUGGESTED = 64
"""Levels: each is a weight of the model."""
_LEAST_SHARE = 0.005
"""Of all rows, for a level of its own, and two rows at least."""
_SKEW, _CLOSER = 1.0, 0.02
"""Logarithms are for a longer tail than this, where they explain this much more of the target's variance."""
_MANY_DAYS = 1000
_DAYS_OUTWARDS = 0.25
"""Of a range's width, on both sides."""
_LEAST_NAMED, _MOST_NAMED = 1e-30, 9e30
"""Ends of a range."""
_SMALLEST, _LARGEST = 1e-28, 1e30
"""Of numbers whose rounded ranges and their ends a request can name, which knows 1e-30 to 1e30."""


@dataclass(frozen=True, slots=True)
class Rounding:
    """From values to ranges: of numbers by (least, median, most), of those with logarithms, and of days.

    `others` says whether there may be levels that were not seen.
    """

    numbers: Callable[[float, float, float], tuple[Decimal, Decimal]]
    logs: Callable[[float, float], tuple[Decimal, Decimal]]
    days: Callable[[float, float], tuple[str, str]]
    others: bool


@dataclass(frozen=True, slots=True)
class Suggested:
    """The fields of a column of a request, and why they are so."""

    fields: dict[str, Any]
    reason: str


def suggest_column(
    name: str, values: Values, kind: ValueKind, rounding: Rounding, target: Matrix | None = None
) -> Suggested:
    """A column of these values, with logarithms where they are closer to a `target` that is given.

    Raises UnusableColumn where they tell nothing.
    """
    if isinstance(values, Texts):
        return _levels(name, values, rounding)
    gaps = np.isnan(values)
    present = values[~gaps]
    _require_two(name, present)
    _require_nameable(name, present, kind)
    missing = {"missing": "indicator"} if gaps.any() else {}
    told = ", gaps with a weight of their own" if gaps.any() else ""
    if kind == "date":
        return Suggested({"name": name, **_dates(present, rounding), **missing}, f"dates{told}")
    if np.isin(present, (0, 1)).all():
        return Suggested({"name": name, "kind": "boolean", **missing}, f"yes and no{told}")
    is_log = target is not None and _is_log_closer(present, target[~gaps])
    if is_log:
        low, high = rounding.logs(float(present.min()), float(present.max()))
        reason = f"numbers with a long tail, whose logarithms are closer to the target{told}"
    else:
        low, high = rounding.numbers(*np.quantile(present, (0, 0.5, 1)).tolist())
        reason = f"numbers{told}"
    if not Scaling.of_range(low, high, centered=True).is_exact:
        raise UnusableColumn(f"column {name!r} varies too little around {low:.9g} for floating point")
    log = {"log": True} if is_log else {}
    return Suggested({"name": name, "minimum": str(low), "maximum": str(high), **log, **missing}, reason)


def target_values(values: Values, kind: ValueKind) -> Matrix:
    """Values that can be predicted; raises UnusableColumn for others."""
    if isinstance(values, Texts) or kind == "date":
        held = "dates" if kind == "date" else "texts"
        remedy = (
            "give it as a number, such as days since another date"
            if kind == "date"
            else "--kind several_classes tells its levels apart, --level LEVEL predicts one of them"
        )
        raise UnusableColumn(f"it holds {held}; a target is numeric, or yes and no: {remedy}")
    if np.isnan(values).any():
        row = int(np.argmax(np.isnan(values))) + 1
        raise UnusableColumn(f"it has no value in row {row}; fill such values or drop such rows")
    return values


def _require_two(name: str, present: Matrix) -> None:
    if not len(present):
        raise UnusableColumn(f"column {name!r} has no value in any row")
    if present.min() == present.max():
        raise UnusableColumn(f"column {name!r} has one value in every row")


def _require_nameable(name: str, present: Matrix, kind: ValueKind) -> None:
    low, high = float(present.min()), float(present.max())
    if kind == "date":
        if not FIRST_DAY <= low <= high < LAST_DAY + 1:
            raise UnusableColumn(f"column {name!r} has dates outside the years 1 to 9999")
    elif not _SMALLEST <= max(-low, high) < _LARGEST:
        raise UnusableColumn(f"column {name!r} has numbers beyond 1e30, or none above 1e-28")


def _dates(present: Matrix, rounding: Rounding) -> dict[str, Any]:
    low, high = float(present.min()), float(present.max())
    first, last = rounding.days(low, high)
    return {
        "kind": "date",
        "minimum": first,
        "maximum": last,
        "unit": "years" if high - low >= _MANY_DAYS else "days",
        "origin": first,
    }


def _is_log_closer(present: Matrix, target: Matrix) -> bool:
    """Whether logarithms of skewed values above zero explain more of the target than the values do."""
    centered = present - present.mean()
    skewness = np.mean(centered**3) / np.mean(centered**2) ** 1.5
    if present.min() < _SMALLEST or skewness <= _SKEW or np.ptp(target) == 0:
        return False
    with np.errstate(invalid="ignore", divide="ignore"):  # logarithms may all be one number
        plain, log = (np.corrcoef(one, target)[0, 1] ** 2 for one in (present, np.log(present)))
    return bool(log > plain + _CLOSER)


def _levels(name: str, texts: Texts, rounding: Rounding) -> Suggested:
    """The frequent ones, the most frequent as the reference."""
    counts = np.bincount(texts.codes[texts.codes >= 0], minlength=len(texts.levels))
    order = np.argsort(-counts, kind="stable")
    used = [(texts.levels[place], int(counts[place])) for place in order if counts[place]]
    if not all(len(level) <= LONGEST_LEVEL and level.isprintable() for level, _ in used):
        raise UnusableColumn(f"column {name!r} holds texts that are no levels")
    if len(used) > MAXIMUM_LEVELS:
        raise UnusableColumn(f"column {name!r} has {len(used)} different texts, of {MAXIMUM_LEVELS} at most")
    least = max(2.0, _LEAST_SHARE * len(texts.codes))
    levels = [level for level, count in used if count >= least][:_MOST_SUGGESTED]
    if len(levels) < 2:
        raise UnusableColumn(f"column {name!r} holds texts, fewer than two of which stand in several rows")
    has_gaps = bool((texts.codes < 0).any())
    others = rounding.others or len(levels) < len(used)
    fields = {
        "name": name,
        "kind": "categorical",
        "levels": sorted(levels),
        "reference": levels[0],
        **({"other": "level"} if others else {}),
        **({"missing": "indicator"} if has_gaps else {}),
    }
    told = f"texts: a weight for each level but {levels[0]}, the most frequent"
    return Suggested(
        fields,
        told + (", one for all others" if others else "") + (", one for gaps" if has_gaps else ""),
    )


def exact_days(low: float, high: float) -> tuple[str, str]:
    """The days of two moments, and the next one where both are the same, so that there is a range."""
    first = day_of(low)
    return first, day_of(np.ceil(high)) if day_of(np.ceil(high)) > first else day_of(low + 1)


def outward_days(low: float, high: float) -> tuple[str, str]:
    """Beginnings of years, or of months for a short time, a quarter of the range further out.

    Never beyond what a request may name.
    """
    margin = (high - low) * _DAYS_OUTWARDS
    unit = "Y" if high - low >= _MANY_DAYS else "M"
    moments = max(low - margin, FIRST_DAY), min(high + margin, LAST_DAY)
    first, last = (np.datetime64(day_of(day), "D").astype(f"M8[{unit}]") for day in moments)
    end = min((last + 1).astype("M8[D]"), np.datetime64(LAST_DAY, "D"))
    return str(first.astype("M8[D]")), str(end)


def exact(low: float, *others: float) -> tuple[Decimal, Decimal]:
    """The least and the most as they are."""
    return Decimal(repr(low)), Decimal(repr(others[-1]))


def outward_logs(low: float, high: float) -> tuple[Decimal, Decimal]:
    """A quarter of the logarithms' range wider on both sides, half and twice at least.

    To the power of ten below, as cards are rounded (`rounded_outwards`), and up to one digit; never beyond
    what a request may name.
    """
    factor = max(2.0, math.sqrt(math.sqrt(high / low)))
    least, most = max(low / factor, _LEAST_NAMED), min(high * factor, _MOST_NAMED)
    down = Decimal(1).scaleb(Decimal(repr(least)).adjusted())
    return down, Context(prec=1, rounding=ROUND_CEILING).create_decimal(repr(most))


EXACT = Rounding(exact, exact, exact_days, others=False)
"""For values that are all there are."""


def quoted(text: str) -> str:
    """A YAML text in single quotes, which have no escapes."""
    return "'" + text.replace("'", "''") + "'"


def column_text(column: Any) -> str:
    """A column of a request in YAML, on one line."""
    fields = column.model_dump(mode="json")
    is_number = column.kind in ("numeric", "boolean")
    written = (f"{name}: {_plain(name, value, is_number)}" for name, value in fields.items())
    return "{ " + ", ".join(written) + " }"


def _plain(name: str, value: Any, is_number: bool) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(quoted, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    plain = name in ("kind", "unit", "other", "missing", "outside")
    return str(value) if plain or (is_number and name in ("minimum", "maximum")) else quoted(str(value))
