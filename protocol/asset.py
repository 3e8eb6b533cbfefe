"""What deposits and pay are made in: the one place that knows its units.

Everything inside, on the wire and on the chain counts whole smallest units in exact integers; people read and
write the asset's whole unit. `MARKET_ASSET` is the chain's own coin, ether. A training may pay in any ERC-20
token instead: what its units are called, and how many decimals they have, is what a party's own configuration
says (`Assets`), and what nobody configured is shown in smallest units.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation

from protocol.errors import MisuseError
from protocol.types import ZERO_ADDRESS

LARGEST = (1 << 128) - 1
"""Smallest units in an amount that a person writes: the largest deposit that the contract takes."""

LARGEST_WHOLE = 10**9
"""Of ether, in an amount that a person writes: more than there is."""

_LARGEST_EXPONENT = 80
_EXACT = Context(prec=100, traps=[Inexact, InvalidOperation])
_WRITTEN = re.compile(r"(?ai)(?P<number>[-+]?[0-9.,]+(?:e[-+]?[0-9]+)?)\s*(?P<unit>(?:[a-z][a-z0-9. ]*)?)")
_THOUSANDS = re.compile(r"[-+]?[1-9][0-9]{0,2},[0-9]{3}")
_SHOWN = 60
"""Characters of what cannot be read."""


def with_decimal_point(number: str) -> str:
    """A number that a person wrote, its decimal comma made a point.

    It stays as it is, and is no number, where the comma may be one of thousands: 1,500 is 1.5 to some and
    1500 to others.
    """
    has_comma = number.count(",") == 1 and "." not in number
    return number.replace(",", ".") if has_comma and not _THOUSANDS.fullmatch(number) else number


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset: `symbol` stands behind figures, `name` in sentences, `smallest` names its smallest unit.

    `others` are further units that people write, by their names, each with its number of decimals; `largest`
    is the most that a person may write, in smallest units.
    """

    symbol: str
    name: str
    smallest: str
    decimals: int
    others: tuple[tuple[str, int], ...] = ()
    largest: int = LARGEST

    @property
    def whole(self) -> int:
        """Smallest units in one whole unit."""
        return int(10**self.decimals)

    @property
    def examples(self) -> str:
        """How amounts are written with their units, for help and errors."""
        others = (f"5 {name}" for name, _ in self.others)
        return ", ".join((f"0.1 {self.symbol}", *others, f"100 {self.smallest}"))

    def decimal(self, amount: int | Decimal) -> Decimal:
        """An amount in whole units, exactly."""
        return _EXACT.scaleb(_EXACT.create_decimal(amount), -self.decimals)

    def plain(self, amount: int | Decimal) -> str:
        """An amount in whole units as `parse` reads it: no symbol, no exponent, no zeros at its end."""
        return f"{_EXACT.normalize(self.decimal(amount)):f}"

    def shown(self, amount: int) -> str:
        """An amount as people read it: whole units with their symbol, exactly."""
        return f"{self.plain(amount)} {self.symbol}"

    def exact(self, amount: int) -> str:
        """An amount in smallest units, with their name."""
        return f"{amount} {self.smallest}"

    def parse(self, text: str) -> int:
        """The amount that a person wrote, with its unit in any case, as 0.1 ETH or 5gwei, or in whole units.

        A comma may stand for the decimal point, as in `with_decimal_point`. Raises MisuseError for anything
        else, for more decimals than the unit has, and for less than nothing or more than `largest`.
        """
        wanted = f"an amount of {self.name} with at most {self.decimals} decimals, such as {self.examples}"
        return self._bounded(text, self._read(text, self.decimals), wanted)

    def parse_exact(self, text: str) -> int:
        """As `parse`, but a number without a unit counts smallest units, and has digits alone."""
        is_plain = text.isascii() and text.isdigit()
        has_unit = text.strip()[-1:].isalpha()
        wanted = f"a whole number of {self.smallest}, such as {self.whole}, nor like {self.examples}"
        return self._bounded(text, self._read(text, 0) if is_plain or has_unit else None, wanted)

    def _read(self, text: str, decimals: int) -> int | None:
        """Smallest units; `decimals` are those of a number without a unit. None for what cannot be read."""
        written = _WRITTEN.fullmatch(text.strip())
        if written is None:
            return None
        units = {self.symbol: self.decimals, self.name: self.decimals, **dict(self.others), self.smallest: 0}
        known = {name.casefold(): places for name, places in units.items()} | {"": decimals}
        places = known.get(written["unit"].casefold())
        if places == 0 and not {",", "."}.isdisjoint(written["number"]):
            return None  # nothing has parts of the smallest unit: it may be meant for thousands
        try:
            value = _EXACT.create_decimal(with_decimal_point(written["number"]))
            if places is not None and value.adjusted() <= _LARGEST_EXPONENT:
                return int(_EXACT.to_integral_exact(_EXACT.scaleb(value, places)))
        except DecimalException:
            pass
        return None

    def _bounded(self, text: str, amount: int | None, wanted: str) -> int:
        if amount is None:
            hint = "; a comma before three digits may mean thousands: leave it out, or write a point"
            raise MisuseError(f"{text[:_SHOWN]!r} is not {wanted}{hint if ',' in text else ''}")
        if not 0 <= amount <= self.largest:
            raise MisuseError(f"{text[:_SHOWN]!r} is not between 0 and {self.shown(self.largest)}")
        return amount


ETHER = Asset(
    symbol="ETH",
    name="ether",
    smallest="wei",
    decimals=18,
    others=(("gwei", 9),),
    largest=LARGEST_WHOLE * 10**18,
)
MARKET_ASSET = ETHER
"""The chain's own coin, which a training pays in where its request names no token."""

MOST_DECIMALS = 36
"""Of a token that can be configured."""

SYMBOL = r"^[A-Za-z][A-Za-z0-9.]{0,10}$"
"""Of a token that can be configured: nothing in it looks like something else."""

_OWN_UNITS = frozenset(unit.casefold() for unit in (ETHER.symbol, ETHER.name, ETHER.smallest, "gwei"))


def token_asset(symbol: str, decimals: int) -> Asset:
    """The asset of a token. Raises MisuseError for a symbol that is a unit of the chain's own coin."""
    if symbol.casefold() in _OWN_UNITS:
        raise MisuseError(f"{symbol!r} is a unit of {ETHER.name}: no token can be configured by this symbol")
    return Asset(symbol=symbol, name=symbol, smallest=f"units of {symbol}", decimals=decimals)


@dataclass(frozen=True, slots=True)
class Assets:
    """What a party knows to name: the chain's own coin, and by address the tokens that it configured."""

    tokens: Mapping[str, Asset] = field(default_factory=dict)

    def of(self, token: str) -> Asset:
        """The asset of a token (zero: the chain's own coin); one that is not known counts smallest units."""
        if token == ZERO_ADDRESS:
            return MARKET_ASSET
        return self.tokens.get(token) or _unknown(token)

    def is_known(self, token: str) -> bool:
        """Whether figures of it can be written in whole units."""
        return token == ZERO_ADDRESS or token in self.tokens


def _unknown(token: str) -> Asset:
    name = f"units of token {token}"
    return Asset(symbol=name, name=name, smallest=name, decimals=0)


NO_TOKENS = Assets()
"""The chain's own coin alone."""
