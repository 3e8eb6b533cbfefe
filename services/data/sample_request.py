"""What the demo trains on, and the request that a buyer would write for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

import numpy as np

from protocol.asset import MARKET_ASSET
from protocol.data_card import bucket_of
from protocol.errors import MisuseError
from protocol.learning.statistic import Matrix
from protocol.preparation.tables import Table, Texts, ValueKind, Values, joined, row_count, rows_of
from protocol.request import Request
from protocol.request_parsing import parse_request
from protocol.request_schedule import Method, Schedule
from protocol.request_sections import DEFAULT_KIND
from protocol.request_targets import SEVERAL
from protocol.terms import NATIVE, Token
from services.common.errors import UnusableColumn
from services.data.column_suggestion import EXACT, suggest_column
from services.data.dispersion import model_section
from services.data.identifiers import require_measurement
from services.data.predicted import Aim, Predicted, aim_of, predicted
from services.data.ridge_options import ridge_section, ridges_of, rounds_for
from services.data.row_files import (
    column_names,
    columns_hint,
    index_columns,
    index_note,
    listed,
    name_list,
    plain_name,
)
from services.data.row_reader import read_table
from services.data.samples import deal, diabetes

_THESIS: dict[str, object] = {
    "rounds": 20,
    "local_steps": 5,
    "step_size": "1.5",
    "tolerance": 0,
    "deliver": "last",
}
DEFAULT_DEPOSIT = MARKET_ASSET.whole
DEFAULT_TOKEN_DEPOSIT = 1000 * 10**6
"""Smallest units of the test token, which has six decimals."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What to train and how; the defaults are the diabetes data under 3072-bit keys.

    None leaves a value to the request's own defaults, or with `thesis` to those of the 2019 thesis: features
    as they are, 20 × 5 steps of 1.5 from zero, without ridge.
    """

    kind: str = DEFAULT_KIND
    rounds: int | None = None
    folds: int | None = None
    local_steps: int | None = None
    method: Method | None = None
    rho: Decimal | None = None
    owners: int = 5
    step_size: Decimal | None = None
    tolerance: Decimal | None = None
    start: Literal["zero", "mean"] | None = None
    thesis: bool = False
    key_bits: int = 3072
    deposit: int | None = None
    token: bool = False
    ridge: str | None = None
    broker: str | None = None
    chain: str | None = None
    data: Path | None = None
    target: str | None = None
    targets: str | None = None
    level: str | None = None
    inference: bool = False
    columns: str | None = None
    event: str | None = None
    seed: int = 39
    model_out: Path | None = None
    report: Path | None = None
    card: Path | None = None
    force: bool = False
    folder: Path | None = None
    transcripts: Path | None = None
    workers: int | None = None
    metrics_port: int | None = None

    @property
    def paid(self) -> int:
        """The deposit in smallest units: of the test token with `token`, else wei."""
        return self.deposit or (DEFAULT_TOKEN_DEPOSIT if self.token else DEFAULT_DEPOSIT)

    def schedule(self) -> dict[str, object]:
        """The request's schedule, with what is given here."""
        given = {
            "rounds": self.rounds,
            "folds": self.folds,
            "local_steps": self.local_steps,
            "method": self.method,
            "rho": self.rho,
            "step_size": self.step_size,
            "tolerance": self.tolerance,
        }
        path = ridges_of(self.ridge)
        base = _THESIS if self.thesis else {"rounds": rounds_for(len(path))} if path else {}
        return {**base, **{name: value for name, value in given.items() if value is not None}}

    def most_rounds(self) -> int:
        """After how many rounds it ends at the latest."""
        return Schedule.model_validate(self.schedule()).rounds


@dataclass(frozen=True, slots=True)
class DemoData:
    """Every owner's rows, in dealing order, how they are read, and what is to be predicted.

    `left_out` are the reasons for which columns of the file are not used; `event` is the column of 0 and 1
    that says which times ended with the event.
    """

    kinds: Mapping[str, ValueKind]
    aim: Aim
    parts: list[Table] = field(repr=False)
    left_out: tuple[str, ...] = ()
    event: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Features and targets, in the order of the file."""
        return tuple(self.kinds)

    @property
    def features(self) -> tuple[str, ...]:
        """All columns but the targets and the events beside them."""
        return tuple(name for name in self.columns if name not in (*self.targets, self.event))

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns to predict: one of most kinds of models."""
        return self.aim.columns

    @property
    def sizes(self) -> list[int]:
        """How many rows each owner has."""
        return [row_count(part) for part in self.parts]

    def column(self, name: str) -> Values:
        """All owners' values of a column."""
        return joined([{name: part[name]} for part in self.parts])[name]

    def numbers(self, name: str) -> Matrix:
        """All owners' values of a column of numbers; raises MisuseError for another, or one with gaps."""
        values = self.column(name)
        if isinstance(values, Texts) or self.kinds[name] == "date" or np.isnan(values).any():
            raise MisuseError(
                f"column {name!r} holds other values than numbers, or gaps, which the thesis' run does not "
                "know; name the others with --columns"
            )
        return values


def load_data(options: DemoOptions) -> DemoData:
    """The rows, dealt to the owners by the seed."""
    aim, kinds, table = _table(options)
    for target in aim.columns:
        if target not in kinds:
            raise MisuseError(f"there is no column {target!r} to predict; the data have {', '.join(kinds)}")
    _predicted(aim, kinds, table, is_chosen=options.target is not None or options.targets is not None)
    event = None if options.event is None else plain_name(options.event)
    needed = _needed(kinds, aim, event)
    left_out = _left_out(table, kinds, needed, is_chosen=options.columns is not None)
    kinds = {name: kind for name, kind in kinds.items() if name not in left_out}
    if len(kinds) <= len(needed):
        columns = ", ".join(map(repr, aim.columns))
        lacking = f"the data have only the column {columns}; a feature and a target are needed"
        raise MisuseError("; ".join((lacking, *left_out.values())))
    used = {name: table[name] for name in kinds}
    places = deal(np.arange(row_count(used)), options.owners, options.seed)
    parts = [rows_of(used, part) for part in places]
    return DemoData(kinds, aim, parts, tuple(left_out.values()), event)


def _table(options: DemoOptions) -> tuple[Aim, dict[str, ValueKind], Table]:
    """What to predict, of no option the last column; how each column is read, and all rows."""
    aim = aim_of(options.kind, options.target, listed(options.targets), options.level)
    if options.data is None:
        names, rows = diabetes()
        kinds: dict[str, ValueKind] = dict.fromkeys(names, "number")
        return _or_last(aim, names), kinds, dict(zip(names, rows.T, strict=True))
    columns = _chosen(options, aim)
    aim = _or_last(aim, columns or column_names(options.data))
    from services.data.column_kinds import read_kinds  # noqa: PLC0415  by pyarrow, which is slow to load

    with columns_hint():
        texts = [name for name in aim.texts if name in (columns or column_names(options.data))]
        kinds = read_kinds(options.data, columns, categorical=texts)
        return aim, kinds, read_table(options.data, kinds)


def _or_last(aim: Aim, names: Sequence[str]) -> Aim:
    return aim if aim.columns else replace(aim, columns=(plain_name(names[-1]),))


def _predicted(
    aim: Aim, kinds: Mapping[str, ValueKind], table: Table, *, is_chosen: bool = True
) -> Predicted:
    """What a request says of the targets; their means to six digits, as a buyer with a sample knows them."""
    try:
        columns = {name: (table[name], kinds[name]) for name in aim.columns}
        return predicted(aim, columns, EXACT, lambda values: f"{float(values.mean()):.6g}")
    except MisuseError as error:
        which = "" if is_chosen else "; it is the last column: --target names another"
        raise MisuseError(f"{error}{which}") from None


def _needed(kinds: Mapping[str, ValueKind], aim: Aim, event: str | None) -> frozenset[str]:
    """The columns that are no features: the targets, and the events beside them."""
    if event is not None and event not in kinds:
        raise MisuseError(f"--event: there is no column {event!r}; the data have {', '.join(kinds)}")
    return frozenset(aim.columns if event is None else (*aim.columns, event))


def _left_out(
    table: Table, kinds: Mapping[str, ValueKind], needed: frozenset[str], *, is_chosen: bool
) -> dict[str, str]:
    """Columns that tell nothing, and why: texts that are no levels, one value in every row, identifiers.

    The last are used where the columns were chosen by name.
    """
    reasons = {}
    for name, values in table.items():
        if name in needed:
            continue
        try:
            if kinds[name] == "number" and not is_chosen and not isinstance(values, Texts):
                require_measurement(name, values)
            suggest_column(name, values, kinds[name], EXACT)
        except UnusableColumn as error:
            reasons[name] = str(error)
    return reasons


def _chosen(options: DemoOptions, aim: Aim) -> list[str] | None:
    """The columns to read, the targets and the events among them; None for all."""
    chosen = listed(options.columns)
    if chosen is None:
        return None
    needed = [*aim.columns, *([] if options.event is None else [plain_name(options.event)])]
    return [*chosen, *(name for name in needed if name not in chosen)]


def column_notes(options: DemoOptions, data: DemoData) -> list[str]:
    """Which columns of the file are what, for the person who chose it."""
    is_chosen = options.target is not None or options.targets is not None
    what = "target" if len(data.targets) == 1 else "targets"
    which = "" if is_chosen else ", the last column; --target names another"
    lines = [] if options.data is None else index_note(index_columns(options.data))
    lines += [f"left out: {reason}" for reason in data.left_out]
    return [*lines, f"features: {name_list(data.features)}", f"{what}: {name_list(data.targets)}{which}"]


def demo_request(options: DemoOptions, data: DemoData, aggregator: str, token: Token = NATIVE) -> Request:
    """The request a buyer would write for these rows: ranges from the data, bounds from the ranges."""
    found = _predicted(data.aim, data.kinds, {name: data.column(name) for name in data.targets})
    column = _thesis_column if options.thesis else _column
    return parse_request(
        {
            "name": f"demo, seed {options.seed}",
            "model": {
                **model_section(options.kind, found.numbers, data.event),
                **({"l2": 0} if options.thesis else {}),
                **ridge_section(ridges_of(options.ridge)),
            },
            "features": [column(name, data, found.numbers) for name in data.features],
            **found.fields,
            **_thesis_target(options, data),
            "inference": options.inference,
            "schedule": options.schedule(),
            **_start(options, data),
            "owners": {"minimum": options.owners, "maximum": options.owners},
            "bounds": {"min_rows": bucket_of(min(data.sizes))},
            "payment": {"deposit_wei": str(options.paid), "token": token},
            "aggregator": aggregator,
            "deadlines": {"join_s": 60, "reveal_s": 60, "step_s": 60, "chain_s": 60},
            "key_bits": options.key_bits,
        }
    )


def _column(name: str, data: DemoData, target: Matrix | None) -> dict[str, object]:
    return suggest_column(name, data.column(name), data.kinds[name], EXACT, target).fields


def _thesis_column(name: str, data: DemoData, target: Matrix | None) -> dict[str, object]:
    """A column as it is: features are declared from −1 to 1, which scaling leaves alone.

    The target's own range scales it, and gradient descent moves alike on a target that is shifted and
    stretched: the weights at the end are those of the raw columns.
    """
    values = data.numbers(name)
    low, high = float(values.min()), float(values.max())
    if target is None:
        return {"name": name, "minimum": repr(low), "maximum": repr(high)}
    if max(abs(low), abs(high)) > 1:
        raise MisuseError(
            f"column {name!r} goes from {low:.6g} to {high:.6g}, and the thesis' run takes features as they "
            "are, from -1 to 1: leave out --thesis, scale the column, or name others with --columns"
        )
    return {"name": name, "minimum": "-1", "maximum": "1"}


def _thesis_target(options: DemoOptions, data: DemoData) -> dict[str, object]:
    """The target as it is; nothing in any other run."""
    if not options.thesis:
        return {}
    if options.kind in SEVERAL or options.level is not None:
        raise MisuseError("--thesis predicts one column of numbers: leave it out, or --kind and --level")
    return {"target": _thesis_column(data.targets[0], data, None)}


def _start(options: DemoOptions, data: DemoData) -> dict[str, object]:
    """The first model where it is not the one of means.

    The thesis starts from zero in the columns' own units, which is no zero between scaled columns.
    """
    start = options.start or ("zero" if options.thesis else "mean")
    if start == "mean":
        return {}
    if options.thesis:
        return {"start": {"start": "weights", "weights": ("0",) * (len(data.features) + 1)}}
    return {"start": {"start": start}}
