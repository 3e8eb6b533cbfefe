"""What a training asks of data, and whether a data set's card has it: nothing here ever sees rows."""

from protocol.asset import MARKET_ASSET
from protocol.data_card import CardColumn, DataCard
from protocol.learning.kinds.registry import kind_of
from protocol.payment import least_fixed_pay
from protocol.preparation.columns import (
    BooleanColumn,
    CategoricalColumn,
    Column,
    DateColumn,
    NumericColumn,
    kind_held,
)
from protocol.preparation.moments import day_of
from protocol.preparation.values import days_since_1970
from protocol.reason import (
    CLIPPED,
    FEW_ROWS,
    GAPS,
    HELD,
    HIDDEN_LEVELS,
    LEVELS,
    LOW_PAY,
    MORE_LEVELS,
    NO_COLUMN,
    NO_LOGARITHMS,
    OTHER_KIND,
    OUTSIDE,
    Reason,
)
from protocol.request import Request
from protocol.terms import NATIVE

_SERVES = {
    "numeric": ("numeric", "boolean"),
    "boolean": ("boolean",),
    "date": ("date",),
    "categorical": ("categorical",),
}


_TOLD_LEVELS = 10
"""Of a column: an owner keeps the reasons with every request that does not fit."""


def mismatches(request: Request, card: DataCard, *, words: bool = True) -> tuple[Reason, ...]:
    """Why a data set does not serve a request; empty when it does, as far as pay does not matter.

    Without `words` it tells of a vocabulary how many words are against it, and not which.
    """
    known = {column.name: column for column in card.columns}
    reasons = [_column_mismatch(column, known.get(column.name), words=words) for column in request.columns]
    if all(reason is None for reason in reasons[len(request.features) :]):
        kind = kind_of(request)
        reasons += [kind.target_mismatch(one, known[one.name]) for one in request.declared_targets]
    if card.rows_from < request.bounds.min_rows:
        reasons.append(Reason(FEW_ROWS, rows=card.rows_from, asked=request.bounds.min_rows))
    return tuple(reason for reason in reasons if reason is not None)


def noted_mismatches(request: Request, card: DataCard) -> tuple[str, ...]:
    """As `mismatches`, for facts, which are logged: words of a card that buyers do not see stay on it."""
    return tuple(map(str, mismatches(request, card, words=card.listed)))


def pay_mismatch(request: Request, card: DataCard) -> tuple[Reason, ...]:
    """Why a request pays too little for a data set; empty when it does not.

    A card asks for pay in the chain's own coin: with one in a token there is nothing to compare.
    """
    least = least_fixed_pay(request)
    if request.payment.token != NATIVE or least >= card.least_pay_wei:
        return ()
    asked = MARKET_ASSET.shown(card.least_pay_wei)
    return (Reason(LOW_PAY, pay=MARKET_ASSET.shown(least), asked=asked),)


def no_column(name: str) -> Reason:
    """The reason against a card without the column."""
    return Reason(NO_COLUMN, column=repr(name))


def _column_mismatch(asked: Column, found: CardColumn | None, *, words: bool) -> Reason | None:
    if found is None:
        return no_column(asked.name)
    served = kind_held(asked)
    if found.kind not in _SERVES[served]:
        held, wanted = (Reason(HELD[kind]) for kind in (found.kind, served))
        return Reason(OTHER_KIND, column=repr(asked.name), held=held, asked=wanted)
    if found.gaps and asked.missing == "refuse":
        return Reason(GAPS, column=repr(asked.name))
    if isinstance(asked, CategoricalColumn):
        return _level_mismatch(asked, found, words=words)
    if isinstance(asked, BooleanColumn):
        return None
    return _range_mismatch(asked, found)


def _level_mismatch(asked: CategoricalColumn, found: CardColumn, *, words: bool) -> Reason | None:
    others = [level for level in found.vocabulary if level not in asked.levels]
    if not others or asked.other != "refuse":
        return None
    column, told = repr(asked.name), ", ".join(others[:_TOLD_LEVELS])
    if not words:
        return Reason(HIDDEN_LEVELS, column=column, count=len(others))
    if len(others) > _TOLD_LEVELS:
        return Reason(MORE_LEVELS, column=column, levels=told, count=len(others) - _TOLD_LEVELS)
    return Reason(LEVELS, column=column, levels=told)


def _range_mismatch(asked: NumericColumn | DateColumn, found: CardColumn) -> Reason | None:
    column = repr(asked.name)
    if found.clipped and asked.outside == "refuse":
        return Reason(CLIPPED, column=column)
    if asked.kind == "numeric" and asked.log and not found.log:
        return Reason(NO_LOGARITHMS, column=column)
    low, high = found.limits
    ends: tuple[object, ...]
    if isinstance(asked, DateColumn):
        is_within = days_since_1970(asked.minimum) <= low and high <= days_since_1970(asked.maximum)
        ends = (day_of(float(low)), day_of(float(high)), asked.minimum, asked.maximum)
    else:
        is_within = asked.minimum <= low and high <= asked.maximum
        ends = tuple(f"{float(end):g}" for end in (low, high, asked.minimum, asked.maximum))
    names = ("low", "high", "minimum", "maximum")
    return None if is_within else Reason(OUTSIDE, column=column, **dict(zip(names, ends, strict=True)))
