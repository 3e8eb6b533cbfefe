"""A request for data like a sample: columns with round ranges, and the target's mean to start from.

The sample is the buyer's own and stays here. What stands in the request of it, ranges and a mean, is read by
every owner that is asked, so it is rounded.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from pathlib import Path
from typing import Any

from protocol.asset import MARKET_ASSET
from protocol.errors import MisuseError
from protocol.links import FITTED
from protocol.payment import check_deposit, least_deposit
from protocol.preparation.tables import Texts, ValueKind, Values
from protocol.request import Request
from protocol.request_parsing import parse_request
from protocol.request_schedule import Method
from protocol.request_sections import DEFAULT_KIND, Bounds
from protocol.roles.rounds.requests import check_checkable
from protocol.roles.shared.request_widths import check_widths
from services.common.errors import DataSetError, UnusableColumn
from services.data.column_suggestion import (
    Rounding,
    Suggested,
    outward_days,
    outward_logs,
    suggest_column,
)
from services.data.curve_suggestion import quartiles, suggest_curves
from services.data.dispersion import model_section
from services.data.few_rows import rows_needed
from services.data.identifiers import require_measurement
from services.data.predicted import Aim, Predicted, aim_of, predicted, require_column
from services.data.ridge_options import ridge_section, rounds_for
from services.data.row_files import column_names, plain_name
from services.data.row_reader import read_table

_MEAN_DIGITS = 3
_MARGIN, _LONG_MARGIN = Decimal("0.25"), Decimal(1)
"""Of a range's width: other owners' rows go further than a sample, and much further at a long tail."""

_LONG = 2
"""A tail is long that reaches so many times as far from the median as the other one."""

USUAL_ROWS = Bounds().min_rows
_CONSENSUS = {"rounds": 10, "tolerance": "0.0001"}

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
    `targets` are in the place of `target` where several are predicted; `level` is the one of its texts that
    counts as 1; `inference` asks for standard errors; `ridges` are the penalties to choose from,
    the strongest first; `method` is how a round makes one model of the trainers'.
    """

    target: str | None
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
    targets: Sequence[str] | None = None
    level: str | None = None
    inference: bool = False
    ridges: Sequence[str] = ()
    method: Method = "averaging"

    @property
    def aim(self) -> Aim:
        """What is to be predicted; raises MisuseError for choices that contradict each other."""
        return aim_of(self.kind, self.target, self.targets, self.level)


def suggest(sample: Path, choices: Choices) -> Suggestion:
    """Read a sample of at most a million rows.

    Raises DataSetError for a file that cannot be read, MisuseError for a target that is not there, is no
    number or has one value only, for a sample without a feature, for columns that are chosen or left out and
    are not there, and for choices that no request can have.
    """
    names, aim = column_names(sample), choices.aim
    if not aim.columns:
        raise MisuseError(f"--target COLUMN names what is to be predicted; {sample} has {', '.join(names)}")
    for target in aim.columns:
        require_column(target, names, str(sample))
    candidates = _candidates(choices, sample, names, aim)
    found = _predicted(sample, aim, AMOUNTS if choices.kind == "gamma_regression" else OUTWARDS)
    columns: dict[str, Suggested] = {}
    left_out: dict[str, str] = {}
    quarters: dict[str, tuple[float, ...]] = {}
    for name in candidates:
        try:
            column, kind = _column(sample, name)
            if kind == "number" and choices.columns is None and not isinstance(column, Texts):
                require_measurement(name, column)
            columns[name] = suggest_column(name, column, kind, OUTWARDS, found.numbers)
            quarters[name] = quartiles(column) if choices.curves else ()
        except DataSetError as error:
            left_out[name] = str(error)
    if not columns:
        raise MisuseError(f"{sample} has no feature for {_names(aim)}: {'; '.join(left_out.values())}")
    features = [column.fields for column in columns.values()]
    request = _request(choices, features, found, quarters)
    check_widths(request)
    check_checkable(request)
    check_deposit(request, f"use --deposit {least_deposit(request)} or more")
    reasons = {name: column.reason for name, column in columns.items()}
    return Suggestion(request, left_out, found.rows, reasons)


def _candidates(choices: Choices, sample: Path, names: Sequence[str], aim: Aim) -> list[str]:
    """The columns that may be features, in the order of the file."""
    chosen = names if choices.columns is None else tuple(map(plain_name, choices.columns))
    unwanted = tuple(map(plain_name, choices.without))
    event = () if choices.event is None else (plain_name(choices.event),)
    for option, wanted in (("--columns", chosen), ("--without", unwanted), ("--event", event)):
        missing = [name for name in wanted if name not in names]
        if missing:
            raise MisuseError(f"{option}: {sample} has no column {missing[0]!r}; it has {', '.join(names)}")
    other = {*aim.columns, *event}
    candidates = [name for name in names if name in chosen and name not in unwanted and name not in other]
    if not candidates:
        raise MisuseError(f"no column is left to predict {_names(aim)} from; {sample} has {', '.join(names)}")
    return candidates


def _names(aim: Aim) -> str:
    return ", ".join(map(repr, aim.columns))


def _column(sample: Path, name: str, texts: Sequence[str] = ()) -> tuple[Values, ValueKind]:
    from services.data.column_kinds import read_kinds  # noqa: PLC0415  by pyarrow, which is slow to load

    kind = read_kinds(sample, [name], categorical=texts)[name]
    return read_table(sample, {name: kind})[name], kind


def _predicted(sample: Path, aim: Aim, rounding: Rounding) -> Predicted:
    """What a request may say of the targets; each error names the target that it is about."""
    columns = {}
    for name in aim.columns:
        try:
            columns[name] = _column(sample, name, aim.texts)
        except UnusableColumn as error:
            raise MisuseError(f"the target {name!r} cannot be predicted: {error}") from None
    return predicted(aim, columns, rounding, lambda values: str(round_mean(values.tolist())))


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
    found: Predicted,
    quarters: Mapping[str, Sequence[float]],
) -> Request:
    document = _document(choices, features, found)
    straight = parse_request(document)
    basis = suggest_curves(straight.features, quarters)
    if not basis:
        return straight
    curved = parse_request({**document, "basis": basis})
    rows = _least_rows(choices.kind, len(features), len(curved.curve_names))
    return parse_request({**document, "basis": basis, **rows})


def _document(choices: Choices, features: list[dict[str, Any]], found: Predicted) -> dict[str, Any]:
    return {
        "name": choices.name,
        "model": {
            **model_section(choices.kind, found.numbers, choices.event),
            **ridge_section(choices.ridges),
        },
        "schedule": _schedule(choices),
        **_least_rows(choices.kind, len(features)),
        "features": features,
        **found.fields,
        "inference": choices.inference,
        "owners": {"minimum": choices.least_owners, "maximum": choices.most_owners},
        "payment": {"deposit_wei": str(choices.deposit)},
        "aggregator": choices.aggregator,
    }


def _least_rows(kind: str, features: int, curves: int = 0) -> dict[str, Any]:
    """The bounds of a request for these columns and curves; of few, least squares need no more."""
    needed = rows_needed(kind, features, curves)
    return {} if kind not in FITTED and needed <= USUAL_ROWS else {"bounds": {"min_rows": needed}}


def _schedule(choices: Choices) -> dict[str, Any]:
    """Duals need more rounds than averages, which gain less each."""
    if choices.method == "averaging":
        return {"rounds": rounds_for(len(choices.ridges))}
    return {"method": choices.method, **_CONSENSUS}
