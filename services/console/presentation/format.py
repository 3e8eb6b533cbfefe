"""Figures as people read them, in their language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from math import sqrt

from babel import Locale
from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal, format_percent, get_group_symbol

from protocol.asset import MARKET_ASSET, Asset
from protocol.records import FIXED_POINT

_PRECISION = 400
"""Digits enough for every float, and every number of the contract: others' figures must not break a page."""

_GROUPED_FROM = 10_000

Figure = int | float | Decimal | Fraction


@dataclass(frozen=True, slots=True)
class Formats:
    """Formatting in one locale; None is shown as a dash."""

    locale: Locale

    def number(self, value: Figure | None, digits: int = 4) -> str:
        """At most so many decimals."""
        if value is None:
            return "–"
        pattern = "#,##0." + "#" * digits if digits else "#,##0"
        with localcontext(prec=_PRECISION):
            return format_decimal(_decimal(value), format=pattern, locale=self.locale)

    def significant(self, value: Figure | None, digits: int = 5) -> str:
        """So many significant digits, in plain notation."""
        if value is None:
            return "–"
        number = _decimal(value) or Decimal(0)  # never "-0"
        decimals = min(max(0, digits - 1 - number.adjusted()), 12) if number else 0
        return self.number(number, decimals)

    def of_rows(self, value: Figure | None) -> str:
        """A value out of rows, six digits: thousands are set apart from 10,000 on, for 1900 may be a year."""
        text = self.significant(value, 6)
        if value is None or abs(_decimal(value)) >= _GROUPED_FROM:
            return text
        return text.replace(str(get_group_symbol(self.locale)), "")

    def metric(self, value: int | None) -> str:
        """An error in the contract's fixed point, × 1e18."""
        return self.significant(None if value is None else Fraction(value, FIXED_POINT))

    def root_metric(self, value: int | None) -> str:
        """The root of an error in the contract's fixed point: in the target's own unit, not its square."""
        return self.significant(None if value is None else sqrt(value / FIXED_POINT))

    def duration(self, seconds: int) -> str:
        """How long, by its largest unit."""
        return format_timedelta(seconds, threshold=1.5, locale=self.locale)

    def percent(self, value: Figure | None, digits: int = 1) -> str:
        """A share; 1 is 100 %."""
        if value is None:
            return "–"
        with localcontext(prec=_PRECISION):
            return format_percent(_decimal(value), format="#,##0." + "#" * digits + " %", locale=self.locale)

    def money(self, amount: int | None, asset: Asset = MARKET_ASSET, digits: int = 6) -> str:
        """An amount of an asset, with its unit. What is not nothing never shows as 0."""
        if amount is None:
            return "–"
        figure = asset.decimal(amount)
        if amount and abs(figure) < Decimal(1).scaleb(-digits):
            digits = asset.decimals
        return f"{self.number(figure, digits)} {asset.symbol}"

    def money_at_least(self, amount: int, asset: Asset = MARKET_ASSET) -> str:
        """As `money`, but rounded down: whoever asks for what it shows gets that."""
        step = max(1, asset.whole // 10**6)
        return self.money(amount if amount < step else amount - amount % step, asset)

    def moment(self, seconds: float | None) -> str:
        """A moment in Unix seconds, in UTC; the page shows it in the reader's own time where it can."""
        if seconds is None:
            return "–"
        at = datetime.fromtimestamp(seconds, UTC)
        return f"{format_datetime(at, 'medium', locale=self.locale)} UTC"


def isoformat(seconds: float) -> str:
    """A moment for <time datetime>."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def short(identifier: str) -> str:
    """An address or a hash by its ends."""
    return identifier if len(identifier) <= 16 else f"{identifier[:8]}…{identifier[-6:]}"


def points_text(curve: Sequence[tuple[int, int]], most: int = 400) -> str:
    """A curve of errors (× 1e18) for the chart, "round:error" by spaces; a long one is thinned evenly."""
    step = max(1, -(-len(curve) // most))
    kept = [*curve[:-1:step], *curve[-1:]]
    return " ".join(f"{number}:{error / FIXED_POINT:.7g}" for number, error in kept)


def _decimal(value: Figure) -> Decimal:
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    return value if isinstance(value, Decimal) else Decimal(str(value))
