"""What follows when the buyer says that a round's errors are implausible: `implausible`, and never more.

It names trainers' own errors alone, each with its sign and how far out it is. Nobody sits out on its word.
The product is opened to the two checkers, under new shares that are wider where the errors are; each takes
off the two shares that it knows and has every error within an interval as wide as the third.

- No error in the interval makes the statement true: the buyer.
- Negative: a matrix RᵀR gives no negative square, so one member's is none. Rounding gives some, in proportion
  to the square of the weights: so the named trainers' ranges are opened first, and a trainer out of range is
  named. Then each member's metric is opened in the same way, and who is negative beyond rounding is named.
- Else the named trainers sit the round out, without fault.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from protocol.errors import ProtocolViolation
from protocol.learning.judgement.failed_checks import ranges_allow
from protocol.learning.judgement.faults import Demand, Fault, Judgement, Offence
from protocol.learning.judgement.plausibility import Limits

WIDENINGS = (0, 8, 16, 24)
"""k: an error is named with the least under which it fits 2^k times its limit, the last where none is."""

_KEPT_BITS = 8
_BAD_STATEMENT = "bad_statement"


class Outlier(NamedTuple):
    """A trainer's error that is out of range: which, its sign and the least k."""

    trainer: int
    negative: bool
    widening: int


class Interval(NamedTuple):
    """What a checker knows of an error: it is one of low … high."""

    low: int
    high: int

    @classmethod
    def of(cls, opened: int, known_shares: int, unknown_share: int) -> "Interval":
        """From an opening, the two shares that were taken off, and the bound of the third."""
        high = opened - known_shares
        return cls(high - unknown_share, high)


class SitOut(NamedTuple):
    """The trainers that have no part in this round, without fault."""

    trainers: tuple[int, ...]


def outliers(own: Sequence[int], limits: Limits) -> tuple[Outlier, ...]:
    """What an honest buyer says of the opened own errors, in the order of trainers."""
    return tuple(
        Outlier(trainer, value < 0, _least(abs(value), limits.own))
        for trainer, value in enumerate(own)
        if not limits.admits_own(value)
    )


def require_statement(statement: Sequence[Outlier], trainers: int) -> None:
    """Check a buyer's statement; raises ProtocolViolation("bad_statement") for one that nobody can make.

    Each trainer stands at most once, in order; a positive error with k = 0 would be in range.
    """
    named = [one.trainer for one in statement]
    if not named or named != sorted(set(named)) or not 0 <= named[0] <= named[-1] < trainers:
        raise ProtocolViolation(_BAD_STATEMENT, f"trainers {named}; of {trainers}, each once and in order")
    for one in statement:
        if one.widening not in WIDENINGS or not (one.negative or one.widening):
            sign = "negative" if one.negative else "positive"
            raise ProtocolViolation(_BAD_STATEMENT, f"trainer {one.trainer}: {sign} within 2^{one.widening}")


def share_bound(ordinary: int, widening: int) -> int:
    """Of a share of the noise over a named error: 2^max(k − 8, 0) times the ordinary one."""
    return ordinary << max(widening - _KEPT_BITS, 0)


def judge_statement(
    buyer: str,
    statement: Sequence[Outlier],
    opened: Mapping[int, Interval],
    limits: Limits,
) -> Judgement | SitOut:
    """What a checked statement comes to, by what was opened for every trainer that it names."""
    if any(not _can_be_true(one, opened[one.trainer], limits) for one in statement):
        return (Fault(buyer, Offence.FALSE_STATEMENT),)
    if any(one.negative for one in statement):
        return Demand.RANGES
    return SitOut(tuple(one.trainer for one in statement))


def judge_negative(
    statement: Sequence[Outlier],
    addresses: Sequence[str],
    in_range: Mapping[str, bool] | None,
    metrics: Mapping[str, Mapping[int, Interval]] | None,
    rounding: Mapping[str, int],
) -> Judgement | SitOut:
    """Who is named for negative errors, by ranges of the named trainers and then by each member's metric.

    `addresses` are the trainers', `in_range` has those opened with proof, `metrics` what was opened of each
    member for every named trainer, `rounding` each member's `gram_rounding`.
    """
    negative = [one.trainer for one in statement if one.negative]
    if (first := ranges_allow(in_range, [addresses[trainer] for trainer in negative])) is not None:
        return first
    if metrics is None:
        return Demand.MEMBER_METRICS
    named = [
        Fault(member, Offence.NEGATIVE_ERROR)
        for member, errors in metrics.items()
        if any(errors[trainer].high < -rounding[member] for trainer in negative)
    ]
    return tuple(named) or SitOut(tuple(one.trainer for one in statement))


def _least(size: int, limit: int) -> int:
    return next((k for k in WIDENINGS if size <= limit << k), WIDENINGS[-1])


def _can_be_true(one: Outlier, known: Interval, limits: Limits) -> bool:
    """Whether an honest buyer may have said this of some error in the interval.

    It saw the error with noise of its own, 0 … limits.noise.
    """
    place = WIDENINGS.index(one.widening)
    least = limits.own << WIDENINGS[place - 1] if one.widening else 0
    most = None if one.widening == WIDENINGS[-1] else limits.own << one.widening
    if not one.negative:
        least = max(least, limits.own + limits.rounding + limits.noise)
        low, high = known.low, known.high + limits.noise
    else:
        least = max(least, limits.rounding)
        low, high = -known.high - limits.noise, -known.low
    return high > least and (most is None or low <= most)
