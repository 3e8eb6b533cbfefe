"""What deposits and pay are made in: the one place that knows its units.

Everything inside, on the wire and on the chain counts whole smallest units in exact integers; people read and
write the asset's whole unit. The contract holds its chain's own coin, so `MARKET_ASSET` is ether; a token
would be another value.
"""

from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation

from protocol.errors import MisuseError

_LARGEST_EXPONENT = 80
_EXACT = Context(prec=100, traps=[Inexact, InvalidOperation])


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset: `symbol` stands behind figures, `name` in sentences, `smallest` names its smallest unit."""

    symbol: str
    name: str
    smallest: str
    decimals: int

    @property
    def whole(self) -> int:
        """Smallest units in one whole unit."""
        return int(10**self.decimals)

    def decimal(self, amount: int | Decimal) -> Decimal:
        """An amount in whole units, exactly."""
        return _EXACT.scaleb(_EXACT.create_decimal(amount), -self.decimals)

    def plain(self, amount: int | Decimal) -> str:
        """An amount in whole units as `parse` reads it: no symbol, no exponent, no zeros at its end."""
        return f"{_EXACT.normalize(self.decimal(amount)):f}"

    def exact(self, amount: int) -> str:
        """An amount in smallest units, with their name."""
        return f"{amount} {self.smallest}"

    def parse(self, text: str) -> int:
        """The amount that a person wrote in whole units; a comma may stand for the decimal point.

        Raises MisuseError for anything else, and for more decimals than the asset has.
        """
        written = text.strip()
        if written.count(",") == 1 and "." not in written:
            written = written.replace(",", ".")
        try:
            number = _EXACT.create_decimal(written)
            if number.is_finite() and number.adjusted() <= _LARGEST_EXPONENT:
                return int(_EXACT.to_integral_exact(_EXACT.scaleb(number, self.decimals)))
        except DecimalException:
            pass
        raise MisuseError(f"{text!r} is not an amount of {self.name} with at most {self.decimals} decimals")

    def parse_exact(self, text: str) -> int:
        """The amount in a text of smallest units; raises MisuseError unless it has digits alone."""
        if not (text.isascii() and text.isdigit()):
            raise MisuseError(f"{text!r} is not a whole number of {self.smallest}, such as {self.whole}")
        return int(text)


ETHER = Asset(symbol="ETH", name="ether", smallest="wei", decimals=18)
MARKET_ASSET = ETHER
"""What the market's contract takes and pays."""
