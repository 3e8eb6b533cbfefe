"""What a training asks of data, and whether a data set's card has it: nothing here ever sees rows."""

from protocol.asset import MARKET_ASSET
from protocol.data_card import CardColumn, DataCard
from protocol.learning.kinds.registry import kind_of
from protocol.payment import least_fixed_pay
from protocol.preparation.columns import BooleanColumn, CategoricalColumn, Column, DateColumn, NumericColumn
from protocol.preparation.moments import day_of
from protocol.preparation.values import days_since_1970
from protocol.request import Request

_HELD = {"numeric": "numbers", "boolean": "yes and no", "date": "dates", "categorical": "texts"}
_SERVES = {
    "numeric": ("numeric", "boolean"),
    "boolean": ("boolean",),
    "date": ("date",),
    "categorical": ("categorical",),
}

_TOLD_LEVELS = 10
"""Of a column: an owner keeps the reasons with every request that does not fit."""


def mismatches(request: Request, card: DataCard, *, words: bool = True) -> tuple[str, ...]:
    """Why a data set does not serve a request; empty when it does, as far as pay does not matter.

    Without `words` it tells of a vocabulary how many words are against it, and not which.
    """
    known = {column.name: column for column in card.columns}
    columns = (*request.features, request.target)
    reasons = [_column_mismatch(column, known.get(column.name), words=words) for column in columns]
    target = known.get(request.target.name)
    if target is not None and reasons[-1] is None:
        reasons.append(kind_of(request).target_mismatch(request.target, target))
    if card.rows_from < request.bounds.min_rows:
        reasons.append(f"{card.rows_from} rows or more; at least {request.bounds.min_rows} asked")
    return tuple(reason for reason in reasons if reason is not None)


def noted_mismatches(request: Request, card: DataCard) -> tuple[str, ...]:
    """As `mismatches`, for facts, which are logged: words of a card that buyers do not see stay on it."""
    return mismatches(request, card, words=card.listed)


def pay_mismatch(request: Request, card: DataCard) -> tuple[str, ...]:
    """Why a request pays too little for a data set; empty when it does not."""
    least = least_fixed_pay(request)
    if least >= card.least_pay_wei:
        return ()
    asked = MARKET_ASSET.shown(card.least_pay_wei)
    return (f"the least fixed pay is {MARKET_ASSET.shown(least)}; its card asks for {asked}",)


def no_column(name: str) -> str:
    """The reason against a card without the column."""
    return f"no column {name!r}"


def _column_mismatch(asked: Column, found: CardColumn | None, *, words: bool) -> str | None:
    if found is None:
        return no_column(asked.name)
    if found.kind not in _SERVES[asked.kind]:
        return f"column {asked.name!r} holds {_HELD[found.kind]}; {_HELD[asked.kind]} asked"
    if found.gaps and asked.missing == "refuse":
        return f"column {asked.name!r} has rows without a value; a value in every row asked"
    if isinstance(asked, CategoricalColumn):
        return _level_mismatch(asked, found, words=words)
    if isinstance(asked, BooleanColumn):
        return None
    return _range_mismatch(asked, found)


def _level_mismatch(asked: CategoricalColumn, found: CardColumn, *, words: bool) -> str | None:
    others = [level for level in found.vocabulary if level not in asked.levels]
    if others and asked.other == "refuse":
        if not words:
            return f"column {asked.name!r} has levels that are not asked for, {len(others)} of them"
        more = f" and {len(others) - _TOLD_LEVELS} more" if len(others) > _TOLD_LEVELS else ""
        told = ", ".join(others[:_TOLD_LEVELS])
        return f"column {asked.name!r} has levels that are not asked for: {told}{more}"
    return None


def _range_mismatch(asked: NumericColumn | DateColumn, found: CardColumn) -> str | None:
    if found.clipped and asked.outside == "refuse":
        return f"column {asked.name!r} was clipped to a range; values as they are asked"
    if asked.kind == "numeric" and asked.log and not found.log:
        return f"column {asked.name!r} was kept without logarithms; they are asked"
    low, high = found.limits
    if isinstance(asked, DateColumn):
        minimum, maximum = days_since_1970(asked.minimum), days_since_1970(asked.maximum)
        ends = f"{day_of(float(low))} to {day_of(float(high))}; {asked.minimum} to {asked.maximum}"
        is_within = minimum <= low and high <= maximum
    else:
        ends = f"{float(low):g} to {float(high):g}; {float(asked.minimum):g} to {float(asked.maximum):g}"
        is_within = asked.minimum <= low and high <= asked.maximum
    return None if is_within else f"column {asked.name!r} runs from {ends} asked"
