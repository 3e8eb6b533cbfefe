"""A data set: its card, and rows that lie within it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Self

from protocol.data_card import MOST_COLUMNS, CardColumn, DataCard, bucket_of, rounded_outwards
from protocol.errors import MisuseError
from protocol.learning.statistic import Statistic
from protocol.preparation.layout import KeptColumn
from protocol.preparation.tables import Table
from protocol.preparation.values import FIRST_DAY, LAST_DAY, LONGEST_LEVEL, MAXIMUM_LEVELS
from protocol.reason import TEXT, TEXTS, Reason

_NAMED = 8
_BETWEEN_ONE_AND_TWO = 1.5
"""Rows with a level are counted in floating point."""
_FEW_LEVELS = 4
"""So many levels need not come from single rows, however few these are."""

_SMALLEST, _LARGEST = 1e-30, 1e30
"""A request names no smaller numbers but zero, and no larger ones."""


class DataSet(NamedTuple):
    """A data set: what is public of it, and what no one else may see.

    `declared` are the columns whose range its owner has chosen; `tables` gives the rows again where they are
    in memory: of a daemon they are in the file that its catalogue names.
    """

    card: DataCard
    statistic: Statistic
    declared: tuple[str, ...] = ()
    tables: Callable[[], Iterable[Table]] | None = None

    @classmethod
    def of(cls, name: str, statistic: Statistic) -> Self:
        """With the card that an owner gets who declares nothing."""
        return cls(card_of(name, statistic), statistic)


def card_of(name: str, statistic: Statistic, *, exact: bool = False) -> DataCard:
    """A card for these rows: their ranges rounded outwards unless `exact`, no more said.

    Texts of too many values are no column that could be asked for. A card with a vocabulary is listed once
    its owner has seen it: words tell more than ranges. Raises MisuseError for numbers that no request can
    name, for too many columns, and where no column is left.
    """
    columns = tuple(_suggested(column, exact=exact) for column in _usable(statistic))
    if not columns:
        raise MisuseError(f"no column can be asked for: {text_fault(statistic.columns)}")
    if len(columns) > MOST_COLUMNS:
        raise MisuseError(
            f"there are {len(columns)} columns; no request asks for more than {MOST_COLUMNS}: "
            "choose fewer by name"
        )
    listed = not any(column.vocabulary for column in columns)
    return DataCard(name=name, columns=columns, rows_from=bucket_of(statistic.rows), listed=listed)


def renewed(earlier: DataSet, statistic: Statistic) -> DataCard:
    """The card for other rows of a data set: what was declared of it stays, other ranges are rounded anew.

    Raises MisuseError as `card_of` does.
    """
    known = {column.name: column for column in earlier.card.columns}
    fresh = card_of(earlier.card.name, statistic)
    columns = []
    for column in fresh.columns:
        before = known.get(column.name, column)
        if column.name in earlier.declared:
            seen = {"gaps": before.gaps or column.gaps, "clipped": column.clipped, "log": column.log}
            columns.append(before.model_copy(update=seen))
        else:
            columns.append(column.model_copy(update={"unit": before.unit}))
    new_words = set(_words(columns)) - set(_words(earlier.card.columns))
    wanted = {**dict(earlier.card), "columns": tuple(columns), "rows_from": fresh.rows_from}
    return DataCard.model_validate({**wanted, "listed": earlier.card.listed and not new_words})


def faults(card: DataCard, statistic: Statistic) -> tuple[str, ...]:
    """How the rows differ from what the card says; empty when they do not. For the owner's eyes alone."""
    usable = _usable(statistic)
    if [column.name for column in card.columns] != [column.name for column in usable]:
        return ("its columns are not those of the rows",)
    found = [_column_fault(column, kept) for column, kept in zip(card.columns, usable, strict=True)]
    if card.rows_from != bucket_of(statistic.rows):
        least = card.rows_from
        found.append(f"it says {least} rows or more, but not twice as many; there are {statistic.rows}")
    return tuple(fault for fault in found if fault is not None)


def _column_fault(column: CardColumn, kept: KeptColumn) -> str | None:
    name = column.name
    if column.kind != kept.kind and (column.kind, kept.kind) != ("numeric", "boolean"):
        return f"column {name!r} is {kept.kind}; its card says {column.kind}"
    if kept.gaps and not column.gaps:
        return f"column {name!r} has rows without a value; its card says that it has none"
    is_clipped = kept.clipped is not None and column.kind in ("numeric", "date")
    if (is_clipped and not column.clipped) or (column.log and not kept.log):
        return f"column {name!r} was read otherwise than its card says; add the rows again"
    others = [level for level in kept.levels if level not in column.vocabulary]
    if others:
        return f"column {name!r} has levels that are not on its card: {', '.join(others)}"
    return _range_fault(column, kept)


def _range_fault(column: CardColumn, kept: KeptColumn) -> str | None:
    if kept.minimum is None or kept.maximum is None or column.kind not in ("numeric", "date"):
        return None
    low, high = column.limits
    if float(low) <= kept.minimum and kept.maximum <= float(high):
        return None
    found = f"{kept.minimum:g} to {kept.maximum:g}"
    return f"column {column.name!r} runs from {found}; its card says {low:f} to {high:f}"


def _usable(statistic: Statistic) -> list[KeptColumn]:
    return [column for column in statistic.kept if column.kind != "text"]


def text_columns(statistic: Statistic) -> tuple[str, ...]:
    """The columns that are on no card, because their texts are too many, or too long, for levels."""
    return tuple(column.name for column in statistic.kept if column.kind == "text")


def text_fault(names: Sequence[str]) -> Reason:
    """What is wrong with `text_columns`, one or more, and what their owner can do."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    told = ", ".join(map(repr, names[:_NAMED])) + more
    template = TEXT if len(names) == 1 else TEXTS
    return Reason(template, column=told, levels=MAXIMUM_LEVELS, length=LONGEST_LEVEL)


def revealing(statistic: Statistic) -> tuple[str, ...]:
    """The columns whose levels describe single rows, as names and notes do.

    There are fewer than two rows to a level, or most levels stand in one row each.
    """
    counts = zip(statistic.parts, statistic.rows * (statistic.factor[:, -1] @ statistic.factor), strict=False)
    lonely = {part for part, count in counts if part.level and count < _BETWEEN_ONE_AND_TWO}
    return tuple(
        column.name
        for column in statistic.kept
        if len(column.levels) > _FEW_LEVELS
        and (
            len(column.levels) > (statistic.rows - column.gaps) / 2
            or sum(part in lonely for part in column.parts) > len(column.levels) / 2
        )
    )


def newly_revealed(card: DataCard, statistic: Statistic, before: DataCard | None) -> tuple[str, ...]:
    """The columns that describe single rows, of which `card` shows words to buyers and `before` did not."""
    if not card.listed:
        return ()
    known = set() if before is None or not before.listed else set(_words(before.columns))
    new = {name for name, word in _words(card.columns) if (name, word) not in known}
    return tuple(name for name in revealing(statistic) if name in new)


def _words(columns: Iterable[CardColumn]) -> Iterator[tuple[str, str]]:
    return ((column.name, level) for column in columns for level in column.vocabulary)


def _suggested(kept: KeptColumn, *, exact: bool) -> CardColumn:
    said: dict[str, Any] = {"name": kept.name, "kind": kept.kind, "gaps": kept.gaps > 0}
    if kept.kind == "categorical":
        return CardColumn(**said, vocabulary=kept.levels)
    if kept.kind == "boolean" or kept.minimum is None or kept.maximum is None:
        return CardColumn(**said)
    low, high = kept.minimum, kept.maximum
    _require_nameable(kept, low, high)
    clipped = kept.clipped is not None
    ends = rounded_outwards(low, high)
    if clipped or exact:
        ends = _as_it_is(low, ends[0]), _as_it_is(high, ends[1])
    if kept.kind == "date":
        ends = max(ends[0], Decimal(FIRST_DAY)), min(ends[1], max(Decimal(repr(high)), Decimal(LAST_DAY)))
    return CardColumn(**said, minimum=ends[0], maximum=ends[1], clipped=clipped, log=kept.log)


def _as_it_is(end: float, rounded: Decimal) -> Decimal:
    """The end of a range; rounded where it is nearer to zero than any number that a request can name."""
    return Decimal(repr(end)) if not end or abs(end) >= _SMALLEST else rounded


def _require_nameable(kept: KeptColumn, low: float, high: float) -> None:
    if kept.kind == "date" and not FIRST_DAY <= low <= high < LAST_DAY + 1:
        raise MisuseError(
            f"column {kept.name!r} has dates outside the years 1 to 9999: clip them, or leave it out"
        )
    if max(-low, high) >= _LARGEST:
        raise MisuseError(
            f"column {kept.name!r} runs from {low:g} to {high:g}, which is beyond 1e30: use larger units"
        )
