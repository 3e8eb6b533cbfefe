"""A request for data like a sample: columns with round ranges, and the target's mean to start from.

The sample is the buyer's own and stays here. What stands in the request of it, ranges and a mean, is read by
every owner that is asked, so it is rounded.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from pathlib import Path
from typing import Any

import numpy as np

from protocol.asset import MARKET_ASSET
from protocol.errors import MisuseError
from protocol.learning.statistic import Matrix
from protocol.payment import check_deposit, least_deposit
from protocol.request import Request
from protocol.request_parsing import parse_request
from protocol.roles.shared.request_widths import check_widths
from protocol.scaling import Scaling
from services.common.errors import DataSetError
from services.data.tabular import column_names, plain_name, read_rows

_MEAN_DIGITS = 3
_MARGIN, _LONG_MARGIN = Decimal("0.25"), Decimal(1)
"""Of a range's width: other owners' rows go further than a sample, and much further at a long tail."""

_LONG = 2
"""A tail is long that reaches so many times as far from the median as the other one."""

NOBODY = "0x" + "0" * 39 + "1"
"""Stands where the buyer has not said which aggregator it works with."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A request that is valid as it stands; why columns of the sample were left out; its rows."""

    request: Request
    left_out: Mapping[str, str]
    rows: int


@dataclass(frozen=True, slots=True)
class Choices:
    """What a buyer decides; the rest follows from the sample."""

    target: str
    name: str
    aggregator: str = NOBODY
    deposit: int = MARKET_ASSET.whole
    least_owners: int = 4
    most_owners: int = 16


def suggest(sample: Path, choices: Choices) -> Suggestion:
    """Read a sample of at most a million rows.

    Raises DataSetError for a file that cannot be read, MisuseError for a target that is not there, is no
    number or has one value only, for a sample without a feature, and for choices that no request can have.
    """
    names, target = column_names(sample), plain_name(choices.target)
    if target not in names:
        raise MisuseError(f"there is no column {target!r} to predict; {sample} has {', '.join(names)}")
    ranges: dict[str, tuple[Decimal, Decimal]] = {}
    left_out: dict[str, str] = {}
    values = np.zeros(0)
    for name, column, reason in _columns(sample, names):
        if column is None:
            left_out[name] = reason
            continue
        low, high = round_range(*np.quantile(column, (0, 0.5, 1)).tolist())
        if not Scaling.of_range(low, high, centered=True).is_exact:
            left_out[name] = f"column {name!r} varies too little around {low:.9g} for floating point"
            continue
        ranges[name] = low, high
        if name == target:
            values = column
    if target in left_out:
        raise MisuseError(f"the target {target!r} cannot be predicted: {left_out[target]}")
    if len(ranges) == 1:
        raise MisuseError(f"{sample} has no feature for {target!r}: {'; '.join(left_out.values())}")
    request = parse_request(_document(choices, target, ranges, values))
    check_widths(request)
    check_deposit(request, f"use --deposit {least_deposit(request)} or more")
    return Suggestion(request, left_out, len(values))


def _columns(sample: Path, names: tuple[str, ...]) -> Iterator[tuple[str, Matrix | None, str]]:
    """Every column with its values, or None and why it is left out."""
    for name in names:
        try:
            column = read_rows(sample, [name])[1][:, 0]
        except DataSetError as error:
            yield name, None, str(error)
            continue
        if column.min() == column.max():
            yield name, None, f"column {name!r} has one value in every row"
        else:
            yield name, column, ""


def round_range(low: float, median: float, high: float) -> tuple[Decimal, Decimal]:
    """A range of round numbers with a margin on both sides; zero and one stay where they are the ends.

    What is never negative stays so.
    """
    if (low, high) == (0, 1):
        return Decimal(0), Decimal(1)
    least, middle, most = (Decimal(repr(value)) for value in (low, median, high))
    width = most - least
    below = _LONG_MARGIN if middle - least > _LONG * (most - middle) else _MARGIN
    above = _LONG_MARGIN if most - middle > _LONG * (middle - least) else _MARGIN
    unit = Decimal(1).scaleb(width.adjusted())
    step = unit / 2 if width / unit >= 2 else unit / 5
    down = ((least - width * below) / step).to_integral_value(ROUND_FLOOR) * step
    up = ((most + width * above) / step).to_integral_value(ROUND_CEILING) * step
    return max(down, Decimal(0)) if least >= 0 else down, min(up, Decimal(0)) if most <= 0 else up


def round_mean(values: Sequence[float]) -> Decimal:
    """The mean to three digits, a tie to the even one."""
    return Context(prec=_MEAN_DIGITS).create_decimal(repr(math.fsum(values) / len(values)))


def _document(
    choices: Choices, target: str, ranges: Mapping[str, tuple[Decimal, Decimal]], values: Matrix
) -> dict[str, Any]:
    columns = {
        name: {"name": name, "minimum": str(low), "maximum": str(high)}
        for name, (low, high) in ranges.items()
    }
    return {
        "name": choices.name,
        "features": [column for name, column in columns.items() if name != target],
        "target": columns[target],
        "start": {"start": "mean", "value": str(round_mean(values.tolist()))},
        "owners": {"minimum": choices.least_owners, "maximum": choices.most_owners},
        "payment": {"deposit_wei": str(choices.deposit)},
        "aggregator": choices.aggregator,
    }


def as_text(suggestion: Suggestion, sample: str) -> str:
    """YAML with a comment for each choice; `load_request` reads it back as the same request."""
    request = suggestion.request
    left_out = [_comment(f"Left out: {reason}.") for reason in suggestion.left_out.values()]
    features = [f"  - {_column(column)}" for column in request.features]
    schedule, payment, start = request.schedule, request.payment, request.model_dump(mode="json")["start"]
    deposit, least = map(MARKET_ASSET.exact, (payment.deposit_wei, least_deposit(request)))
    nobody = " Put the one you work with here." if request.aggregator == NOBODY else ""
    lines = [
        _comment(
            f"For data like {sample} ({suggestion.rows} rows). Every owner that is asked reads all of this."
        ),
        "",
        f"name: {_quoted(request.name)}",
        "",
        "# The sample's ranges, rounded: a quarter wider on both sides, twice as wide at a long tail. Owners",
        "# with values outside cannot take part. Columns are scaled by these ranges; the model is delivered",
        "# in their own units.",
        *left_out,
        "features:",
        *features,
        f"target: {_column(request.target)}",
        f"scale: {request.scale}",
        "",
        "schedule:",
        f"  rounds: {schedule.rounds} # At most: averages of the owners' local models.",
        f"  local_steps: {schedule.local_steps} # Gradient steps in each round; they cost nothing.",
        "  step_size: auto # Each owner takes the largest that is safe on its rows.",
        f"  tolerance: {schedule.tolerance} # Ends when a round improves the error by less than this share.",
        "",
        "# The sample's mean, to three digits: you pay for what the owners' data add to it.",
        f"start: {{ start: mean, value: {start['value']} }}",
        "",
        "owners:",
        f"  minimum: {request.owners.minimum} # Fewer: cancelled, and the deposit returned. At least 4.",
        f"  maximum: {request.owners.maximum} # Of these, 70 % train and 30 % validate.",
        "",
        "payment:",
        f'  deposit_wei: "{payment.deposit_wei}" # {deposit}; the contract takes {least} at least.',
        "",
        f"# The aggregator that runs the training.{nobody}",
        f'aggregator: "{request.aggregator}"',
    ]
    return "\n".join(lines) + "\n"


def _column(column: Any) -> str:
    return f"{{ name: {_quoted(column.name)}, minimum: {column.minimum:f}, maximum: {column.maximum:f} }}"


def _comment(text: str) -> str:
    """One line whatever is in it: a file whose name has line ends must not add fields of its own."""
    return "# " + "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _quoted(text: str) -> str:
    """A YAML text in single quotes, which have no escapes."""
    return "'" + text.replace("'", "''") + "'"
