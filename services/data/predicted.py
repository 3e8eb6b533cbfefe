"""What a request says of what it predicts, out of rows: a target or several, and the start that follows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from protocol.errors import MisuseError
from protocol.learning.statistic import Matrix
from protocol.links import LINKS, LogitLink
from protocol.preparation.tables import Texts, ValueKind, Values
from protocol.request_kinds import DEMANDS
from protocol.request_sections import MOST_CLASSES, MOST_TARGETS
from protocol.request_targets import FEWEST_CLASSES, SEVERAL
from services.common.errors import UnusableColumn
from services.common.near_words import nearest
from services.data.column_suggestion import Rounding, suggest_column, target_values
from services.data.dispersion import start_section
from services.data.row_files import plain_name

_OF_CLASSES: frozenset[str] = frozenset(
    kind for kind, asked in DEMANDS.items() if asked.boolean_target or isinstance(LINKS.get(kind), LogitLink)
)
"""The kinds of model that predict a column of 0 and 1."""

Columns = Mapping[str, tuple[Values, ValueKind]]
"""By name, each with how it was read."""

Mean = Callable[[Matrix], str]
"""The mean of m values, rounded as a request may have it."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What is to be predicted: columns, and of one that holds texts the level that counts as 1.

    No column at all leaves which one to the rows.
    """

    kind: str
    columns: tuple[str, ...]
    level: str | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns that are read as texts whatever they hold: classes may be numbered."""
        return self.columns if self.kind == "several_classes" or self.level is not None else ()


@dataclass(frozen=True, slots=True)
class Predicted:
    """A request's fields of its target or targets and of its start, out of m `rows`.

    `numbers` are the target's m values; None of several columns or classes.
    """

    fields: Mapping[str, Any]
    rows: int
    numbers: Matrix | None = field(repr=False)


def aim_of(
    kind: str, target: str | None, targets: Sequence[str] | None = None, level: str | None = None
) -> Aim:
    """What options name, in the files' own form; raises MisuseError where they contradict each other."""
    if kind == "several_targets":
        if target is not None or not 2 <= len(targets or ()) <= MOST_TARGETS:
            raise MisuseError(
                f"--kind several_targets predicts 2 to {MOST_TARGETS} columns: name them with --targets "
                "a,b,c, in the place of --target"
            )
    elif targets is not None:
        raise MisuseError(f"--targets is for --kind several_targets; {kind} predicts one column, --target")
    if level is not None and kind in SEVERAL:
        raise MisuseError(f"--level is the one level of texts that counts as 1; {kind} has none")
    columns = targets or (() if target is None else (target,))
    if len(set(columns)) < len(columns):
        raise MisuseError(f"--targets names a column twice: {','.join(columns)}")
    return Aim(kind, tuple(map(plain_name, columns)), level)


def require_column(target: str, names: Sequence[str], place: str) -> None:
    """Raise MisuseError, with the name that was probably meant, for a target that is none of the columns."""
    if target not in names:
        near = nearest(target, names)
        meant = "" if near is None else f": did you mean {near!r}?"
        raise MisuseError(
            f"there is no column {target!r} to predict{meant or ';'} {place} has {', '.join(names)}"
        )


def predicted(aim: Aim, columns: Columns, rounding: Rounding, mean: Mean) -> Predicted:
    """Fields for the columns that `aim` names.

    Raises MisuseError for a column that no request of the kind can predict, with the remedy.
    """
    found: list[tuple[dict[str, Any], Matrix]] = []
    for name in aim.columns:
        try:
            if aim.kind == "several_classes":
                return _classes(name, _texts(*columns[name]), mean)
            found.append(_one(aim, name, columns[name], rounding))
        except UnusableColumn as error:
            raise MisuseError(f"the target {name!r} cannot be predicted: {error}") from None
    if aim.kind == "several_targets":
        means = tuple(mean(values) for _, values in found)
        targets = tuple(fields for fields, _ in found)
        sections = {"targets": targets, "start": {"start": "means", "values": means}}
        return Predicted(sections, len(found[0][1]), None)
    fields, values = found[0]
    start = start_section(aim.kind, mean(values))
    return Predicted({"target": fields, "start": start}, len(values), values)


def _one(
    aim: Aim, name: str, column: tuple[Values, ValueKind], rounding: Rounding
) -> tuple[dict[str, Any], Matrix]:
    """The column's fields and its m values."""
    values, kind = column
    if aim.level is not None:
        return {"name": name, "kind": "boolean", "level": aim.level}, _indicator(_texts(*column), aim.level)
    numbers = target_values(values, kind)
    fields = suggest_column(name, numbers, kind, rounding).fields
    if aim.kind in _OF_CLASSES and fields.get("kind") != "boolean":
        raise UnusableColumn(
            f"--kind {aim.kind} predicts a column of 0 and 1, which it is not: name such a column with "
            "--target, or of levels the one that counts as 1 with --level"
        )
    return fields, numbers


def _texts(values: Values, kind: ValueKind) -> Texts:
    """The levels of a column without gaps."""
    if not isinstance(values, Texts):
        raise UnusableColumn(f"it holds {kind}s; levels of texts are needed")
    if (values.codes < 0).any():
        row = int(np.argmax(values.codes < 0)) + 1
        raise UnusableColumn(f"it has no value in row {row}; fill such values or drop such rows")
    return values


def _indicator(texts: Texts, level: str) -> Matrix:
    """1 where a row has the level, else 0."""
    held = sorted(texts.levels[place] for place in np.unique(texts.codes))
    if level not in held or len(held) < 2:
        shown = ", ".join(map(repr, held[:8])) + (" and more" if len(held) > 8 else "")
        raise UnusableColumn(f"--level {level!r} must be one of two levels or more; it has {shown}")
    return np.asarray(texts.codes == texts.levels.index(level), dtype=np.float64)


def _classes(name: str, texts: Texts, mean: Mean) -> Predicted:
    """All levels that there are, and the share of each."""
    levels = sorted(texts.levels[place] for place in np.unique(texts.codes))
    if not FEWEST_CLASSES <= len(levels) <= MOST_CLASSES:
        raise UnusableColumn(
            f"it has {len(levels)} different values, and several_classes tells {FEWEST_CLASSES} to "
            f"{MOST_CLASSES} apart: of two ask for --kind binary_classification --level LEVEL, and join rare "
            "ones, or leave their rows out"
        )
    shares = tuple(mean(_indicator(texts, level)) for level in levels)
    fields = {"name": name, "kind": "categorical", "levels": tuple(levels)}
    start = {"start": "means", "values": shares}
    return Predicted({"target": fields, "start": start}, len(texts.codes), None)
