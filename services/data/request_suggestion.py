"""A request for data like a sample: columns with round ranges, and the target's mean to start from.

The sample is the buyer's own and stays here. What stands in the request of it, ranges and a mean, is read by
every owner that is asked, so it is rounded.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from pathlib import Path
from typing import Any

from protocol.asset import MARKET_ASSET
from protocol.errors import MisuseError
from protocol.learning.statistic import Matrix
from protocol.links import FITTED
from protocol.payment import check_deposit, least_deposit
from protocol.preparation.tables import Texts, ValueKind, Values
from protocol.request import Request
from protocol.request_parsing import parse_request
from protocol.request_sections import DEFAULT_KIND, Bounds, StartMean
from protocol.roles.rounds.requests import check_checkable
from protocol.roles.shared.request_widths import check_widths
from services.common.errors import DataSetError, UnusableColumn
from services.data.column_suggestion import (
    Rounding,
    Suggested,
    column_text,
    outward_days,
    outward_logs,
    quoted,
    suggest_column,
    target_values,
)
from services.data.curve_suggestion import quartiles, suggest_curves
from services.data.dispersion import model_section, start_section
from services.data.few_rows import ROWS_PER_FEATURE, require_one_target, rows_needed
from services.data.identifiers import require_measurement
from services.data.row_files import column_names, plain_name
from services.data.row_reader import read_table

_MEAN_DIGITS = 3
_MARGIN, _LONG_MARGIN = Decimal("0.25"), Decimal(1)
"""Of a range's width: other owners' rows go further than a sample, and much further at a long tail."""

_LONG = 2
"""A tail is long that reaches so many times as far from the median as the other one."""

_USUAL_ROWS = Bounds().min_rows

NOBODY = "0x" + "0" * 39 + "1"
"""Stands where the buyer has not said which aggregator it works with."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A request that is valid as it stands; why columns of the sample were left out; its rows.

    `reasons` say of each feature why it is declared so.
    """

    request: Request
    left_out: Mapping[str, str]
    rows: int
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Choices:
    """What a buyer decides; the rest follows from the sample.

    `columns` are the features to take, None for all that are no identifiers; those in `without` stay out.
    `curves` asks for a spline of each number and date; `event` is the column of 0 and 1 beside times.
    """

    target: str
    name: str
    aggregator: str = NOBODY
    deposit: int = MARKET_ASSET.whole
    least_owners: int = 4
    most_owners: int = 16
    columns: Sequence[str] | None = None
    without: Sequence[str] = ()
    kind: str = DEFAULT_KIND
    curves: bool = False
    event: str | None = None


def suggest(sample: Path, choices: Choices) -> Suggestion:
    """Read a sample of at most a million rows.

    Raises DataSetError for a file that cannot be read, MisuseError for a target that is not there, is no
    number or has one value only, for a sample without a feature, for columns that are chosen or left out and
    are not there, and for choices that no request can have.
    """
    require_one_target(choices.kind)
    names, target = column_names(sample), plain_name(choices.target)
    if target not in names:
        raise MisuseError(f"there is no column {target!r} to predict; {sample} has {', '.join(names)}")
    candidates = _candidates(choices, sample, names, target)
    values, found = _target(sample, target, AMOUNTS if choices.kind == "gamma_regression" else OUTWARDS)
    columns: dict[str, Suggested] = {}
    left_out: dict[str, str] = {}
    quarters: dict[str, tuple[float, ...]] = {}
    for name in candidates:
        try:
            column, kind = _column(sample, name)
            if kind == "number" and choices.columns is None and not isinstance(column, Texts):
                require_measurement(name, column)
            columns[name] = suggest_column(name, column, kind, OUTWARDS, values)
            quarters[name] = quartiles(column) if choices.curves else ()
        except DataSetError as error:
            left_out[name] = str(error)
    if not columns:
        raise MisuseError(f"{sample} has no feature for {target!r}: {'; '.join(left_out.values())}")
    features = [column.fields for column in columns.values()]
    request = _request(choices, features, found.fields, values, quarters)
    check_widths(request)
    check_checkable(request)
    check_deposit(request, f"use --deposit {least_deposit(request)} or more")
    reasons = {name: column.reason for name, column in columns.items()}
    return Suggestion(request, left_out, len(values), reasons)


def _candidates(choices: Choices, sample: Path, names: Sequence[str], target: str) -> list[str]:
    """The columns that may be features, in the order of the file."""
    chosen = names if choices.columns is None else tuple(map(plain_name, choices.columns))
    unwanted = tuple(map(plain_name, choices.without))
    event = () if choices.event is None else (plain_name(choices.event),)
    for option, wanted in (("--columns", chosen), ("--without", unwanted), ("--event", event)):
        missing = [name for name in wanted if name not in names]
        if missing:
            raise MisuseError(f"{option}: {sample} has no column {missing[0]!r}; it has {', '.join(names)}")
    other = {target, choices.event and plain_name(choices.event)}
    candidates = [name for name in names if name in chosen and name not in unwanted and name not in other]
    if not candidates:
        raise MisuseError(f"no column is left to predict {target!r} from; {sample} has {', '.join(names)}")
    return candidates


def _column(sample: Path, name: str) -> tuple[Values, ValueKind]:
    from services.data.column_kinds import read_kinds  # noqa: PLC0415  by pyarrow, which is slow to load

    kind = read_kinds(sample, [name])[name]
    return read_table(sample, {name: kind})[name], kind


def _target(sample: Path, name: str, rounding: Rounding) -> tuple[Matrix, Suggested]:
    """The target's values, and what a request may declare of it."""
    try:
        values, kind = _column(sample, name)
        values = target_values(values, kind)
        return values, suggest_column(name, values, kind, rounding)
    except UnusableColumn as error:
        raise MisuseError(f"the target {name!r} cannot be predicted: {error}") from None


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


OUTWARDS = Rounding(round_range, outward_logs, outward_days, others=True)
"""For a sample: other owners have other values."""


def _round_amounts(low: float, median: float, high: float) -> tuple[Decimal, Decimal]:
    """Amounts stay above zero; a sample with others is refused with the request that it makes."""
    return outward_logs(low, high) if low > 0 else round_range(low, median, high)


AMOUNTS = Rounding(_round_amounts, outward_logs, outward_days, others=True)
"""For a target whose logarithm is predicted."""


def _request(
    choices: Choices,
    features: list[dict[str, Any]],
    target: dict[str, Any],
    values: Matrix,
    quarters: Mapping[str, Sequence[float]],
) -> Request:
    document = _document(choices, features, target, values)
    straight = parse_request(document)
    basis = suggest_curves(straight.features, quarters)
    if not basis:
        return straight
    curved = parse_request({**document, "basis": basis})
    rows = _least_rows(choices.kind, len(features), len(curved.curve_names))
    return parse_request({**document, "basis": basis, **rows})


def _document(
    choices: Choices, features: list[dict[str, Any]], target: dict[str, Any], values: Matrix
) -> dict[str, Any]:
    return {
        "name": choices.name,
        "model": model_section(choices.kind, values, choices.event),
        **_least_rows(choices.kind, len(features)),
        "features": features,
        "target": target,
        "start": start_section(choices.kind, str(round_mean(values.tolist()))),
        "owners": {"minimum": choices.least_owners, "maximum": choices.most_owners},
        "payment": {"deposit_wei": str(choices.deposit)},
        "aggregator": choices.aggregator,
    }


def _least_rows(kind: str, features: int, curves: int = 0) -> dict[str, Any]:
    """The bounds of a request for these columns and curves; of few, least squares need no more."""
    needed = rows_needed(kind, features, curves)
    return {} if kind not in FITTED and needed <= _USUAL_ROWS else {"bounds": {"min_rows": needed}}


def as_text(suggestion: Suggestion, sample: str) -> str:
    """YAML with a comment for each choice; `load_request` reads it back as the same request."""
    request = suggestion.request
    left_out = [_comment(f"Left out: {reason}.") for reason in suggestion.left_out.values()]
    reasons = suggestion.reasons
    features = [f"  - {column_text(one)} # {_plain_text(reasons[one.name])}" for one in request.features]
    schedule, payment = request.schedule, request.payment
    deposit = MARKET_ASSET.shown(payment.deposit_wei)
    least = MARKET_ASSET.exact(least_deposit(request))
    nobody = " Put the one you work with here." if request.aggregator == NOBODY else ""
    lines = [
        _comment(
            f"For data like {sample} ({suggestion.rows} rows). Every owner that is asked reads all of this."
        ),
        "",
        f"name: {quoted(request.name)}",
        *_kind_lines(request),
        "",
        "# The sample's ranges, rounded: a quarter wider on both sides, twice as wide at a long tail. Owners",
        "# with values outside, or with gaps where the sample has none, cannot take part. Columns are scaled",
        "# by these ranges; the model is delivered in their own units.",
        *left_out,
        "features:",
        *features,
        *_basis_lines(request),
        f"target: {column_text(request.target)}",
        f"scale: {request.scale}",
        "",
        "schedule:",
        f"  rounds: {schedule.rounds} # At most: averages of the owners' local models.",
        f"  local_steps: {schedule.local_steps} # Gradient steps in each round; they cost nothing.",
        "  step_size: auto # Each owner takes the largest that is safe on its rows.",
        f"  tolerance: {schedule.tolerance} # Ends when a round improves the error by less than this share.",
        "",
        *_bounds_lines(request),
        *_start_lines(request),
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


def _kind_lines(request: Request) -> list[str]:
    """The kind of model, where it is not what a document without one asks for."""
    if request.model.kind == DEFAULT_KIND:
        return []
    lines = ["model:", f"  kind: {request.model.kind}"]
    if request.model.dispersion is not None:
        comment = "α: counts of the sample vary by μ + αμ² around their mean; columns explain a part."
        lines.append(f"  dispersion: {request.model.dispersion} # {comment}")
    if request.model.event is not None:
        lines.append(
            f"  event: {quoted(request.model.event)} # 1 where the time ended with the event, else 0."
        )
    return lines


def _start_lines(request: Request) -> list[str]:
    if not isinstance(request.start, StartMean):
        return [
            "# Hazards that are all alike: you pay for what the owners' data tell apart.",
            "start: { start: zero }",
            "",
        ]
    return [
        "# The sample's mean, to three digits: you pay for what the owners' data add to it.",
        f"start: {{ start: mean, value: {request.start.value} }}",
        "",
    ]


def _basis_lines(request: Request) -> list[str]:
    """The curves, a line each."""
    if not request.basis:
        return []
    comment = [
        "# Curves with knots at the sample's quartiles, rounded; owners read their rows again for them."
    ]
    document = request.model_dump(mode="json")["basis"]
    return [*comment, "basis:", *(f"  - {json.dumps(one, ensure_ascii=False)}" for one in document)]


def _bounds_lines(request: Request) -> list[str]:
    """The fewest rows of an owner, where they are not those of a request that does not say."""
    kind, least = request.model.kind, request.bounds.min_rows
    if kind not in FITTED and least == _USUAL_ROWS:
        return []
    first = "Each owner fits its own rows first: " if kind in FITTED else "Of each owner "
    return [
        f"# {first}{ROWS_PER_FEATURE[kind]} rows for each feature at least. With fewer",
        "# its model follows noise, and owners of worthless rows earn more.",
        f"bounds: {{ min_rows: {least} }}",
        "",
    ]


def _comment(text: str) -> str:
    return f"# {_plain_text(text)}"


def _plain_text(text: str) -> str:
    """One line whatever is in it: a file whose name has line ends must not add fields of its own."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
